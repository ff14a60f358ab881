"""From the settings to the stack: all sites with their services, or what is wrong with them.

A site of which no `[[services]]` tell has the manual's. `[site]` is the default site, and tells of its PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from difflib import get_close_matches

from actions.settings.services import ServiceTable, SiteTable, services_of
from actions.settings.site import SiteSettings
from actions.stack import manual, order
from actions.stack.stack import Service, ServiceKind, Site


def stack_of(
    site: SiteSettings, services: Sequence[ServiceTable], sites: Sequence[SiteTable]
) -> tuple[SiteSettings, tuple[Site, ...]]:
    """The stack, and `[site]` with what `[[services]]` say of its PostgreSQL and of who writes.

    Raises:
        ValueError: something in it cannot be; the text says what, and what to write.
    """
    names = [site.name, *(other.name for other in sites)]
    if twice := next((name for name in names if names.count(name) > 1), ""):
        raise ValueError(f"sites: two sites have the name '{twice}'; [site] is the default one, give each its own name")
    for table in services:
        if table.site and table.site not in names:
            raise ValueError(_strange(table, names))
    told = services_of(services, site.name, site.name)
    site = _agreed(site, told) if told else site
    first = Site(site.name, site.docker_host, _writing(told, site) if told else _untold(site))
    others = (
        Site(other.name, other.docker_host, services_of(services, other.name, site.name) or manual.SERVICES)
        for other in sites
    )
    stack = (first, *others)
    for one in stack:
        _checked(one)
    return site, stack


def _checked(site: Site) -> None:
    try:
        order.check(site.services, site.name)
    except ValueError as wrong:
        raise ValueError(f"services: {wrong}") from None


def _strange(table: ServiceTable, names: list[str]) -> str:
    near = get_close_matches(table.site, names, 1)
    do = f"write '{near[0]}'" if near else f"write one of {', '.join(names)}, or a [[sites]] table for it"
    return f"services: '{table.name}' is on the site '{table.site}', which is not known; {do}"


def _agreed(site: SiteSettings, services: tuple[Service, ...]) -> SiteSettings:
    """`[site]` in agreement with the services: what it does not say itself, they say."""
    said = site.model_fields_set
    servers = [one for one in services if one.kind is ServiceKind.POSTGRES]
    update: dict[str, object] = {"postgres": _server(site, servers)} if servers or "postgres" in said else {}
    if "writers" not in said:
        # What needs others is paused before them, so that nothing is asked of one that stands still.
        update["writers"] = tuple(
            one.name for wave in reversed(_waves(services)) for one in reversed(wave) if one.writes
        )
    return site.model_copy(update=update)


def _server(site: SiteSettings, found: list[Service]) -> str:
    """The one PostgreSQL that `[site]` tells of."""
    names = ", ".join(one.name for one in found)
    if "postgres" in site.model_fields_set:
        named = next((one.name for one in found if site.postgres in (one.name, one.container)), "")
        if not named:
            do = f"write one of {names}" if found else 'add a [[services]] table with kind = "postgres"'
            raise ValueError(f"site.postgres: '{site.postgres}' is no service of kind postgres in [[services]]; {do}")
        return named
    if len(found) > 1:
        raise ValueError(
            f'site.postgres: there are {names}, and [site] tells of one of them; write postgres = "…" under [site]'
        )
    return found[0].name


def _waves(services: tuple[Service, ...]) -> tuple[tuple[Service, ...], ...]:
    try:
        return order.waves(services)
    except ValueError as wrong:
        raise ValueError(f"services: {wrong}") from None


def _untold(site: SiteSettings) -> tuple[Service, ...]:
    """The default site where no table tells of it: the manual's, or what `[site]` names where that is another server.

    Of a server that is not the manual's nobody knows what else there is beside it and those who write to it.
    """
    if site.postgres == manual.POSTGRES:
        return _writing(manual.SERVICES, site) + _writers(site, manual.SERVICES)
    server = replace(manual.SERVICES[0], name=site.postgres, compose="", folders=())
    return (server, *_writers(site, (server,)))


def _writing(services: tuple[Service, ...], site: SiteSettings) -> tuple[Service, ...]:
    return tuple(replace(one, writes=not {one.name, one.container}.isdisjoint(site.writers)) for one in services)


def _writers(site: SiteSettings, known: tuple[Service, ...]) -> tuple[Service, ...]:
    """Those who write and are not known yet. Of one that is not the manual's nothing else is known."""
    names = {one.name for one in known}
    return tuple(
        replace(manual.known(name) or Service(name, ServiceKind.OTHER), needs=(site.postgres,), writes=True)
        for name in dict.fromkeys(site.writers)
        if name not in names
    )
