"""What tests wait for: one way to do it, with the bound that each module needs for its own things."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol


class Eventually(Protocol):
    """Waits until something is true and returns it; fails, saying `what`, when `seconds` are over."""

    def __call__(self, holds: Callable[[], Any], seconds: float = ..., what: str = ...) -> Any: ...


def within(bound: float, every: float = 0.05) -> Eventually:
    """A wait that lasts at most so many seconds where a call names no other bound."""

    def eventually(holds: Callable[[], Any], seconds: float = bound, what: str = "it") -> Any:
        end = time.monotonic() + seconds
        while not (found := holds()):
            assert time.monotonic() < end, f"{what} did not come true in {seconds:g} s"
            time.sleep(every)
        return found

    return eventually


def now() -> datetime:
    """The machine's own clock, as a store wants it."""
    return datetime.now(UTC)
