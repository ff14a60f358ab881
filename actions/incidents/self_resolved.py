"""Incidents that passed by themselves: their alerts were over within minutes, and nobody did anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from actions.engine.facts import from_json
from actions.engine.journal import Entry, Kind
from actions.incidents.alert import Alert, AlertState
from actions.incidents.incident import fold
from actions.incidents.pagerduty_events import SEEN

BRIEF = timedelta(minutes=5)
"""What lasted longer was a problem, whoever solved it."""


def passed_by_itself(told: Sequence[Entry]) -> bool:
    """Whether PagerDuty's alerts were over within minutes, and neither a person nor Mayday did anything about them.

    Where that is not sure, it is not so.
    """
    incident = fold(told)
    over = incident.over_at
    if over is None or over - incident.began_at > BRIEF or told[0].data.get("source") != "pagerduty":
        return False
    return not any(map(_is_action, told[1:])) and not any(_had_a_hand_in_it(told))


def _is_action(entry: Entry) -> bool:
    """Whether somebody did something here, or wrote a note in PagerDuty. What Mayday remarks is none."""
    if entry.kind is Kind.NOTED:
        return bool(entry.data.get("note"))
    return entry.kind not in (Kind.ALERTED, Kind.DOCUMENTED)


def _had_a_hand_in_it(told: Sequence[Entry]) -> Iterator[bool]:
    """For each thing told of an alert, whether it may be a person's doing.

    PagerDuty says of what a monitor did that the service did it. Who resolved an alert is not known where
    nobody told it and it was only seen.
    """
    stood: dict[str, str] = {}
    for entry in told:
        for said in entry.data.get("alerts", ()) if entry.kind is Kind.ALERTED else ():
            alert: Alert = from_json(Alert, said)
            before, now = stood.get(alert.paged.id), alert.paged.status
            stood[alert.paged.id] = now
            # It goes on where somebody took it.
            yield alert.elsewhere
            yield now == AlertState.ACKNOWLEDGED or alert.by not in ("", alert.paged.service_name)
            yield now == AlertState.RESOLVED and before != now and alert.event.startswith(SEEN)
