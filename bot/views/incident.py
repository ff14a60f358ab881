"""An incident's header: what is wrong, how bad, since when, who has it, what can be pressed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from actions.incidents.duty import Duty
from actions.incidents.incident import Incident, State
from bot.views.mrkdwn import Block, actions, button, cut, escape, person, section, small, title

STATES = {
    State.TRIGGERED: "Nobody has it yet",
    State.ACKNOWLEDGED: "Acknowledged",
    State.RESOLVED: "Resolved",
    State.MERGED: "Merged into another incident of PagerDuty",
}
ACKNOWLEDGE, RECOVER, ROLE, STATUS, ESCALATE, RESOLVE = (
    "Acknowledge", "Recover…", "Take a role", "Status page…", "Escalate", "Resolve",
)  # fmt: skip
BUTTONS = {
    "acknowledge": ACKNOWLEDGE, "recover": RECOVER, "role": ROLE, "status": STATUS, "escalate": ESCALATE,
    "resolve": RESOLVE,
}  # fmt: skip
"""The buttons by the name of what they do."""


_OTHERS = 3


@dataclass(frozen=True)
class Scene:
    """All that an incident's thread is made from. `statuspage` says whether there is a page to write to."""

    incident: Incident
    now: datetime
    duty: Duty = Duty()
    statuspage: bool = False


def blocks(scene: Scene) -> list[Block]:
    """The header as Slack shows it."""
    incident = scene.incident
    state = f"*{STATES[incident.state]}*{_holders(incident)} · {clock(incident, scene.now)}"
    made = [title(incident.title or "Incident"), section(state), section("\n".join(_facts(scene)))]
    return [*made, small(_small(incident)), *actions(_buttons(scene))]


def text(scene: Scene) -> str:
    """The header as a notification reads it."""
    where = f" ({escape(scene.incident.service)})" if scene.incident.service else ""
    return cut(f"{escape(scene.incident.title)}{where}: {STATES[scene.incident.state]}")


def signature(scene: Scene) -> str:
    """Changes when a person must see it at once; counts and clocks are not in it."""
    incident = scene.incident
    return repr((incident.state, incident.severity, sorted(incident.roles.items()), incident.title, _who(incident)))


def clock(incident: Incident, now: datetime) -> str:
    """How long it has lasted, of the promised recovery time. In minutes: nobody wants an edit every second."""
    spent = max((incident.over_at or now) - incident.began_at, timedelta())
    if incident.rto is None:
        return span(spent)
    if incident.over_at is not None:
        return f"{span(spent)} of {span(incident.rto)}, {'kept' if spent <= incident.rto else 'missed'}"
    left = incident.rto - spent
    return f"{span(spent)} of {span(incident.rto)}, " + ("in time" if left > timedelta() else f"{span(-left)} over")


def span(length: timedelta) -> str:
    """A span in minutes, in hours where it is long."""
    minutes = int(length.total_seconds() // 60)
    hours = minutes // 60
    if hours >= 6:
        return f"{hours} h"
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"


def _facts(scene: Scene) -> list[str]:
    incident, lead = scene.incident, scene.incident.lead
    services = ", ".join(sorted(incident.services)) or (lead.paged.service_name if lead else "")
    rows = [("Service", services or "not known"), ("Severity", incident.severity)]
    if lead is not None:
        urgency = "high" if any(a.paged.urgency == "high" for a in incident.alerts.values()) else lead.paged.urgency
        rows += [("Urgency", urgency), ("Priority", lead.paged.priority)]
    rows += [("On call", ", ".join(scene.duty.first)), ("Backup", ", ".join(scene.duty.backup))]
    made = [f"*{label}* {escape(value)}" for label, value in rows if value]
    if scene.duty.source:
        made.append(f"PagerDuty did not say who is on call; this is from {scene.duty.source}.")
    return [" · ".join(made), *_others(incident), *_roles(incident)]


def _others(incident: Incident) -> list[str]:
    """What else is wrong, as far as it is not the same again."""
    titles = dict.fromkeys(alert.paged.title for alert in incident.open_alerts)
    others = [title for title in titles if title != incident.title]
    more = f" and {len(others) - _OTHERS} more" if len(others) > _OTHERS else ""
    return [f"Also: {escape(cut('; '.join(others[:_OTHERS]), 600))}{more}"] if others else []


def _roles(incident: Incident) -> list[str]:
    held = [f"*{escape(role.capitalize())}* {person(who['id'], who['name'])}" for role, who in incident.roles.items()]
    return [" · ".join(held)] if held else []


def _small(incident: Incident) -> str:
    said = [f"incident `{incident.id}`"]
    if incident.alerts:
        still = len(incident.open_alerts)
        said.append(f"{incident.count} {'alert' if incident.count == 1 else 'alerts'}, {still} open")
    if incident.lead is not None and incident.lead.paged.url.startswith("https://"):
        number = incident.lead.paged.number
        said.append(f"<{escape(incident.lead.paged.url)}|PagerDuty #{number}>")
    return " · ".join(said)


def _holders(incident: Incident) -> str:
    names = _who(incident)
    return f" by {escape(', '.join(names))}" if names and incident.state is State.ACKNOWLEDGED else ""


def _who(incident: Incident) -> tuple[str, ...]:
    """Who has it: whom PagerDuty assigned it to."""
    return incident.lead.paged.assignees if incident.lead else ()


def _buttons(scene: Scene) -> list[Block]:
    incident = scene.incident
    if not incident.open:
        return []
    paged = bool(incident.open_alerts)
    wanted = {"acknowledge": paged and incident.state is State.TRIGGERED, "recover": True, "role": True,
              "status": scene.statuspage, "escalate": paged, "resolve": True}  # fmt: skip
    styles = {"acknowledge": "primary", "resolve": "danger"}
    sure = {
        "resolve": "The incident is over: it is resolved here and in PagerDuty.",
        "escalate": "The next level of the escalation policy is paged.",
    }
    return [
        button(BUTTONS[how], f"incident:{how}", incident.id, styles.get(how, ""), sure.get(how, ""))
        for how, shown in wanted.items() if shown
    ]  # fmt: skip
