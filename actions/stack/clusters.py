"""Which servers are copies of each other: a standby says whom it follows, on its own site or on another one.

That is what the settings tell. Which of them takes writes now is asked of the servers, never read here.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from actions.control.requests import Subject
from actions.engine.errors import Refused
from actions.engine.reading import Asker
from actions.stack.stack import Service, ServiceKind, Stack, service_of


def followed(service: Service, site: str) -> Subject | None:
    """The service that one on a site follows, as its table says it: `name`, or `name @ site`."""
    if not service.follows:
        return None
    name, _, there = (part.strip() for part in service.follows.partition("@"))
    return Subject(there or site, name)


def primary_of(stack: Stack, subject: Subject) -> Subject | None:
    """Whom a service follows; None where it follows nobody."""
    service = service_of(stack, subject.service, subject.site)
    return followed(service, subject.site) if service else None


def asker_about(stack: Stack, subject: Subject, now: datetime, operations_zone: str, zone: str | None) -> Asker:
    """With what a request about a service is read: whom it follows is known from the stack."""
    leader = primary_of(stack, subject)
    if leader is None:
        return Asker(now, operations_zone, zone, subject.name)
    beside = tuple(f"{one.service} @ {one.site}" for one in standbys_of(stack, leader) if one != subject)
    return Asker(now, operations_zone, zone, subject.name, leader.service, leader.site, beside)


def standbys_of(stack: Stack, primary: Subject) -> tuple[Subject, ...]:
    """Those that follow a service, in the order of the settings."""
    return tuple(standby for standby, leader in _pairs(stack) if leader == primary)


def clusters_of(stack: Stack) -> tuple[tuple[Subject, tuple[Subject, ...]], ...]:
    """Each primary that follows nobody, with those that follow it directly."""
    leaders = dict.fromkeys(leader for _, leader in _pairs(stack) if primary_of(stack, leader) is None)
    return tuple((leader, standbys_of(stack, leader)) for leader in leaders)


def standby_meant(stack: Stack, service: str = "", site: str = "") -> Subject:
    """The standby that somebody means who names it, or its primary, or a site of one of them, or nothing.

    Raises:
        Refused: there is none, or there are several.
    """
    pairs = [*_pairs(stack)]
    found = [standby for standby, leader in pairs if _fits(service, site, standby, leader)]
    if len(found) == 1:
        return found[0]
    choices = ", ".join(f"{one.service} @ {one.site}" for one, _ in pairs) or "none"
    if found:
        raise Refused(
            f"Which standby? There are {len(found)} that may be meant.",
            code="MD-STK-010",
            detail=f"There are {', '.join(f'{one.service} @ {one.site}' for one in found)}.",
            hint=f"Name one, for example: {found[0].service} @ {found[0].site}",
        )
    raise Refused(
        f"No standby{f' of {service}' if service else ''}{f' @ {site}' if site else ''} is known.",
        code="MD-STK-011",
        detail=f"Standbys in the settings: {choices}.",
        hint='A standby says whom it follows in its [[services]] table: follows = "nself-postgres @ main".',
    )


def _fits(service: str, site: str, *two: Subject) -> bool:
    """Whether a pair is meant by the name of one of them, by a site, or by both of one of them."""
    said, where = service.casefold(), site.casefold()
    return any(said in ("", one.service.casefold()) and where in ("", one.site.casefold()) for one in two)


def _pairs(stack: Stack) -> Iterator[tuple[Subject, Subject]]:
    """Each standby with whom it follows."""
    for site in stack:
        for service in site.services:
            if (leader := followed(service, site.name)) is not None:
                yield Subject(site.name, service.name), leader


def check(stack: Stack) -> None:
    """See that whoever follows follows a PostgreSQL that there is.

    Raises:
        ValueError: it is none, or itself, or they follow each other in a circle.
    """
    for standby, leader in _pairs(stack):
        found = service_of(stack, leader.service, leader.site) if leader.site in [one.name for one in stack] else None
        if found is None or found.kind is not ServiceKind.POSTGRES:
            others = [f"{one.name} @ {site.name}" for site in stack for one in site.of_kind(ServiceKind.POSTGRES)]
            names = ", ".join(name for name in others if name != f"{standby.service} @ {standby.site}")
            raise ValueError(
                f"'{standby.service}' follows '{leader.service} @ {leader.site}', which is no postgres of the "
                f"settings; write {f'one of {names}' if names else 'its primary into [[services]] too'}"
            )
        _no_circle(stack, standby)


def _no_circle(stack: Stack, standby: Subject) -> None:
    path = [standby]
    while (leader := primary_of(stack, path[-1])) is not None:
        path.append(leader)
        if leader in path[:-1]:
            names = " follows ".join(f"'{one.service}'" for one in path)
            raise ValueError(f"{names}; one of them is the primary: take its `follows` away")
