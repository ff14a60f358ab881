"""When a recovery works, and which pages are of that time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from actions.engine.journal import Entry, Kind

BOUND = 1.0
"""Seconds that a page may take to its posted thread."""


@dataclass(frozen=True)
class Page:
    """When an alert came to PagerDuty, and when its thread stood in Slack."""

    sent: datetime
    posted: datetime

    @property
    def seconds(self) -> float:
        """How long that took."""
        return (self.posted - self.sent).total_seconds()


@dataclass(frozen=True)
class Work:
    """A stretch in which a recovery worked without a rest: one step after the other, from first to last."""

    began: datetime
    ended: datetime

    def holds(self, page: Page) -> bool:
        """Whether the page belongs to what happens during that work.

        One that is over the bound does so wherever it ends: a slow page must not leave the figure by being slow.
        """
        return self.began <= page.sent <= self.ended and (page.posted <= self.ended or page.seconds > BOUND)


def works(told: Iterable[Entry]) -> Iterator[Work]:
    """When a run worked on what somebody had agreed to. Its plan, made before that, does not count."""
    agreed, began, ended = False, None, None
    for entry in told:
        if entry.kind is Kind.BEGAN and agreed:
            began = began or entry.at
        elif entry.kind is Kind.DONE and began:
            ended = entry.at
        elif entry.kind in (Kind.ASKED, Kind.FAILED, Kind.STOPPED, Kind.FINISHED):
            if began and ended:
                yield Work(began, ended)
            agreed, began, ended = False, None, None
        agreed = agreed or entry.kind is Kind.ANSWERED
