"""Acknowledge an incident's alerts in PagerDuty, so that nobody else is woken up."""

from __future__ import annotations

from dataclasses import dataclass

from actions.engine.procedure import Act, Lane, Look, Procedure, Risk
from actions.errands.pressing import pressed
from actions.steps import pagerduty
from actions.steps.pagerduty import Alerts


@dataclass(frozen=True)
class Acknowledge:
    """Acknowledge these alerts of an incident."""

    incident: str
    alerts: Alerts


PROCEDURE = Procedure(
    name="pagerduty acknowledge",
    summary="Acknowledge in PagerDuty",
    words=pressed("incident acknowledge"),
    request=Acknowledge,
    risk=Risk.CHANGES,
    claims=False,
    lane=Lane.ERRAND,
    steps=(
        Look("look at it in PagerDuty", pagerduty.look_at_alerts, gives="standing"),
        Act("acknowledge", pagerduty.acknowledge, pagerduty.are_acknowledged),
        Look("see how it stands", pagerduty.look_at_alerts, gives="after"),
    ),
)
