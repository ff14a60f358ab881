"""Bring a page of Mayday's own to a level of its policy at once: an event cannot choose whom it reaches."""

from __future__ import annotations

from dataclasses import dataclass

from actions.engine.lanes import Lane
from actions.engine.procedure import Act, Look, Procedure, Risk
from actions.engine.shown import Shown
from actions.errands.pressing import pressed
from actions.steps import pagerduty_incidents
from actions.steps.pagerduty_incidents import Page


@dataclass(frozen=True)
class Lift:
    """Page that level for the incident that the page opened."""

    page: Page
    level: int


PROCEDURE = Procedure(
    name="pagerduty lift",
    summary="Page the next level",
    words=pressed("incident lift"),
    request=Lift,
    risk=Risk.CHANGES,
    claims=False,
    lane=Lane.ERRAND,
    shown=Shown.LINE,
    steps=(
        Look("find the page in PagerDuty", pagerduty_incidents.find_page, gives="alert"),
        Look("see how far it went", pagerduty_incidents.look_at_level, gives="rung"),
        Act("escalate", pagerduty_incidents.escalate, pagerduty_incidents.is_escalated),
        Look("see whom it reached", pagerduty_incidents.see_whom, gives="reached"),
    ),
)
