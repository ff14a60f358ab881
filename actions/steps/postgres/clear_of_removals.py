"""Moving a stop clear of removals whose DROP is not kept: their effects outside of it must not be replayed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from actions.clock.times import spell
from actions.clock.when import Target
from actions.engine.errors import Away, RecoveryError
from actions.postgres.lsn import Lsn, format_lsn
from actions.postgres.removals import REMOVAL_LINES, REMOVAL_RMGRS, Removal, removals
from actions.postgres.running import Running
from actions.postgres.stops import Stop, find_stop, is_past
from actions.postgres.unreachable import Unreachable
from actions.postgres.waldump import TransactionEnd
from actions.steps.postgres.search_stop import Search
from actions.steps.postgres.wal_ways import WalWay
from actions.wording import counted, verb

_ROUNDS = 20
_OLDER, _FURTHER = 8, 4
"""Segments that are read back first, and how many times as many each time after that."""


@dataclass(frozen=True)
class UnfinishedRemoval:
    """A removal that was given up half-way before the stop: what it took away was gone then, too."""

    what: str
    oid: int | None
    xid: int
    first: Lsn

    def says(self) -> str:
        """The sentence."""
        return (
            f"Transaction {self.xid} had begun to remove {_named(self.what, self.oid)} and did not finish, so it "
            "cannot be used, as it could not at that moment. "
            f"To have it whole, ask for: before lsn {format_lsn(self.first)}"
        )


@dataclass(frozen=True)
class EarlierStop:
    """Why the stop lies earlier than was asked for, and what that costs."""

    what: str
    oid: int | None
    xid: int
    commits: int
    first_at: datetime | None
    last_at: datetime | None

    def says(self) -> str:
        """The sentence."""
        many = f"{counted(self.commits, 'commit')} {verb(self.commits, 'are')}"
        between = f" ({spell(self.first_at)} to {spell(self.last_at)})" if self.first_at and self.last_at else ""
        return (
            f"{many} not kept{between}, though they lie before the target: transaction {self.xid} was removing "
            f"{_named(self.what, self.oid)} meanwhile, and what it had removed would not come back."
        )


def _named(what: str, oid: int | None) -> str:
    return f"the {what} with the OID {oid}" if oid else f"a {what}"


def clear_of_removals(
    search: Search, way: WalWay, stop: Stop
) -> tuple[Stop, EarlierStop | None, tuple[UnfinishedRemoval, ...]]:
    """The stop, moved before the first removal that has begun by then and whose commit is not kept.

    Raises:
        Unreachable: no base backup ends before that.
    """
    wanted, blamed = stop, None
    for _ in range(_ROUNDS):
        seen = removals_near(way, stop)
        harmful = [removal for removal in seen if removal.harms(stop.through)]
        if not harmful:
            left = tuple(UnfinishedRemoval(r.what, r.oid, r.xid, r.first) for r in seen if r.left(stop.through))
            return stop, _spared(way, blamed, stop, wanted), left
        blamed = min(harmful, key=lambda removal: removal.first)
        stop = _before(search, way, blamed)
    raise Unreachable(
        "No place to stop was found that keeps clear of removed databases.",
        code="MD-PG-022",
        hint="Choose a moment some minutes earlier.",
    )


def _before(search: Search, way: WalWay, removal: Removal) -> Stop:
    target = Target("lsn", "", lsn=format_lsn(removal.first))
    try:
        ends = way.around(target, way.index(removal.first))
        found = find_stop(ends, target, floor=way.floor, segment_size=way.server.segment_size)
        past = is_past(target)
        limit = next((end.lsn for end in ends if past(end)), removal.first)
        return search.settle(way, found, min(limit, removal.first))
    except Unreachable as refused:
        raise Unreachable(
            f"Transaction {removal.xid} was removing {_named(removal.what, removal.oid)} at that moment.",
            code="MD-PG-023",
            detail=f"It began at {format_lsn(removal.first)}, and no base backup ends before that. {refused.message}",
            hint="Without the removal nothing earlier can be reached. Choose a moment after it was committed.",
            nearest=refused.nearest,
        ) from refused


def _spared(way: WalWay, blamed: Removal | None, stop: Stop, wanted: Stop) -> EarlierStop | None:
    lost = [end for end in _between(way, stop, wanted) if end.committed] if blamed else []
    if blamed is None or not lost:
        return None
    return EarlierStop(blamed.what, blamed.oid, blamed.xid, len(lost), lost[0].at, lost[-1].at)


def _between(way: WalWay, stop: Stop, wanted: Stop) -> Sequence[TransactionEnd]:
    ends = way.ends(way.index(stop.lsn), way.index(wanted.lsn))
    return [end for end in ends if stop.through <= end.lsn and wanted.keeps(end.lsn)]


def removals_near(way: WalWay, stop: Stop) -> Sequence[Removal]:
    """Those that the WAL around a stop shows.

    A DROP DATABASE makes a checkpoint between its first record and the removal, and others may write much meanwhile.
    So older segments are read too, more each time, while a removal is seen without its first record or one
    of the transactions that ran at the stop may be a DROP that began before; as far as these can be read: one that is
    damaged is in the way of the recovery only where that needs it, which is found when the WAL is laid.
    """
    last = min(way.index(stop.through - 1) + 1, len(way.names) - 1)
    first, older, known = max(0, way.index(stop.lsn) - 1), _OLDER, None
    while True:
        since = way.start(first + 1) if first + 1 < len(way.names) and first else Lsn(0)
        running = Running(stop.through)
        try:
            found = removals(running.watch(way.lines(first, last, REMOVAL_RMGRS, REMOVAL_LINES)), since)
        except Away:
            raise
        except RecoveryError:
            if known is None:
                raise
            return known
        known = found
        begun = all(r.certain or (r.over is not None and r.over < stop.through) for r in found)
        if first == 0 or (begun and running.covered(since, (r.xid for r in found))):
            return found
        first, older = max(0, first - older), older * _FURTHER
