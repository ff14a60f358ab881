"""Base backups by name: what lies in their folder, checked against their manifest."""

from __future__ import annotations

import re
from contextlib import closing

from actions.engine.errors import RecoveryError
from actions.postgres.inventory import FILE_NAME
from actions.postgres.server import Server
from actions.postgres.tablespaces import MAP_NAME
from actions.redact import excerpt
from actions.tools.names import Names
from workers.docker.exec import shell
from workers.docker.folder_swap import CLONE_MARK
from workers.docker.helper import HOME
from workers.postgres.server_helper import BASES, ServerHelper, location_of
from workers.postgres.tablespace_swap import beside

LONG_SECONDS = 6 * 3600

# The links of the clone lead to locations as its own server sees them, which are elsewhere here. So a folder of links
# stands in for the clone, its tablespaces led to where they lie; pg_verifybackup follows links (stat).
_VERIFY_CLONE = r"""
dir=$1 flags=$2 run=$3; shift 3
seen=/tmp/mayday-verified-$run
rm -rf "$seen" && mkdir -p "$seen/pg_tblspc" || exit 1
for file in "$dir"/* "$dir"/.[!.]*; do
    [ ! -e "$file" ] || [ "${file##*/}" = pg_tblspc ] || ln -s "$file" "$seen/" || exit 1
done
for file in "$dir"/pg_tblspc/*; do
    [ ! -d "$file" ] || [ -L "$file" ] || ln -s "$file" "$seen/pg_tblspc/" || exit 1
done
while [ $# -gt 0 ]; do
    [ ! -L "$dir/pg_tblspc/$1" ] || ln -s "$2" "$seen/pg_tblspc/$1" || exit 1
    shift 2
done
exec pg_verifybackup $flags "$seen" 2>&1
"""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]*", re.ASCII)
_SHOWN_LINES = 20


class BaseChecks:
    """Checks base backups and copies of them."""

    def __init__(self, helper: ServerHelper) -> None:
        self._helper = helper

    def verify_clone(self, server: Server, names: Names) -> str:
        """What differs from the manifest in the clone's directory; its pg_wal is checked elsewhere."""
        path = f"{HOME}/{names.clone_leaf(server.home)}"
        ignored = [*_ADDED, f"postgresql.auto.conf.before_{names.run}"]
        flags = " ".join(["-n", *(f"-i {name}" for name in ignored)])
        spaces = [
            part
            for space in beside(server)
            for oid in space.oids
            for part in (str(oid), f"{location_of(space)}/{names.clone_leaf(space)}")
        ]
        return self._said(server, shell(_VERIFY_CLONE, path, flags, names.run, *spaces))

    def verify(self, server: Server, name: str) -> str:
        """What differs from its manifest in a base backup, its own WAL included."""
        return self._folder(server, name)

    def verify_files(self, server: Server, name: str) -> str:
        """The same, its WAL aside."""
        return self._folder(server, name, "-n")

    def _folder(self, server: Server, name: str, *flags: str) -> str:
        ignored = [part for added in _ADDED for part in ("-i", added)]
        path = f"{BASES}/{checked_name(name)}"
        return self._said(server, shell('exec "$@" 2>&1', "pg_verifybackup", *flags, *ignored, path))

    def _said(self, server: Server, argv: list[str]) -> str:
        command = self._helper.inside(server).command(argv, seconds=LONG_SECONDS, env={"LC_ALL": "C"})
        with closing(command.lines()) as lines:
            said = [line for line, _ in zip(lines, range(_SHOWN_LINES), strict=False)]
            remaining = sum(1 for _ in lines)
        if command.code == 0:
            return ""
        more = [f"and {remaining} lines more"] if remaining else []
        return excerpt("\n".join([*said, *more]), 4000) or f"pg_verifybackup ended with {command.code}"


# What Mayday lays beside the backup's own files is in no manifest, and would count as foreign.
_ADDED = (FILE_NAME, MAP_NAME, CLONE_MARK)


def checked_name(name: str) -> str:
    """The name of a base backup, if it can be one: it becomes a path."""
    if not _NAME.fullmatch(name):
        raise RecoveryError(
            "That is not the name of a base backup.", detail=repr(name[:80]), hint="Look at /recover window."
        )
    return name
