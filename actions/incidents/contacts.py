"""The contact rules: who is told of an incident and how, by its severity and the time of day.

From the operations manual: within business hours #ops-emergency, after hours page the on-call through
PagerDuty, critical issues call the CTO directly.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from actions.settings.contacts import Contact, ContactRule, ContactSettings

LADDER = ("on-call", "backup", "dba", "infrastructure", "cto")
"""Who is next when somebody does not answer."""

_WITH_THE_CTO = ("channel", "page on-call", "call cto")
_MANUAL = {
    "critical": ContactRule(business=_WITH_THE_CTO, after_hours=_WITH_THE_CTO),
    "high": ContactRule(),
    "medium": ContactRule(),
    "low": ContactRule(after_hours=("channel",)),
}
_UNKNOWN = "high"


class ContactWay(StrEnum):
    """How somebody is told. A call is a page to that person alone, and their phone number for the thread."""

    CHANNEL = "channel"
    PAGE = "page"
    CALL = "call"


@dataclass(frozen=True)
class Notice:
    """One thing to do so that somebody knows. `contact` is None for the channel, and where the settings name
    nobody of that role: a page to the on-call goes through PagerDuty's own schedule all the same."""

    way: ContactWay
    role: str = ""
    contact: Contact | None = None

    @property
    def reaches_nobody(self) -> bool:
        """Whether it can only be said that nobody of this role is known."""
        return self.contact is None and not (
            self.way is ContactWay.CHANNEL or (self.way, self.role) == (ContactWay.PAGE, "on-call")
        )


def is_business_time(at: datetime, contacts: ContactSettings, zone: str) -> bool:
    """Whether a moment lies in business hours.

    Hours that end before they begin go over midnight and belong to the day on which they begin; equal ones
    are the whole day.
    """
    if at.tzinfo is None:
        raise ValueError("a moment without a time zone")
    local = at.astimezone(ZoneInfo(zone))
    now, begin, end = local.time(), contacts.business_from, contacts.business_until
    if begin < end:
        return begin <= now < end and _works(local.date(), contacts)
    if now >= begin:
        return _works(local.date(), contacts)
    return now < end and _works(local.date() - timedelta(days=1), contacts)


def _works(day: date, contacts: ContactSettings) -> bool:
    return day.weekday() in contacts.business_days and day not in contacts.holidays


def rule_for(severity: str, contacts: ContactSettings) -> ContactRule:
    """The rule of a severity: the settings', else the manual's. A word that nobody knows counts as high."""
    word = severity.strip().casefold()
    own = {str(name): rule for name, rule in contacts.rules.items()}
    known = word if word in _MANUAL else _UNKNOWN
    return own.get(known) or _MANUAL[known]


def whom_to_tell(severity: str, at: datetime, contacts: ContactSettings, zone: str) -> tuple[Notice, ...]:
    """What is to be done so that the right people know, in order, nothing twice."""
    rule = rule_for(severity, contacts)
    reaches = rule.business if is_business_time(at, contacts, zone) else rule.after_hours
    return tuple(dict.fromkeys(notice for reach in reaches for notice in _notices(reach, contacts)))


def _notices(reach: str, contacts: ContactSettings) -> Iterator[Notice]:
    way, _, role = reach.partition(" ")
    people = people_of(role, contacts) if role else ()
    yield from (Notice(ContactWay(way), role, person) for person in people or (None,))


def people_of(role: str, contacts: ContactSettings) -> tuple[Contact, ...]:
    """The people of a role, as the settings list them."""
    return tuple(person for person in contacts.people if person.role == role)


def next_role(role: str, contacts: ContactSettings) -> str:
    """The next role up that somebody has, "" at the top: who is asked when this one does not answer."""
    above = LADDER[LADDER.index(role) + 1 :] if role in LADDER else LADDER
    return next((higher for higher in above if people_of(higher, contacts)), "")
