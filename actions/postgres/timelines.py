"""Timelines: the branches of a server's history, read from ``.history`` files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from actions.engine.errors import RecoveryError
from actions.postgres.lsn import Lsn, parse_lsn
from actions.postgres.segments import DEFAULT_SIZE, segment_name

_LINE = re.compile(
    r"(?P<parent>\d{1,10})\s{1,9}(?P<lsn>[0-9A-Fa-f]{1,8}/[0-9A-Fa-f]{1,8})(?:\s+(?P<reason>.*))?", re.ASCII
)


@dataclass(frozen=True)
class Fork:
    """Where a timeline was left for the next one."""

    parent: int
    lsn: Lsn
    reason: str = ""


@dataclass(frozen=True)
class Span:
    """The part of the way that lies on one timeline; the last one is open (end is None)."""

    timeline: int
    start: Lsn
    end: Lsn | None


@dataclass(frozen=True)
class Chain:
    """The way from the very first timeline to one target timeline, oldest first."""

    timeline: int
    spans: tuple[Span, ...]

    def span(self, timeline: int) -> Span | None:
        """The part on that timeline, or None when it is no ancestor."""
        return next((span for span in self.spans if span.timeline == timeline), None)


def parse_history(text: str) -> tuple[Fork, ...]:
    """Read a ``.history`` file; comments and blank lines are skipped as the server does."""
    lines = (line.strip() for line in text.splitlines())
    return tuple(_fork(line) for line in lines if line and not line.startswith("#"))


def _fork(line: str) -> Fork:
    match = _LINE.fullmatch(line)
    if match is None:
        raise RecoveryError(
            "A timeline history file cannot be read.",
            code="MD-PG-013",
            detail=f"It says {line[:80]!r}.",
            hint="Fetch that .history file again from the archive or from the server's pg_wal.",
        )
    return Fork(int(match["parent"]), parse_lsn(match["lsn"]), match["reason"] or "")


def chain_to(timeline: int, histories: Mapping[int, str]) -> Chain:
    """The ancestry of a timeline, from the texts of the history files by timeline number."""
    if timeline == 1:
        return Chain(1, (Span(1, Lsn(0), None),))
    if timeline not in histories:
        raise RecoveryError(
            f"The history of timeline {timeline} is missing.",
            code="MD-PG-014",
            detail=f"No file {timeline:08X}.history was found; without it nobody knows where it branched off.",
            hint="Copy it from the server's pg_wal into the archive, or recover along another timeline.",
        )
    return Chain(timeline, _spans(timeline, parse_history(histories[timeline])))


def _spans(timeline: int, forks: tuple[Fork, ...]) -> tuple[Span, ...]:
    starts = (Lsn(0), *(fork.lsn for fork in forks))
    inner = tuple(Span(fork.parent, start, fork.lsn) for fork, start in zip(forks, starts, strict=False))
    return (*inner, Span(timeline, starts[-1], None))


def timeline_at(chain: Chain, lsn: int) -> int:
    """The timeline whose WAL holds this position on the way to the chain's end."""
    return next(span.timeline for span in chain.spans if span.end is None or lsn < span.end)


def lies_on(chain: Chain, timeline: int, lsn: int) -> bool:
    """Whether a position of a timeline belongs to this history, or was written after it branched off."""
    span = chain.span(timeline)
    return span is not None and (span.end is None or lsn <= span.end)


def segments_needed(chain: Chain, start: int, end: int, size: int = DEFAULT_SIZE) -> list[str]:
    """The names to lay out for replay from start up to (not including) the byte at end.

    Where a branch begins in the middle of a segment, the new timeline's file holds a copy of the part
    before; like the server, we ask for the newest timeline that can have the segment.
    """
    last = max(start, end - 1) // size
    return [segment_name(_owner(chain, number, size), number, size) for number in range(start // size, last + 1)]


def _owner(chain: Chain, number: int, size: int) -> int:
    return next(span.timeline for span in reversed(chain.spans) if span.start // size <= number)
