"""What differs besides rows: objects of the databases, positions of sequences, what all databases share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from actions.postgres.compare_sql import ComparedTable, positions_sql
from actions.postgres.row_comparison import Change, change
from actions.postgres.schema_sql import KINDS, SHARED, names_sql, sum_sql
from actions.steps.postgres.compare_sides import Side, why
from actions.tools.sql import QueryResult

SUMS = [*map(sum_sql, KINDS.values()), *map(sum_sql, SHARED.values())]
"""Asked of every database at the beginning; names are fetched only where the sums differ."""

Sums = Mapping[str, Sequence[QueryResult]]

# nextval writes ahead to WAL so many values that it may give out without another record, and as many as are cached
# (SEQ_LOG_VALS in src/backend/commands/sequence.c); after any recovery a sequence stands behind the last of them.
_AHEAD = 32


@dataclass(frozen=True)
class Besides:
    """The differences of one database, or (`database` empty) of what all share; and what could not be compared."""

    database: str
    changes: tuple[Change, ...] = ()
    not_compared: tuple[str, ...] = ()


@dataclass(frozen=True)
class Counted:
    """A sequence as ``TABLES`` lists it."""

    table: ComparedTable
    increment: int
    cache: int

    @property
    def ahead(self) -> int:
        """How far a recovery may put it forward of where it stood."""
        return (_AHEAD + self.cache) * abs(self.increment)


def parse_sequences(data: Sequence[Sequence[Any]]) -> dict[str, Counted]:
    """The sequences in the JSON of ``TABLES``, by name."""
    made = (
        Counted(ComparedTable(int(oid), schema, name, "S"), int(increment), int(cache))
        for oid, schema, name, increment, cache in data
    )
    return {one.table.full_name: one for one in made}


def schema_changes(
    clone: Side, live: Side, ours: Sums, theirs: Sums, own: str, without: Mapping[str, frozenset[str]]
) -> Iterator[Besides]:
    """Of each database that both sides answered, and of what they share. `without`: tables of one side only.

    `ours` and `theirs` are the answers to ``SUMS``.
    """
    both = [name for name in ours if name in theirs]
    wanted = {name: _differing(list(KINDS), ours[name], theirs[name], 0) for name in both}
    shared = _differing(list(SHARED), ours[own], theirs[own], len(KINDS)) if own in both else []
    queries = {name: [names_sql(KINDS[kind]) for kind in kinds] for name, kinds in wanted.items()}
    if own in both:
        queries[own] = [*queries[own], *(names_sql(SHARED[kind]) for kind in shared)]
    kept, now = clone.ask(queries), live.ask(queries)
    for name in both:
        yield _besides(name, wanted[name], kept.get(name, ()), now.get(name, ()), without.get(name, frozenset()))
    if own in both:
        at = len(wanted[own])
        databases = without.get("", frozenset())
        yield _besides("", shared, kept.get(own, ())[at:], now.get(own, ())[at:], databases)


def _differing(kinds: Sequence[str], ours: Sequence[QueryResult], theirs: Sequence[QueryResult], at: int) -> list[str]:
    """The kinds whose sums differ, or could not be had: then the names are asked, and say why."""
    return [
        kind for n, kind in enumerate(kinds, at) if ours[n].error or theirs[n].error or ours[n].value != theirs[n].value
    ]


# What is of one side only is told as what it is; here remains what differs of those on both.
_OF_BOTH = "owners, grants and settings of tables"


def _besides(
    name: str, kinds: Sequence[str], ours: Sequence[QueryResult], theirs: Sequence[QueryResult], without: frozenset[str]
) -> Besides:
    changes, unread = list[Change](), list[str]()
    for n, kind in enumerate(kinds):
        if n >= len(ours) or n >= len(theirs):
            unread.append(f"{kind}: the time ran out")
        elif trouble := ours[n].error or theirs[n].error:
            unread.append(f"{kind}: {why(trouble)}")
        else:
            made = change(kind, ours[n].value or (), theirs[n].value or (), without)
            changes.append(Change(kind, differs=made.differs) if kind == _OF_BOTH else made)
    return Besides(name, tuple(found for found in changes if found.total), tuple(unread))


def sequence_changes(
    clone: Side,
    live: Side,
    ours: Mapping[str, Mapping[str, Counted]],
    theirs: Mapping[str, Mapping[str, Counted]],
    most: Mapping[str, int],
) -> Iterator[Besides]:
    """Sequences of both sides whose position a cut-over changes by more than any recovery does."""
    both = {name: sorted(ours[name].keys() & theirs[name].keys()) for name in ours if name in theirs}
    kept, now = (
        side.in_pieces(
            {name: [listed[name][s].table for s in some] for name, some in both.items()},
            most,
            lambda piece: positions_sql(table.oid for table in piece),
            int,
            side.positions,
        )
        for side, listed in ((clone, ours), (live, theirs))
    )
    for name, sequences in both.items():
        told, unread = list[str](), list[str]()
        for sequence in sequences:
            key = name, sequence
            if trouble := kept.why.get(key) or now.why.get(key):
                unread.append(f"sequence {sequence}: {trouble}")
            elif moved := _moved(kept.values.get(key), now.values.get(key), ours[name][sequence]):
                told.append(f"{sequence} {moved}")
        if told or unread:
            found = (Change("positions of sequences", differs=tuple(told)),) if told else ()
            yield Besides(name, found, tuple(unread))


def _moved(clone: int | None, live: int | None, sequence: Counted) -> str:
    """From where to where it goes; nothing where it stays, or goes ahead just as after any recovery."""
    if clone == live:
        return ""
    if clone is not None and live is not None:
        forward = (clone - live) * (1 if sequence.increment > 0 else -1)
        if 0 < forward <= sequence.ahead:
            return ""
    told = ["its start" if value is None else f"{value:,}" for value in (live, clone)]
    return f"from {told[0]} to {told[1]}"
