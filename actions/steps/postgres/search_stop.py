"""Finding the stop of a recovery in the WAL of one timeline, and the base backup that it fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from actions.clock.when import Target
from actions.postgres.choices import too_early, too_late
from actions.postgres.lsn import Lsn, parse_lsn
from actions.postgres.segments import segment_number
from actions.postgres.stops import Stop, find_stop, is_past
from actions.postgres.unreachable import Unreachable
from actions.postgres.waldump import TransactionEnd
from actions.postgres.windows import Reach, TimelineWindow
from actions.steps.postgres.wal_ways import WalWay


@dataclass(frozen=True)
class Search:
    """One target along one timeline: its window, its WAL, up to when that is known to be whole.

    `segment` is where the moment of a time target lies, `known_until` None where nothing tells that the newest record
    at hand is the newest that was written.
    """

    target: Target
    part: TimelineWindow
    ways: Sequence[WalWay]
    segment: str = ""
    known_until: datetime | None = None

    def find(self) -> tuple[WalWay, Stop]:
        """The stop, on the stretch of WAL in which it lies.

        Raises:
            Unreachable: with the nearest moment that can be reached.
        """
        if self.target.kind == "xid":
            return self._of_transaction()
        way, first = self._place()
        return way, self._stop(way, way.around(self.target, first))

    def _of_transaction(self) -> tuple[WalWay, Stop]:
        """It may lie anywhere, so all is read."""
        refused: list[Unreachable] = []
        for way in reversed(self.ways):
            try:
                return way, self._stop(way, way.around(self.target, 0))
            except Unreachable as not_here:
                refused.append(not_here)
        raise refused[0]

    def _place(self) -> tuple[WalWay, int]:
        """The stretch, and the segment in it, from which on to read."""
        newest = self.ways[-1]
        if self.target.kind == "latest":
            return newest, max(0, len(newest.names) - 2)
        size = newest.server.segment_size
        if self.target.lsn:
            number = parse_lsn(self.target.lsn) // size
        else:
            number = segment_number(self.segment, size) if self.segment else -1
        before = [way for way in self.ways if segment_number(way.names[0], size) <= number]
        way = before[-1] if before else self.ways[0]
        return way, way.index(Lsn(max(0, number) * size))

    def _stop(self, way: WalWay, ends: Sequence[TransactionEnd]) -> Stop:
        past = is_past(self.target)
        boundary = next((end for end in ends if past(end)), None)
        if boundary is None:
            self._demand_whole(way, ends)
        size = way.server.segment_size
        found = find_stop(ends, self.target, floor=way.floor, whole=way.whole, segment_size=size)
        return self.settle(way, found, boundary.lsn if boundary else None)

    def _demand_whole(self, way: WalWay, ends: Sequence[TransactionEnd]) -> None:
        """Without a commit behind the target, the WAL has to be known to be whole up to there."""
        at, lsn = self.target.at, parse_lsn(self.target.lsn) if self.target.lsn else None
        until = max(reach.until_lsn for reach in way.reaches)
        if (at is None and lsn is None) or (lsn is not None and lsn <= until):
            return
        if at is not None and way.whole and self.known_until is not None and at <= self.known_until:
            return
        last = max((end.at for end in ends if end.committed), default=None)
        raise too_late(self.part, way.missing, last, until, at, lsn)

    def settle(self, way: WalWay, found: Stop, limit: Lsn | None) -> Stop:
        """The stop with a base backup that it fits.

        Where nothing was committed between it and the end of a later backup, that backup's own end is the same state,
        as long as it lies before the first end of a transaction that is not kept (`limit`) and before the target.
        """
        later = [reach for reach in way.reaches if self._stands_for(reach, found, limit)]
        if later:
            best = max(later, key=lambda reach: reach.floor)
            return replace(found, lsn=best.floor, inclusive=False, last_end_at=None, end=None, last_end_lsn=None)
        fitting = [reach for reach in way.reaches if reach.floor <= found.lsn]
        if found.inclusive and fitting:
            return found.started_at(max(fitting, key=lambda reach: reach.floor).backup.start_lsn)
        raise too_early(self.part, self.target.at, parse_lsn(self.target.lsn) if self.target.lsn else None)

    def _stands_for(self, reach: Reach, found: Stop, limit: Lsn | None) -> bool:
        if reach.floor < found.lsn or (found.inclusive and reach.floor < found.through):
            return False
        if limit is not None and reach.floor > limit:
            return False
        if self.target.lsn and reach.floor > parse_lsn(self.target.lsn):
            return False
        over = reach.backup.over_by
        return self.target.at is None or over is None or over <= self.target.at
