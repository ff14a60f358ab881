"""One incident of PagerDuty, here an alert: how it stood at a moment, and what holds of two tellings of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from actions.tools.outside import Paged


class AlertState(StrEnum):
    """How an incident stands. `merged` was resolved by joining another incident of PagerDuty, `moved` was given to a
    service that is none of ours."""

    TRIGGERED = "triggered"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    MERGED = "merged"
    MOVED = "moved"


@dataclass(frozen=True)
class Alert:
    """One incident of PagerDuty as it stood at a moment. `service` is our container, empty where none is mapped.

    `elsewhere` says that it belonged to a service of PagerDuty that is none of ours.
    """

    paged: Paged
    at: datetime
    event: str
    service: str = ""
    by: str = ""
    elsewhere: bool = False

    @property
    def newness(self) -> tuple[datetime, str]:
        """What decides between two tellings of the same alert."""
        return self.at, self.event

    @property
    def open(self) -> bool:
        """Whether it waits for somebody here: it is neither resolved nor somebody else's."""
        return self.paged.status != AlertState.RESOLVED and not self.elsewhere


def joined(known: Alert | None, told: Alert) -> Alert:
    """What is known of an alert once it was told again: the same in any order, however often.

    Webhooks do not say how many alerts an incident of PagerDuty holds; where REST said so, it is kept.
    """
    if known is None:
        return told
    newest = max(known, told, key=lambda alert: alert.newness)
    most = max(known.paged.alerts, told.paged.alerts)
    return newest if newest.paged.alerts == most else replace(newest, paged=replace(newest.paged, alerts=most))


def came_back(stood: Alert | None, known: Alert | None, now: Alert) -> bool:
    """Whether one entry would pass over that an alert was over, or open again: its times would be those of before.

    `stood` is what the journal tells, `known` what the entry that is being written would tell.
    """
    if known is None or known.open == now.open:
        return False
    return now.open or (stood is not None and not stood.open)
