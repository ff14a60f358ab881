"""How a standby follows its primary: whom, as whom, by which slot, and the settings that say so."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

RETRY = "100ms"
"""`wal_retrieve_retry_interval`: how long a standby waits until it asks again. The default of 5 s is lost by each
primary that is started anew."""
PASSFILE = "mayday.pgpass"
"""Lies in the data directory of a standby; libpq takes the password out of it and no other place."""
_LONGEST = 63
_ROLE = "mayday_replication"


@dataclass(frozen=True)
class PrimaryAddress:
    """The primary as its standby reaches it: `role` logs in there, `slot` keeps the WAL, `name` is who follows."""

    host: str
    port: int
    role: str
    slot: str
    name: str

    def says(self) -> str:
        """For example: nself-postgres:5432, slot nself_postgres_standby_main."""
        return f"{self.at}, slot {self.slot}"

    @property
    def at(self) -> str:
        """Host and port."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def conninfo(self, passfile: str, name: str = "") -> str:
        """The connection string; `passfile` is the path as whoever connects sees it."""
        parts = {"host": self.host, "port": str(self.port), "user": self.role, "passfile": passfile}
        said = {**parts, "application_name": name or self.name}
        return " ".join(f"{key}={_quoted(value)}" for key, value in said.items())

    def passfile_line(self, password: str) -> str:
        """The one line of the passfile; the password is made of letters, digits, dashes and underscores."""
        return f"*:*:*:{self.role}:{password}\n"


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return value if re.fullmatch(r"[\w./:@-]+", value, re.ASCII) else f"'{escaped}'"


def password_in(line: str) -> str:
    """The password of such a line; empty where there is none."""
    return line.strip().rpartition(":")[2]


def slot_of(service: str, site: str) -> str:
    """The name of a standby's slot: one for each standby, wherever it is."""
    return _fitting(re.sub(r"[^a-z0-9_]", "_", f"{service}_{site}".lower()))


def role_of(slot: str) -> str:
    """The role of a standby: one for each, since to set the password of one would shut another one out."""
    return _fitting(f"{_ROLE}_{slot}")


def _fitting(name: str) -> str:
    """A name that PostgreSQL does not shorten; of a longer one a digest tells it from those that begin alike."""
    if len(name) <= _LONGEST:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[: _LONGEST - len(digest) - 1]}_{digest}"


def address_of(said: str, container: str, port: int) -> tuple[str, int]:
    """Host and port of an address of the settings; without one the container's name, and its server's own port."""
    if not said:
        return container, port
    found = re.fullmatch(r"(?:\[(?P<six>[^\]]+)\]|(?P<host>[^:]+))(?::(?P<port>\d+))?", said)
    if found is None:
        return said, port
    return found["six"] or found["host"], int(found["port"] or 5432)


def settings_of(upstream: PrimaryAddress, passfile: str, limits: tuple[tuple[str, int], ...]) -> str:
    """The lines of postgresql.auto.conf that make a standby of a copy; `limits` are those it must not fall below."""
    said = {
        "primary_conninfo": upstream.conninfo(passfile),
        "primary_slot_name": upstream.slot,
        "wal_retrieve_retry_interval": RETRY,
        "recovery_target_timeline": "latest",
        **{name: str(value) for name, value in limits},
    }
    return "".join(f"{name} = {_literal(value)}\n" for name, value in said.items())


def _literal(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"
