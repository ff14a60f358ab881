"""The dialog of an update for the status page: what is read in it is what goes out, and nothing else."""

from __future__ import annotations

import json
from typing import Any

from actions.incidents.draft_offers import edited, kind_now, kind_of, newest_recovery, offered, to_publish
from actions.incidents.incident_actions import known
from actions.incidents.open_errands import open_errand
from actions.incidents.public_text import fit, same_text
from actions.incidents.statuspage_drafts import Kind
from actions.tools.outside import Draft
from bot.context import BotContext
from bot.slack.people import Person
from bot.views import incident_modals as modals


def dialog(bot: BotContext, incident: str, kind: Kind | None = None) -> dict[str, Any]:
    """The draft of that kind, else of what has happened last, for somebody to read and change."""
    found = known(bot.store, incident)
    wanted = kind or kind_now(found, newest_recovery(bot.store, found))
    draft = _draft(bot, incident, wanted)
    return modals.status(incident, draft, wanted, components_said(draft, bot.settings.statuspage.components))


def other_kind(bot: BotContext, view: dict[str, Any]) -> dict[str, Any] | None:
    """The dialog anew where another kind was chosen under a text that nobody has touched: it says the other thing.

    None where what was read is what was chosen, or where somebody has put it into words of their own.
    """
    incident, shown = pointer(view)
    chosen = kind_of(modals.said(view, "kind"))
    if not shown or chosen == shown or not same_text(modals.said(view), _draft(bot, incident, kind_of(shown)).text):
        return None
    return dialog(bot, incident, chosen)


def publish(bot: BotContext, view: dict[str, Any], person: Person, key: str) -> str:
    """Let out what somebody read, in the words that they gave it; the errand that does it.

    Raises:
        Refused: they may not, or no page takes it like this.
    """
    incident = known(bot.store, pointer(view)[0])
    draft = _draft(bot, incident.id, kind_of(modals.said(view, "kind")))
    errand = to_publish(incident, fit(edited(draft, modals.said(view, "title"), modals.said(view))))
    return open_errand(bot.store, errand, incident, person.speaker, site=bot.settings.site.name, key=key)[0]


def pointer(view: dict[str, Any]) -> tuple[str, str]:
    """The incident, and the kind whose text the dialog showed; a dialog of before names the incident alone."""
    told = str(view["private_metadata"])
    if not told.startswith("{"):
        return told, ""
    said = json.loads(told)
    return str(said["incident"]), str(said.get("kind") or "")


def components_said(draft: Draft, named: dict[str, str]) -> str:
    """What becomes of the page's components, by the service that each stands for."""
    if not draft.components:
        return "No component of the page changes."
    by_id = {id: service for service, id in named.items()}
    if draft.status == "resolved":
        those = ", ".join(by_id.get(id, id) for id in draft.components)
        return f"Component of the page: {those}, put back to what it was before (operational, or its maintenance)."
    those = ", ".join(f"{by_id.get(id, id)}: {status.replace('_', ' ')}" for id, status in draft.components.items())
    return f"Component of the page: {those}."


def _draft(bot: BotContext, incident: str, kind: Kind) -> Draft:
    found = known(bot.store, incident)
    return offered(bot.settings.statuspage, found, newest_recovery(bot.store, found), kind, bot.settings.stack())
