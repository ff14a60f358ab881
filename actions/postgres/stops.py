"""Where a recovery stops: every target becomes one WAL position, known before anything is touched.

It stops *after the last commit that is kept*, not before the first one that is not: between the two there may be
records with an effect outside of transactions, such as the removal of a database whose DROP commits only then. As a
position it also works when nothing was committed afterwards, and it can be proven to the byte.

A server with recovery_target_lsn and recovery_target_inclusive stops after the first record that begins at or behind
the position (recoveryStopsAfter of src/backend/access/transam/xlogrecovery.c, in 13 and 14 of xlog.c).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from actions.clock.times import spell
from actions.clock.when import Target
from actions.postgres.lsn import Lsn, end_of_record, format_lsn, parse_lsn
from actions.postgres.segments import DEFAULT_SIZE
from actions.postgres.unreachable import Unreachable
from actions.postgres.waldump import TransactionEnd

# WAL has the lower half of a transaction's number; what people copy may have the epoch above it.
_XIDS = 2**32
# That of a segment's first page; walheader has its layout.
_LONGEST_PAGE_HEADER = 40


@dataclass(frozen=True)
class Stop:
    """The exact place, the last commit that is kept, and the first that is not.

    ``lsn`` is where the record begins after which it stops (inclusive; ``end`` is where that record ends), or where
    the base backup ends and nothing that was committed since is kept. ``last_end_at`` is what
    pg_last_xact_replay_timestamp() will say: the time of the last commit or abort before the record at the stop,
    which the server itself does not count; a PREPARE TRANSACTION has none.
    """

    lsn: Lsn
    inclusive: bool
    last_commit_at: datetime | None = None
    last_commit_xid: int | None = None
    last_commit_lsn: Lsn | None = None
    next_commit_at: datetime | None = None
    next_commit_xid: int | None = None
    next_commit_lsn: Lsn | None = None
    last_end_at: datetime | None = None
    end: Lsn | None = None
    last_end_lsn: Lsn | None = None

    @property
    def text(self) -> str:
        """For example: after 0/5A3F2C8."""
        return f"{'after' if self.inclusive else 'before'} {format_lsn(self.lsn)}"

    @property
    def through(self) -> Lsn:
        """The position up to which WAL has to be read."""
        return self.end or self.lsn

    def started_at(self, redo: int) -> Stop:
        """The stop as a server proves it that began to replay there: it knows nothing of earlier transactions."""
        known = self.last_end_lsn is not None and self.last_end_lsn >= redo
        return self if known else replace(self, last_end_at=None, last_end_lsn=None)

    def keeps(self, lsn: int) -> bool:
        """Whether a record at that position is replayed."""
        return lsn <= self.lsn if self.inclusive else lsn < self.lsn


@dataclass
class _Scan:
    """What has been seen so far: what is kept last, then the end that is past the target, then the next commit.

    ``kept`` is a commit or a PREPARE, ``before_kept`` the end of a transaction before it.
    """

    last: TransactionEnd | None = None
    kept: TransactionEnd | None = None
    before_kept: TransactionEnd | None = None
    last_end: TransactionEnd | None = None
    boundary: TransactionEnd | None = None
    next_commit: TransactionEnd | None = None


def find_stop(
    ends: Iterable[TransactionEnd],
    target: Target,
    *,
    floor: Lsn,
    whole: bool = True,
    segment_size: int = DEFAULT_SIZE,
) -> Stop:
    """Read the ends of transactions (and PREPAREs) from the backup on, and say where to stop.

    ``floor`` is where the backup becomes consistent. ``whole`` is false when the WAL that was read ends at a
    gap instead of at the newest record: then the absence of a later commit proves nothing.
    """
    after_floor = (end for end in ends if end.lsn >= floor)
    scan = _scan(after_floor, is_past(target), None if target.xid is None else target.xid % _XIDS)
    if scan.boundary is None:
        _demand_boundary(target, scan, whole)
    if target.kind == "xid" and scan.boundary is not None:
        _demand_commit(target, scan.boundary)
    if target.kind == "lsn" and target.lsn:
        _demand_floor(parse_lsn(target.lsn), floor)
    return _stop(scan, floor, segment_size)


def is_past(target: Target) -> Callable[[TransactionEnd], bool]:
    """A test whether an end of a transaction lies behind the target, so that neither it nor what follows is kept."""
    at, xid = target.at, target.xid
    if at is not None:
        return lambda end: end.at > at
    if xid is not None:
        number = xid % _XIDS
        return lambda end: not end.prepared and (end.xid == number or number in end.subxacts)
    lsn = parse_lsn(target.lsn) if target.lsn else None
    return lambda end: lsn is not None and end.lsn >= lsn


def _scan(ends: Iterable[TransactionEnd], past: Callable[[TransactionEnd], bool], culprit: int | None) -> _Scan:
    scan = _Scan()
    for end in ends:
        if scan.boundary is None and past(end):
            scan.boundary = end
        if scan.boundary is None:
            # A PREPARE of the very transaction that is to go need not be replayed for its own sake.
            if end.committed or (end.prepared and end.xid != culprit):
                scan.kept, scan.before_kept = end, scan.last_end
            scan.last = end if end.committed else scan.last
            scan.last_end = scan.last_end if end.prepared else end
        elif end.committed:
            scan.next_commit = end
            break
    return scan


def _demand_boundary(target: Target, scan: _Scan, whole: bool) -> None:
    """Without an end beyond the target, only some targets can still be met."""
    if target.kind == "xid":
        raise Unreachable(
            f"Transaction {target.xid} did not end in this WAL.",
            code="MD-PG-009",
            detail=_seen(scan),
            hint="It may be older than the backup, still running, or of another timeline; give a time instead.",
            nearest=scan.last.at if scan.last else None,
        )
    if not whole and target.kind in ("time", "latest"):
        raise Unreachable(
            "The WAL ends at a gap before the target.",
            code="MD-PG-010",
            detail=_seen(scan),
            hint="Choose a moment up to the last commit before the gap.",
            nearest=scan.last.at if scan.last else None,
        )


def _seen(scan: _Scan) -> str:
    if scan.last is None:
        return "No commit was seen after the end of the base backup."
    return (
        f"The last commit seen is transaction {scan.last.xid} at {spell(scan.last.at)} ({format_lsn(scan.last.lsn)})."
    )


def _demand_commit(target: Target, end: TransactionEnd) -> None:
    number = (target.xid or 0) % _XIDS
    if not end.committed:
        raise Unreachable(
            f"Transaction {number} was rolled back.",
            code="MD-PG-011",
            detail=f"It ended at {spell(end.at)} ({format_lsn(end.lsn)}) without effect.",
            hint="It did no harm; look for the culprit with /recover postgres when.",
            nearest=end.at,
        )


def _demand_floor(lsn: Lsn, floor: Lsn) -> None:
    if lsn < floor:
        raise Unreachable(
            f"WAL position {format_lsn(lsn)} lies before the end of the base backup.",
            code="MD-PG-012",
            detail=f"The backup is consistent from {format_lsn(floor)} on.",
            hint="Choose an older backup.",
        )


def _stop(scan: _Scan, floor: Lsn, segment_size: int) -> Stop:
    kept, told = scan.kept, (*_told(scan.last), *_told(scan.next_commit))
    if kept is None:
        # Nothing was committed since the backup: its own end is what is wanted.
        return Stop(floor, False, *told)
    before = scan.before_kept
    end = end_of_record(kept.lsn, kept.size, segment_size) if kept.size else None
    return Stop(kept.lsn, True, *told, before.at if before else None, end, before.lsn if before else None)


def _told(end: TransactionEnd | None) -> tuple[datetime | None, int | None, Lsn | None]:
    return (end.at, end.xid, end.lsn) if end else (None, None, None)


def is_proof(stop: Stop, replayed: int, last_end_at: datetime | None) -> bool:
    """Whether a paused server stands exactly at the stop, from its replay position and its last transaction's time."""
    if stop.inclusive:
        near = replayed == stop.end if stop.end is not None else replayed > stop.lsn
    else:
        # A record that opens a page starts behind that page's header, so the end before it may be that much earlier.
        near = 0 <= stop.lsn - replayed <= _LONGEST_PAGE_HEADER
    return near and stop.last_end_at in (None, last_end_at)
