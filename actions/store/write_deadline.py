"""How long whoever waits for a write goes on waiting. After that nothing of it may be written any more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from actions.engine.errors import RecoveryError

_left: ContextVar[Callable[[], float] | None] = ContextVar("left", default=None)


class Unanswered(RecoveryError):
    """The store did not take a write in time; nothing of it was kept."""


def unanswered() -> Unanswered:
    """What whoever waited is told."""
    return Unanswered(
        "Not accepted, nothing was begun: the store of the runs did not answer in time.",
        code="MD-ST-003",
        detail="Somebody else is writing to it, or its disk is slow.",
        hint="Try again. Where it stays so, see mayday doctor on the bot's host.",
    )


@contextmanager
def deadline(left: Callable[[], float]) -> Iterator[None]:
    """Within it this thread's writes wait no longer than what `left` says, in seconds, each time it is asked.

    A write whose transaction is ready later than that is rolled back with Unanswered: whoever asked was told so.
    """
    before = _left.set(left)
    try:
        yield
    finally:
        _left.reset(before)


def seconds(longest: float) -> float:
    """What is left to wait, `longest` at most; a negative one is no limit."""
    left = _left.get()
    if left is None:
        return longest
    return max(0.0, left() if longest < 0 else min(longest, left()))


def confirm() -> None:
    """Raises Unanswered where nobody waits any more."""
    left = _left.get()
    if left is not None and left() <= 0:
        raise unanswered()
