"""The difference between the clone and the live data, table by table, without a link between the two.

Each server is asked in a few statements for many tables at once: what costs is the asking, not the tables.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from actions.containers import Docker
from actions.engine.errors import RecoveryError
from actions.engine.facts import volatile
from actions.postgres import compare as pure
from actions.postgres.compare_sql import TABLES, ComparedTable, buckets_sql, keys_sql, summary_sql, together
from actions.postgres.server import Names, Server
from actions.tools import Sql

_SECONDS = 300.0
_TABLES_AT_ONCE = 50

Wanted = Mapping[str, str]
"""A query for each table, by the table's name."""


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

    def tables(self) -> tuple[ComparedTable, ...]:
        return pure.parse_tables(self.sql.values(self.container, self.server, [TABLES], seconds=_SECONDS)[0].must())

    def values(self, *wanted: Wanted) -> list[dict[str, Any]]:
        """For each of these, the JSON value of one query for each of its tables, by the table's name."""
        batches = [[together(some) for some in _batched(one)] for one in wanted]
        queries = [query for batch in batches for query in batch]
        answers = iter(self.sql.values(self.container, self.server, queries, seconds=_SECONDS * len(queries)))
        return [dict(ChainMap(*(next(answers).must() or {} for _ in batch))) for batch in batches]

    def measures(self, tables: Iterable[ComparedTable], keyed: Iterable[ComparedTable]) -> _Measures:
        summaries, buckets = self.values(_for_each(tables, summary_sql), _for_each(keyed, buckets_sql))
        return _Measures({name: pure.parse_summary(value) for name, value in summaries.items()},
                         {name: pure.parse_buckets(value) for name, value in buckets.items()})  # fmt: skip


@dataclass(frozen=True)
class _Measures:
    """What each table of one server holds, in sum, and in buckets by its keys."""

    summaries: Mapping[str, pure.TableSummary]
    buckets: Mapping[str, pure.Buckets]


def _for_each(tables: Iterable[ComparedTable], query: Callable[[ComparedTable], str]) -> Wanted:
    return {table.full_name: query(table) for table in tables}


def _batched(wanted: Wanted) -> Iterator[Wanted]:
    waiting = iter(wanted.items())
    while some := dict(islice(waiting, _TABLES_AT_ONCE)):
        yield some


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
    pairs = pure.pair_tables(clone.tables(), live.tables())
    keyed = {a.full_name: a for a, b in pairs if a and b and pure.comparable_keys(a, b)}
    ours = clone.measures((table for table, _ in pairs if table), keyed.values())
    theirs = live.measures((table for _, table in pairs if table), keyed.values())
    keys = _keys(clone, live, keyed, ours.buckets, theirs.buckets)
    names = [(a or b).full_name for a, b in pairs]  # type: ignore[union-attr]
    return [pure.TableDifference(name, ours.summaries.get(name), theirs.summaries.get(name), keys.get(name))
            for name in names]  # fmt: skip


def _keys(clone: _Side, live: _Side, tables: Mapping[str, ComparedTable], ours: Mapping[str, pure.Buckets],
          theirs: Mapping[str, pure.Buckets]) -> dict[str, pure.KeyDifference]:  # fmt: skip
    """Only the keys of differing buckets are fetched; far too many of them are left as the plain counts."""
    differing = {name: pure.differing_buckets(ours[name], theirs[name]) for name in tables}
    found = {name: pure.KeyDifference(0, 0) for name, buckets in differing.items() if not buckets}
    wanted = {name: keys_sql(tables[name], buckets) for name, buckets in differing.items()
              if buckets and pure.keys_to_fetch(ours[name], theirs[name]) <= pure.MOST_KEYS}  # fmt: skip
    if not wanted:
        return found
    (kept,), (now,) = clone.values(wanted), live.values(wanted)
    return found | {name: pure.key_difference(kept[name], now[name]) for name in wanted}
