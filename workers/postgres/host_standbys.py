"""`Standbys` on a real Docker host: the copy is taken in a container of the standby's image, in its networks."""

from __future__ import annotations

import re
from typing import Any

from actions.engine.errors import Refused
from actions.postgres.following import PASSFILE, PrimaryAddress
from actions.postgres.server import Server
from actions.redact import excerpt
from actions.tools.names import Names
from actions.tools.progress import Progress
from actions.tools.sql import LoginRefused
from workers.docker.confirmations import confirm, confirm_unused
from workers.docker.exec import Inside
from workers.docker.helper import HOME, checked
from workers.docker.networked_helper import NetworkedHelper
from workers.postgres import hba_lines, standby_copy, standby_files
from workers.postgres.server_access import Accesses

_MAJOR = re.compile(r"\(PostgreSQL\) (\d+)")
# Files of an initdb have numbers below 16384 (FirstNormalObjectId); large objects lie in one of those, 2613.
_TABLES = r"""
cd "$1/base" 2>/dev/null || exit 0
find . -mindepth 2 -maxdepth 2 -type f -name '[0-9]*' -size +0 | awk -F/ '
    { split($3, part, /[._]/) } part[1] >= 16384 || part[1] == 2613 { print; exit }'
find ../pg_tblspc -mindepth 1 -maxdepth 1 2>/dev/null | head -n 1
"""
_LOOK_SECONDS = 300


class HostStandbys:
    """Standbys of one Docker host, and the pg_hba.conf of its primaries, for one run.

    Whoever takes over a run calls `fresh` first: a copy of a killed worker ends with its container.
    """

    def __init__(self, client: Any, names: Names, accesses: Accesses) -> None:
        self._client, self._accesses = client, accesses
        self._helper = NetworkedHelper(client, names, "network")

    def fresh(self) -> None:
        """Remove what an earlier worker of this run left behind."""
        self._helper.fresh()

    def close(self) -> None:
        """Remove the helper."""
        self._helper.close()

    def major(self, server: Server) -> int:
        said = checked(self._inside(server).run(["postgres", "-V"]), "asking which PostgreSQL that image has")
        found = _MAJOR.search(said)
        if found is None:
            raise Refused(
                f"The image of {server.service} does not say which PostgreSQL it has. Nothing was touched.",
                code="MD-REP-032",
                detail=excerpt(said),
                hint="Give its container an image of PostgreSQL 13 to 18, then ask again.",
            )
        return int(found[1])

    def has_tables(self, server: Server) -> bool:
        done = self._inside(server).script(_TABLES, f"{HOME}/{server.home.leaf}", seconds=_LOOK_SECONDS)
        return bool(checked(done, "looking for tables in the data directory").strip())

    def reaches(self, server: Server, upstream: PrimaryAddress) -> str:
        done = self._inside(server).run(["pg_isready", "-t", "5", "-h", upstream.host, "-p", str(upstream.port)])
        return "" if done.code == 0 else done.said() or f"pg_isready ended with {done.code}"

    def passfile(self, server: Server, names: Names) -> str:
        return standby_files.read_passfile(self._inside(server), standby_files.passfile_leaf(server, names))

    def own_passfile(self, server: Server) -> str:
        return standby_files.read_passfile(self._inside(server), f"{server.home.leaf}/{PASSFILE}")

    def lay_passfile(self, server: Server, names: Names, line: str) -> None:
        confirm(self._client, server.service, server.container)
        standby_files.lay_passfile(self._client, self._inside(server), server, names, line)

    def withdraw_passfile(self, server: Server, names: Names) -> None:
        standby_files.withdraw_passfile(self._inside(server), server, names)

    def identify(self, server: Server, names: Names, upstream: PrimaryAddress) -> str:
        inside = self._as_owner(server)
        conninfo = upstream.conninfo(_passfile(server, names), "mayday")
        argv = [
            "psql",
            "-X",
            "-A",
            "-t",
            "-w",
            "-F",
            " ",
            "-d",
            f"{conninfo} replication=true",
            "-c",
            "IDENTIFY_SYSTEM",
        ]
        done = inside.run(argv, env={"PGCONNECT_TIMEOUT": "10", "LC_ALL": "C"})
        if done.code != 0:
            raise LoginRefused(
                "The primary accepts no replication connection from there.",
                code="MD-REP-033",
                detail=done.said(),
                hint="Read the server's message above: it names the role, the address or the line of pg_hba.conf.",
            )
        return done.out.split()[0] if done.out.split() else ""

    def copy(
        self, server: Server, names: Names, upstream: PrimaryAddress, total: int, progress: Progress, rate: str = ""
    ) -> None:
        confirm(self._client, server.service, server.container)
        leaf = names.clone_leaf(server.home)
        confirm_unused(self._client, server.data, leaf)
        root, owner = self._inside(server), self._as_owner(server)
        conninfo = upstream.conninfo(_passfile(server, names), "pg_basebackup")
        argv = standby_copy.pg_basebackup(leaf, conninfo, upstream.slot, names.run, rate)
        standby_copy.copy(root, owner, leaf, argv, total, progress)

    def copied(self, server: Server, names: Names) -> bool:
        return standby_copy.is_whole(self._inside(server), names.clone_leaf(server.home))

    def follow(self, server: Server, names: Names, settings: str) -> None:
        confirm(self._client, server.service, server.container)
        confirm_unused(self._client, server.data, names.clone_leaf(server.home))
        standby_files.make_follow(self._inside(server), server, names, settings)

    def lay_rule(self, server: Server, hba_file: str, run: str, rule: str) -> None:
        hba_lines.lay(self._in_server(server), hba_file, run, rule)

    def withdraw_rule(self, server: Server, hba_file: str, run: str) -> None:
        hba_lines.withdraw(self._in_server(server), hba_file, run)

    def _in_server(self, server: Server) -> Inside:
        """The live server's container, as the user whom it runs as."""
        return self._accesses.to(self._client, server.service, server).inside

    def _inside(self, server: Server) -> Inside:
        return self._helper.inside(server.data)

    def _as_owner(self, server: Server) -> Inside:
        """The helper as the user whom the standby's server runs as: a passfile has to be that one's."""
        inside = self._inside(server)
        return Inside(inside.api, inside.container, standby_files.owner_of(inside, server.home.leaf))


def _passfile(server: Server, names: Names) -> str:
    return f"{HOME}/{standby_files.passfile_leaf(server, names)}"
