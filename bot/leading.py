"""Leading an incident: what somebody typed after /incident, or pressed in its thread, becomes entries and errands."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from actions.engine.errors import Refused
from actions.incidents import deeds, errands
from actions.incidents.contacts import Notice, Way, is_business_time, whom_to_tell
from actions.incidents.deeds import known, open_incidents, severity_of
from actions.incidents.errands import ITSELF, Errand, open_errand
from actions.incidents.incident import Incident
from bot import timeline
from bot.desk import Desk
from bot.incident_places import of_thread, thread_link
from bot.people import Person
from bot.requests import Origin, has_worker
from bot.views.incident import STATES, clock
from bot.views.mrkdwn import cut, escape

_ID = re.compile(r"\bi\d{4}-[a-z0-9]{4}\b")
_USER = re.compile(r"<@([A-Z0-9]+)(?:\|([^>]*))?>")


@dataclass(frozen=True)
class Done:
    """What only the person who spoke hears, the errand to wake a worker for, and the incident, if any."""

    text: str
    ring: str = ""
    incident: str = ""


def lead(desk: Desk, verb: str, rest: str, origin: Origin) -> Done:
    """Carry out what somebody typed.

    Raises:
        Refused: they may not, or it cannot be done.
    """
    person = desk.people.asking(origin.user, origin.team, origin.name)
    if verb == "declare":
        words = rest.split()
        severity = severity_of(words[-1]) if len(words) > 1 else ""
        return declare(desk, " ".join(words[:-1] if severity else words), severity, origin.key, person)
    if verb == "list":
        return Done(listed(desk))
    if verb == "statuspage":
        return Done("Press *Status page…* in the incident's thread: you read the update before it goes out.")
    incident = which(desk, rest, origin)
    said = " ".join(_ID.sub(" ", rest).split())
    if verb == "timeline":
        return Done(timeline.text(desk.store, incident))
    return press(desk, verb, incident, person, origin.key, said)


def press(desk: Desk, verb: str, incident: Incident, person: Person, key: str, said: str = "") -> Done:
    """One deed on one incident, typed or pressed.

    Raises:
        Refused: they may not, or it cannot be done.
    """
    by = person.speaker
    match verb:
        case "severity":
            if deeds.grade(desk.store, incident.id, said, by, key=key):
                _tell_contacts(desk, incident.id, severity_of(said), key, only=Way.CALL)
            return Done("It is in the thread.")
        case "role":
            return _role(desk, incident, person, said, key)
        case "acknowledge" if not incident.open_alerts:
            deeds.give_role(desk.store, incident.id, "commander", by.id, by.name, by, key=key)
            return Done("PagerDuty does not know this incident; you lead it now.")
        case "acknowledge":
            return _errand(desk, incident, errands.to_acknowledge, person, key)
        case "escalate":
            return _errand(desk, incident, errands.to_escalate, person, key)
        case _:
            return _resolve(desk, incident, person, key)


def listed(desk: Desk) -> str:
    """The open incidents."""
    lines = [_line(desk, incident) for incident in open_incidents(desk.store)]
    return cut("\n".join(lines or ["No incident is open."]))


def which(desk: Desk, text: str, origin: Origin) -> Incident:
    """The incident that is meant: named, or of the thread, or the only one that is open.

    Raises:
        Refused: there is none, or there are several.
    """
    named = _ID.search(text.casefold())
    if named:
        return known(desk.store, named[0])
    here = of_thread(desk.store, origin.channel, origin.thread)
    if here:
        return known(desk.store, here)
    found = open_incidents(desk.store)
    if len(found) == 1:
        return found[0]
    names = ", ".join(incident.id for incident in found[:5])
    raise Refused("Which incident?" if found else "No incident is open.", detail=names,
                  hint="Name it, or write in its thread. /incident declare <title> opens one.")  # fmt: skip


def declare(desk: Desk, title: str, severity: str, key: str, person: Person) -> Done:
    """Open an incident that PagerDuty does not know, and tell whom the contact rules name.

    Raises:
        Refused: they may not, or there is no title.
    """
    name, new = deeds.declare(desk.store, title, severity, person.speaker, key=key)
    # What follows has keys of its own: a delivery that was broken off is made whole by the next, and said once.
    incident = known(desk.store, name)
    notices = _tell_contacts(desk, name, severity, key)
    pages = any(notice.way is not Way.CHANNEL for notice in notices)
    ring = _errand(desk, incident, errands.to_page, person, f"page {name}").ring if pages else ""
    lines = [f"Incident `{name}` is open; its thread begins in a moment.", *map(escape, _told(desk, notices))]
    lines += [_waits(desk)] if pages and _waits(desk) else []
    return Done(cut("\n".join(lines)) if new else "", ring, name)


def _tell_contacts(desk: Desk, name: str, severity: str, key: str, only: Way | None = None) -> tuple[Notice, ...]:
    """Say in the thread whom the contact rules name; what they want done is returned."""
    wanted = whom_to_tell(severity, desk.clock(), desk.settings.contacts, desk.settings.operations_zone)
    notices = tuple(notice for notice in wanted if only in (None, notice.way))
    if lines := _told(desk, notices):
        deeds.remark(desk.store, name, "\n".join(lines), key=f"contacts {key}")
    for notice in notices:
        _call(desk, name, notice, key)
    return notices


def _call(desk: Desk, name: str, notice: Notice, key: str) -> None:
    """Page somebody of the contact list alone; the on-call is paged by the incident's own page."""
    contact = notice.contact
    if contact is None or not contact.pagerduty or (notice.way, notice.role) == (Way.PAGE, "on-call"):
        return
    errand = errands.to_call(known(desk.store, name), contact)
    site = desk.settings.site.name
    run, new = open_errand(desk.store, errand, known(desk.store, name), ITSELF, site=site,
                           key=f"call {contact.pagerduty} {key}")  # fmt: skip
    if new:
        desk.ring(run)


def _told(desk: Desk, notices: tuple[Notice, ...]) -> list[str]:
    """The contact rules in words: what Mayday does, and what is left to a person."""
    lines = [line for notice in notices if (line := _notice(notice))]
    within = is_business_time(desk.clock(), desk.settings.contacts, desk.settings.operations_zone)
    return [f"It is {'within' if within else 'outside of'} business hours.", *lines] if lines else []


def _notice(notice: Notice) -> str:
    name = f"{notice.contact.name} {notice.contact.phone}".strip() if notice.contact else ""
    if notice.reaches_nobody:
        return f"The rules say {notice.way} {notice.role}, but the settings name nobody of that role."
    match notice.way:
        case Way.CALL:
            paged = " PagerDuty pages them too." if notice.contact and notice.contact.pagerduty else ""
            return f"Call the {notice.role} now: {name}.{paged}"
        case Way.PAGE if notice.role == "on-call":
            return "The person on call is paged through PagerDuty; the line of that page says whom it reached."
        case Way.PAGE:
            paged = "is paged alone" if notice.contact and notice.contact.pagerduty else "has no id in PagerDuty: call"
            return f"The {notice.role} {paged}: {name}."
        case _:
            return ""


def _role(desk: Desk, incident: Incident, person: Person, said: str, key: str) -> Done:
    named = _USER.search(said)
    role = _USER.sub(" ", said).split()
    user, name = (named[1], named[2] or "") if named else (person.speaker.id, person.speaker.name)
    if named and not name:
        name = desk.people.asking(user, "").speaker.name
    deeds.give_role(desk.store, incident.id, role[0] if role else "", user, name, person.speaker, key=key)
    return Done("It is in the thread.")


def _errand(desk: Desk, incident: Incident, made: Callable[[Incident], Errand], person: Person, key: str) -> Done:
    run, new = open_errand(
        desk.store, made(incident), incident, person.speaker, site=desk.settings.site.name, key=f"errand {key}"
    )
    said = f"It is being done; the thread tells how it went. {_waits(desk)}".strip()
    return Done(said, run if new else "", incident.id)


def _waits(desk: Desk) -> str:
    return "" if has_worker(desk) else "No worker is alive, so it waits. Start one: mayday worker"


def _resolve(desk: Desk, incident: Incident, person: Person, key: str) -> Done:
    ring = _errand(desk, incident, errands.to_resolve, person, key).ring if incident.open_alerts else ""
    if not deeds.close(desk.store, incident.id, person.speaker, key=key) and not ring:
        raise Refused("The incident is over already.", hint="/incident declare <title> opens another one.")
    waits = _waits(desk) if incident.open_alerts else ""
    return Done(f"The incident is resolved. {waits}".strip(), ring, incident.id)


def _line(desk: Desk, incident: Incident) -> str:
    where = thread_link(desk.store, incident.id)
    shown = f"<{where}|`{incident.id}`>" if where else f"`{incident.id}`"
    return f"{shown} {escape(incident.title)} · {STATES[incident.state]} · {clock(incident, desk.clock())}"
