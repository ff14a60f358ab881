"""The command line of psql in a container: the query as an argument, or in a file where it is too long for one."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from actions.postgres.server import Server
from workers.docker.exec import Inside, shell
from workers.docker.helper import checked

# Only verbose errors carry the SQLSTATE, by which a query whose time was over is told from a wrong one.
PSQL = ("psql", "-X", "-q", "-A", "-t", "-w", "-v", "VERBOSITY=verbose")
# One argument may have 128 kB; a longer query goes into a file in pieces.
_LONGEST_ARGUMENT, _PIECE = 100_000, 30_000
_FROM_FILE = r"""
trap 'rm -f "$f"' EXIT
f=$1; shift
"$@" -f "$f"
"""
_FROM_ARGUMENT = r"""
printf "%s" "$1" | { shift; exec "$@" -f -; }
"""


def of_database(server: Server, database: str) -> list[str]:
    """Which database is asked; the server's own where none is named."""
    # As a connection string: a bare name with "=" in it would be read as one.
    name = (database or server.database).replace("\\", "\\\\").replace("'", "\\'")
    return ["-d", f"dbname='{name}'"]


def with_query(inside: Inside, argv: Sequence[str], sql: str) -> list[str]:
    """The command for one query."""
    short = len(sql.encode()) <= _LONGEST_ARGUMENT
    return [*argv, "-c", sql] if short else shell(_FROM_FILE, _put(inside, sql), *argv)


def with_script(inside: Inside, argv: Sequence[str], script: str) -> list[str]:
    """The command for a script with commands of psql, which `-c` would not take."""
    short = len(script.encode()) <= _LONGEST_ARGUMENT
    return shell(_FROM_ARGUMENT, script, *argv) if short else shell(_FROM_FILE, _put(inside, script), *argv)


def _put(inside: Inside, text: str) -> str:
    """Hand a long text over in pieces; the file's path."""
    # Memory, since the container may be read-only but for its data.
    path = f"/dev/shm/mayday.{uuid.uuid4().hex}.sql"
    for at in range(0, len(text), _PIECE):
        done = inside.script('umask 077; printf "%s" "$2" >>"$1"', path, text[at : at + _PIECE])
        checked(done, "handing a long query over")
    return path
