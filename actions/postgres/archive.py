"""The WAL at hand: archived segments and the live tail, what is damaged, and where there are gaps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from actions.postgres.lsn import Lsn
from actions.postgres.segments import (
    SegmentRange,
    contiguous_ranges,
    next_segment,
    parse_wal_name,
    previous_segment,
    segment_number,
    whole_segments,
)
from actions.postgres.timelines import Chain, segments_needed


@dataclass(frozen=True)
class ArchivedFile:
    """One file of the archive: its name and size. When it was written tells nothing of what is in it."""

    name: str
    bytes: int


@dataclass(frozen=True)
class Tail:
    """WAL that is not archived yet, on the live or the dead server: whole segments and the last, unfinished one.

    ``at`` is the moment up to which it is known to be complete: when it was read, from a running server or from
    the whole pg_wal of a dead one (nothing was committed after that).
    """

    timeline: int
    segments: tuple[str, ...]
    end_lsn: Lsn | None = None
    at: datetime | None = None


@dataclass(frozen=True)
class Gap:
    """Segments that are missing between others of one timeline."""

    timeline: int
    first: str
    last: str
    segments: int


@dataclass(frozen=True)
class Wal:
    """The usable segments."""

    present: Set[str]
    size: int
    tail: Tail | None


def present_segments(archive: Sequence[ArchivedFile], tail: Tail | None, size: int) -> set[str]:
    damaged = set(damaged_segments(archive, size))
    present = whole_segments(item.name for item in archive if item.name not in damaged)
    return present | set(tail.segments if tail is not None else ())


def damaged_segments(archive: Sequence[ArchivedFile], size: int) -> tuple[str, ...]:
    """Segments whose size betrays a truncated copy (of a compressed one only an empty file does)."""
    files = ((item, parse_wal_name(item.name)) for item in archive)
    return tuple(
        item.name
        for item, file in files
        if file is not None and file.kind == "segment" and _wrong_size(item.bytes, file.compression, size)
    )


def _wrong_size(found: int, compression: str, size: int) -> bool:
    return found == 0 if compression else found != size


@dataclass(frozen=True)
class Runs:
    """The segments present along a chain, by number, and where the run of each one ends."""

    end_of: Mapping[int, int]
    highest: int

    @classmethod
    def along(cls, chain: Chain, wal: Wal) -> Runs:
        numbers = (segment_number(name, wal.size) for name in wal.present)
        present = {number for number in numbers if name_along(chain, number, wal.size) in wal.present}
        end_of: dict[int, int] = {}
        for number in sorted(present, reverse=True):
            end_of[number] = end_of.get(number + 1, number)
        return cls(end_of, max(present, default=-1))


def name_along(chain: Chain, number: int, size: int) -> str:
    return segments_needed(chain, number * size, number * size + 1, size)[0]


def _on_timeline(timeline: int, wal: Wal) -> Iterable[str]:
    prefix = f"{timeline:08X}"
    return (name for name in wal.present if name.startswith(prefix))


def gaps_on(timeline: int, wal: Wal) -> tuple[Gap, ...]:
    ranges = contiguous_ranges(_on_timeline(timeline, wal), wal.size)
    return tuple(_gap(before, after, wal.size) for before, after in pairwise(ranges))


def _gap(before: SegmentRange, after: SegmentRange, size: int) -> Gap:
    return Gap(
        before.timeline,
        next_segment(before.last, size),
        previous_segment(after.first, size),
        (after.start_lsn - before.end_lsn) // size,
    )
