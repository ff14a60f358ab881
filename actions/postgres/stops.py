"""Where a recovery stops: every target becomes one WAL position, known before anything is touched.

A time target follows the server's own rule (stop before the first commit or abort later than the target),
but as a position it also works when nothing was committed afterwards, and it can be proven to the byte.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from actions.postgres.lsn import Lsn, format_lsn, parse_lsn
from actions.postgres.times import spell
from actions.postgres.unreachable import Unreachable
from actions.postgres.waldump import TransactionEnd
from actions.postgres.when import Target

# WAL has the lower half of a transaction's number; what people copy may have the epoch above it.
_XIDS = 2**32
# That of a segment's first page; walheader has its layout.
_LONGEST_PAGE_HEADER = 40


@dataclass(frozen=True)
class Stop:
    """The exact place, the last commit that is kept, and the first that is not.

    ``last_end_at`` is what pg_last_xact_replay_timestamp() will say: the time of the last commit or abort before
    the stop. At an inclusive stop the server leaves out the very record that it stops after.
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

    @property
    def text(self) -> str:
        """For example: before 0/5A3F2C8."""
        return f"{'after' if self.inclusive else 'before'} {format_lsn(self.lsn)}"

    def keeps(self, lsn: int) -> bool:
        """Whether a record at that position is replayed."""
        return lsn <= self.lsn if self.inclusive else lsn < self.lsn


@dataclass
class _Scan:
    """What has been seen so far: the last end and commit to keep, then where to stop, then the next commit."""

    last: TransactionEnd | None = None
    before_last: TransactionEnd | None = None
    last_end: TransactionEnd | None = None
    boundary: TransactionEnd | None = None
    next_commit: TransactionEnd | None = None


def find_stop(ends: Iterable[TransactionEnd], target: Target, *, floor: Lsn, whole: bool = True) -> Stop:
    """Read the ends of transactions from the backup on, and say where to stop.

    ``floor`` is where the backup becomes consistent. ``whole`` is false when the WAL that was read ends at a
    gap instead of at the newest record: then the absence of a later commit proves nothing.
    """
    after_floor = (end for end in ends if end.lsn >= floor)
    scan = _scan(after_floor, _is_past(target))
    if scan.boundary is None:
        _demand_boundary(target, scan, whole)
    if target.kind == "xid" and scan.boundary is not None:
        _demand_commit(target, scan.boundary)
    return _stop(scan, target, floor)


def _is_past(target: Target) -> Callable[[TransactionEnd], bool]:
    at, xid = target.at, target.xid
    if at is not None:
        return lambda end: end.at > at
    if xid is not None:
        number = xid % _XIDS
        return lambda end: end.xid == number or number in end.subxacts
    lsn = parse_lsn(target.lsn) if target.lsn else None
    return lambda end: lsn is not None and end.lsn >= lsn


def _scan(ends: Iterable[TransactionEnd], past: Callable[[TransactionEnd], bool]) -> _Scan:
    scan = _Scan()
    for end in ends:
        if scan.boundary is None and past(end):
            scan.boundary = end
        if scan.boundary is None:
            if end.committed:
                scan.last, scan.before_last = end, scan.last_end
            scan.last_end = end
        elif end.committed:
            scan.next_commit = end
            break
    return scan


def _demand_boundary(target: Target, scan: _Scan, whole: bool) -> None:
    """Without an end beyond the target, only some targets can still be met."""
    if target.kind == "xid":
        raise Unreachable(
            f"Transaction {target.xid} did not end in this WAL.",
            detail=_seen(scan),
            hint="It may be older than the backup, still running, or of another timeline; give a time instead.",
            nearest=scan.last.at if scan.last else None,
        )
    if not whole and target.kind in ("time", "latest"):
        raise Unreachable(
            "The WAL ends at a gap before the target.",
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
            detail=f"It ended at {spell(end.at)} ({format_lsn(end.lsn)}) without effect.",
            hint="It did no harm; look for the culprit with /recover postgres when.",
            nearest=end.at,
        )


def _stop(scan: _Scan, target: Target, floor: Lsn) -> Stop:
    lsn, inclusive = _place(scan, target, floor)
    last_end = scan.before_last if inclusive else scan.last_end
    return Stop(lsn, inclusive, *_told(scan.last), *_told(scan.next_commit), last_end.at if last_end else None)


def _told(end: TransactionEnd | None) -> tuple[datetime | None, int | None, Lsn | None]:
    return (end.at, end.xid, end.lsn) if end else (None, None, None)


def _place(scan: _Scan, target: Target, floor: Lsn) -> tuple[Lsn, bool]:
    if target.kind == "lsn" and target.lsn:
        return _not_before(parse_lsn(target.lsn), floor), False
    if scan.boundary is not None:
        return scan.boundary.lsn, False
    # Nothing was committed since the backup: its own end is the newest state there is.
    return (scan.last.lsn, True) if scan.last else (floor, False)


def _not_before(lsn: Lsn, floor: Lsn) -> Lsn:
    if lsn < floor:
        raise Unreachable(
            f"WAL position {format_lsn(lsn)} lies before the end of the base backup.",
            detail=f"The backup is consistent from {format_lsn(floor)} on.",
            hint="Choose an older backup.",
        )
    return lsn


def is_proof(stop: Stop, replayed: int, last_end_at: datetime | None) -> bool:
    """Whether a paused server stands exactly at the stop, from its replay position and its last transaction's time."""
    # A record that opens a page starts behind that page's header, so the end before it may be that much earlier.
    near = replayed > stop.lsn if stop.inclusive else 0 <= stop.lsn - replayed <= _LONGEST_PAGE_HEADER
    return near and stop.last_end_at in (None, last_end_at)
