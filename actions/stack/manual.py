"""The stack of the operations manual: its services, their order, checks and promises."""

from __future__ import annotations

from actions.stack.objectives import KINDS
from actions.stack.stack import Service, ServiceKind, Site

POSTGRES, _REDIS, _HASURA = "nself-postgres", "nself-redis", "nself-hasura"


def _made(
    name: str,
    kind: ServiceKind,
    *needs: str,
    health: str = "",
    optional: bool = False,
    writes: bool = False,
    folders: tuple[str, ...] = (),
) -> Service:
    return Service(
        name,
        kind,
        compose=name.removeprefix("nself-"),
        needs=needs,
        health=health,
        optional=optional,
        writes=writes,
        folders=folders,
        objective=KINDS.get(kind),
    )


SERVICES = (
    _made(POSTGRES, ServiceKind.POSTGRES, health="postgres", folders=("/data/postgres",)),
    _made(_REDIS, ServiceKind.REDIS, health="redis", folders=("/data/redis",)),
    _made("nself-minio", ServiceKind.MINIO, health="http://localhost:9000/minio/health/live", folders=("/data/minio",)),
    _made("nself-auth", ServiceKind.AUTH, POSTGRES, _REDIS, health="http://localhost:4000/healthz", writes=True),
    _made(_HASURA, ServiceKind.HASURA, POSTGRES, health="http://localhost:8080/healthz", writes=True),
    _made("nself-functions", ServiceKind.FUNCTIONS, POSTGRES, _HASURA, optional=True, writes=True),
    _made("nself-meilisearch", ServiceKind.MEILISEARCH, POSTGRES, optional=True, folders=("/data/meilisearch",)),
    _made("nself-prometheus", ServiceKind.MONITORING, optional=True),
    _made("nself-grafana", ServiceKind.MONITORING, optional=True),
    _made("nself-loki", ServiceKind.MONITORING, optional=True),
)
"""In the manual's order of starting. What it starts with `|| echo "not configured"` is optional."""

MANUAL = (Site("main", services=SERVICES),)
"""The stack without any settings."""


def known(name: str) -> Service | None:
    """The manual's service of that name."""
    return next((one for one in SERVICES if one.name == name), None)


def first_of(kind: ServiceKind) -> Service | None:
    """The manual's first service of a kind."""
    return next((one for one in SERVICES if one.kind is kind), None)
