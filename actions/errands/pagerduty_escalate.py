"""Escalate an alert to the next level of its policy."""

from __future__ import annotations

from dataclasses import dataclass

from actions.engine.lanes import Lane
from actions.engine.procedure import Act, Look, Procedure, Risk
from actions.engine.shown import Shown
from actions.errands.pressing import pressed
from actions.steps import pagerduty_incidents


@dataclass(frozen=True)
class Escalate:
    """Page the next level for this alert of an incident."""

    incident: str
    alert: str


PROCEDURE = Procedure(
    name="pagerduty escalate",
    summary="Escalate in PagerDuty",
    words=pressed("incident escalate"),
    request=Escalate,
    risk=Risk.CHANGES,
    claims=False,
    lane=Lane.ERRAND,
    shown=Shown.LINE,
    steps=(
        Look("look at it in PagerDuty", pagerduty_incidents.look_at_rung, gives="rung"),
        Act("escalate", pagerduty_incidents.escalate, pagerduty_incidents.is_escalated),
        Look("see whom it reached", pagerduty_incidents.see_whom, gives="reached"),
    ),
)
