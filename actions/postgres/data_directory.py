"""What a data directory tells of its server without a server: its control file, its signals, its last command line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

STANDBY, RECOVERY = "standby.signal", "recovery.signal"
IN_RECOVERY = ("in archive recovery", "shut down in recovery")
_CONNINFO = re.compile(r"(?im)^[ \t]*primary_conninfo[ \t]*+(?:=[ \t]*)?'((?:[^'\\]|''|\\.)*)'")
_STATE = re.compile(r"^Database cluster state:\s*(.+?)\s*$", re.MULTILINE)
_PART = r"{name}\s*=\s*(?:'((?:[^'\\]|\\.)*)'|(\S+))"
_URI = re.compile(r"postgres(?:ql)?://(?:[^/@]*@)?(?P<host>[^/?,]+)")


@dataclass(frozen=True)
class DataDirectory:
    """One data directory as it was found; not a fact, its text may hold secrets.

    `control` is what pg_controldata printed, or `control_error` why it did not. `owner` is `uid:gid`, `wal` where
    a link in the place of pg_wal leads (empty: it is a folder), `tablespaces` where each link in pg_tblspc does. `link`
    is where a link in the place of the directory itself leads, `version` what its PG_VERSION says, `preload` which
    libraries its configuration preloads. `below` are the data directories that lie within one that is none itself.
    """

    control: str
    control_error: str = ""
    owner: str = ""
    signals: tuple[str, ...] = ()
    auto_conf: str = ""
    pid_file: str = ""
    opts_file: str = ""
    wal: str = ""
    tablespaces: Mapping[int, str] = field(default_factory=dict)
    link: str = ""
    version: str = ""
    preload: str = ""
    empty: bool = False
    below: tuple[str, ...] = ()

    @property
    def standby(self) -> bool:
        """Whether its server follows another one: it would start as a standby, or ended as one."""
        if STANDBY in self.signals:
            return True
        state = _STATE.search(self.control)
        return RECOVERY not in self.signals and state is not None and state[1] in IN_RECOVERY

    def follows(self) -> str:
        """The primary's name, where postgresql.auto.conf says it, as `pg_basebackup -R` leaves it."""
        found = _CONNINFO.findall(self.auto_conf)
        return primary_of(found[-1].replace("''", "'").replace("\\'", "'")) if found else ""


def primary_of(conninfo: str) -> str:
    """Host and port of a connection string, and nothing else of it: it may hold a password."""
    if uri := _URI.search(conninfo):
        return uri["host"]
    host = _value("host", conninfo) or _value("hostaddr", conninfo)
    port = _value("port", conninfo)
    return f"{host}:{port}" if host and port else host


def _value(name: str, conninfo: str) -> str:
    found = re.search(rf"(?:^|\s){_PART.format(name=name)}", conninfo)
    return (found[1] or found[2] or "") if found else ""
