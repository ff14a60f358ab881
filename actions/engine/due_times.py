"""Due times of schedules, as the store keeps them: each is taken once, for a run or passed over for a reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class DueTime:
    """A moment at which a schedule is due. `why` says what is unusual: that it is late, or why it was passed over."""

    schedule: str
    at: datetime
    why: str = ""


@dataclass(frozen=True)
class Taken:
    """A due time that was taken, when, and for which run; empty where it was passed over."""

    due: DueTime
    at: datetime
    run: str
