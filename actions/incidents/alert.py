"""One incident of PagerDuty, here an alert: how it stood at a moment, and what holds of two tellings of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from actions.outside import Paged


class State(StrEnum):
    """How an incident stands. `merged` was resolved by joining another incident of PagerDuty."""

    TRIGGERED = "triggered"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    MERGED = "merged"


@dataclass(frozen=True)
class Alert:
    """One incident of PagerDuty as it stood at a moment. `service` is our container, empty where none is mapped."""

    paged: Paged
    at: datetime
    event: str
    service: str = ""
    by: str = ""

    @property
    def newness(self) -> tuple[datetime, str]:
        """What decides between two tellings of the same alert."""
        return self.at, self.event

    @property
    def open(self) -> bool:
        """Whether it is not resolved."""
        return self.paged.status != State.RESOLVED


def joined(known: Alert | None, told: Alert) -> Alert:
    """What is known of an alert once it was told again: the same in any order, however often.

    Webhooks do not say how many alerts an incident of PagerDuty holds; where REST said so, it is kept.
    """
    if known is None:
        return told
    newest = max(known, told, key=lambda alert: alert.newness)
    most = max(known.paged.alerts, told.paged.alerts)
    return newest if newest.paged.alerts == most else replace(newest, paged=replace(newest.paged, alerts=most))
