"""Which service is meant. What cannot be known is refused with the choices; nothing stands in for it."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from actions.control.requests import Subject
from actions.engine.errors import Refused
from actions.stack.clusters import standby_meant
from actions.stack.stack import Service, Site, Stack
from actions.wording import shortened

_SHOWN = 60


def chosen(stack: Stack, about: str, service: str = "", site: str = "", *, standby: bool = False) -> Subject:
    """The subject of a procedure that is about a kind of service, or about a site where `about` is empty.

    `service` and `site` are what somebody named, or nothing. Without a site the default one is meant; without a service
    the only one of its kind there that follows no other. One that is about a `standby` means that of what was named.

    Raises:
        Refused: there is none, or several, or none of that name, or it is of another kind.
    """
    where = site_named(stack, site)
    if standby:
        named = _named(stack, where, about, service) if site and service else None
        return standby_meant(stack, named.name if named else service, where.name if site else "")
    if not about:
        if service:
            raise Refused(
                "That is about a site as a whole.",
                code="MD-STK-001",
                detail=f"'{shortened(service, _SHOWN)}' was named.",
                hint=f"Leave it out, or name a site: @ {where.name}",
            )
        return Subject(where.name)
    return Subject(where.name, (_named(stack, where, about, service) if service else _only(stack, where, about)).name)


def untold(service: str) -> Refused:
    """The refusal for a PostgreSQL of which no settings tell: backups of another must never be taken for its own."""
    return Refused(
        f"The settings do not say where the backups of {service} lie.",
        code="MD-STK-002",
        detail=f"The table of {service} has no archive, bases and database, and [site] tells of another server.",
        hint="Write archive, bases and database into its table under [[services]]: docs/configuration.md.",
    )


def site_named(stack: Stack, name: str, sign: str = "@ ") -> Site:
    """The site of that name; without one the default. `sign` is what people write before a name where they wrote this.

    Raises:
        Refused: there is none of that name.
    """
    if not name:
        return stack[0]
    found = next((site for site in stack if site.name.casefold() == name.casefold()), None)
    if found is not None:
        return found
    names = [site.name for site in stack]
    near = get_close_matches(name, names, 1)
    raise Refused(
        f"There is no site '{shortened(name, _SHOWN)}'.",
        code="MD-STK-003",
        detail=f"Sites: {', '.join(names)}.",
        hint=f"Write {sign}{near[0]}" if near else "Name one of them, or none for the first.",
    )


def _named(stack: Stack, where: Site, about: str, name: str) -> Service:
    found = where.service(name)
    if found is None:
        raise _unknown(stack, where, about, name)
    if found.kind != about:
        raise Refused(
            f"{found.name} is no {about}.",
            code="MD-STK-004",
            detail=f"It is of the kind {found.kind}. Of the kind {about}: {_choices(stack, where, about)}.",
            hint="Name one of that kind. The settings say of which kind each service is: /recover stack",
        )
    return found


def _unknown(stack: Stack, where: Site, about: str, name: str) -> Refused:
    elsewhere = [site.name for site in stack if site is not where and site.service(name) is not None]
    near = get_close_matches(name.casefold(), [one.name for one in where.of_kind(about)], 1, 0.5)
    if elsewhere:
        hint = f"It is on another site. Write {shortened(name, _SHOWN)} @ {elsewhere[0]}"
    else:
        hint = f"Did you mean {near[0]}?" if near else "/recover stack shows what there is."
    return Refused(
        f"There is no service '{shortened(name, _SHOWN)}' on the site {where.name}.",
        code="MD-STK-005",
        detail=f"Of the kind {about}: {_choices(stack, where, about)}.",
        hint=hint,
    )


def _only(stack: Stack, where: Site, about: str) -> Service:
    found = where.of_kind(about)
    leading = [one for one in found if not one.follows]
    if len(leading) == 1 or len(found) == 1:
        return (leading or found)[0]
    choices = _choices(stack, where, about)
    if found:
        raise Refused(
            f"Which {about}? The site {where.name} has {len(found)}.",
            code="MD-STK-006",
            detail=f"There are {choices}.",
            hint=f"Name one after the kind, for example: {about} {found[0].name}",
        )
    raise Refused(
        f"The site {where.name} has no {about}.",
        code="MD-STK-007",
        detail=f"Of the kind {about}: {choices}.",
        hint="Name a site that has one, or put it into the settings: [[services]], docs/configuration.md.",
    )


def _choices(stack: Stack, where: Site, about: str) -> str:
    """All services of a kind; those of other sites with their site."""
    return ", ".join(_all(stack, where, about)) or "none"


def _all(stack: Stack, where: Site, about: str) -> Iterable[str]:
    yield from (one.name for one in where.of_kind(about))
    yield from (f"{one.name} @ {site.name}" for site in stack if site is not where for one in site.of_kind(about))
