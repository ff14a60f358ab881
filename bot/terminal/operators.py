"""Who sits at the terminal: the user of the operating system, as the settings know them."""

from __future__ import annotations

import pwd
from collections.abc import Callable

from actions.engine.errors import Refused
from actions.engine.rights import Speaker
from actions.settings.people import Operator, OperatorSettings
from bot.slack.people import Person
from bot.terminal.context import Caller

VIA = "in a terminal"


def operator_of(settings: OperatorSettings, who: Caller, login: Callable[[int], str] | None = None) -> Operator:
    """The operator whose process this is. Root is whoever called sudo, or must be named like anybody else.

    Raises:
        Refused: the settings name no operator for that user, or two of them.
    """
    uid = real_uid(who)
    name = (login or login_of)(uid)
    found = [o for o in settings.people if str(uid) in o.os_users or (name and name in o.os_users)]
    shown = f"{name} ({uid})" if name else str(uid)
    if not found:
        raise Refused(
            f"The user {shown} may not use Mayday's terminal.",
            code="MD-CMD-024",
            detail="The settings name no operator for it; root has no rights by being root.",
            hint="Add it to os_users of an operator in the settings, under operators.people.",
        )
    if len(found) > 1:
        names = " and ".join(o.id for o in found)
        raise Refused(
            f"The user {shown} is named for {names}.", code="MD-CMD-025", hint="Name each user for one operator alone."
        )
    return found[0]


def real_uid(who: Caller) -> int:
    """The user id of the person. What sudo noted is believed of root alone: anybody can set a variable."""
    return int(who.sudo_uid) if who.uid == 0 and who.sudo_uid.isascii() and who.sudo_uid.isdigit() else who.uid


def login_of(uid: int) -> str:
    """The login name, or an empty text where the system knows none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return ""


def person_of(operator: Operator) -> Person:
    """The operator as somebody who speaks to runs."""
    speaker = Speaker(operator.person, operator.name, operator.may_ask, operator.may_approve, via=VIA)
    return Person(speaker, operator.zone)


def named(settings: OperatorSettings, person: str) -> Person | None:
    """The operator whom the journals know under that id, if the settings still have them."""
    found = next((o for o in settings.people if o.person == person), None)
    return person_of(found) if found else None
