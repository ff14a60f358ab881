"""Page the person on call for an incident that a person declared."""

from __future__ import annotations

from dataclasses import dataclass

from actions.engine.lanes import Lane
from actions.engine.procedure import Act, Look, Procedure, Risk
from actions.engine.shown import Shown
from actions.errands.pressing import pressed
from actions.steps import pagerduty_incidents
from actions.steps.pagerduty_incidents import Page


@dataclass(frozen=True)
class Declare:
    """Page somebody for an incident."""

    incident: str
    page: Page


PROCEDURE = Procedure(
    name="pagerduty page",
    summary="Page the person on call",
    words=pressed("incident page"),
    request=Declare,
    risk=Risk.CHANGES,
    claims=False,
    lane=Lane.ERRAND,
    shown=Shown.LINE,
    steps=(
        Act("page", pagerduty_incidents.send_page, pagerduty_incidents.page_stands),
        Look("see whom it reached", pagerduty_incidents.see_reached, gives="reached"),
    ),
)
