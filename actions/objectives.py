"""The promised recovery times and losses, as the operations manual states them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class Objective:
    """A promise: how long recovery may take (RTO), and how much may be lost (RPO)."""

    name: str
    rto: timedelta
    rpo: timedelta


SERVICES = {
    "postgres": Objective("PostgreSQL", timedelta(minutes=30), timedelta(minutes=5)),
    "hasura": Objective("Hasura", timedelta(minutes=15), timedelta(0)),
    "auth": Objective("Auth", timedelta(minutes=15), timedelta(minutes=5)),
    "redis": Objective("Redis", timedelta(minutes=10), timedelta(minutes=15)),
    "minio": Objective("MinIO", timedelta(hours=1), timedelta(hours=1)),
    "meilisearch": Objective("MeiliSearch", timedelta(hours=2), timedelta(days=1)),
}
"""By the last word of the container's name."""

SCENARIOS = (
    Objective("single service restart", timedelta(minutes=5), timedelta(0)),
    Objective("database restore", timedelta(minutes=30), timedelta(minutes=5)),
    Objective("full system recovery", timedelta(hours=1), timedelta(minutes=5)),
    Objective("point-in-time recovery from corruption", timedelta(hours=2), timedelta(minutes=1)),
    Objective("geographic failover", timedelta(minutes=30), timedelta(minutes=15)),
)


def objective_of(service: str) -> Objective | None:
    """The promise for a container, None where the manual makes none.

    A number at the end is that of a replica: `stack-redis-1` is Redis.
    """
    words = re.split(r"[^a-z]+", service.casefold())
    return next((SERVICES[word] for word in reversed(words) if word in SERVICES), None)
