"""The two servers of a comparison, each asked for many tables of many databases at once, and how long it may take."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from actions.engine.errors import RecoveryError
from actions.postgres.compare_sql import OBJECTS, ComparedTable, digest_of_objects_sql, digests_sql
from actions.postgres.locks import OUT_OF_LOCKS, pieces
from actions.postgres.row_comparison import Digest, Pair
from actions.postgres.server import Server
from actions.tools.polling import Polling
from actions.tools.sql import QueryResult, Sql, SqlTimeout

TIME_RAN_OUT = "time ran out"
# One session of psql is given no longer a script than an argument may be.
QUERIES_AT_ONCE = 120
_LEAST_SECONDS = 2.0

Key = tuple[str, str]
"""A table by its database and its full name."""


@dataclass
class Budget:
    """The time for the whole comparison. One look takes half of what is left at most, so that others get some too."""

    polling: Polling
    seconds: float
    began: float = field(init=False)

    def __post_init__(self) -> None:
        self.began = self.polling.seconds()

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return self.seconds - (self.polling.seconds() - self.began)

    @property
    def over(self) -> bool:
        """Whether nothing more should be begun."""
        return self.left <= 0

    def share(self) -> float:
        """How long the next look may take."""
        return max(self.left / 2, min(self.left, _LEAST_SECONDS), 0.1)


@dataclass(frozen=True)
class Side:
    """One of the two servers; `sums` of tables and `positions` of sequences were read at the beginning already."""

    container: str
    server: Server
    sql: Sql
    budget: Budget
    sums: Mapping[Key, Any] = field(default_factory=dict)
    positions: Mapping[Key, Any] = field(default_factory=dict)

    def ask(self, asked: Mapping[str, Sequence[str]]) -> Mapping[str, Sequence[QueryResult]]:
        """Queries for each database, with nothing of people's own making in their way."""
        wanted = {name: queries for name, queries in asked.items() if queries}
        seconds = self.budget.share()
        return self.sql.everywhere(self.container, self.server, wanted, seconds=seconds, bare=True) if wanted else {}

    def each(self, asked: Mapping[Key, str]) -> dict[Key, QueryResult]:
        """One query for each table."""
        found: dict[Key, QueryResult] = {}
        keys = list(asked)
        for at in range(0, len(keys), QUERIES_AT_ONCE):
            some = keys[at : at + QUERIES_AT_ONCE]
            by_database: dict[str, list[Key]] = {}
            for key in some:
                by_database.setdefault(key[0], []).append(key)
            told = self.ask({name: [asked[key] for key in mine] for name, mine in by_database.items()})
            for name, mine in by_database.items():
                found.update(zip(mine, told[name], strict=False))
        return found

    def digests(self, tables: Mapping[str, Sequence[ComparedTable]], most: Mapping[str, int]) -> Digests:
        """Rows and their sum of each of these tables by database; of those that could not be read, why."""
        return self.in_pieces(tables, most, _digests, read_digest, self.sums)

    def in_pieces(
        self,
        tables: Mapping[str, Sequence[ComparedTable]],
        most: Mapping[str, int],
        query: Callable[[Sequence[ComparedTable]], str],
        read: Callable[[Any], Any],
        known: Mapping[Key, Any] = MappingProxyType({}),
    ) -> Digests:
        """A value for each table, but for those known.

        A piece that fails is asked again table by table, so that one spoils no other.
        """
        found = Digests({}, {})
        todo: dict[str, list[list[ComparedTable]]] = {}
        for name, some in tables.items():
            keys = {(name, table.full_name): table for table in some}
            found.values.update((key, known[key]) for key in keys if key in known)
            unknown = [table for key, table in keys.items() if key not in known]
            todo[name] = [list(piece) for piece in _pieces(unknown, most.get(name, 1))]
        for _ in range(2):
            todo = self._once(todo, query, read, found)
            if not todo:
                break
        return found

    def _once(
        self,
        todo: Mapping[str, list[list[ComparedTable]]],
        query: Callable[[Sequence[ComparedTable]], str],
        read: Callable[[Any], Any],
        found: Digests,
    ) -> dict[str, list[list[ComparedTable]]]:
        again: dict[str, list[list[ComparedTable]]] = {}
        told = self.ask({name: [query(piece) for piece in some] for name, some in todo.items()})
        for name, some in todo.items():
            for piece, answer in zip(some, told.get(name, ()), strict=False):
                if answer.error is not None and len(piece) > 1 and not self.budget.over:
                    again.setdefault(name, []).extend([table] for table in piece)
                    continue
                for table in piece:
                    value = (answer.value or {}).get(str(table.oid))
                    if value is not None or answer.error is None:
                        found.values[name, table.full_name] = read(value) if value is not None else None
                    else:
                        found.why[name, table.full_name] = why(answer.error)
        return again


@dataclass(frozen=True)
class Digests:
    """By table what was read (None: it is gone meanwhile), or why it could not be."""

    values: dict[Key, Any]
    why: dict[Key, str]

    def of(self, key: Key) -> Digest | None:
        """Rows and sum of a table, if they could be read."""
        return self.values.get(key)


def read_digest(value: Any) -> Digest:
    """Rows and their sum, in the JSON of ``digests_sql``."""
    return int(value[0]), str(value[1])


def _digests(piece: Sequence[ComparedTable]) -> str:
    return digest_of_objects_sql() if piece[0].kind == OBJECTS else digests_sql(table.oid for table in piece)


def _pieces(tables: Iterable[ComparedTable], most: int) -> Iterable[Sequence[ComparedTable]]:
    listed = list(tables)
    yield from ([table] for table in listed if table.kind == OBJECTS)
    yield from pieces(((table, table.locks) for table in listed if table.kind != OBJECTS), most)


def why(trouble: RecoveryError) -> str:
    """Why a table could not be read, in a few words."""
    if isinstance(trouble, SqlTimeout):
        return TIME_RAN_OUT
    detail = " ".join((trouble.detail or trouble.message).split())
    if detail.startswith("55P03"):
        return "somebody else holds a lock on it"
    if detail.startswith(OUT_OF_LOCKS):
        return "the server has no room for its locks (max_locks_per_transaction)"
    return detail[:200]


def by_database(pairs: Iterable[Pair], side: str) -> dict[str, list[ComparedTable]]:
    """The tables of one side (`clone` or `live`) by database."""
    found: dict[str, list[ComparedTable]] = {}
    for pair in pairs:
        table: ComparedTable | None = getattr(pair, side)
        if table is not None:
            found.setdefault(pair.database, []).append(table)
    return found
