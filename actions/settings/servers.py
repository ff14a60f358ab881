"""The PostgreSQL servers of a site: which is its own, and for each the settings that steps see.

Backups of one server are never taken for those of another: of a server whose archive, base backups and database nobody
tells, there are no settings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from actions.settings.services import ServiceTable
from actions.settings.site import SiteConfig, SiteSettings
from actions.stack import order
from actions.stack.stack import Service, ServiceKind

NEEDED = ("archive", "bases", "database")
"""What the table of a server has to say that is not its site's own."""

_NOBODYS: Mapping[str, Any] = {"address": "", "replication_user": ""}
"""What is of one server alone, also where another has its database and its backups."""


def own_server(site: SiteSettings, tables: Sequence[ServiceTable], servers: Sequence[Service], key: str) -> str:
    """The server that the site's table tells of; empty where it has none.

    It is the one that the site names, else the only one whose own table does not tell of it, else the first. One that
    follows another has the backups of that one, and is the site's own only where there is no other.

    Raises:
        ValueError: there are several, and nothing says which; or it is none of them. `key` names the site's table.
    """
    names = ", ".join(one.name for one in servers)
    if "postgres" in site.model_fields_set:
        named = next((one.name for one in servers if site.postgres in (one.name, one.container)), "")
        if not named:
            do = f"write one of {names}" if servers else 'add a [[services]] table with kind = "postgres"'
            raise ValueError(f"{key}.postgres: '{site.postgres}' is no service of kind postgres in [[services]]; {do}")
        return named
    servers = [one for one in servers if not one.follows] or servers
    told = {table.name for table in tables if table.tells_of_server}
    untold = [one.name for one in servers if one.name not in told]
    if len(untold) > 1:
        raise ValueError(
            f'{key}.postgres: there are {names}, and [{key}] tells of one of them; write postgres = "…" under [{key}], '
            f"and {', '.join(NEEDED)} into the tables of the others"
        )
    return next(iter(untold or [one.name for one in servers]), "")


def configs(
    site: SiteSettings, own: str, tables: Sequence[ServiceTable], services: Sequence[Service], key: str = "site"
) -> tuple[SiteConfig, ...]:
    """Of each server of the site whose backups the settings tell, the site's own first. `key` is the site's table.

    Raises:
        ValueError: a table tells a part of what has to be told.
    """
    said = {table.name: table for table in tables}
    servers = [one for one in services if one.kind is ServiceKind.POSTGRES]
    first = sorted(servers, key=lambda one: one.name != own)
    beside = "" if key == "site" else _place(site.name, "sites")
    return tuple(_configs(site, own, [(one, said.get(one.name)) for one in first], services, beside))


def _configs(
    site: SiteSettings,
    own: str,
    servers: Sequence[tuple[Service, ServiceTable | None]],
    services: Sequence[Service],
    beside: str,
) -> Iterator[SiteConfig]:
    for service, table in servers:
        told = table.said_of_server() if table else {}
        if service.name == own:
            yield replace(site.site(), told_in=_place(service.name) if told else beside, **{"postgres": own, **told})
        elif table is not None and table.tells_of_server:
            # What belongs to one database alone is not handed on from the site's own.
            apart = replace(site.site(), smoke_url="", newest_table="", data_directory="", dumps=(), **_NOBODYS)
            writers = writers_of(service.name, services, own)
            yield replace(apart, told_in=_place(service.name), **{"postgres": service.name, "writers": writers, **told})
        elif own and service.follows == own:
            # The same cluster: whoever follows the site's own has its database and its backups.
            yield replace(site.site(), told_in=_place(service.name), **{**_NOBODYS, "postgres": service.name, **told})
        elif told:
            raise ValueError(f"services: '{service.name}' tells of its {next(iter(told))}; {_lacks(table)}")


def _place(name: str, table: str = "services") -> str:
    return f"the table of {name} under [[{table}]]"


def _lacks(table: ServiceTable | None) -> str:
    left = [name for name in NEEDED if getattr(table, name, None) is None]
    return f"write {' and '.join(left)} into its table too, as nobody else tells where its backups lie"


def writers_of(server: str, services: Sequence[Service], own: str) -> tuple[str, ...]:
    """Who writes into a server: those that write and need it, directly or through others.

    Of who writes and needs no server at all it is taken that they write into the site's own. What needs others is
    paused before them, so that nothing is asked of one that stands still.
    """
    known = {one.name for one in services if one.kind is ServiceKind.POSTGRES}
    found = [one for wave in reversed(order.waves(services)) for one in reversed(wave) if one.writes]
    into = {one.name: known & order.with_needs(services, [one.name]) or {own} for one in found}
    return tuple(one.name for one in found if server in into[one.name])
