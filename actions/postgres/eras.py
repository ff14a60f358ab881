"""Which timeline was in service at a moment, from what their WAL says of itself. Times of files tell nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class TimelineLife:
    """One timeline's own WAL, without what it has from its parent, seen from one moment.

    `began` is the time of the record with which it begins, or of its first end of a transaction; None for the oldest
    one, and where nothing tells it. `newest` is the newest end of a transaction at or before the moment, `last` the
    very last one.
    """

    began: datetime | None = None
    newest: datetime | None = None
    last: datetime | None = None


def in_service(at: datetime, live: int, lives: Mapping[int, TimelineLife]) -> int:
    """The timeline that was in service at that moment.

    A recovery begins a timeline while the old one may still be written for a moment, until the cut-over; and after an
    undo the old one goes on, or another recovery begins a third. So a timeline that had begun and goes on behind the
    moment (the live one does so until now) was in service; among several the one that was written last at that moment.
    Where none goes on, as between a server's last commit and the recovery that left it, it is the one that shows the
    newest sign of life.
    """
    oldest = min(lives, default=live)
    begun = {n: life for n, life in lives.items() if n == oldest or _has_begun(n == live, life, at)}
    going = {n: life for n, life in begun.items() if n == live or (life.last is not None and life.last > at)}
    if going:
        # One that was not written yet comes last: the newer one is there, and the cut-over to it is still to come.
        return max(going, key=lambda n: (going[n].newest is not None, going[n].newest or at, n))
    return max(begun, key=lambda n: (_sign(begun[n]) is not None, _sign(begun[n]) or at, n), default=live)


def _has_begun(is_live: bool, life: TimelineLife, at: datetime) -> bool:
    return is_live if life.began is None else life.began <= at


def _sign(life: TimelineLife) -> datetime | None:
    return max((moment for moment in (life.began, life.newest) if moment is not None), default=None)
