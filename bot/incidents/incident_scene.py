"""What is shown and offered of an incident, gathered from the store: its header's scene, the recoveries that fit."""

from __future__ import annotations

from datetime import datetime

from actions.incidents.incident import Incident
from actions.incidents.on_call_names import duty
from actions.incidents.suggested_recoveries import Fit, fitting, looks
from actions.watch import row_counts
from actions.watch.service_condition import conditions
from bot.context import BotContext
from bot.views.incident_words import Scene


def scene_of(bot: BotContext, incident: Incident, now: datetime) -> Scene:
    """All that the header says of it now."""
    policy = incident.lead.paged.policy if incident.lead else ""
    promised = incident.promised(bot.settings.stack())
    return Scene(incident, now, duty(bot.store, bot.settings, policy), bool(bot.settings.statuspage.kind), promised)


def fits_of(bot: BotContext, incident: Incident) -> tuple[list[Fit], list[str]]:
    """The recoveries to offer for it, the best first, and what a quick look at its services shows."""
    site = bot.settings.site.name
    seen = conditions(bot.store, site)
    losses = row_counts.lost(bot.store, site, incident.services)
    fits = fitting(incident, bot.catalog, seen, losses, bot.settings.stack())
    return fits, looks(incident, seen)
