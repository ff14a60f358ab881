"""The promised recovery times, from the operations manual, by what a container is."""

from __future__ import annotations

from datetime import timedelta

_PROMISED = {
    "postgres": timedelta(minutes=30),
    "hasura": timedelta(minutes=15),
    "auth": timedelta(minutes=15),
    "redis": timedelta(minutes=10),
    "minio": timedelta(hours=1),
    "meilisearch": timedelta(hours=2),
    "functions": timedelta(minutes=5),
}
"""Functions have no promise of their own; theirs is the manual's for restarting a single service."""


def objective(container: str) -> timedelta | None:
    """The promised recovery time of a container, None where nothing is promised."""
    named = container.casefold()
    return next((promised for what, promised in _PROMISED.items() if what in named), None)
