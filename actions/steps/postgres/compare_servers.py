"""The difference between the clone and the live data in every database, without a link between the two.

Each server is asked in a few statements for many tables at once: what costs is the asking, not the tables. All of it
has a time (`site.compare_seconds`): first come the tables that lost transactions wrote, then the others by size, and
what the time did not suffice for is said not to be compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from actions.postgres.compare_sql import (
    OBJECTS,
    ComparedTable,
)
from actions.postgres.databases import named
from actions.postgres.row_comparison import Change, Pair, pair_tables, parse_tables, some
from actions.postgres.server import Server
from actions.settings.site import SiteConfig
from actions.steps.postgres.compare_besides import Besides, parse_sequences, schema_changes, sequence_changes
from actions.steps.postgres.compare_listing import Listing, listing
from actions.steps.postgres.compare_rounds import Rounds, TablesCompared, key_of
from actions.steps.postgres.compare_sides import Budget, Key, Side
from actions.steps.postgres.count_losses import Lost
from actions.steps.postgres.difference import Difference, TableRows
from actions.tools.docker import Docker
from actions.tools.names import Names
from actions.tools.polling import Polling
from actions.tools.progress import Progress
from actions.tools.sql import Sql
from actions.wording import counted

_NAMES_SHOWN = 4


def compare(
    server: Server,
    names: Names,
    docker: Docker,
    sql: Sql,
    site: SiteConfig,
    lost: Lost,
    polling: Polling,
    progress: Progress,
) -> Difference:
    """Rows of every table, and what differs besides."""
    container = docker.find(server.service)
    if container is None or container.state != "running":
        return Difference(False)
    budget = Budget(polling, site.compare_seconds)
    clone, ours = listing(Side(names.clone, server, sql, budget))
    live, theirs = listing(Side(server.service, server, sql, budget))
    # The difference is shown, not approved: a live server that is ill keeps nobody from a clone that was proven.
    for side, listed in (("live server", theirs), ("clone", ours)):
        if not listed.told:
            told = next(iter(listed.why.values()), "it does not answer")
            return Difference(False, why=f"NOT COMPARED: the {side} could not be asked ({told})")
    return _Comparison(clone, live, ours, theirs, server.database, lost, budget, progress).difference()


@dataclass(frozen=True)
class _Comparison:
    clone: Side
    live: Side
    ours: Listing
    theirs: Listing
    own: str
    lost: Lost
    budget: Budget
    progress: Progress

    def difference(self) -> Difference:
        pairs, unread = self._pairs()
        most = {
            name: min(int(side.told[name]["most"]) for side in (self.ours, self.theirs) if name in side.told)
            for name in {*self.ours.told, *self.theirs.told}
        }
        found = Rounds(self.clone, self.live, most, self.budget, self.progress).compare(pairs)
        besides = [*self._besides(pairs), *self._sequences(most)]
        return self._told(pairs, found, unread, besides)

    def _pairs(self) -> tuple[list[Pair], list[str]]:
        """The tables to compare, in their order; and those that cannot be, with the reason."""
        pairs: list[Pair] = []
        unread: list[str] = []
        for name in sorted({*self.ours.databases, *self.theirs.databases}):
            here, there = (side.told.get(name) for side in (self.ours, self.theirs))
            if (here is None and name in self.ours.databases) or (there is None and name in self.theirs.databases):
                continue  # Said of the database itself.
            for pair in pair_tables(name, *(_tables(data) for data in (here, there))):
                reason = _unreadable(pair)
                if reason:
                    unread.append(f"{self._name(pair)}: {reason}")
                else:
                    pairs.append(pair)
            foreign = sorted({*(here or {}).get("foreign", ()), *(there or {}).get("foreign", ())})
            unread += [f"{named(name, self.own, one)}: its data is on another server" for one in foreign]
        touched = {table.table for table in self.lost.tables}
        return sorted(pairs, key=lambda pair: (self._name(pair) not in touched, pair.bytes, key_of(pair))), unread

    def _name(self, pair: Pair) -> str:
        return named(pair.database, self.own, pair.table.full_name)

    def _besides(self, pairs: Sequence[Pair]) -> Iterator[Besides]:
        without: dict[str, set[str]] = {}
        for pair in pairs:
            if not (pair.clone and pair.live):
                without.setdefault(pair.database, set()).add(pair.table.full_name)
        without[""] = set(self.ours.databases) ^ set(self.theirs.databases)
        yield from schema_changes(
            self.clone,
            self.live,
            self.ours.sums,
            self.theirs.sums,
            self.own,
            {name: frozenset(some) for name, some in without.items()},
        )

    def _sequences(self, most: Mapping[str, int]) -> Iterator[Besides]:
        ours, theirs = (
            {name: parse_sequences(told["sequences"]) for name, told in side.told.items()}
            for side in (self.ours, self.theirs)
        )
        yield from sequence_changes(self.clone, self.live, ours, theirs, most)

    def _told(
        self, pairs: Sequence[Pair], found: TablesCompared, unread: Sequence[str], besides: Sequence[Besides]
    ) -> Difference:
        by_key = {key_of(pair): pair for pair in pairs}
        tables = sorted(
            (self._table(by_key[key], found, key) for key in {*found.rows, *found.columns}),
            key=lambda table: (-table.rows, table.name),
        )
        counted = [rows for key, rows in found.rows.items() if by_key[key].table.kind != "m"]
        sides, alerts = self._databases(found, by_key)
        changes = [(one.database, change) for one in besides for change in one.changes]
        missed = [f"{self._name(by_key[key])}: {reason}" for key, reason in sorted(found.not_compared.items())]
        missed += [*unread, *(f"{self._of(one.database)}{reason}" for one in besides for reason in one.not_compared)]
        missed += self._closed()
        at = next(iter(self.theirs.told.values()))["at"]
        return Difference(
            True,
            sum(r.comes_back for r in counted),
            sum(r.goes for r in counted),
            sum(r.changes for r in counted),
            any(r.about for r in counted),
            len(found.alike - found.columns.keys()),
            tuple(tables),
            (*sides, *(self._words(name, change, None) for name, change in changes)),
            (*sides, *(self._words(name, change, _NAMES_SHOWN) for name, change in changes)),
            tuple(missed),
            self._compared(),
            tuple(alerts),
            datetime.fromisoformat(at),
            round(self.budget.seconds - self.budget.left, 1),
        )

    def _table(self, pair: Pair, found: TablesCompared, key: Key) -> TableRows:
        rows = found.rows.get(key)
        words = [rows.words()] if rows else ["no rows differ"] if key in found.alike else []
        if not pair.live or not pair.clone:
            words.append(
                "the table is only in the clone: it comes back" if pair.clone else "the table is only live: it goes"
            )
        elif rows and rows.total and not pair.keyed:
            words.append("it has no key, so a row that changed is one that comes back and one that goes")
        if key in found.columns:
            words.append(found.columns[key].words())
        if pair.table.kind == "m":
            words.append("a materialized view, not counted in the sum")
        return TableRows(self._name(pair), "; ".join(words), rows.total if rows else 0)

    def _of(self, database: str) -> str:
        return "" if database in ("", self.own) else f"{database}: "

    def _words(self, database: str, change: Change, most: int | None) -> str:
        return f"{self._of(database)}{change.words(most)}"

    def _databases(self, found: TablesCompared, by_key: Mapping[Key, Pair]) -> tuple[list[str], list[str]]:
        """Sentences on databases of one side only, and alerts on those of the clone that nobody can connect to."""
        told, alerts = [], []
        for name in sorted(set(self.ours.databases) ^ set(self.theirs.databases)):
            comes = name in self.ours.databases
            tables = [key for key in by_key if key[0] == name]
            rows = sum(found.rows[key].total for key in tables if key in found.rows)
            where = "only in the clone: it comes back" if comes else "only live: it goes"
            told.append(f"Database {name} is {where}, with {counted(len(tables), 'table')} and {counted(rows, 'row')}")
        for name, database in self.ours.databases.items():
            if database.invalid or (
                database.allows and name in self.ours.why and "cannot be connected" in self.ours.why[name]
            ):
                alerts.append(f"Database {name} of the clone cannot be connected to; nothing of it is compared.")
        return told, alerts

    def _closed(self) -> list[str]:
        """Databases of which nothing was compared, and why. template0 is as initdb made it."""
        told = []
        for name in sorted({*self.ours.databases, *self.theirs.databases} - {"template0"}):
            for where, side in (("the clone", self.ours), ("the live server", self.theirs)):
                if name in side.databases and name not in side.told:
                    reason = side.why.get(name) or "it allows no connections"
                    told.append(f"database {name}: in {where} {reason}")
                    break
        return told

    def _compared(self) -> str:
        both = sorted(name for name in self.ours.told if name in self.theirs.told)
        templates = [n for n in both if self.ours.databases[n].template]
        marked = [f"{name} (a template)" if name in templates else name for name in both]
        return f"Databases compared: {some(marked, 12)}."


def _tables(data: Mapping[str, Any] | None) -> Sequence[ComparedTable]:
    return parse_tables(data["tables"], data["sizes"]) if data else ()


def _unreadable(pair: Pair) -> str:
    sides = [side for side in (pair.clone, pair.live) if side]
    if any(side.persistence == "u" for side in sides):
        return "an unlogged table is empty after any recovery"
    if pair.table.kind == OBJECTS:
        return ""
    return "" if all(side.filled for side in sides) else "a materialized view without contents"
