"""The difference between the clone and the live data, table by table, without a link between the two.

Each server is asked in a few statements for many tables at once: what costs is the asking, not the tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from actions.containers import Docker
from actions.engine.errors import RecoveryError
from actions.engine.facts import volatile
from actions.postgres import compare as pure
from actions.postgres.compare_sql import TABLES, ComparedTable, buckets_sql, keys_sql, summary_sql, together
from actions.postgres.server import Names, Server
from actions.steps.integrity import value_of
from actions.tools import Sql

_SECONDS = 300.0
_TABLES_AT_ONCE = 50

Pair = tuple[ComparedTable | None, ComparedTable | None]


@dataclass(frozen=True)
class Difference:
    """A line for each table that differs; empty where the live server does not answer."""

    compared: bool = volatile()
    lines: tuple[str, ...] = volatile()
    same: int = volatile(default=0)
    comes_back: int = volatile(default=0)
    goes: int = volatile(default=0)

    def says(self) -> str:
        """The sum of it."""
        if not self.compared:
            return "the live server does not answer, so there is nothing to compare with"
        return f"{self.comes_back:,} rows come back, {self.goes:,} rows of the live data go; {self.same} tables alike"


@dataclass(frozen=True)
class _Side:
    """One of the two servers."""

    container: str
    server: Server
    sql: Sql

    def value(self, query: str) -> Any:
        return value_of(self.container, self.server, query, self.sql, _SECONDS)

    def values(self, tables: Iterable[ComparedTable], query: Callable[[ComparedTable], str]) -> dict[str, Any]:
        """The JSON value of one query for each table, by the table's name."""
        found: dict[str, Any] = {}
        waiting = iter(tables)
        while some := list(islice(waiting, _TABLES_AT_ONCE)):
            found |= self.value(together({table.full_name: query(table) for table in some})) or {}
        return found

    def summaries(self, tables: Iterable[ComparedTable]) -> dict[str, pure.TableSummary]:
        return {name: pure.parse_summary(value) for name, value in self.values(tables, summary_sql).items()}


def compare(server: Server, names: Names, docker: Docker, sql: Sql) -> Difference:
    """Rows, newest row, missing and extra keys by count."""
    container = docker.find(server.service)
    if container is None or container.state != "running":
        return Difference(False, ())
    clone, live = _Side(names.clone, server, sql), _Side(server.service, server, sql)
    try:
        found = _differences(clone, live)
    except RecoveryError:
        # The difference is shown, not approved: a live server that is ill keeps nobody from a clone that was proven.
        return Difference(False, ())
    keys = [d.keys for d in found if d.keys is not None]
    lines = tuple(pure.describe_difference(d) for d in found if not d.same)
    return Difference(True, lines, sum(d.same for d in found), sum(k.missing for k in keys), sum(k.extra for k in keys))


def _differences(clone: _Side, live: _Side) -> list[pure.TableDifference]:
    pairs = pure.pair_tables(*(pure.parse_tables(side.value(TABLES)) for side in (clone, live)))
    ours = clone.summaries(table for table, _ in pairs if table)
    theirs = live.summaries(table for _, table in pairs if table)
    keys = _keys(clone, live, pairs)
    names = [(a or b).full_name for a, b in pairs]  # type: ignore[union-attr]
    return [pure.TableDifference(name, ours.get(name), theirs.get(name), keys.get(name)) for name in names]


def _keys(clone: _Side, live: _Side, pairs: Iterable[Pair]) -> dict[str, pure.KeyDifference]:
    """Only the keys of differing buckets are fetched; far too many of them are left as the plain counts."""
    tables = {a.full_name: a for a, b in pairs if a and b and pure.comparable_keys(a, b)}
    ours, theirs = (_buckets(side, tables) for side in (clone, live))
    differing = {name: pure.differing_buckets(ours[name], theirs[name]) for name in tables}
    found = {name: pure.KeyDifference(0, 0) for name, buckets in differing.items() if not buckets}
    for name, buckets in differing.items():
        if buckets and pure.keys_to_fetch(ours[name], theirs[name]) <= pure.MOST_KEYS:
            query = keys_sql(tables[name], buckets)
            found[name] = pure.key_difference(clone.value(query), live.value(query))
    return found


def _buckets(side: _Side, tables: Mapping[str, ComparedTable]) -> dict[str, pure.Buckets]:
    return {name: pure.parse_buckets(value) for name, value in side.values(tables.values(), buckets_sql).items()}
