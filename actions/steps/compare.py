"""The difference between the clone and the live data, table by table, without a link between the two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from actions.engine.errors import RecoveryError
from actions.engine.facts import volatile
from actions.postgres import compare as pure
from actions.postgres.compare_sql import TABLES, ComparedTable, buckets_sql, keys_sql, summary_sql
from actions.postgres.server import Names, Server
from actions.steps.integrity import value_of
from actions.tools import Docker, Sql

_SECONDS = 300.0


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


def compare(server: Server, names: Names, docker: Docker, sql: Sql) -> Difference:
    """Rows, newest row, missing and extra keys by count."""
    container = docker.find(server.service)
    if container is None or container.state != "running":
        return Difference(False, ())
    try:
        ours, theirs = (_tables(name, server, sql) for name in (names.clone, server.service))
    except RecoveryError:
        return Difference(False, ())
    pairs = pure.pair_tables(ours, theirs)
    found = [_difference(clone, live, server, names, sql) for clone, live in pairs]
    keys = [d.keys for d in found if d.keys is not None]
    lines = tuple(pure.describe_difference(d) for d in found if not d.same)
    return Difference(True, lines, sum(d.same for d in found), sum(k.missing for k in keys), sum(k.extra for k in keys))


def _tables(container: str, server: Server, sql: Sql) -> tuple[ComparedTable, ...]:
    found: Any = value_of(container, server, TABLES, sql, _SECONDS)
    return pure.parse_tables(found)


def _difference(clone: ComparedTable | None, live: ComparedTable | None, server: Server, names: Names,
                sql: Sql) -> pure.TableDifference:  # fmt: skip
    name = (clone or live).full_name  # type: ignore[union-attr]
    ours = _summary(names.clone, clone, server, sql)
    theirs = _summary(server.service, live, server, sql)
    keys = None
    if clone is not None and live is not None and pure.comparable_keys(clone, live):
        keys = _keys(clone, live, server, names, sql)
    return pure.TableDifference(name, ours, theirs, keys)


def _summary(container: str, table: ComparedTable | None, server: Server, sql: Sql) -> pure.TableSummary | None:
    if table is None:
        return None
    found: Any = value_of(container, server, summary_sql(table), sql, _SECONDS)
    return pure.parse_summary(found)


def _keys(clone: ComparedTable, live: ComparedTable, server: Server, names: Names, sql: Sql) -> pure.KeyDifference | None:
    """Only the keys of differing buckets are fetched; far too many of them are left as the plain counts."""

    def buckets(container: str, table: ComparedTable) -> pure.Buckets:
        found: Any = value_of(container, server, buckets_sql(table), sql, _SECONDS)
        return pure.parse_buckets(found)

    ours, theirs = buckets(names.clone, clone), buckets(server.service, live)
    differing = pure.differing_buckets(ours, theirs)
    if not differing:
        return pure.KeyDifference(0, 0)
    if pure.keys_to_fetch(ours, theirs) > pure.MOST_KEYS:
        return None
    keys: list[Any] = [value_of(container, server, keys_sql(table, differing), sql, _SECONDS)
                       for container, table in ((names.clone, clone), (server.service, live))]  # fmt: skip
    return pure.key_difference(keys[0], keys[1])
