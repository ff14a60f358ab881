"""What an incident's header says, in plain words: its thread in Slack and a terminal say the same."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from actions.incidents.alert import AlertState
from actions.incidents.incident import Incident
from actions.incidents.on_call_names import OnCallNames
from actions.stack.objectives import Objective
from bot.views.mrkdwn import cut

STATES = {
    AlertState.TRIGGERED: "Nobody has it yet",
    AlertState.ACKNOWLEDGED: "Acknowledged",
    AlertState.RESOLVED: "Resolved",
    AlertState.MERGED: "Merged into another incident of PagerDuty",
    AlertState.MOVED: "Moved to another service of PagerDuty",
}
_OTHERS = 3


@dataclass(frozen=True)
class Scene:
    """All that an incident's header is made from. `statuspage` says whether there is a page to write to,
    `promised` what was promised for its service."""

    incident: Incident
    now: datetime
    duty: OnCallNames = OnCallNames()
    statuspage: bool = False
    promised: Objective | None = None


def facts(scene: Scene) -> list[tuple[str, str]]:
    """What it is about and who is there for it, by label; what nobody knows is left out."""
    incident, lead = scene.incident, scene.incident.lead
    services = ", ".join(sorted(incident.services)) or (lead.paged.service_name if lead else "")
    rows = [("Service", services or "not known"), ("Severity", incident.severity)]
    if lead is not None:
        rows += [("Urgency", urgency(incident)), ("Priority", lead.paged.priority)]
    rows += [("On call", ", ".join(scene.duty.first)), ("Backup", ", ".join(scene.duty.backup))]
    return [(label, value) for label, value in rows if value]


def urgency(incident: Incident) -> str:
    """The highest urgency of its alerts, empty where PagerDuty does not know it."""
    said = {alert.paged.urgency for alert in incident.alerts.values()}
    return "high" if "high" in said else (incident.lead.paged.urgency if incident.lead else "")


def whose_word(scene: Scene) -> str:
    """Where the names of those on call come from, if not from PagerDuty just now; else nothing."""
    source = scene.duty.source
    return f"PagerDuty did not say who is on call; this is from {source}." if source else ""


def others(incident: Incident) -> str:
    """What else is wrong, as far as it is not the same again; else nothing."""
    titles = dict.fromkeys(alert.paged.title for alert in incident.open_alerts)
    found = [title for title in titles if title != incident.title]
    more = f" and {len(found) - _OTHERS} more" if len(found) > _OTHERS else ""
    return f"Also: {cut('; '.join(found[:_OTHERS]), 600)}{more}" if found else ""


def folded(incident: Incident) -> str:
    """How many alerts are in it; nothing where none came."""
    if not incident.alerts:
        return ""
    return f"{incident.count} {'alert' if incident.count == 1 else 'alerts'}, {len(incident.open_alerts)} open"


def page(incident: Incident) -> tuple[str, str]:
    """Its name in PagerDuty and the address there, both empty where there is none."""
    lead = incident.lead
    if lead is None or not lead.paged.url.startswith("https://"):
        return "", ""
    return f"PagerDuty #{lead.paged.number}", lead.paged.url


def state(incident: Incident) -> str:
    """How it stands, by whom it was acknowledged, where it was moved to."""
    names = incident.holders
    by = f" by {', '.join(names)}" if names and incident.state is AlertState.ACKNOWLEDGED else ""
    where = f": {incident.moved_to}" if incident.moved_to else ""
    return f"{STATES[incident.state]}{by}{where}"


def possible(scene: Scene) -> list[str]:
    """What can be done about it now, by the names of the actions."""
    incident = scene.incident
    if not incident.open:
        return []
    paged = bool(incident.open_alerts)
    wanted = {
        "acknowledge": paged and incident.state is AlertState.TRIGGERED,
        "recover": True,
        "role": True,
        "status": scene.statuspage,
        "escalate": paged,
        "resolve": True,
    }
    return [action for action, now in wanted.items() if now]


def clock(incident: Incident, now: datetime, promised: Objective | None = None) -> str:
    """How long it has lasted, of the promised recovery time. In minutes: nobody wants an edit every second."""
    spent = lasted(incident, now)
    if promised is None:
        return span(spent)
    if incident.over_at is not None:
        return f"{span(spent)} of {span(promised.rto)}, {'kept' if spent <= promised.rto else 'missed'}"
    left = promised.rto - spent
    return f"{span(spent)} of {span(promised.rto)}, " + ("in time" if left > timedelta() else f"{span(-left)} over")


def lasted(incident: Incident, now: datetime) -> timedelta:
    """How long it has lasted so far, or lasted until it was over."""
    return max((incident.over_at or now) - incident.began_at, timedelta())


def span(length: timedelta) -> str:
    """A span in minutes, in hours where it is long."""
    minutes = int(length.total_seconds() // 60)
    hours = minutes // 60
    if hours >= 6:
        return f"{hours} h"
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"
