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
class WalFile:
    """One file of an archive or of pg_wal: name, bytes, when it was written.

    `wrong` says why it cannot serve as what its name says; empty where nothing is known against it.
    """

    name: str
    size: int
    at: datetime
    wrong: str = ""


@dataclass(frozen=True)
class ArchivedFile:
    """One file of the archive: its name, its size, and why it cannot be used, if so.

    When it was written tells nothing of what is in it.
    """

    name: str
    bytes: int
    wrong: str = ""


@dataclass(frozen=True)
class LiveTail:
    """WAL that is not archived yet, on the live or the dead server: whole segments and the last, unfinished one.

    ``at`` is the moment up to which it is known to be complete: when it was read, from a running server or from
    the whole pg_wal of a dead one (nothing was committed after that).
    """

    timeline: int
    segments: tuple[str, ...]
    end_lsn: Lsn
    at: datetime


@dataclass(frozen=True)
class Gap:
    """Segments that are missing between others of one timeline; `why` says what is wrong with the first one's copy.

    `old` says that all before it is the WAL of base backups alone, and that one which can be used begins behind it:
    what cleaning up an archive leaves of old base backups, and no fault.
    """

    timeline: int
    first: str
    last: str
    segments: int
    why: str = ""
    old: bool = False


@dataclass(frozen=True)
class BadCopy:
    """A file of the archive that cannot be used; `needed` where no other copy of its segment can be had."""

    file: str
    segment: str
    why: str
    needed: bool = True


@dataclass(frozen=True)
class Wal:
    """The usable segments, and the copies of the archive that cannot be used.

    `brought` are those that only base backups hold, `unfit` the copies there that cannot be used.
    """

    present: Set[str]
    size: int
    tail: LiveTail | None
    bad: tuple[BadCopy, ...] = ()
    brought: Set[str] = frozenset()
    unfit: tuple[BadCopy, ...] = ()

    @classmethod
    def of(
        cls, archive: Sequence[ArchivedFile], tail: LiveTail | None, size: int, brought: Sequence[ArchivedFile] = ()
    ) -> Wal:
        """What an archive, a server's own WAL and that of base backups come to."""
        kept, held = present_segments(archive, tail, size), present_segments(brought, None, size)
        present = kept | held
        bad, unfit = (bad_copies(files, present, size) for files in (archive, brought))
        return cls(present, size, tail, bad, held - kept, unfit)

    def lacks(self, name: str) -> str:
        """What is wrong with the copies of a segment; empty where there is none, or a good one."""
        found = (bad for bad in (*self.bad, *self.unfit) if bad.segment == name and bad.needed)
        return "; ".join(f"{bad.file}: {bad.why}" for bad in found)


def present_segments(archive: Sequence[ArchivedFile], tail: LiveTail | None, size: int) -> set[str]:
    present = whole_segments(item.name for item in archive if not wrong_copy(item, size))
    return present | set(tail.segments if tail is not None else ())


def wrong_copy(item: ArchivedFile, size: int) -> str:
    """Why a file cannot be used as a segment: what was seen of it, else what its size alone betrays."""
    file = parse_wal_name(item.name)
    if item.wrong or file is None or file.kind != "segment":
        return item.wrong
    if item.bytes == 0:
        return "it is empty"
    return f"it has {item.bytes:,} bytes, not {size:,}" if not file.compression and item.bytes != size else ""


def bad_copies(archive: Sequence[ArchivedFile], present: Set[str], size: int) -> tuple[BadCopy, ...]:
    """The copies that cannot be used."""
    named = ((item, parse_wal_name(item.name), wrong_copy(item, size)) for item in archive)
    return tuple(
        BadCopy(item.name, file.segment_name, why, file.segment_name not in present)
        for item, file, why in named
        if why and file is not None
    )


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
    oldest = min((name for name in _on_timeline(timeline, wal) if name not in wal.brought), default="")
    return tuple(_gap(before, after, wal, oldest) for before, after in pairwise(ranges))


def _gap(before: SegmentRange, after: SegmentRange, wal: Wal, oldest: str) -> Gap:
    first = next_segment(before.last, wal.size)
    count = (after.start_lsn - before.end_lsn) // wal.size
    last = previous_segment(after.first, wal.size)
    return Gap(before.timeline, first, last, count, wal.lacks(first), old=first < oldest)
