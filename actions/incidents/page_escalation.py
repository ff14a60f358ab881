"""Brings the page about something that waits for people to the next level: an errand, once for each wait."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from actions.engine.procedure import Outcome
from actions.errands import pagerduty_lift
from actions.incidents.alarms import Alarm
from actions.incidents.open_errands import Errand, open_for_run
from actions.steps.pagerduty_incidents import Page
from actions.store.store import Store
from actions.tools.outside import PagerDuty

NOTE = "lift"
"""The kind of the notes that tell which errand lifts a page; the key is the alarm's."""


def lift(store: Store, alarm: Alarm, site: str, enqueue: Callable[[str], object]) -> None:
    """Ask for the errand, unless this wait has one; it finds the incident by the alarm's key."""
    if alarm.since is None or _errand(store, alarm.key, alarm.since):
        return
    page = Page(alarm.key, alarm.summary, alarm.severity, alarm.since)
    errand = Errand(pagerduty_lift.PROCEDURE, pagerduty_lift.Lift(page, alarm.level))
    since = alarm.since.isoformat()
    run, _ = open_for_run(store, errand, store.run(alarm.run), site=site, key=f"lift {alarm.key} {since}")
    # Where a death comes before this note, the errand is found again by its key.
    store.keep(NOTE, alarm.key, {"run": run, "since": since})
    enqueue(run)


def lifter(
    store: Store, pagerduty: PagerDuty | None, site: str, enqueue: Callable[[str], object]
) -> Callable[[Alarm], None]:
    """`lift` for whoever watches. Without PagerDuty's REST API no level can be chosen, so nothing is asked for."""

    def work(alarm: Alarm) -> None:
        if pagerduty is not None:
            lift(store, alarm, site, enqueue)

    return work


def lifted(store: Store, key: str, since: datetime) -> bool:
    """Whether the next level was paged for that wait."""
    errand = _errand(store, key, since)
    return bool(errand) and store.run(errand).finished is Outcome.DONE


def _errand(store: Store, key: str, since: datetime) -> str:
    kept = store.note(NOTE, key) or {}
    return str(kept["run"]) if kept.get("since") == since.isoformat() else ""
