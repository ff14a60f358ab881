"""The WAL that base backups bring along, judged like any other copy, and read through: nothing else vouches for it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from actions.postgres.archive import WalFile
from actions.postgres.server import Server
from actions.postgres.waldump import ended_in
from actions.redact import excerpt
from workers.docker.exec import shell
from workers.docker.helper import checked
from workers.postgres.base_pieces import PIECES
from workers.postgres.judged_wal import LIST, judged
from workers.postgres.recent import Recent
from workers.postgres.server_helper import BASES, ServerHelper

# Parameters: the size of a segment in kB; then for each backup its name, how many segments, their names. A plain backup
# has them in pg_wal; those of an archive are unpacked in the helper, as far as they are asked for and there is room.
# `pg_basebackup -F t -X fetch` puts them into base.tar, which is searched where that takes seconds. No plan waits long
# for what one backup may hold.
#
# The last segment of a backup may hold less than the archive's copy would: what was written behind the end of the
# backup. So each is read to its end, or else a recovery would take the end of the copy for the end of all WAL.
_LOOK = (
    PIECES
    + r"""
kb=$1 place=/var/tmp/mayday.base_wal; shift
roomy() {
    free=$(df -Pk "$place" | tail -n 1 | awk '{ print $4 }')
    [ $(($(echo $wanted | wc -w) * kb * 2)) -le "$free" ]
}
slow() { case $1 in *.tar) false ;; *) [ "$(stat -c %s "$1")" -gt 268435456 ] ;; esac; }
bring() {
    folder=$place/$name from=pg_wal at= wanted=
    [ -n "$(archive "$src/pg_wal")" ] || { from=base at=pg_wal/; }
    of=$(archive "$src/$from")
    if [ -z "$of" ] || { [ $from = base ] && slow "$of"; }; then return; fi
    for s in $segments; do [ -f "$folder/$s" ] || wanted="$wanted $at$s"; done
    [ -n "$wanted" ] || return
    mkdir -p "$folder.draft" "$folder"
    roomy || { said="there is no room to unpack ${of##*/} in the container of the helper"; return; }
    case $of in
        *.tar) timeout @MOST tar -xf "$of" -C "$folder.draft" $wanted ;;
        *) opened "$src/$from" | timeout @MOST tar -xf - -C "$folder.draft" $wanted ;;
    esac 2>/tmp/mayday-said
    [ $? != 124 ] || echo "it takes longer than @MOST s" >/tmp/mayday-said
    said=$(grep -viE '^$|not found in archive|previous errors|not recoverable' /tmp/mayday-said | head -n 1)
    [ -z "$said" ] || said="${of##*/} cannot be unpacked: $said"
    for s in $segments; do [ ! -f "$folder.draft/$at$s" ] || mv "$folder.draft/$at$s" "$folder/"; done
    rm -rf "$folder.draft"
}
while [ $# -gt 0 ]; do
    name=$1 n=$2 segments= said=; shift 2
    while [ "$n" -gt 0 ]; do segments="$segments $1" n=$((n - 1)); shift; done
    src=@BASES/$name folder=@BASES/$name/pg_wal
    [ -f "$src/backup_label" ] || bring
    printf '\f%s\n%s\034' "$folder" "$said"
    ( set -- "$folder"
@LIST
    )
    printf '\034'
    for s in $segments; do
        [ -f "$folder/$s" ] || continue
        said=$(pg_waldump -q -p "$folder" "$s" "$s" 2>&1 >/dev/null); code=$?
        printf '%s %s %s\n' "$s" $code "$(printf '%s\n' "$said" | tail -n 1)"
    done
done
exit 0
""".replace("@BASES", BASES)
    .replace("@LIST", LIST)
    .replace("@MOST", "120")
)
_READ = re.compile(r"^([0-9A-F]{24}) (\d+) ?(.*)$", re.MULTILINE)
_NEVER = datetime.fromtimestamp(0, UTC)
_SECONDS = 1800
_SAME_SECONDS = 60.0
"""For so long what was read of a base backup is not read anew."""


@dataclass(frozen=True)
class Brought:
    """Segments of one base backup: in which folder of the helper they lie, and what is wrong with each."""

    folder: str
    files: Sequence[WalFile]


class BaseWal:
    """Looks at the WAL within base backups of one server."""

    def __init__(self, helper: ServerHelper) -> None:
        self._helper = helper
        self._seen = Recent[dict[object, tuple[Brought, ...]]](_SAME_SECONDS)

    def forget(self) -> None:
        """Look at all of it anew."""
        self._seen.forget()

    def look(self, server: Server, sought: Mapping[str, tuple[str, ...]]) -> tuple[Brought, ...]:
        """What each base backup has of the segments that are sought of it."""
        if not sought:
            return ()
        inside, known = self._helper.inside(server), self._seen.get(dict)
        # What was unpacked goes with the container of the helper.
        key = (inside.container, tuple(sorted(sought.items())))
        if key not in known:
            asked = [part for name, parts in sought.items() for part in (name, str(len(parts)), *parts)]
            argv = shell(_LOOK, str(server.segment_size // 1024), *asked)
            done = inside.run(argv, seconds=_SECONDS, env={"LC_ALL": "C"})
            blocks = checked(done, "looking at the WAL of base backups").split("\f")[1:]
            known[key] = tuple(
                _brought(server, name, segments, block)
                for (name, segments), block in zip(sought.items(), blocks, strict=True)
            )
        return known[key]


def _brought(server: Server, name: str, segments: tuple[str, ...], block: str) -> Brought:
    head, listed, read = block.split("\x1c")
    folder, _, said = head.partition("\n")
    files = {file.name: file for file in judged(server, listed)} if listed else {}
    ends = {segment: (code, text) for segment, code, text in _READ.findall(read)}
    found = [_through(server, files[s], *ends.get(s, ("0", ""))) for s in segments if s in files]
    # Of an archive that cannot be unpacked it is not known what is in it.
    found += [WalFile(s, 0, _NEVER, said) for s in segments if said and s not in files]
    return Brought(folder, [replace(f, wrong=f"{f.wrong} (in {name})" if f.wrong else "") for f in found])


def _through(server: Server, file: WalFile, code: str, said: str) -> WalFile:
    """The same file, with what is wrong with its records; where they go on into the next segment, it is whole."""
    if file.wrong or code == "0" or ended_in(said, int(file.name[:8], 16), server.segment_size) > file.name:
        return file
    return replace(file, wrong=f"it cannot be read to its end: {excerpt(said, 200)}")
