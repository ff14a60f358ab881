"""Acknowledge an incident's alerts in PagerDuty, so that nobody else is woken up."""

from __future__ import annotations

from dataclasses import dataclass

from actions.engine.lanes import Lane
from actions.engine.procedure import Act, Look, Procedure, Risk
from actions.engine.shown import Shown
from actions.errands.pressing import pressed
from actions.steps import pagerduty_incidents
from actions.steps.pagerduty_incidents import AlertIds


@dataclass(frozen=True)
class Acknowledge:
    """Acknowledge these alerts of an incident."""

    incident: str
    alerts: AlertIds


PROCEDURE = Procedure(
    name="pagerduty acknowledge",
    summary="Acknowledge in PagerDuty",
    words=pressed("incident acknowledge"),
    request=Acknowledge,
    risk=Risk.CHANGES,
    claims=False,
    lane=Lane.ERRAND,
    shown=Shown.LINE,
    steps=(
        Look("look at it in PagerDuty", pagerduty_incidents.look_at_alerts, gives="standing"),
        Act("acknowledge", pagerduty_incidents.acknowledge, pagerduty_incidents.are_acknowledged),
        Look("see how it stands", pagerduty_incidents.look_at_alerts, gives="after"),
    ),
)
