"""A clock that stands still until somebody moves it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

MORNING = datetime(2026, 2, 9, 8, 0, 0, tzinfo=UTC)


@dataclass
class Clock:
    """The one time of a world."""

    now: datetime = MORNING

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class FakePolling:
    """Waiting moves the clock instead of taking time."""

    clock: Clock

    def until(self, holds: Callable[[], bool], *, seconds: float, every: float = 0.25) -> bool:
        waited = 0.0
        while not holds():
            waited += every
            self.clock.advance(every)
            if waited > seconds:
                return False
        return True

    def seconds(self) -> float:
        return self.clock.now.timestamp()
