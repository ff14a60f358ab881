"""Leading an incident: what somebody typed after /incident, or pressed in its thread, becomes entries and errands."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from actions.engine.errors import Refused
from actions.incidents import incident_actions, open_errands
from actions.incidents.contacts import ContactWay
from actions.incidents.incident import Incident
from actions.incidents.incident_actions import known, open_incidents, severity_of
from actions.incidents.open_errands import Errand, open_errand
from actions.store.store import Store
from actions.wording import fitting
from actions.wording import listed as listed_names
from bot.commands.person_lookup import MENTION, Named, whom
from bot.context import BotContext
from bot.incidents import timeline
from bot.incidents.notify_contacts import tell_contacts
from bot.incidents.thread_places import of_thread, thread_link
from bot.runs.requests import Origin, has_worker
from bot.slack.people import Person
from bot.views.incident_words import STATES, clock
from bot.views.mrkdwn import SECTION, cut, escape, foreign

_TOLD = "It is written down; the thread shows it."
_ID = re.compile(r"\bi\d{4}-[a-z0-9]{4}\b")


@dataclass(frozen=True)
class IncidentReply:
    """What only the person who spoke hears, the errands to wake a worker for, and the incident, if any.

    `waits` is said beside the text where no worker is alive to carry them out.
    """

    text: str
    errands: tuple[str, ...] = ()
    incident: str = ""
    waits: str = ""

    @property
    def told(self) -> str:
        """All of it in one text."""
        return cut("\n".join(part for part in (self.text, self.waits) if part))


def lead(bot: BotContext, verb: str, rest: str, origin: Origin) -> IncidentReply:
    """Carry out what somebody typed.

    Raises:
        Refused: they may not, or it cannot be done.
    """
    person = bot.people.asking(origin.user, origin.team, origin.name)
    if verb == "declare":
        words = rest.split()
        severity = severity_of(words[-1]) if len(words) > 1 else ""
        return declare(bot, " ".join(words[:-1] if severity else words), severity, origin.key, person)
    if verb == "list":
        return IncidentReply(listed(bot))
    if verb == "statuspage":
        return IncidentReply("Press *Status page…* in the incident's thread: you read the update before it goes out.")
    incident = which(bot, rest, origin)
    said = " ".join(_ID.sub(" ", rest).split())
    if verb == "timeline":
        return IncidentReply(timeline.text(bot.store, incident))
    return press(bot, verb, incident, person, origin.key, said)


def press(bot: BotContext, verb: str, incident: Incident, person: Person, key: str, said: str = "") -> IncidentReply:
    """One action on one incident, typed or pressed.

    Raises:
        Refused: they may not, or it cannot be done.
    """
    by = person.speaker
    match verb:
        case "severity":
            return _grade(bot, incident, person, said, key)
        case "role":
            return _role(bot, incident, person, said, key)
        case "acknowledge" if not incident.open_alerts:
            incident_actions.give_role(bot.store, incident.id, "commander", by.id, by.name, by, key=key)
            return IncidentReply("PagerDuty does not know this incident; you lead it now.", incident=incident.id)
        case "acknowledge":
            return _errand(bot, incident, open_errands.to_acknowledge, person, key)
        case "escalate":
            return _errand(bot, incident, open_errands.to_escalate, person, key)
        case _:
            return _resolve(bot, incident, person, key)


def listed(bot: BotContext) -> str:
    """The open incidents."""
    lines = [cut(_line(bot, incident), 600) for incident in open_incidents(bot.store)]
    return "\n".join(fitting(lines, SECTION) or ["No incident is open."])


def which(bot: BotContext, text: str, origin: Origin) -> Incident:
    """The incident that is meant: named, or of the thread, or the only one that is open.

    Raises:
        Refused: there is none, or there are several.
    """
    named = _ID.search(text.casefold())
    if named:
        return known(bot.store, named[0])
    here = of_thread(bot.store, origin.channel, origin.thread)
    if here:
        return known(bot.store, here)
    return the_open_one(bot.store, "Name it, or write in its thread.")


def the_open_one(store: Store, hint: str) -> Incident:
    """The incident that is open, where there is one alone. `hint` says how to name one of several.

    Raises:
        Refused: there is none, or there are several.
    """
    found = open_incidents(store)
    if len(found) == 1:
        return found[0]
    if not found:
        raise Refused("No incident is open.", code="MD-INC-013", hint="/incident declare <title> opens one.")
    raise Refused(
        "Which incident?", code="MD-INC-014", detail=listed_names([incident.id for incident in found], 5), hint=hint
    )


def declare(bot: BotContext, title: str, severity: str, key: str, person: Person) -> IncidentReply:
    """Open an incident that PagerDuty does not know, and tell whom the contact rules name.

    Raises:
        Refused: they may not, or there is no title.
    """
    name, new = incident_actions.declare(bot.store, title, severity, person.speaker, key=key)
    # What follows has keys of its own: a delivery that was broken off is made whole by the next, and said once.
    incident = known(bot.store, name)
    told = tell_contacts(bot, name, severity, key)
    paged = _errand(bot, incident, open_errands.to_page, person, f"page {name}").errands if told.pages else ()
    lines = [f"Incident `{name}` is open; its thread begins in a moment.", *map(escape, told.lines)]
    waits = _waits(bot) if told.pages and new else ""
    return IncidentReply(cut("\n".join(lines)) if new else "", (*paged, *told.calls), name, waits)


def _grade(bot: BotContext, incident: Incident, person: Person, said: str, key: str) -> IncidentReply:
    if not incident_actions.grade(bot.store, incident.id, said, person.speaker, key=key):
        return IncidentReply(_TOLD, incident=incident.id)
    told = tell_contacts(bot, incident.id, severity_of(said), key, only=ContactWay.CALL)
    said = cut("\n".join([_TOLD, *map(escape, told.lines)]))
    return IncidentReply(said, told.calls, incident.id, _waits(bot) if told.calls else "")


def _role(bot: BotContext, incident: Incident, person: Person, said: str, key: str) -> IncidentReply:
    open_errands.may_speak(person.speaker)
    mention = MENTION.search(said)
    role, _, rest = MENTION.sub(" ", said).strip().partition(" ")
    asked = mention[0] if mention else rest.strip()
    holder = whom(bot, asked) if asked else Named(person.speaker.id, person.speaker.name)
    incident_actions.give_role(bot.store, incident.id, role, holder.id, holder.name, person.speaker, key=key)
    return IncidentReply(_TOLD, incident=incident.id)


def _errand(
    bot: BotContext, incident: Incident, made: Callable[[Incident], Errand], person: Person, key: str
) -> IncidentReply:
    run, new = open_errand(
        bot.store, made(incident), incident, person.speaker, site=bot.settings.site.name, key=f"errand {key}"
    )
    said = "It is being done; the thread tells how it went."
    return IncidentReply(said, (run,) if new else (), incident.id, _waits(bot))


def _waits(bot: BotContext) -> str:
    return "" if has_worker(bot) else "No worker is alive, so it waits. Start one: mayday worker"


def _resolve(bot: BotContext, incident: Incident, person: Person, key: str) -> IncidentReply:
    paged = bool(incident.open_alerts)
    told = _errand(bot, incident, open_errands.to_resolve, person, key).errands if paged else ()
    if not incident_actions.close(bot.store, incident.id, person.speaker, key=key) and not told:
        raise Refused(
            "The incident is over already.", code="MD-INC-015", hint="/incident declare <title> opens another one."
        )
    return IncidentReply("The incident is resolved.", told, incident.id, _waits(bot) if paged else "")


def _line(bot: BotContext, incident: Incident) -> str:
    where = thread_link(bot.store, incident.id)
    shown = f"<{where}|`{incident.id}`>" if where else f"`{incident.id}`"
    lasted = clock(incident, bot.clock(), incident.promised(bot.settings.stack()))
    return f"{shown} {foreign(incident.title)} · {STATES[incident.state]} · {lasted}"
