"""A step that opens runs of other procedures and waits for their ends, without a thread and without a lease."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from actions.engine.each import Each

WELL = ("recovered", "done")
"""The outcomes with which a child did what it was asked for."""


@dataclass(frozen=True)
class ChildRequest:
    """What a child is asked for: a procedure by its name, its typed request, a service. No site is the parent's."""

    procedure: str
    request: Any
    service: str = ""
    site: str = ""


@dataclass(frozen=True)
class ChildEnd:
    """How a child ended, as a fact: for which item, which run, its outcome, and its words for it."""

    item: str
    run: str
    outcome: str
    words: str = ""


@dataclass(frozen=True)
class Child:
    """Opens a run, or one for each item of `over`, and goes on once all have ended; their ends are the fact `gives`.

    `opens` says what is asked for; it takes facts, fields of the request and, with `over`, the `item`. `needs` puts
    items into waves as `Each` does. The children are lent what their parent claims; of two that exclude each other the
    second is opened once the first has ended. A child that ends otherwise than `accepts` fails the step, and Retry
    opens it anew. One that has failed and waits for a person is waited for, unless it is `unattended`: then it fails
    the step at once.

    Undoing the parent undoes the children that have not ended. Of those that have, `undo` may take the effect back: it
    takes `children`, the ends so far.
    """

    title: str
    opens: Callable[..., ChildRequest]
    gives: str
    over: str = ""
    needs: Callable[[Any], Iterable[str]] | None = None
    accepts: tuple[str, ...] = WELL
    unattended: bool = False
    undo: Callable[..., None] | None = None
    limit: timedelta = timedelta(minutes=5)
    """How long `undo` may take. A child has the limits of its own steps."""

    def lined(self) -> Each:
        """The loop over the same items."""
        return Each(self.title, self.over, _nothing, _nowhere, needs=self.needs)


def _nothing() -> None:
    """A child does its work in a run of its own."""


def _nowhere() -> bool:
    return False
