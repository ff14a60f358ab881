"""Whether rows vanished: the tables' estimated sizes, look after look.

The estimates are the server's own statistics (pg_stat_user_tables.n_live_tup): a delete, truncate or drop
shows in them within ten seconds of its commit. They begin anew with the server, so only looks at one and
the same start are compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from actions.engine.facts import from_json, to_json
from actions.postgres.server import Server
from actions.store.store import Store
from actions.tools.sql import Sql

NOTE = "rows"
"""The kind of the note; its key is the site and the service."""
MANY = 50
"""Smaller tables come and go."""
LOST = 0.2
"""The share of a table whose loss is worth a word."""
REMEMBERED = timedelta(hours=6)

SQL = """
select format('%I.%I', schemaname, relname) as name, n_live_tup as rows, pg_postmaster_start_time() as started
from pg_stat_user_tables
"""


@dataclass(frozen=True)
class RowLoss:
    """A table that had many rows and has fewer; `at` is when that was seen, `since` the look before."""

    table: str
    before: int
    now: int
    at: datetime
    since: datetime | None = None

    def says(self) -> str:
        """In a few words."""
        return f"{self.table} lost {self.before - self.now} of {self.before} rows before {self.at:%H:%M} UTC"


@dataclass(frozen=True)
class RowsSeen:
    """The sizes at the last look, what vanished lately, the newest first, and when that look was."""

    started: str
    counts: Mapping[str, int] = field(default_factory=dict)
    losses: tuple[RowLoss, ...] = ()
    seen_at: datetime | None = None


def count(container: str, server: Server, sql: Sql) -> RowsSeen:
    """The sizes of all tables now."""
    rows = sql.rows(container, server, SQL)
    return RowsSeen(str(rows[0]["started"]) if rows else "", {str(r["name"]): int(r["rows"]) for r in rows})


def compare(before: RowsSeen | None, now: RowsSeen, at: datetime) -> RowsSeen:
    """The new look with what vanished since the one before, then what vanished earlier and is not back.

    A table that loses rows once more has a loss of its own for that: the newest is what people are looking for.
    """
    kept = tuple(loss for loss in before.losses if _lasts(loss, now, at)) if before else ()
    if before is None or before.started != now.started:
        return RowsSeen(now.started, now.counts, kept, at)
    fresh = _losses(before.counts, now.counts, at, before.seen_at)
    return RowsSeen(now.started, now.counts, (*fresh, *kept), at)


def look(store: Store, site: str, service: str, now: RowsSeen) -> RowsSeen:
    """Keep a look, compared with the one before."""
    kept = compare(_kept(store, site, service), now, store.clock())
    store.keep(NOTE, f"{site} {service}", to_json(kept))
    return kept


def lost(store: Store, site: str, services: Iterable[str]) -> list[RowLoss]:
    """What vanished lately from any of these services of a site, the newest first."""
    seen = (_kept(store, site, service) for service in sorted(services))
    recent = store.clock() - REMEMBERED
    found = [loss for one in seen if one is not None for loss in one.losses if loss.at >= recent]
    return sorted(found, key=lambda loss: loss.at, reverse=True)


def looked_at(store: Store, site: str, service: str) -> datetime | None:
    """When the rows of a service were last counted."""
    seen = _kept(store, site, service)
    return seen.seen_at if seen is not None else None


def _losses(
    before: Mapping[str, int], now: Mapping[str, int], at: datetime, since: datetime | None
) -> Iterable[RowLoss]:
    for table, had in before.items():
        has = now.get(table, 0)
        if had >= MANY and had - has >= LOST * had:
            yield RowLoss(table, had, has, at, since)


def _lasts(loss: RowLoss, now: RowsSeen, at: datetime) -> bool:
    """A server that has just begun counts from nothing, so it cannot say that the rows are back."""
    back = now.counts.get(loss.table, 0) >= (1 - LOST / 2) * loss.before
    return at - loss.at < REMEMBERED and not back


def _kept(store: Store, site: str, service: str) -> RowsSeen | None:
    data: Any = store.note(NOTE, f"{site} {service}")
    found: RowsSeen | None = from_json(RowsSeen, data) if data else None
    return found
