"""How far a standby was behind lately, as a few points and as a line of text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

POINTS = 60
SECONDS = 10
"""A point stands for so many seconds, so all of them for ten minutes."""
_BARS = "▁▂▃▄▅▆▇█"
_LEAST = 1024**2
"""A lag of less than 1 MB is that of any moment: it never fills a bar."""


@dataclass(frozen=True)
class LagPoint:
    """The most that was missing within some seconds: when they began (seconds of the epoch), and how many bytes."""

    at: int
    lag: int


def with_lag(points: Sequence[LagPoint], now: datetime, lag: int) -> tuple[LagPoint, ...]:
    """The points with one more measurement; the oldest go, and so do those of a clock that was ahead."""
    at = int(now.timestamp()) // SECONDS * SECONDS
    before = [one for one in points if at - POINTS * SECONDS < one.at < at]
    most = max([lag, *(one.lag for one in points if one.at == at)])
    return (*before, LagPoint(at, most))


def curve(points: Sequence[LagPoint], width: int = 30) -> str:
    """The newest points as bars, the highest of them full; empty where there are none. A gap is a space."""
    if not points:
        return ""
    last = points[-1].at
    by_time = {(last - one.at) // SECONDS: one.lag for one in points}
    known = [by_time.get(ago) for ago in range(min(width, max(by_time) + 1) - 1, -1, -1)]
    top = max([_LEAST, *(lag for lag in known if lag is not None)])
    bars = (" " if lag is None else _BARS[min(len(_BARS) - 1, lag * len(_BARS) // (top + 1))] for lag in known)
    return "".join(bars).lstrip()


def highest(points: Sequence[LagPoint]) -> int:
    """The highest lag in bytes; 0 where nothing was measured."""
    return max((one.lag for one in points), default=0)
