"""Put an update on the status page: what the public reads of an incident."""

from __future__ import annotations

from dataclasses import dataclass

from actions.engine.lanes import Lane
from actions.engine.procedure import Act, FactRole, Look, Procedure, Risk
from actions.engine.shown import Shown
from actions.errands.pressing import pressed
from actions.steps import statuspage_update
from actions.tools.outside import Draft


@dataclass(frozen=True)
class Publish:
    """Publish an update that somebody read, or that the settings let out by themselves."""

    incident: str
    draft: Draft


PROCEDURE = Procedure(
    name="status page publish",
    summary="Update the status page",
    words=pressed("incident statuspage"),
    request=Publish,
    risk=Risk.CHANGES,
    claims=False,
    lane=Lane.ERRAND,
    shown=Shown.LINE,
    steps=(
        Look("look at the page", statuspage_update.look_at_page, gives="page"),
        Act("publish", statuspage_update.publish, statuspage_update.published),
        Look("see what stands there", statuspage_update.look_at_page, gives="after", role=FactRole.PUBLISHED),
    ),
)
