"""What a stack is made of: services with their kinds, on sites. A kind is told, never read out of a name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from actions.stack.objectives import Objective


class ServiceKind(StrEnum):
    """What a service is, which decides which procedures are for it."""

    POSTGRES = "postgres"
    HASURA = "hasura"
    AUTH = "auth"
    FUNCTIONS = "functions"
    REDIS = "redis"
    MINIO = "minio"
    MEILISEARCH = "meilisearch"
    MONITORING = "monitoring"
    OTHER = "other"


@dataclass(frozen=True)
class Service:
    """One container of the stack.

    `container` is its container's name where that is another than its own; `compose` is the Compose service under
    which it is looked for where there is no container of its name, empty for its own name. `needs` are names of
    services of the same site. `health` says how it is asked whether it serves: `postgres`, `redis`, an address that
    answers 200, or empty for Docker's own check; it has `wait` to do so after a start. One that is `optional` need not
    be there. `writes` says that it writes into the database. `folders` are where its data lies on the Docker host.
    `follows` is the service that it is a standby of: `name`, or `name @ site`; empty for one that follows nobody.
    """

    name: str
    kind: ServiceKind
    container: str = ""
    compose: str = ""
    needs: tuple[str, ...] = ()
    health: str = ""
    wait: timedelta = timedelta(seconds=60)
    optional: bool = False
    writes: bool = False
    folders: tuple[str, ...] = ()
    follows: str = ""
    objective: Objective | None = None


@dataclass(frozen=True)
class Site:
    """One Docker host or region. `docker` is the address of its Docker, empty for the worker's own.

    `project` is the Compose project in which labels of services count; empty for the one that was last seen.
    """

    name: str
    docker: str = ""
    services: tuple[Service, ...] = ()
    project: str = ""

    def service(self, name: str) -> Service | None:
        """The service of that name, or in the container of that name."""
        said = name.casefold()
        named = (one for one in self.services if one.name.casefold() == said)
        held = (one for one in self.services if one.container and one.container.casefold() == said)
        return next(named, None) or next(held, None)

    def of_kind(self, kind: str) -> tuple[Service, ...]:
        """All services of a kind."""
        return tuple(one for one in self.services if one.kind == kind)


Stack = Sequence[Site]
"""All sites; the first is the default one."""


def service_of(stack: Stack, name: str, site: str = "") -> Service | None:
    """The service of that name on a site, or without one on the first site that has it; None for one of no stack."""
    found = (one.service(name) for one in stack if site in ("", one.name))
    return next((service for service in found if service is not None), None)


def objective_of(stack: Stack, name: str, site: str = "") -> Objective | None:
    """What was promised for a service, None where nothing was. A site of the past counts as any."""
    service = service_of(stack, name, site) or service_of(stack, name)
    return service.objective if service else None


def needs_of(stack: Stack) -> dict[str, tuple[str, ...]]:
    """What each service needs, by name; the services of all sites together."""
    found: dict[str, tuple[str, ...]] = {}
    for one in (service for site in stack for service in site.services):
        found[one.name] = tuple(dict.fromkeys((*found.get(one.name, ()), *one.needs)))
    return found
