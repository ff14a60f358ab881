"""Bringing WAL to the clone: the live server's last segments saved, the archive's laid into pg_wal and checked."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import Any

from actions.engine.errors import RecoveryError
from actions.postgres.server import Names, Server
from actions.redact import excerpt
from actions.tools import Progress
from workers.daemon import confirm, confirm_unused
from workers.helper import HOME, Helper, checked
from workers.inside import Done, shell
from workers.listing import own_wal, wal_files
from workers.wal import confirm_names

# A segment that the server recycled meanwhile is fine where the archive or an earlier save holds it.
_SAVE = r"""
own=$1 to=$2; shift 2
mkdir -p "$to" && chmod 0700 "$to" || exit 1
for s do
    if [ -f "$own/$s" ] && cp "$own/$s" "$to/.$s.draft"; then
        sync "$to/.$s.draft" 2>/dev/null || sync
        mv "$to/.$s.draft" "$to/$s" || exit 1
    elif [ ! -f "$to/$s" ] && [ ! -f "/mayday/archive/$s" ]; then
        echo "the server no longer has the WAL segment $s" >&2; exit 66
    fi
done
sync "$to" 2>/dev/null || sync
"""
# Copies sixteen at a time, so that there is one process and one line of progress for each 256 MB. What was saved
# from the server comes first: the archive lacked it, or held just a part of it.
_LAY = r"""
set -f
IFS='
'
to=$1 saved=$2; shift 2
cd "$to" || exit 64
(
owner=$(stat -c %u:%g ..) || exit 1
clone=
if cp --reflink=auto /dev/null /tmp/.reflink 2>/dev/null; then clone=--reflink=auto; fi
mkdir -p archive_status
list= done=0
flush() { [ -z "$list" ] || cp $clone $list . || { df -Pk . >&2; exit 1; }; list=; echo $done; }
unpack() { "$@" || { echo "$s cannot be unpacked with $1" >&2; df -Pk . >&2; exit 1; }; }
for s do
    a=/mayday/archive/$s
    if [ -f "$saved/$s" ]; then list="$list
$saved/$s"
    elif [ -f "$a" ]; then list="$list
$a"
    elif [ -f "$a.gz" ]; then unpack gzip -dc "$a.gz" >"$s"
    elif [ -f "$a.zst" ]; then unpack zstd -dqc "$a.zst" >"$s"
    elif [ -f "$a.lz4" ]; then unpack lz4 -dqc "$a.lz4" >"$s"
    else echo "neither the archive nor the saved WAL holds $s" >&2; exit 66
    fi
    : >"archive_status/$s.done"
    done=$((done + 1))
    [ $((done % 16)) -ne 0 ] || flush
done
flush
set +f
chown -R "$owner" . && find . -type f -exec chmod 0600 {} +
)
code=$?
# WAL that was laid in part is of no use, and on a full disk the live server could not write beside it.
[ $code = 0 ] || { rm -f -- "$@"; exit $code; }
# As with the copy of the base: written while it is checked.
sync -f . >/dev/null 2>&1 &
"""
_SECONDS = 3600


class WalLayer:
    """Saves, lays and checks the WAL of one recovery."""

    def __init__(self, helper: Helper, client: Any) -> None:
        self._helper = helper
        self._client = client

    def save(self, server: Server, names: Names, segments: Sequence[str]) -> None:
        """Copy the live server's own segments beside it; a later save of the same segment replaces the earlier."""
        confirm_names(segments)
        confirm(self._client, server.service, server.container)
        saved = f"{HOME}/{names.tail_leaf(server.home)}"
        done = self._helper.inside(server).script(_SAVE, own_wal(server), saved, *segments, seconds=600)
        checked(done, "saving the WAL that is not archived yet", "Ask for a new plan: the server has moved on.")

    def lay(
        self, server: Server, names: Names, segments: Sequence[str], histories: Sequence[str], progress: Progress
    ) -> None:
        """Into the clone's pg_wal. All is marked as archived, so that the clone never sends old WAL there."""
        confirm_names([*segments, *histories])
        leaf = names.clone_leaf(server.home)
        confirm_unused(self._client, server, leaf)
        to, saved = f"{HOME}/{leaf}/pg_wal", f"{HOME}/{names.tail_leaf(server.home)}"
        command = self._helper.inside(server).command(shell(_LAY, to, saved, *histories, *segments), seconds=_SECONDS)
        total = len(segments) * server.segment_size
        with closing(command.lines()) as counts:
            for count in counts:
                progress(min(int(count) * server.segment_size, total), total, f"{count} WAL files laid")
        checked(Done(command.code or 0, "", command.err), "laying WAL beside the copy",
                "A segment may have left the archive since the plan; ask for a new plan.")  # fmt: skip
        self._same_sizes(server, to, segments)

    def verify(self, server: Server, names: Names, timeline: int, start: str, end: str) -> str:
        """What is wrong with the records from start to end in the clone's pg_wal."""
        quiet = ["-q"] if server.version >= 15 else []
        argv = [
            "pg_waldump",
            *quiet,
            "-p",
            f"{HOME}/{names.clone_leaf(server.home)}/pg_wal",
            "-t",
            str(timeline),
            "-s",
            start,
        ]
        done = self._helper.inside(server).script(
            'exec "$@" >/dev/null', *argv, "-e", end, seconds=_SECONDS, env={"LC_ALL": "C"}
        )
        return "" if done.code == 0 else excerpt(done.err) or f"pg_waldump ended with {done.code}"

    def _same_sizes(self, server: Server, folder: str, segments: Sequence[str]) -> None:
        sizes = {file.name: file.size for file in wal_files(self._helper, server, folder)}
        wrong = [f"{name}: {sizes.get(name, 0)} bytes" for name in segments if sizes.get(name) != server.segment_size]
        if wrong:
            raise RecoveryError(f"{len(wrong)} WAL segments are not whole.",
                                detail="; ".join(wrong[:10]) + f"; {server.segment_size} bytes expected.",
                                hint="Replace them from an off-site copy, or choose a target before them.")  # fmt: skip
