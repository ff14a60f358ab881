"""The promised recovery times and losses, as the operations manual states them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType


@dataclass(frozen=True)
class Objective:
    """A promise: how long recovery may take (RTO), and how much may be lost (RPO)."""

    name: str
    rto: timedelta
    rpo: timedelta


KINDS: Mapping[str, Objective] = MappingProxyType(
    {
        "postgres": Objective("PostgreSQL", timedelta(minutes=30), timedelta(minutes=5)),
        "hasura": Objective("Hasura", timedelta(minutes=15), timedelta(0)),
        "auth": Objective("Auth", timedelta(minutes=15), timedelta(minutes=5)),
        "redis": Objective("Redis", timedelta(minutes=10), timedelta(minutes=15)),
        "minio": Objective("MinIO", timedelta(hours=1), timedelta(hours=1)),
        "meilisearch": Objective("MeiliSearch", timedelta(hours=2), timedelta(days=1)),
    }
)
"""What the manual promises for a service, by its kind. For the other kinds it promises nothing."""

SCENARIOS = (
    Objective("single service restart", timedelta(minutes=5), timedelta(0)),
    Objective("database restore", timedelta(minutes=30), timedelta(minutes=5)),
    Objective("full system recovery", timedelta(hours=1), timedelta(minutes=5)),
    Objective("point-in-time recovery from corruption", timedelta(hours=2), timedelta(minutes=1)),
    Objective("geographic failover", timedelta(minutes=30), timedelta(minutes=15)),
)
