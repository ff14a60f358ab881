"""How a clone differs from the live database, table by table, in numbers that a person can decide on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from actions.postgres.compare_sql import ComparedTable

# Beyond this many keys on one side, fetching them would cost more than the exact number is worth.
MOST_KEYS = 500_000
_EXAMPLES = 5

Buckets = Mapping[int, tuple[int, str]]


@dataclass(frozen=True)
class TableSummary:
    """Rows and newest row of one table on one server."""

    rows: int
    newest: datetime | None = None


@dataclass(frozen=True)
class KeyDifference:
    """Keys on one side only: missing live (the clone brings them back), extra live (a cut-over loses them)."""

    missing: int
    extra: int
    changed: int = 0
    missing_keys: tuple[str, ...] = ()
    extra_keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class TableDifference:
    """One table side by side; None where it does not exist, or where keys were not compared."""

    table: str
    clone: TableSummary | None
    live: TableSummary | None
    keys: KeyDifference | None = None

    @property
    def same(self) -> bool:
        """Whether nothing was found to differ."""
        return self.clone == self.live and (
            self.keys is None or not (self.keys.missing or self.keys.extra or self.keys.changed)
        )


def parse_tables(data: Sequence[Mapping[str, Any]]) -> tuple[ComparedTable, ...]:
    """The JSON of ``TABLES``."""
    return tuple(
        ComparedTable(row["schema"], row["name"], tuple(row["key"]), row["newest"], int(row["estimate"]))
        for row in data
    )


def parse_summary(data: Mapping[str, Any]) -> TableSummary:
    """The JSON of ``summary_sql``."""
    return TableSummary(int(data["rows"]), datetime.fromisoformat(data["newest"]) if data["newest"] else None)


def parse_buckets(data: Mapping[str, Sequence[Any]]) -> Buckets:
    """The JSON of ``buckets_sql``."""
    return {int(bucket): (int(count), str(total)) for bucket, (count, total) in data.items()}


def differing_buckets(clone: Buckets, live: Buckets) -> tuple[int, ...]:
    """The buckets whose keys have to be looked at."""
    return tuple(sorted(bucket for bucket in {*clone, *live} if clone.get(bucket) != live.get(bucket)))


def keys_to_fetch(clone: Buckets, live: Buckets) -> int:
    """How many keys the larger side holds in the differing buckets: compare with MOST_KEYS before fetching."""
    differing = differing_buckets(clone, live)
    return max(sum(side.get(bucket, (0, ""))[0] for bucket in differing) for side in (clone, live))


def key_difference(clone: Mapping[str, str], live: Mapping[str, str]) -> KeyDifference:
    """Compare the fetched keys (and the hashes of their rows, where they were asked for)."""
    missing, extra = clone.keys() - live.keys(), live.keys() - clone.keys()
    changed = sum(clone[key] != live[key] for key in clone.keys() & live.keys())
    return KeyDifference(len(missing), len(extra), changed, _examples(missing), _examples(extra))


def _examples(keys: set[str]) -> tuple[str, ...]:
    return tuple(sorted(keys, key=lambda key: (len(key), key))[:_EXAMPLES])


def pair_tables(
    clone: Sequence[ComparedTable], live: Sequence[ComparedTable]
) -> tuple[tuple[ComparedTable | None, ComparedTable | None], ...]:
    """The tables of both sides by name; None where one side lacks a table."""
    ours, theirs = ({table.full_name: table for table in side} for side in (clone, live))
    return tuple((ours.get(name), theirs.get(name)) for name in sorted({*ours, *theirs}))


def comparable_keys(clone: ComparedTable, live: ComparedTable) -> bool:
    """Whether both sides have the same primary key; else only the counts are compared."""
    return bool(clone.key) and clone.key == live.key


def describe_difference(difference: TableDifference) -> str:
    """One line: rows on both sides, and what a cut-over would bring back and lose."""
    if difference.clone is None or difference.live is None:
        where = (
            "only in the live database" if difference.clone is None else "only in the clone: a cut-over brings it back"
        )
        return f"{difference.table}: {where}"
    rows = f"{difference.table}: {difference.clone.rows:,} rows in the clone, {difference.live.rows:,} live"
    return "; ".join([rows, *_key_words(difference.keys)])


def _key_words(keys: KeyDifference | None) -> list[str]:
    if keys is None:
        return []
    words = ((keys.missing, "come back"), (keys.extra, "would be lost"), (keys.changed, "differ"))
    return [f"{number:,} {what}" for number, what in words if number]
