"""Taking a base backup with pg_basebackup, its tablespaces within its own folder."""

from __future__ import annotations

import re
from contextlib import closing
from typing import Any

from actions.engine.errors import RecoveryError
from actions.postgres.server import Server
from actions.postgres.tablespaces import MAP_NAME, map_text
from actions.tools.progress import Progress
from workers.docker.confirmations import confirm
from workers.docker.exec import Command, CommandResult, Inside, shell
from workers.docker.helper import checked
from workers.postgres.base_checks import LONG_SECONDS, checked_name
from workers.postgres.look_at_data import links_now
from workers.postgres.server_access import Accesses, replication_access
from workers.postgres.server_helper import BASES, ServerHelper

# An attempt is labelled with the cluster that it is of, so that what a killed one leaves can be told and removed. What
# bears no label may be somebody else's, and is renamed. No listing of backups has names that begin with a dot.
_MAKE_ROOM = r"""
cd "$1" || exit 64
[ ! -f "$2/backup_manifest" ] || exit 65
[ ! -e "$2" ] || exit 66
n=1
while [ -e ".$2.abandoned-$n" ]; do n=$((n + 1)); done
if [ ! -f ".$2.label" ] && [ -e ".$2.partial" ]; then mv ".$2.partial" ".$2.abandoned-$n"; fi
rm -rf ".$2.partial" && printf '%s' "$3" >".$2.label" || exit 1
for label in .*.label; do
    name=${label#.}
    if [ "$name" != "$2.label" ] && [ "$(cat "$label")" = "$3" ]; then echo "${name%.label}"; fi
done
"""
_REMOVE = 'cd "$1" && rm -rf ".$2.partial" && rm -f ".$2.label"'
# pg_basebackup writes its manifest last, so a folder that has one is whole. Each link of a tablespace gives way to the
# folder that it leads to: so the backup is one folder that can be moved, and is checked and measured like any other.
_NAME_IT = r"""
cd "$1/.$2.partial" && [ -f backup_manifest ] || exit 1
for link in pg_tblspc/*; do
    [ -L "$link" ] || continue
    [ -d "$4${link##*/}" ] || { echo "there is no $4${link##*/}" >&2; exit 1; }
    rm "$link" && mv "$4${link##*/}" "$link" || exit 1
done
if [ -n "$5" ]; then
    printf '%s' "$5" >"$3" && chown "$(stat -c %u:%g .)" "$3" && { sync "$3" 2>/dev/null || sync; } || exit 1
fi
cd .. && mv ".$2.partial" "$2" && rm -f ".$2.label" && { sync . 2>/dev/null || sync; }
"""
_APART = "mayday_tablespace_"
_STEPS = re.compile(r"(\d{1,18})/(\d{1,18}) kB")
_SHOWN_LINES = 20


class BaseTaker:
    """Takes base backups of one server."""

    def __init__(self, helper: ServerHelper, client: Any, accesses: Accesses) -> None:
        self._accesses = accesses
        self._helper = helper
        self._client = client

    def take(self, server: Server, name: str, total: int, progress: Progress, rate: str = "") -> None:
        """With pg_basebackup in the live container, at most so fast, whole before it has its name."""
        live = confirm(self._client, server.service, server.container)
        if self._whole(server, name, live.id):
            return
        given = replication_access(self._accesses.to(self._client, live.id, server), server)
        # As they are now: a recovery may have brought others back than the plan saw.
        locations = links_now(self._helper, server)
        # The mark is a name, so that a later worker can end what a killed one left running.
        argv = shell('exec "$@" 2>&1', *_pg_basebackup(server, name, locations, rate))
        command = given.command(
            argv, seconds=LONG_SECONDS, mark=f"base-{name}", env={"PGAPPNAME": "mayday"}, server=server
        )
        said = follow(command, name, total, progress)
        if command.code != 0:
            checked(
                CommandResult(command.code or 1, "", said),
                "taking the base backup",
                f"See that {server.inside_bases} is mounted in {server.service} and its postgres user may write there.",
            )
        map_of = map_text(locations)
        done = self._helper.inside(server).script(_NAME_IT, BASES, name, MAP_NAME, _APART, map_of)
        checked(done, "naming the base backup")
        progress(total, total, f"took {name}")

    def _whole(self, server: Server, name: str, live: str) -> bool:
        """Whether it exists already; else clears away what earlier attempts left, once their processes have ended."""
        self._end(live, name)
        inside = self._helper.inside(server)
        done = inside.script(_MAKE_ROOM, BASES, name, server.system_identifier, seconds=LONG_SECONDS)
        if done.code == 66:
            raise RecoveryError(
                "A folder of that name is no base backup.",
                code="MD-PG-064",
                detail=f"{server.bases}/{name}",
                hint="Rename it, then retry.",
            )
        if done.code == 65:
            return True
        said = checked(done, "making room for the base backup", f"See that {server.bases} exists on the Docker host.")
        for left in said.split():
            self._end(live, left)
            checked(inside.script(_REMOVE, BASES, left, seconds=LONG_SECONDS), f"removing what {left} left unfinished")
        return False

    def _end(self, live: str, name: str) -> None:
        """End the pg_basebackup of an attempt whose worker was killed."""
        Inside(self._client.api, live, "0:0").end(f"base-{checked_name(name)}")


def _pg_basebackup(server: Server, name: str, locations: dict[int, str], rate: str) -> list[str]:
    partial = f"{server.inside_bases.rstrip('/')}/.{name}.partial"
    mapping = [
        part
        for oid, location in sorted(locations.items())
        for part in ("-T", f"{_escaped(location)}={_escaped(partial)}/{_APART}{oid}")
    ]
    # Every restore waits until the manifest is checked, and CRC32C is read about ten times as fast as SHA-256.
    # What it reads the live server's disk reads, and what it writes waits there for the disk beside everybody else's.
    pace = ["--max-rate", rate] if rate else []
    return [
        "pg_basebackup",
        "-D",
        partial,
        "-c",
        "fast",
        "-X",
        "stream",
        "-w",
        "-P",
        "-l",
        f"mayday {name}",
        "--manifest-checksums=CRC32C",
        *pace,
        *mapping,
    ]


def _escaped(path: str) -> str:
    # An equals sign parts the two paths of a mapping.
    return path.replace("=", "\\=")


def follow(command: Command, name: str, total: int, progress: Progress) -> str:
    """Tell how far a pg_basebackup is until it ends; its last lines that tell of something else."""
    said: list[str] = []
    with closing(command.lines()) as lines:
        for line in lines:
            if found := _STEPS.search(line):
                progress(int(found[1]) * 1024, max(total, int(found[2]) * 1024), f"taking {name}")
            else:
                said = [*said, line][-_SHOWN_LINES:]
    return "\n".join(said)
