"""Names of WAL files: what they say, what comes next, and which are missing.

A segment's name is its timeline, then the number of the segment in two halves of eight digits each. The
second half counts up to 4 GB divided by the segment size, so a name means a position only with that size.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from actions.postgres.lsn import Lsn

DEFAULT_SIZE = 16 * 1024 * 1024
SIZES = tuple(1024 * 1024 << shift for shift in range(11))

PACKED = ("gz", "zst", "lz4", "bz2", "xz", "br", "lzo", "lzma", "lz", "Z", "sz", "snappy", "zip", "7z")
"""The endings that tools for archives give to packed files; not all of them can be read."""

ENCRYPTED = ("gpg", "pgp", "age", "enc", "aes", "aes256", "crypt", "kms")
"""The endings of encrypted ones, alone or after that of a packed one."""

ENDINGS = (*PACKED, *ENCRYPTED, *(f"{packed}.{encrypted}" for packed in PACKED for encrypted in ENCRYPTED))
"""All that may stand behind the name of a whole segment."""

_PACKED, _ENCRYPTED = "|".join(PACKED), "|".join(ENCRYPTED)
_SUFFIXES = rf"(?P<packed>\.(?:{_PACKED})(?:\.(?:{_ENCRYPTED}))?|\.(?:{_ENCRYPTED}))?"
_SEGMENT = re.compile(
    r"(?P<tli>[0-9A-F]{8})(?P<log>[0-9A-F]{8})(?P<seg>[0-9A-F]{8})"
    r"(?:(?P<partial>\.partial)|\.(?P<offset>[0-9A-F]{8})\.backup)?" + _SUFFIXES,
    re.ASCII,
)
_HISTORY = re.compile(r"(?P<tli>[0-9A-F]{8})\.history" + _SUFFIXES, re.ASCII)


@dataclass(frozen=True)
class WalName:
    """What the name of a file in an archive says."""

    name: str
    kind: Literal["segment", "partial", "backup", "history"]
    timeline: int
    log: int = 0
    seg: int = 0
    offset: int = 0
    compression: str = ""

    @property
    def segment_name(self) -> str:
        """The bare name of the segment, without any suffix."""
        return f"{self.timeline:08X}{self.log:08X}{self.seg:08X}"


@dataclass(frozen=True)
class SegmentRange:
    """Segments of one timeline without a hole, both ends included."""

    timeline: int
    first: str
    last: str
    count: int
    start_lsn: Lsn
    end_lsn: Lsn


def parse_wal_name(name: str) -> WalName | None:
    """Understand a file name, or return None for a stranger."""
    if match := _HISTORY.fullmatch(name):
        return WalName(name, "history", int(match["tli"], 16), compression=_packed(match))
    if match := _SEGMENT.fullmatch(name):
        return _segment_file(name, match)
    return None


def _packed(match: re.Match[str]) -> str:
    return (match["packed"] or "").lstrip(".")


def _segment_file(name: str, match: re.Match[str]) -> WalName:
    kind: Literal["segment", "partial", "backup"] = "segment"
    if match["partial"]:
        kind = "partial"
    elif match["offset"]:
        kind = "backup"
    return WalName(
        name,
        kind,
        int(match["tli"], 16),
        int(match["log"], 16),
        int(match["seg"], 16),
        int(match["offset"] or "0", 16),
        _packed(match),
    )


def per_log(size: int) -> int:
    """How many segments share the middle part of the name."""
    if size not in SIZES:
        raise ValueError(f"not a WAL segment size: {size}")
    return 0x1_0000_0000 // size


def segment_number(name: str, size: int = DEFAULT_SIZE) -> int:
    """The running number of a segment on its timeline."""
    file = parse_wal_name(name)
    if file is None or file.kind == "history" or file.seg >= per_log(size):
        raise ValueError(f"not a WAL segment of {size} bytes: {name[:60]!r}")
    return file.log * per_log(size) + file.seg


def segment_name(timeline: int, number: int, size: int = DEFAULT_SIZE) -> str:
    """The name of the segment with that running number."""
    log, seg = divmod(number, per_log(size))
    return f"{timeline:08X}{log:08X}{seg:08X}"


def segment_start(name: str, size: int = DEFAULT_SIZE) -> Lsn:
    """The first position inside a segment."""
    return Lsn(segment_number(name, size) * size)


def segment_of(timeline: int, lsn: int, size: int = DEFAULT_SIZE) -> str:
    """The segment that holds the byte at this position."""
    return segment_name(timeline, lsn // size, size)


def segment_before(timeline: int, lsn: int, size: int = DEFAULT_SIZE) -> str:
    """The segment that holds the last byte before this position: what replay up to there needs."""
    return segment_name(timeline, max(0, lsn - 1) // size, size)


def next_segment(name: str, size: int = DEFAULT_SIZE) -> str:
    """The name that follows on the same timeline."""
    return segment_name(int(name[:8], 16), segment_number(name, size) + 1, size)


def previous_segment(name: str, size: int = DEFAULT_SIZE) -> str:
    """The name before; the very first segment has none."""
    number = segment_number(name, size)
    if number <= 1:
        raise ValueError(f"no WAL segment comes before {name}")
    return segment_name(int(name[:8], 16), number - 1, size)


def segments_between(first: str, last: str, size: int = DEFAULT_SIZE) -> Iterator[str]:
    """Every name from one to another, both included, on one timeline."""
    if first[:8] != last[:8]:
        raise ValueError(f"{first} and {last} lie on different timelines")
    for number in range(segment_number(first, size), segment_number(last, size) + 1):
        yield segment_name(int(first[:8], 16), number, size)


def whole_segments(names: Iterable[str]) -> set[str]:
    """The bare names of the complete segments in a listing: no .partial, no .backup, no .history."""
    files = (parse_wal_name(name) for name in names)
    return {file.segment_name for file in files if file is not None and file.kind == "segment"}


def contiguous_ranges(names: Iterable[str], size: int = DEFAULT_SIZE) -> list[SegmentRange]:
    """The runs of segments without a hole, ordered by timeline and place."""
    numbered = sorted((int(name[:8], 16), segment_number(name, size)) for name in whole_segments(names))
    # Within a run, the number minus its rank stays the same; a hole changes it.
    runs = groupby(enumerate(numbered), key=lambda item: (item[1][0], item[1][1] - item[0]))
    return [_range([pair for _, pair in run], size) for _, run in runs]


def _range(run: list[tuple[int, int]], size: int) -> SegmentRange:
    (timeline, first), (_, last) = run[0], run[-1]
    return SegmentRange(
        timeline,
        segment_name(timeline, first, size),
        segment_name(timeline, last, size),
        len(run),
        Lsn(first * size),
        Lsn((last + 1) * size),
    )


def missing(names: Iterable[str], start: str, end: str, size: int = DEFAULT_SIZE) -> list[str]:
    """The segments from start to end that a listing lacks."""
    present = whole_segments(names)
    return [name for name in segments_between(start, end, size) if name not in present]
