"""Telling those whom the contact rules name: their own pages, and in words what is left to a person."""

from __future__ import annotations

from dataclasses import dataclass

from actions.incidents import incident_actions, open_errands
from actions.incidents.contacts import ContactWay, Notice, is_business_time, whom_to_tell
from actions.incidents.incident_actions import known
from actions.incidents.open_errands import ITSELF, open_errand
from bot.context import BotContext


@dataclass(frozen=True)
class Contacted:
    """What the rules want: in words, whether the on-call is paged, and the errands that page others alone."""

    lines: tuple[str, ...] = ()
    pages: bool = False
    calls: tuple[str, ...] = ()


def tell_contacts(bot: BotContext, name: str, severity: str, key: str, only: ContactWay | None = None) -> Contacted:
    """Say in an incident's thread whom the contact rules name, and have those paged who are paged alone."""
    wanted = whom_to_tell(severity, bot.clock(), bot.settings.contacts, bot.settings.operations_zone)
    notices = tuple(notice for notice in wanted if only in (None, notice.way))
    lines = _told(bot, notices)
    if lines:
        incident_actions.remark(bot.store, name, "\n".join(lines), key=f"contacts {key}")
    calls = [call for notice in notices if (call := _call(bot, name, notice, key))]
    return Contacted(tuple(lines), any(notice.way is not ContactWay.CHANNEL for notice in notices), tuple(calls))


def _call(bot: BotContext, name: str, notice: Notice, key: str) -> str:
    """Page somebody of the contact list alone; the on-call is paged by the incident's own page."""
    contact = notice.contact
    if contact is None or not contact.pagerduty or (notice.way, notice.role) == (ContactWay.PAGE, "on-call"):
        return ""
    incident = known(bot.store, name)
    run, new = open_errand(
        bot.store,
        open_errands.to_call(incident, contact),
        incident,
        ITSELF,
        site=bot.settings.site.name,
        key=f"call {contact.pagerduty} {key}",
    )
    return run if new else ""


def _told(bot: BotContext, notices: tuple[Notice, ...]) -> list[str]:
    """The contact rules in words: what Mayday does, and what is left to a person."""
    lines = [line for notice in notices if (line := _notice(notice))]
    within = is_business_time(bot.clock(), bot.settings.contacts, bot.settings.operations_zone)
    return [f"It is {'within' if within else 'outside of'} business hours.", *lines] if lines else []


def _notice(notice: Notice) -> str:
    name = f"{notice.contact.name} {notice.contact.phone}".strip() if notice.contact else ""
    if notice.reaches_nobody:
        return f"The rules say {notice.way} {notice.role}, but the settings name nobody of that role."
    match notice.way:
        case ContactWay.CALL:
            paged = " PagerDuty pages them too." if notice.contact and notice.contact.pagerduty else ""
            return f"Call the {notice.role} now: {name}.{paged}"
        case ContactWay.PAGE if notice.role == "on-call":
            return "The person on call is paged through PagerDuty; the line of that page says whom it reached."
        case ContactWay.PAGE:
            paged = "is paged alone" if notice.contact and notice.contact.pagerduty else "has no id in PagerDuty: call"
            return f"The {notice.role} {paged}: {name}."
        case _:
            return ""
