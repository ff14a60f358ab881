"""Bringing WAL to the clone: the live server's last segments saved, the archive's laid into pg_wal and checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Any

from actions.postgres.server import Server
from actions.postgres.tablespaces import made_in
from actions.postgres.waldump import ended_in
from actions.redact import excerpt
from actions.tools.names import Names
from actions.tools.progress import Progress
from workers.docker.confirmations import confirm, confirm_unused
from workers.docker.exec import CommandResult, shell
from workers.docker.helper import HOME, checked
from workers.docker.to_disk import SETTLE
from workers.postgres.folders import own_wal, wal_files
from workers.postgres.gather_wal import UNPACK
from workers.postgres.server_helper import ServerHelper
from workers.postgres.wal_copies import Copies
from workers.postgres.wal_reader import confirm_names

# What the server has recycled meanwhile is named: it is fine where the archive holds it by now.
_SAVE = r"""
own=$1 to=$2; shift 2
mkdir -p "$to" && chmod 0700 "$to" || exit 1
for s do
    if [ -f "$own/$s" ] && cp "$own/$s" "$to/.$s.draft"; then
        sync "$to/.$s.draft" 2>/dev/null || sync
        mv "$to/.$s.draft" "$to/$s" || exit 1
    elif [ ! -f "$to/$s" ]; then echo "$s"
    fi
done
sync "$to" 2>/dev/null || sync
"""
# Parameters: the folder, then the paths of the copies. Plain ones are copied sixteen at a time, so that there is one
# process and one line of progress for each 256 MB. One that cannot be unpacked is named: there may be another copy.
_LAY = (
    UNPACK
    + SETTLE
    + r"""
set -f
IFS='
'
to=$1; shift
cd "$to" || exit 64
(
owner=$(stat -c %u:%g ..) || exit 1
clone=
if cp --reflink=auto /dev/null /tmp/.reflink 2>/dev/null; then clone=--reflink=auto; fi
mkdir -p archive_status
list= done=0
flush() { [ -z "$list" ] || cp $clone $list . || { df -Pk . >&2; exit 1; }; list=; echo $done; }
for p do
    s=${p##*/}
    case $s in
        *.gz | *.zst | *.lz4 | *.xz | *.bz2)
            s=${s%.*}
            if ! unpack "$p" >"$s" 2>/tmp/.said; then
                ! full /tmp/.said || { cat /tmp/.said >&2; df -Pk . >&2; exit 1; }
                echo "bad $p $(tail -n 1 /tmp/.said)"
                rm -f -- "$s"
                continue
            fi ;;
        *) list="$list
$p" ;;
    esac
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
[ $code = 0 ] || { for p do s=${p##*/}; rm -f -- "$s" "${s%.*}"; done; exit $code; }
# As with the copy of the base: written while it is checked.
settle . >/dev/null 2>&1 &
"""
)
_SECONDS = 3600


class WalLayer:
    """Saves, lays and checks the WAL of one recovery. `made` are the tablespaces that the checked WAL makes."""

    def __init__(self, helper: ServerHelper, client: Any, copies: Copies) -> None:
        self._helper = helper
        self._client = client
        self._copies = copies
        self.made: dict[int, str] = {}

    def save(self, server: Server, names: Names, segments: Sequence[str]) -> None:
        """Copy the live server's own segments beside it; a later save of the same segment replaces the earlier."""
        confirm_names(segments)
        confirm(self._client, server.service, server.container)
        saved = f"{HOME}/{names.tail_leaf(server.home)}"
        done = self._helper.inside(server).script(_SAVE, own_wal(server), saved, *segments, seconds=600)
        gone = checked(done, "saving the WAL that is not archived yet", "Ask for a new plan: the server has moved on.")
        if gone.split():
            self._copies.readable(server, gone.split())

    def lay(
        self, server: Server, names: Names, segments: Sequence[str], histories: Sequence[str], progress: Progress
    ) -> None:
        """Into the clone's pg_wal. All is marked as archived, so that the clone never sends old WAL there."""
        confirm_names([*segments, *histories])
        leaf = names.clone_leaf(server.home)
        confirm_unused(self._client, server.data, leaf)
        to, total = f"{HOME}/{leaf}/pg_wal", len(segments) * server.segment_size

        def told(count: int) -> None:
            progress(min(count * server.segment_size, total), total, f"{count} WAL files laid")

        wanted = [*histories, *segments]
        while wanted:
            paths = self._lay(server, names, to, wanted, told)
            wanted = self._wrong(server, to, paths)

    def _lay(
        self, server: Server, names: Names, to: str, wanted: Sequence[str], told: Callable[[int], None]
    ) -> dict[str, str]:
        """Lay the best copy of each, as far as it can be unpacked; which one it was."""
        saved = f"{HOME}/{names.tail_leaf(server.home)}"
        paths = self._copies.readable(server, wanted, saved)
        command = self._helper.inside(server).command(shell(_LAY, to, *paths), seconds=_SECONDS)
        with closing(command.lines()) as lines:
            for line in lines:
                if line.startswith("bad "):
                    _, path, why = line.split(" ", 2)
                    self._copies.blame(path, f"it cannot be unpacked: {why}")
                else:
                    told(int(line))
        checked(
            CommandResult(command.code or 0, "", command.err),
            "laying WAL beside the copy",
            "A segment may have left the archive since the plan; ask for a new plan.",
        )
        return dict(zip(wanted, paths, strict=True))

    def _wrong(self, server: Server, to: str, paths: Mapping[str, str]) -> list[str]:
        """What is not what its name says, now that it is unpacked; the copies that it came from are blamed."""
        laid = {file.name: file.wrong for file in wal_files(self._helper, server, to)}
        wrong = {name: laid.get(name, "it cannot be unpacked") for name in paths if laid.get(name) != ""}
        for name, why in wrong.items():
            self._copies.blame(paths[name], why)
        return list(wrong)

    def verify(self, server: Server, names: Names, timeline: int, start: str, end: str) -> str:
        """What is wrong with the records from start to end in the clone's pg_wal.

        A segment within which reading ends is replaced by another copy of it first, as often as there is one.
        """
        to = f"{HOME}/{names.clone_leaf(server.home)}/pg_wal"
        said = self._read(server, to, timeline, start, end)
        while said and self._replaced(server, names, to, ended_in(said, timeline, server.segment_size), said):
            said = self._read(server, to, timeline, start, end)
        return said

    def _read(self, server: Server, folder: str, timeline: int, start: str, end: str) -> str:
        # Every record is read whichever are printed; those of tablespaces tell which folders the replay will need.
        argv = ["pg_waldump", "-r", "Tablespace", "-p", folder, "-t", str(timeline), "-s", start, "-e", end]
        done = self._helper.inside(server).run(argv, seconds=_SECONDS, env={"LC_ALL": "C"})
        self.made |= made_in(done.out.splitlines())
        return "" if done.code == 0 else excerpt(done.err) or f"pg_waldump ended with {done.code}"

    def _replaced(self, server: Server, names: Names, to: str, name: str, said: str) -> bool:
        """Whether another copy was laid of the segment of which pg_waldump speaks."""
        laid = any(file.name == name for file in wal_files(self._helper, server, to))
        usable = self._copies.usable(server, name, f"{HOME}/{names.tail_leaf(server.home)}") if laid else []
        if len(usable) < 2:
            return False
        # The copy that was laid is the best of those that nothing was known against.
        self._copies.blame(usable[0], f"it cannot be read: {said}")
        wanted = [name]
        while wanted:
            wanted = self._wrong(server, to, self._lay(server, names, to, wanted, lambda count: None))
        return True
