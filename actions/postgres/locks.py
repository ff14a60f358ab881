"""How many relations one statement may touch: each takes a lock, and all sessions share one table of locks.

A statement that runs others for many tables holds all of their locks until it ends, on tables and on every index
that the planner looks at. The table of locks has max_locks_per_transaction × (max_connections +
max_prepared_transactions) places (https://www.postgresql.org/docs/current/runtime-config-locks.html): 6,400 by
default. Beyond it any statement of anybody fails with SQLSTATE 53200.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")

MOST_AT_ONCE = 500
OUT_OF_LOCKS = "53200"

MOST_LOCKS = (
    f"least({MOST_AT_ONCE}, current_setting('max_locks_per_transaction')::int * (current_setting("
    "'max_connections')::int + current_setting('max_prepared_transactions')::int) / 8)"
)
"""An expression: how many relations a statement may touch on this server, so that others have room too."""

RELATIONS = (
    "WITH RECURSIVE tree(root, rel) AS (SELECT oid, oid FROM pg_class WHERE relkind IN ('r', 'p', 'm') UNION ALL "
    "SELECT tree.root, i.inhrelid FROM tree JOIN pg_inherits i ON i.inhparent = tree.rel), "
    "own(rel, locks) AS (SELECT indrelid, count(*) FROM pg_index GROUP BY 1), "
    "weight(rel, locks) AS MATERIALIZED (SELECT root, sum(1 + coalesce(own.locks, 0)) FROM tree "
    "LEFT JOIN own ON own.rel = tree.rel GROUP BY 1)"
)
"""The head of a query: `weight` has for each table how many relations a look at it and its partitions locks."""


def pieces(weighted: Iterable[tuple[T, int]], most: int) -> Iterator[Sequence[T]]:
    """In their order, as many at a time as fit; whatever fits nowhere comes alone."""
    some: list[T] = []
    room = most
    for thing, weight in weighted:
        if some and weight > room:
            yield some
            some, room = [], most
        some.append(thing)
        room -= weight
    if some:
        yield some
