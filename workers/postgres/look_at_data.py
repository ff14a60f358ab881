"""Looking at the live data directory: everything that is asked of it in one command."""

from __future__ import annotations

from actions.postgres.data_directory import RECOVERY, STANDBY, DataDirectory
from actions.postgres.server import Server
from workers.docker.helper import HOME, checked
from workers.postgres.server_helper import ServerHelper

# From PostgreSQL 17 on pg_controldata says on stderr that the checksum is wrong.
_LOOK = r"""
readlink "$1"
cd "$1" 2>/dev/null || exit 0
export LC_ALL=C TZ=UTC
printf '\034'; pg_controldata . 2>&1; printf '\034%s' $?
printf '\034'; stat -c %u:%g .
printf '\034'; for f in "$2" "$3"; do [ ! -e "$f" ] || echo "$f"; done
printf '\034'; cat postgresql.auto.conf 2>/dev/null
printf '\034'; cat postmaster.pid 2>/dev/null
printf '\034'; cat postmaster.opts 2>/dev/null
printf '\034'; readlink pg_wal
printf '\034'; cat PG_VERSION 2>/dev/null
printf '\034'; ls -A | head -n 1
printf '\034'
[ -f PG_VERSION ] || find . -mindepth 2 -maxdepth 4 -path '*/global/pg_control' 2>/dev/null |
    sed 's#/global/pg_control$##; s#^\./##'
printf '\034'; [ ! -f PG_VERSION ] || postgres -C shared_preload_libraries -D "$PWD" 2>/dev/null
printf '\034'
"""
# Links alone: a folder there is a tablespace within the data directory (allow_in_place_tablespaces).
_LINKS = r"""
cd pg_tblspc 2>/dev/null || exit 0
for link in [0-9]*; do [ ! -L "$link" ] || printf '%s %s\0' "$link" "$(readlink "$link")"; done
exit 0
"""


def look(helper: ServerHelper, server: Server) -> DataDirectory:
    """The live data directory, whatever state it is in; one that is not there has no version."""
    done = helper.inside(server).script(_LOOK + _LINKS, f"{HOME}/{server.home.leaf}", STANDBY, RECOVERY)
    said = checked(
        done,
        "looking at the data directory",
        f"See that {server.home.parent}/{server.home.leaf} is there and its disk is mounted.",
    )
    link, *rest = said.split("\x1c")
    if not rest:
        return DataDirectory(
            "", f"{server.home.parent}/{server.home.leaf} cannot be entered.", link=link.strip(), empty=True
        )
    control, code, owner, signals, auto_conf, pid_file, opts_file, wal, version, some, below, preload, links = rest
    failed = "" if code == "0" else control.strip() or f"exit code {code}"
    return DataDirectory(
        control,
        failed,
        owner.strip(),
        tuple(signals.split()),
        auto_conf,
        pid_file,
        opts_file,
        wal.strip(),
        _links(links),
        link.strip(),
        version.strip(),
        preload.strip(),
        not some.strip(),
        tuple(below.split("\n")[:-1]),
    )


def links_now(helper: ServerHelper, server: Server) -> dict[int, str]:
    """Where the links of the tablespaces lead at this moment, by oid."""
    done = helper.inside(server).script('cd "$1" || exit 64' + _LINKS, f"{HOME}/{server.home.leaf}")
    return _links(checked(done, "reading the links of the tablespaces"))


def _links(said: str) -> dict[int, str]:
    rows = (link.partition(" ") for link in said.strip("\n").split("\0")[:-1])
    return {int(oid): location for oid, _, location in rows}
