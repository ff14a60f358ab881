"""Base backups: copied beside the live data, checked against their manifest, taken anew."""

from __future__ import annotations

import re
from contextlib import closing
from typing import Any

from actions.engine.errors import RecoveryError
from actions.postgres.inventory import FILE_NAME
from actions.postgres.server import Names, Server
from actions.redact import excerpt
from actions.tools import Progress
from workers.access import Accesses, replication_access
from workers.daemon import confirm, confirm_unused
from workers.helper import BASES, HOME, Helper, checked
from workers.inside import Command, Done, Inside, shell

CLONE_MARK = "mayday.clone"

# Exit codes of its own say what was refused. The watcher prints the size so far, once a second. The large files,
# which tables are made of, are copied two at a time, beside all the small ones. Half a copy is given back: it is of
# no use, and a live server on a full disk stops at its next commit. A backup that was taken after a recovery holds
# the mark of that recovery's run, so only the mark of this very run says "complete".
_COPY = r"""
src=$1 dst=$2
[ -f "$src/backup_label" ] || exit 64
if [ -f "$dst/$3" ] && grep -qF "\"$4\"" "$dst/$3"; then exit 65; fi
[ -z "$(ls -A "$src/pg_tblspc" 2>/dev/null)" ] || exit 66
export clone=
if cp --reflink=auto /dev/null /tmp/.reflink 2>/dev/null; then clone=--reflink=auto; fi
umask 077
cd "$src" && mkdir -p "$dst" || exit 1
( while sleep 1 >/dev/null 2>&1; do du -sk "$dst" 2>/dev/null | cut -f1; done ) &
watcher=$!
copy() { xargs -0 -r -P "$1" -n "$2" sh -c 'cp -a $clone --parents "$@" "$0"' "$dst"; }
find . -type d -print0 | ( cd "$dst" && xargs -0 mkdir -p )
find . ! -type d -size +131072 -print0 | copy 2 1 &
large=$!
find . ! -type d ! -size +131072 -print0 | copy 1 500
code=$?
wait $large || code=$?
[ $code != 0 ] || find "$dst" -type d -exec chown "$(stat -c %u:%g .)" {} + -exec chmod 0700 {} + || code=$?
kill $watcher
[ $code = 0 ] || { df -Pk "$dst" >&2; rm -rf "$dst"; exit $code; }
# Nobody waits for it here: the disk writes while the copy is checked, so that sealing it finds little left to write.
sync -f "$dst" >/dev/null 2>&1 &
"""
_COPY_REFUSALS = {
    64: ("There is no such base backup.", "Look at /recover window, and ask for a new plan."),
    65: ("The clone is complete already, so nothing is copied over it.", "Discard this run, then ask again."),
    66: ("The base backup has tablespaces, which lie outside of the data directory.",
         "Restore it by hand; see tablespace mapping in the manual of pg_basebackup."),
}  # fmt: skip
# An attempt that was broken off is renamed and never removed. No listing of backups has names that begin with a dot.
_MAKE_ROOM = r"""
cd "$1" || exit 64
[ ! -f "$2/backup_manifest" ] || exit 65
[ ! -e "$2" ] || exit 66
n=1
while [ -e ".$2.abandoned-$n" ]; do n=$((n + 1)); done
[ ! -e ".$2.partial" ] || mv ".$2.partial" ".$2.abandoned-$n"
"""
# pg_basebackup writes its manifest last, so a folder that has one is whole.
_NAME_IT = r"""
cd "$1" && [ -f ".$2.partial/backup_manifest" ] && mv ".$2.partial" "$2" && { sync "$1" 2>/dev/null || sync; }
"""
_STEPS = re.compile(r"(\d{1,18})/(\d{1,18}) kB")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]*", re.ASCII)
_LONG_SECONDS = 6 * 3600
_SHOWN_LINES = 20


class BaseBackups:
    """Copies, checks and takes base backups of one server."""

    def __init__(self, helper: Helper, client: Any, accesses: Accesses) -> None:
        self._helper = helper
        self._accesses = accesses
        self._client = client

    def copy(self, server: Server, names: Names, backup: str, total: int, progress: Progress) -> None:
        """Into the clone's directory; over what an interrupted copy left, never over a complete clone."""
        leaf = names.clone_leaf(server.home)
        confirm(self._client, server.service, server.container)
        confirm_unused(self._client, server, leaf)
        argv = shell(_COPY, f"{BASES}/{checked_name(backup)}", f"{HOME}/{leaf}", CLONE_MARK, names.run)
        command = self._helper.inside(server).command(argv, seconds=_LONG_SECONDS)
        with closing(command.lines()) as sizes:
            for size in sizes:
                done = min(int(size) * 1024, total) if size.isdigit() else 0
                progress(done, total, f"copying {backup}")
        if command.code in _COPY_REFUSALS:
            message, hint = _COPY_REFUSALS[command.code]
            raise RecoveryError(message, detail=f"{server.bases}/{backup}", hint=hint)
        checked(_done(command), f"copying the base backup {backup}")
        progress(total, total, f"copied {backup}")

    def verify_clone(self, server: Server, names: Names) -> str:
        """What differs from the manifest in the clone's directory; its pg_wal is checked elsewhere."""
        return self._verify(server, f"{HOME}/{names.clone_leaf(server.home)}", names, "-n")

    def verify(self, server: Server, name: str) -> str:
        """What differs from its manifest in a base backup, its own WAL included."""
        return self._verify(server, f"{BASES}/{checked_name(name)}", None)

    def verify_files(self, server: Server, name: str) -> str:
        """What differs from its manifest in a base backup, its WAL aside."""
        return self._verify(server, f"{BASES}/{checked_name(name)}", None, "-n")

    def take(self, server: Server, name: str, total: int, progress: Progress) -> None:
        """With pg_basebackup in the live container, whole before it has its name."""
        live = confirm(self._client, server.service, server.container)
        if self._whole(server, name, live.id):
            return
        access = self._accesses.to(self._client, live.id, server)
        given = replication_access(access, server)
        partial = f"{server.inside_bases.rstrip('/')}/.{name}.partial"
        # Every restore waits until the manifest is checked, and CRC32C is read about ten times as fast as SHA-256.
        argv = ["pg_basebackup", "-D", partial, "-c", "fast", "-X", "stream", "-w", "-P",
                "-l", f"mayday {name}", "--manifest-checksums=CRC32C"]  # fmt: skip
        # The mark is a name, so that a later worker can end what a killed one left running.
        command = given.command(shell('exec "$@" 2>&1', *argv), seconds=_LONG_SECONDS, mark=f"base-{name}",
                                env={"PGAPPNAME": "mayday"}, server=server)  # fmt: skip
        said = _follow(command, name, total, progress)
        if command.code != 0:
            checked(
                Done(command.code or 1, "", said),
                "taking the base backup",
                f"See that {server.inside_bases} is mounted in {server.service} and its postgres user may write there.",
            )
        checked(self._helper.inside(server).script(_NAME_IT, BASES, name), "naming the base backup")
        progress(total, total, f"took {name}")

    def _whole(self, server: Server, name: str, live: str) -> bool:
        """Whether it exists already; else moves an earlier attempt out of the way, once its process has ended."""
        Inside(self._client.api, live, "0:0").end(f"base-{checked_name(name)}")
        done = self._helper.inside(server).script(_MAKE_ROOM, BASES, name)
        if done.code == 66:
            raise RecoveryError("A folder of that name is no base backup.", detail=f"{server.bases}/{name}",
                                hint="Rename it, then retry.")  # fmt: skip
        if done.code != 65:
            checked(done, "making room for the base backup", f"See that {server.bases} exists on the Docker host.")
        return done.code == 65

    def _verify(self, server: Server, path: str, names: Names | None, *flags: str) -> str:
        # What Mayday lays beside the backup's own files is in no manifest, and would count as foreign.
        added = [FILE_NAME, CLONE_MARK, *([f"postgresql.auto.conf.before_{names.run}"] if names else [])]
        ignored = [part for name in added for part in ("-i", name)]
        argv = shell('exec "$@" 2>&1', "pg_verifybackup", *flags, *ignored, path)
        command = self._helper.inside(server).command(argv, seconds=_LONG_SECONDS, env={"LC_ALL": "C"})
        with closing(command.lines()) as lines:
            said = [line for line, _ in zip(lines, range(_SHOWN_LINES), strict=False)]
            remaining = sum(1 for _ in lines)
        if command.code == 0:
            return ""
        more = [f"and {remaining} lines more"] if remaining else []
        return excerpt("\n".join([*said, *more]), 4000) or f"pg_verifybackup ended with {command.code}"


def checked_name(name: str) -> str:
    """The name of a base backup, if it can be one: it becomes a path."""
    if not _NAME.fullmatch(name):
        raise RecoveryError(
            "That is not the name of a base backup.", detail=repr(name[:80]), hint="Look at /recover window."
        )
    return name


def _done(command: Command) -> Done:
    return Done(command.code if command.code is not None else 1, "", command.err)


def _follow(command: Command, name: str, total: int, progress: Progress) -> str:
    said: list[str] = []
    with closing(command.lines()) as lines:
        for line in lines:
            if found := _STEPS.search(line):
                progress(int(found[1]) * 1024, max(total, int(found[2]) * 1024), f"taking {name}")
            else:
                said = [*said, line][-_SHOWN_LINES:]
    return "\n".join(said)
