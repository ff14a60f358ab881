"""An incident's header in Slack: what is wrong, how bad, since when, who has it, what can be pressed."""

from __future__ import annotations

from actions.incidents.incident import Incident
from bot.views import incident_words as words
from bot.views.incident_words import STATES, Scene
from bot.views.mrkdwn import Block, actions, button, cut, escape, foreign, person, section, small, title

ACKNOWLEDGE, RECOVER, ROLE, STATUS, ESCALATE, RESOLVE = (
    "Acknowledge",
    "Recover…",
    "Take a role",
    "Status page…",
    "Escalate",
    "Resolve",
)
BUTTONS = {
    "acknowledge": ACKNOWLEDGE,
    "recover": RECOVER,
    "role": ROLE,
    "status": STATUS,
    "escalate": ESCALATE,
    "resolve": RESOLVE,
}
"""The buttons by the name of what they do."""


def blocks(scene: Scene) -> list[Block]:
    """The header as Slack shows it."""
    incident = scene.incident
    shown = STATES[incident.state]
    more, lasted = words.state(incident).removeprefix(shown), words.clock(incident, scene.now, scene.promised)
    state = f"*{shown}*{foreign(more)} · {lasted}"
    made = [title(incident.title or "Incident"), section(state), section("\n".join(_facts(scene)))]
    return [*made, small(_small(incident)), *actions(_buttons(scene))]


def text(scene: Scene) -> str:
    """The header as a notification reads it."""
    where = f" ({foreign(scene.incident.service)})" if scene.incident.service else ""
    return cut(f"{foreign(scene.incident.title)}{where}: {STATES[scene.incident.state]}")


def signature(scene: Scene) -> str:
    """Changes when a person must see it at once; counts and clocks are not in it."""
    incident = scene.incident
    return repr((incident.state, incident.severity, sorted(incident.roles.items()), incident.title, incident.holders))


def _facts(scene: Scene) -> list[str]:
    made = [f"*{label}* {foreign(value)}" for label, value in words.facts(scene)]
    made += [escape(said)] if (said := words.whose_word(scene)) else []
    more = (foreign(words.others(scene.incident)), _roles(scene.incident))
    return [" · ".join(made), *filter(None, more)]


def _roles(incident: Incident) -> str:
    held = [f"*{escape(role.capitalize())}* {person(who['id'], who['name'])}" for role, who in incident.roles.items()]
    return " · ".join(held)


def _small(incident: Incident) -> str:
    name, url = words.page(incident)
    link = f"<{escape(url)}|{name}>" if url else ""
    return " · ".join(filter(None, (f"incident `{incident.id}`", words.folded(incident), link)))


def _buttons(scene: Scene) -> list[Block]:
    styles = {"acknowledge": "primary", "resolve": "danger"}
    sure = {
        "resolve": "The incident is over: it is resolved here and in PagerDuty.",
        "escalate": "The next level of the escalation policy is paged.",
    }
    return [
        button(BUTTONS[action], f"incident:{action}", scene.incident.id, styles.get(action, ""), sure.get(action, ""))
        for action in words.possible(scene)
    ]
