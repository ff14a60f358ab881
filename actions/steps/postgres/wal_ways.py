"""Reading WAL along the way to one timeline, over segments without a hole between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from actions.clock.when import Target
from actions.postgres.lsn import Lsn
from actions.postgres.segments import segment_number, segment_start
from actions.postgres.server import Server
from actions.postgres.stops import is_past
from actions.postgres.timelines import Chain, segments_needed
from actions.postgres.waldump import TransactionEnd, lsn_of_line, transaction_ends
from actions.postgres.windows import Reach
from actions.steps.postgres.read_window import WindowInputs
from actions.tools.postgres_files import PostgresFiles

_AT_ONCE = 2
"""Segments that are read first; twice as many each time."""


@dataclass(frozen=True)
class WalWay:
    """Segments that follow one another, oldest first, and the base backups that begin among them.

    `whole` says that they go on to the newest record; otherwise the segment `missing` follows.
    """

    server: Server
    files: PostgresFiles
    chain: Chain
    names: tuple[str, ...]
    reaches: tuple[Reach, ...]
    whole: bool
    missing: str = ""

    @property
    def floor(self) -> Lsn:
        """From where on there is something to start from."""
        return min(reach.floor for reach in self.reaches)

    def index(self, lsn: int) -> int:
        """The segment that holds a position, or the nearest one."""
        size = self.server.segment_size
        number = lsn // size - segment_number(self.names[0], size)
        return max(0, min(number, len(self.names) - 1))

    def start(self, index: int) -> Lsn:
        """Where a segment begins."""
        return segment_start(self.names[index], self.server.segment_size)

    def lines(self, first: int, last: int, rmgrs: Sequence[str], only: str = "") -> Iterator[str]:
        """Lines of pg_waldump from one segment through another, in the order of the way."""
        for timeline, names in groupby(self.names[first : last + 1], key=lambda name: int(name[:8], 16)):
            span = self.chain.span(timeline)
            for line in self.files.waldump(self.server, timeline, tuple(names), rmgrs=rmgrs, only=only):
                # Behind the fork the old timeline's file goes on with the branch that was left.
                if span is not None and span.end is not None and (lsn_of_line(line) or 0) >= span.end:
                    break
                yield line

    def ends(self, first: int, last: int) -> Iterator[TransactionEnd]:
        """The ends of transactions, and PREPAREs, from one segment through another."""
        return transaction_ends(self.lines(first, last, ("Transaction",)), prepares=True)

    def around(self, target: Target, first: int) -> list[TransactionEnd]:
        """The ends from a segment on through the first commit past the target, and enough of those before it.

        The end before the last one that is kept belongs to the proof; for both, older segments are read too, twice
        as many each time.
        """
        older, past = 1, is_past(target)
        while True:
            found = list(self._through(target, first))
            kept = [end for end in found if not past(end)]
            if first == 0 or any(end.committed or end.prepared for end in kept[1:]):
                return found
            first, older = max(0, first - older), older * 2

    def _through(self, target: Target, first: int) -> Iterator[TransactionEnd]:
        """Some segments at a time, since all that are named are unpacked; each part begins in the last of the one
        before, so that a record which goes on from there is read."""
        past, seen, many = is_past(target), -1, _AT_ONCE
        while True:
            last = min(first + many, len(self.names)) - 1
            for end in self.ends(first, last):
                if end.lsn > seen:
                    yield end
                    seen = end.lsn
                    if end.committed and past(end):
                        return
            if last == len(self.names) - 1:
                return
            first, many = last, many * 2


def ways(around: WindowInputs, chain: Chain, server: Server, files: PostgresFiles) -> list[WalWay]:
    """The stretches of WAL along a timeline that base backups begin in, oldest first."""
    part = around.window.on(chain.timeline)
    have = around.names()
    if part is None or not part.reaches or not have:
        return []
    size = server.segment_size
    first = min(reach.backup.start_lsn for reach in part.reaches)
    head = max(segment_number(name, size) for name in have) + 1
    names = segments_needed(chain, first, head * size, size)
    last = max((i for i, name in enumerate(names) if name in have), default=-1)
    groups = groupby(range(last + 1), key=lambda i: names[i] in have)
    found = [tuple(numbers) for present, numbers in groups if present]
    made = [_way(around, chain, server, files, names, run, last) for run in found]
    return [way for way in made if way.reaches]


def _way(
    around: WindowInputs,
    chain: Chain,
    server: Server,
    files: PostgresFiles,
    names: Sequence[str],
    run: tuple[int, ...],
    last: int,
) -> WalWay:
    part = around.window.on(chain.timeline)
    size, base = server.segment_size, segment_number(names[0], server.segment_size)
    reaches = [r for r in (part.reaches if part else ()) if r.backup.start_lsn // size - base in run]
    whole = run[-1] == last
    return WalWay(
        server,
        files,
        chain,
        tuple(names[run[0] : run[-1] + 1]),
        tuple(reaches),
        whole,
        "" if whole else names[run[-1] + 1],
    )
