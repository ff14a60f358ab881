"""The script that lists files of WAL with their first and last bytes, and the judgement of each."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from itertools import zip_longest

from actions.postgres.archive import WalFile
from actions.postgres.segment_copy import HEAD, TAIL, Expected, wrong_with
from actions.postgres.server import Server

# Lists with one process for the whole folder, in options that every find and stat knows.
# The first bytes of each segment, and the last of each packed one, tell whether it is what its name says.
LIST = r"""cd "$1" 2>/dev/null || exit 66
export TZ=UTC
find . -maxdepth 1 -type f ! -name '.*' -exec stat -c '%s|%y|%n' {} + || exit 1
segments() {
    find . -maxdepth 1 -type f -size +0c -name '[0-9A-F]*' \
        ! -name '*.history*' ! -name '*.partial*' ! -name '*.backup*' "$@" 2>/dev/null | od -An -v -tx1 | tr -d ' \n'
}
printf '\035'; segments -exec head -v -c @HEAD {} +
printf '\035'; segments -name '*.*' -exec tail -v -c @TAIL {} +
printf '\035'
! command -v zstd >/dev/null || find . -maxdepth 1 -type f -name '[0-9A-F]*.zst' -exec zstd -l {} + 2>&1 >/dev/null
exit 0
""".replace("@HEAD", str(HEAD)).replace("@TAIL", str(TAIL))
_TITLE = re.compile(rb"\n?==> \./([0-9A-Za-z.]+) <==\n")
_GROUP = "\x1d"
# The end of a zstd stream shows only to who goes from block to block, which `zstd -l` does without unpacking them.
_ENDLESS = re.compile(r'Error while parsing "\./([0-9A-F]+\.zst)"')


def judged(server: Server, said: str) -> list[WalFile]:
    """The files that the script told of, each with what is wrong with it."""
    named, heads, tails, listed = said.split(_GROUP)
    files = [_wal_file(*line.split("|", 2)) for line in named.splitlines()]
    ends = _ends(heads), _ends(tails)
    endless = dict.fromkeys(_ENDLESS.findall(listed), "it is cut short: its zstd stream does not end")
    found = (_judged(server, file, *ends) for file in files)
    return sorted((replace(f, wrong=f.wrong or endless.get(f.name, "")) for f in found), key=lambda file: file.name)


def _wal_file(size: str, written: str, name: str) -> WalFile:
    # "2026-02-09 14:30:05.123456789 +0000": a whole second would be too rough beside commits.
    day, clock, *_ = written.split(" ")
    return WalFile(name.removeprefix("./"), int(size), datetime.fromisoformat(f"{day}T{clock[:15]}+00:00"))


def _ends(text: str) -> dict[str, bytes]:
    """What head or tail printed of each file under a line with its name."""
    data = bytes.fromhex(text.strip())
    found = list(_TITLE.finditer(data))
    until = [title.start() for title in found[1:]]
    return {title[1].decode(): data[title.end() : end] for title, end in zip_longest(found, until)}


def _judged(server: Server, file: WalFile, heads: dict[str, bytes], tails: dict[str, bytes]) -> WalFile:
    expected = Expected(server.segment_size, server.system_identifier, server.version)
    head, tail = (_full(ends.get(file.name, b""), file.size, most) for ends, most in ((heads, HEAD), (tails, TAIL)))
    return replace(file, wrong=wrong_with(file.name, file.size, head, tail, expected))


def _full(part: bytes, size: int, most: int) -> bytes:
    # Between two processes there is no line break before a title, so that one of the file's own was taken for it.
    return part + b"\n" if part and len(part) == min(size, most) - 1 else part
