"""Resolve an incident's alerts in PagerDuty."""

from __future__ import annotations

from dataclasses import dataclass

from actions.engine.lanes import Lane
from actions.engine.procedure import Act, Look, Procedure, Risk
from actions.engine.shown import Shown
from actions.errands.pressing import pressed
from actions.steps import pagerduty_incidents
from actions.steps.pagerduty_incidents import AlertIds


@dataclass(frozen=True)
class Resolve:
    """Resolve these alerts of an incident."""

    incident: str
    alerts: AlertIds


PROCEDURE = Procedure(
    name="pagerduty resolve",
    summary="Resolve in PagerDuty",
    words=pressed("incident resolve"),
    request=Resolve,
    risk=Risk.CHANGES,
    claims=False,
    lane=Lane.ERRAND,
    shown=Shown.LINE,
    steps=(
        Look("look at it in PagerDuty", pagerduty_incidents.look_at_alerts, gives="standing"),
        Act("resolve", pagerduty_incidents.resolve, pagerduty_incidents.are_resolved),
        Look("see how it stands", pagerduty_incidents.look_at_alerts, gives="after"),
    ),
)
