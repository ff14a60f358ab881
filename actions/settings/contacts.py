"""Who is told of an incident, and how, by its severity and the hour."""

from __future__ import annotations

from datetime import date, time
from typing import Annotated, Literal

from pydantic import Field

from actions.settings.checked import Checked


class Contact(Checked):
    """Somebody of the contact list; `slack` is a user id, `pagerduty` a user or escalation policy id."""

    role: Literal["on-call", "backup", "dba", "infrastructure", "cto"]
    name: str
    phone: str = ""
    email: str = ""
    slack: str = ""
    pagerduty: str = ""


Reach = Annotated[str, Field(pattern=r"^(channel|(page|call) (on-call|backup|dba|infrastructure|cto))$")]
"""`channel`: say it in #ops-emergency. `page ROLE`: through PagerDuty. `call ROLE`: directly, by phone too."""


class ContactRule(Checked):
    """How a severity reaches people, within business hours and after them."""

    business: tuple[Reach, ...] = ("channel",)
    after_hours: tuple[Reach, ...] = ("channel", "page on-call")


class ContactSettings(Checked):
    """The contact rules: who is told, by severity, within business hours and after them.

    Business hours are in `operations_zone`; `holidays` are dates on which there are none. A severity without
    a rule of its own follows the manual (`actions/incidents/contacts.py`).
    """

    people: tuple[Contact, ...] = ()
    business_days: tuple[int, ...] = (0, 1, 2, 3, 4)
    business_from: time = time(9)
    business_until: time = time(17)
    holidays: tuple[date, ...] = ()
    rules: dict[Literal["critical", "high", "medium", "low"], ContactRule] = Field(default={})
