"""From the settings to the stack: all sites with their services and servers, or what is wrong with them.

A site of which no `[[services]]` tell has the manual's. `[site]` is the default site; it and each of `[[sites]]` tell
of their own PostgreSQL, `[[services]]` of others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TypeVar

from actions.settings.servers import configs, own_server, writers_of
from actions.settings.services import ServiceTable, SiteTable, tables_of
from actions.settings.site import SiteConfig, SiteSettings
from actions.stack import clusters, manual, order
from actions.stack.stack import Service, ServiceKind, Site

S = TypeVar("S", bound=SiteSettings)


@dataclass(frozen=True)
class ToldSite:
    """A site as all tables together tell of it: its settings in agreement with them, its services, its servers.

    A server of whose backups nothing tells is a service and not among `servers`.
    """

    settings: SiteSettings
    site: Site
    servers: tuple[SiteConfig, ...]

    def named(self, said: Sequence[str]) -> tuple[str, ...]:
        """Services by their own names, whether they were told by those or by their containers'."""
        found = ((name, self.site.service(name)) for name in said)
        return tuple(service.name if service else name for name, service in found)


def sites_of(site: SiteSettings, services: Sequence[ServiceTable], sites: Sequence[SiteTable]) -> tuple[ToldSite, ...]:
    """All sites, the default one first.

    Raises:
        ValueError: something in it cannot be; the text says what, and what to write.
    """
    names = [site.name, *(other.name for other in sites)]
    if twice := next((name for name in names if names.count(name) > 1), ""):
        raise ValueError(f"sites: two sites have the name '{twice}'; [site] is the default one, give each its own name")
    for table in services:
        if table.site and table.site not in names:
            raise ValueError(_strange(table, names))
    first = _told(site, tables_of(services, site.name, site.name), "site")
    told = (first, *(_told(other, tables_of(services, other.name, site.name), "") for other in sites))
    try:
        clusters.check([one.site for one in told])
    except ValueError as wrong:
        raise ValueError(f"services: {wrong}") from None
    return told


def _told(site: SiteSettings, tables: Sequence[ServiceTable], key: str) -> ToldSite:
    services = tuple(table.service() for table in tables) or _untold(site)
    _checked(site.name, services)
    own = _own(site, tables, services, key) if tables else site.postgres
    if tables:
        site = _agreed(site, own, services)
    servers = configs(site, own, tables, services, key)
    writers = {*site.writers, *(name for server in servers for name in server.writers)}
    return ToldSite(site, Site(site.name, site.docker_host, _writing(services, writers), site.compose_project), servers)


def _own(site: SiteSettings, tables: Sequence[ServiceTable], services: Sequence[Service], key: str) -> str:
    """The site's own server. Of another site its own worker's settings may tell, so there nothing is refused for it."""
    servers = [one for one in services if one.kind is ServiceKind.POSTGRES]
    try:
        return own_server(site, tables, servers, key or "sites")
    except ValueError:
        if key:
            raise
        return ""


def _checked(name: str, services: Sequence[Service]) -> None:
    try:
        order.check(services, name)
    except ValueError as wrong:
        raise ValueError(f"services: {wrong}") from None


def _strange(table: ServiceTable, names: list[str]) -> str:
    near = get_close_matches(table.site, names, 1)
    do = f"write '{near[0]}'" if near else f"write one of {', '.join(names)}, or a [[sites]] table for it"
    return f"services: '{table.name}' is on the site '{table.site}', which is not known; {do}"


def _agreed(site: S, own: str, services: Sequence[Service]) -> S:
    """The site's table in agreement with the services: what it does not say itself, they say."""
    update: dict[str, object] = {"postgres": own} if own else {}
    if "writers" not in site.model_fields_set:
        update["writers"] = writers_of(own, services, own)
    return site.model_copy(update=update)


def _untold(site: SiteSettings) -> tuple[Service, ...]:
    """A site where no table of services tells of it: the manual's, or what `[site]` names where that is another server.

    Of a server that is not the manual's nobody knows what else there is beside it and those who write to it.
    """
    if site.postgres == manual.POSTGRES:
        return manual.SERVICES + _writers(site, manual.SERVICES)
    server = replace(manual.SERVICES[0], name=site.postgres, compose="", folders=())
    return (server, *_writers(site, (server,)))


def _writing(services: Sequence[Service], writers: set[str]) -> tuple[Service, ...]:
    return tuple(replace(one, writes=not {one.name, one.container}.isdisjoint(writers)) for one in services)


def _writers(site: SiteSettings, known: tuple[Service, ...]) -> tuple[Service, ...]:
    """Those who write and are not known yet. Of one that is not the manual's nothing else is known."""
    names = {one.name for one in known}
    return tuple(
        replace(manual.known(name) or Service(name, ServiceKind.OTHER), needs=(site.postgres,), writes=True)
        for name in dict.fromkeys(site.writers)
        if name not in names
    )
