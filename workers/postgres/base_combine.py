"""Incremental base backups, combined into the clone's directory by the pg_combinebackup of the server's own image."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import Any

from actions.engine.errors import RecoveryError
from actions.postgres.server import Server
from actions.tools.names import Names
from actions.tools.progress import Progress
from workers.docker.confirmations import confirm, confirm_paths_unused, confirm_unused
from workers.docker.exec import CommandResult, shell
from workers.docker.folder_swap import CLONE_MARK
from workers.docker.helper import HOME, checked
from workers.docker.to_disk import SETTLE
from workers.postgres.base_checks import BaseChecks, checked_name
from workers.postgres.server_helper import BASES, ServerHelper
from workers.postgres.tablespace_swap import beside, triples

# It wants an empty folder, so what a killed attempt left goes first: half a copy is of no use to anybody, and is given
# back after a failure too. Only the mark of this very run says "complete". The watcher prints the size so far. The
# manifest comes last, and the clone is checked against it. `rows` does something for each tablespace: its oid, its
# location for the server, the folder of the clone's own. A linked one is combined right there, one within the backup
# is moved there.
_COMBINE = (
    SETTLE
    + r"""
dst=$1 mark=$2 run=$3 spaces=$4; shift 4
tab=$(printf '\t')
rows() {
    printf '%s' "$spaces" | while IFS=$tab read -r oid location folder; do "$1" || exit $?; done
}
there() { [ -d "${folder%/*}" ] || { echo "there is no folder for the tablespace at $location" >&2; return 68; }; }
mapping() {
    [ -L "$src/pg_tblspc/$oid" ] || return 0
    printf '%s\n' "-T$(readlink "$src/pg_tblspc/$oid" | sed 's/=/\\=/g')=$folder"
}
bring() {
    at=$dst/pg_tblspc/$oid
    mkdir -p "$folder" && chown "$owner" "$folder" && chmod 0700 "$folder" || return 1
    [ -d "$at" ] || return 0
    if [ ! -L "$at" ]; then
        for held in "$at"/*; do [ ! -e "$held" ] || mv "$held" "$folder/" || return 1; done
        rmdir "$at" || return 1
    fi
    chown -hR "$owner" "$folder" && find "$folder" -type d -exec chmod 0700 {} + || return 1
    ln -sfn "$location" "$at" && chown -h "$owner" "$at"
}
for src do [ -f "$src/backup_label" ] || { echo "$src" >&2; exit 64; }; done
if [ -f "$dst/$mark" ] && grep -qF "\"$run\"" "$dst/$mark"; then exit 65; fi
command -v pg_combinebackup >/dev/null || exit 67
rows there || exit $?
owner=$(stat -c %u:%g "$src")
umask 077
rm -rf "$dst" /mayday/tablespaces/*/*_clone_"$run" && mkdir "$dst" || exit 1
clone=
if cp --reflink=always "$src/PG_VERSION" "$dst/.probe" 2>/dev/null; then clone=--clone; fi
rm -f "$dst/.probe"
rows mapping >"/tmp/mayday-mapping-$run"
while IFS= read -r part; do set -- "$part" "$@"; done <"/tmp/mayday-mapping-$run"
( while sleep 1 >/dev/null 2>&1; do
    du -sk "$dst" /mayday/tablespaces/*/*_clone_"$run" 2>/dev/null | awk '{ n += $1 } END { print n }'
done ) &
watcher=$!
pg_combinebackup -N $clone -o "$dst" "$@"; code=$?
[ $code != 0 ] || chown -hR "$owner" "$dst" || code=$?
[ $code != 0 ] || find "$dst" -type d -exec chmod 0700 {} + || code=$?
[ $code != 0 ] || rows bring || code=$?
kill $watcher
[ $code = 0 ] || { df -Pk "$dst" >&2; rm -rf "$dst" /mayday/tablespaces/*/*_clone_"$run"; exit $code; }
settle "$dst" /mayday/tablespaces/*/*_clone_"$run" >/dev/null 2>&1 &
"""
)
_REFUSALS = {
    64: ("A base backup of the chain is gone.", "Look at /recover window, and ask for a new plan."),
    65: ("The clone is complete already, so nothing is combined over it.", "Discard this run, then ask again."),
    67: (
        "The server's image has no pg_combinebackup, so incremental base backups cannot be combined.",
        "It belongs to PostgreSQL 17 and later: use an image that has all programs, or a full base backup.",
    ),
    68: (
        "A tablespace's folder is missing on the Docker host.",
        "See that its disk is mounted; make the folder again if it was removed; then retry.",
    ),
}
_LONG_SECONDS = 6 * 3600


class BaseCombiner:
    """Makes one directory of an incremental base backup and those that it builds on."""

    def __init__(self, helper: ServerHelper, client: Any, bases: BaseChecks) -> None:
        self._helper = helper
        self._client = client
        self._bases = bases

    def combine(self, server: Server, names: Names, chain: Sequence[str], total: int, progress: Progress) -> None:
        """Into the clone's directory, the full backup being the first; anew where an attempt was interrupted."""
        leaf = names.clone_leaf(server.home)
        confirm(self._client, server.service, server.container)
        confirm_unused(self._client, server.data, leaf)
        confirm_paths_unused(self._client, [f"{s.parent}/{names.clone_leaf(s)}" for s in beside(server)])
        self._check(server, chain, total, progress)
        folders = [f"{BASES}/{checked_name(name)}" for name in chain]
        given = triples(server, names)
        rows = "".join("\t".join(given[at : at + 3]) + "\n" for at in range(0, len(given), 3))
        argv = shell(_COMBINE, f"{HOME}/{leaf}", CLONE_MARK, names.run, rows, *folders)
        command = self._helper.inside(server).command(argv, seconds=_LONG_SECONDS, env={"LC_ALL": "C"})
        with closing(command.lines()) as sizes:
            for size in sizes:
                done = min(int(size) * 1024, total) if size.isdigit() else 0
                progress(done, total, f"combining {chain[-1]} with {', '.join(chain[:-1])}")
        if command.code in _REFUSALS:
            message, hint = _REFUSALS[command.code]
            raise RecoveryError(message, detail=f"{server.bases}: {', '.join(chain)}\n{command.err}".strip(), hint=hint)
        code = 1 if command.code is None else command.code
        checked(CommandResult(code, "", command.err), f"combining the base backups {', '.join(chain)}")
        progress(total, total, f"combined {len(chain)} base backups")

    def _check(self, server: Server, chain: Sequence[str], total: int, progress: Progress) -> None:
        """Each by its own manifest: blocks that are put together get a checksum of whatever was read."""
        for name in chain:
            progress(0, total, f"checking {name}")
            if wrong := self._bases.verify_files(server, name):
                raise RecoveryError(
                    f"The base backup {name} is not what its manifest says.",
                    detail=wrong,
                    hint="It is damaged, and so are those that build on it: undo, move it out of the "
                    "folder of base backups, and ask again; others are chosen then.",
                )
