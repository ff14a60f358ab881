"""The stack of the operations manual: its services, their order, checks and promises."""

from __future__ import annotations

from actions.stack.objectives import KINDS
from actions.stack.stack import Kind, Service, Site

POSTGRES, _REDIS, _HASURA = "nself-postgres", "nself-redis", "nself-hasura"


def _made(
    name: str,
    kind: Kind,
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
    _made(POSTGRES, Kind.POSTGRES, health="postgres", folders=("/data/postgres",)),
    _made(_REDIS, Kind.REDIS, health="redis", folders=("/data/redis",)),
    _made("nself-minio", Kind.MINIO, health="http://localhost:9000/minio/health/live", folders=("/data/minio",)),
    _made("nself-auth", Kind.AUTH, POSTGRES, _REDIS, health="http://localhost:4000/healthz", writes=True),
    _made(_HASURA, Kind.HASURA, POSTGRES, health="http://localhost:8080/healthz", writes=True),
    _made("nself-functions", Kind.FUNCTIONS, POSTGRES, _HASURA, optional=True, writes=True),
    _made("nself-meilisearch", Kind.MEILISEARCH, POSTGRES, optional=True, folders=("/data/meilisearch",)),
    _made("nself-prometheus", Kind.MONITORING, optional=True),
    _made("nself-grafana", Kind.MONITORING, optional=True),
    _made("nself-loki", Kind.MONITORING, optional=True),
)
"""In the manual's order of starting. What it starts with `|| echo "not configured"` is optional."""

MANUAL = (Site("main", services=SERVICES),)
"""The stack without any settings."""


def known(name: str) -> Service | None:
    """The manual's service of that name."""
    return next((one for one in SERVICES if one.name == name), None)


def first_of(kind: Kind) -> Service | None:
    """The manual's first service of a kind."""
    return next((one for one in SERVICES if one.kind is kind), None)
