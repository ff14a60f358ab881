"""The copy of a base backup beside the live data: of a plain one, or unpacked from its tar archives."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from actions.engine.errors import RecoveryError
from actions.postgres.server import Server
from actions.postgres.tablespaces import MAP_NAME
from actions.tools.names import Names
from actions.tools.progress import Progress
from workers.docker.confirmations import confirm, confirm_paths_unused, confirm_unused
from workers.docker.exec import Command, CommandResult, shell
from workers.docker.folder_swap import CLONE_MARK
from workers.docker.helper import HOME, checked
from workers.docker.to_disk import SETTLE
from workers.postgres.base_checks import LONG_SECONDS, checked_name
from workers.postgres.base_pieces import PIECES
from workers.postgres.server_helper import BASES, ServerHelper
from workers.postgres.tablespace_swap import beside, triples

# The watcher prints the size so far, once a second. The large files, which tables are made of, are copied two at a
# time, beside all the small ones. What an archive holds belongs to whoever the live directory belongs to.
_PLAIN_OR_TAR = r"""
copy() { xargs -0 -r -P "$1" -n "$2" sh -c 'cp -a $clone --parents "$@" "$0"' "$to"; }
tree() {
    from=$1 to=$2 out=$3
    cd "$from" && mkdir -p "$to" || return 1
    find . ! -path "$out" -type d -print0 | ( cd "$to" && xargs -0 mkdir -p )
    find . ! -path "$out" ! -type d -size +131072 -print0 | copy 2 1 &
    large=$!
    find . ! -path "$out" ! -type d ! -size +131072 -print0 | copy 1 500
    code=$?
    wait $large || code=$?
    [ $code != 0 ] || find "$to" -type d -exec chown "$owner" {} + -exec chmod 0700 {} + || code=$?
    return $code
}
unpack() {
    mkdir -p "$2" && : >"$failed" || return 1
    { opened "$1" || echo failed >"$failed"; } | tar -xp -f - -C "$2" && [ ! -s "$failed" ] || return 67
    find "$2" -type d -exec chmod 0700 {} + && chown -hR "$owner" "$2"
}
"""
# Each location gets a folder of the clone's own, also where the backup has nothing for it: replaying a
# CREATE TABLESPACE needs it. A link that nobody spoke of is refused, as its files would be missing.
_COPY = (
    PIECES
    + SETTLE
    + _PLAIN_OR_TAR
    + r"""
src=$1 dst=$2 mark=$3 run=$4 live=$5 inside=$6 host=$7 map=$src/$8; shift 8
failed=/tmp/mayday-failed-$run
every() { doing=$1; shift; while [ $# -gt 0 ]; do $doing "$1" "$2" "$3" || return $?; shift 3; done; }
there() { [ -d "${3%/*}" ] || { echo "there is no folder for the tablespace at $2" >&2; return 68; }; }
bring() {
    mkdir -p "$3" && chown "$owner" "$3" && chmod 0700 "$3" || return 1
    if [ -z "$plain" ]; then
        [ -n "$(archive "$src/$1")" ] || return 0
        unpack "$src/$1" "$3" || return $?
    else
        [ -e "$src/pg_tblspc/$1" ] || [ -L "$src/pg_tblspc/$1" ] || return 0
        piece=$(piece_of "$1")
        [ -d "$piece" ] || { echo "the files of the tablespace $1 are not with the backup" >&2; return 66; }
        tree "$piece" "$3" none || return $?
    fi
    ln -sfn "$2" "$dst/pg_tblspc/$1" && chown -h "$owner" "$dst/pg_tblspc/$1"
}
within() {
    for at in "$src"/pg_tblspc/*; do
        oid=${at##*/}
        [ -e "$at" ] || [ -L "$at" ] || continue
        if [ ! -L "$at" ] && ! mapped "$oid"; then tree "$at" "$dst/pg_tblspc/$oid" none || return $?; fi
        [ -L "$dst/pg_tblspc/$oid" ] || [ -d "$dst/pg_tblspc/$oid" ] ||
            { echo "the plan does not know of the tablespace $oid" >&2; return 66; }
    done
}
plain=
if [ -f "$src/backup_label" ]; then plain=yes; elif [ -z "$(archive "$src/base")" ]; then exit 64; fi
if [ -f "$dst/$mark" ] && grep -qF "\"$run\"" "$dst/$mark"; then exit 65; fi
every there "$@" || exit $?
export clone=
if cp --reflink=auto /dev/null /tmp/.reflink 2>/dev/null; then clone=--reflink=auto; fi
umask 077
( while sleep 1 >/dev/null 2>&1; do
    du -sk "$dst" /mayday/tablespaces/*/*_clone_"$run" 2>/dev/null | awk '{ n += $1 } END { print n }'
done ) &
watcher=$!
if [ -n "$plain" ]; then
    owner=$(stat -c %u:%g "$src")
    tree "$src" "$dst" './pg_tblspc/*' && every bring "$@" && within
else
    owner=$(stat -c %u:%g "$live")
    # The WAL is laid later, segment by segment from the best copy of each.
    unpack "$src/base" "$dst" && mkdir -p "$dst/pg_wal" && chown "$owner" "$dst/pg_wal" &&
        cp "$src/backup_manifest" "$dst/" && chown "$owner" "$dst/backup_manifest" && every bring "$@"
fi
code=$?
kill $watcher
# Half a copy is of no use, and a live server on a full disk stops at its next commit.
[ $code = 0 ] || { df -Pk "$dst" >&2; rm -rf "$dst" /mayday/tablespaces/*/*_clone_"$run"; exit $code; }
# Nobody waits for it here: the disk writes while the copy is checked, so that sealing it finds little left to write.
settle "$dst" /mayday/tablespaces/*/*_clone_"$run" >/dev/null 2>&1 &
"""
)
_REFUSALS = {
    64: ("There is no such base backup.", "Look at /recover window, and ask for a new plan."),
    65: ("The clone is complete already, so nothing is copied over it.", "Discard this run, then ask again."),
    66: ("The base backup has a tablespace that cannot be restored.", "Undo, and ask for a new plan."),
    67: (
        "An archive of the base backup cannot be unpacked.",
        "It is damaged, or cut off. Undo, move that backup out of the folder of base backups, and ask again; "
        "an older one is taken then.",
    ),
    68: (
        "A tablespace's folder is missing on the Docker host.",
        "See that its disk is mounted; make the folder again if it was removed; then retry.",
    ),
}


class BaseCopy:
    """Copies base backups of one server into clones."""

    def __init__(self, helper: ServerHelper, client: Any) -> None:
        self._helper = helper
        self._client = client

    def copy(self, server: Server, names: Names, backup: str, total: int, progress: Progress) -> None:
        """Into the clone's directory; over what an interrupted copy left, never over a complete clone."""
        leaf = names.clone_leaf(server.home)
        confirm(self._client, server.service, server.container)
        confirm_unused(self._client, server.data, leaf)
        confirm_paths_unused(self._client, [f"{s.parent}/{names.clone_leaf(s)}" for s in beside(server)])
        command = self._helper.inside(server).command(self._argv(server, names, backup), seconds=LONG_SECONDS)
        with closing(command.lines()) as sizes:
            for size in sizes:
                done = min(int(size) * 1024, total) if size.isdigit() else 0
                progress(done, total, f"copying {backup}")
        if command.code in _REFUSALS and "No space left" not in command.err:
            message, hint = _REFUSALS[command.code]
            raise RecoveryError(message, detail=f"{server.bases}/{backup}\n{command.err}".strip(), hint=hint)
        checked(_done(command), f"copying the base backup {backup}")
        progress(total, total, f"copied {backup}")

    def _argv(self, server: Server, names: Names, backup: str) -> list[str]:
        source, clone = f"{BASES}/{checked_name(backup)}", f"{HOME}/{names.clone_leaf(server.home)}"
        live = f"{HOME}/{server.home.leaf}"
        return shell(
            _COPY,
            source,
            clone,
            CLONE_MARK,
            names.run,
            live,
            server.inside_bases.rstrip("/"),
            server.bases.rstrip("/"),
            MAP_NAME,
            *triples(server, names),
        )


def _done(command: Command) -> CommandResult:
    return CommandResult(command.code if command.code is not None else 1, "", command.err)
