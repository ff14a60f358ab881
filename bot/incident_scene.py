"""What is shown and offered of an incident, gathered from the store: its header's scene, the recoveries that fit."""

from __future__ import annotations

from datetime import datetime

from actions.incidents import rows
from actions.incidents.condition import conditions
from actions.incidents.duty import duty
from actions.incidents.fitting import Fit, fitting
from actions.incidents.incident import Incident
from bot.desk import Desk
from bot.views.incident_words import Scene


def scene_of(desk: Desk, incident: Incident, now: datetime) -> Scene:
    """All that the header says of it now."""
    policy = incident.lead.paged.policy if incident.lead else ""
    return Scene(incident, now, duty(desk.store, desk.settings, policy), bool(desk.settings.statuspage.kind))


def fits_of(desk: Desk, incident: Incident) -> list[Fit]:
    """The recoveries to offer for it, the best first."""
    health = {c.service: c.health for c in conditions(desk.store, desk.settings.site.name).values()}
    return fitting(incident, desk.catalog, health, rows.lost(desk.store, incident.services))
