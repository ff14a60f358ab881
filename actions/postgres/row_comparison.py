"""How the tables of a clone differ from those of the live server, in numbers that a person can decide on."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from actions.postgres.compare_sql import OBJECTS, ComparedTable
from actions.postgres.locks import pieces

# Up to so many rows a table is fetched as a whole, and so many of differing buckets at a time.
MOST_WHOLE, MOST_FETCHED = 20_000, 200_000
_MOST_NAMED = 4_000
_PAIR = 16  # Bytes: the hash of the key and the hash of the row.

Digest = tuple[int, str]
"""Rows, and the sum of their hashes."""

Buckets = Mapping[int, tuple[int, str, str]]
"""By bucket: rows, the sum of the keys' hashes, the sum of the rows' hashes."""


@dataclass(frozen=True)
class Rows:
    """What a cut-over does to the rows of one table: those that come back, those that go, those that change back.

    `about`: some of the buckets that differ were looked at, and the numbers are of all in proportion.
    """

    comes_back: int = 0
    goes: int = 0
    changes: int = 0
    about: bool = False

    @property
    def total(self) -> int:
        """How many rows are concerned."""
        return self.comes_back + self.goes + self.changes

    def words(self) -> str:
        """For people: ``1,001 rows change back``."""
        told = (
            (self.comes_back, "come back", "comes back"),
            (self.goes, "go", "goes"),
            (self.changes, "change back", "changes back"),
        )
        parts = [
            f"{number:,} {'row ' + one if number == 1 else 'rows ' + many}" for number, many, one in told if number
        ]
        return ("about " if self.about else "") + (", ".join(parts) or "no rows differ")


@dataclass(frozen=True)
class Pair:
    """One table of a database on both sides; None where it does not exist."""

    database: str
    clone: ComparedTable | None
    live: ComparedTable | None

    @property
    def table(self) -> ComparedTable:
        """Whichever there is."""
        found = self.clone or self.live
        assert found is not None
        return found

    @property
    def bytes(self) -> int:
        """How much has to be read of it at most on one side."""
        return max(side.bytes for side in (self.clone, self.live) if side)

    @property
    def keyed(self) -> bool:
        """Whether rows are told apart by a key: then one that changed is not one that goes and one that comes."""
        return bool(self.table.key) or self.table.kind == OBJECTS


def parse_tables(data: Iterable[Sequence[Any]], sizes: Mapping[str, int] | None = None) -> tuple[ComparedTable, ...]:
    """The tables in the JSON of ``TABLES``, with the better sizes where ``SIZES`` gave any."""
    better = sizes or {}
    return tuple(
        ComparedTable(
            int(oid),
            schema,
            name,
            kind,
            int(better.get(str(oid)) or size or 0),
            int(locks),
            tuple(key or ()),
            str(columns),
            persistence,
            bool(filled),
        )
        for oid, schema, name, kind, size, locks, key, columns, persistence, filled in data
    )


def pair_tables(database: str, clone: Iterable[ComparedTable], live: Iterable[ComparedTable]) -> Iterator[Pair]:
    """The tables of both sides by name. A key counts only where both sides have the same."""
    ours, theirs = ({table.full_name: table for table in side} for side in (clone, live))
    for name in sorted({*ours, *theirs}):
        a, b = ours.get(name), theirs.get(name)
        if a and b and a.key != b.key:
            a, b = a.of_common(a.common), b.of_common(b.common)
        yield Pair(database, a, b)


def parse_buckets(data: Iterable[Sequence[Any]]) -> Buckets:
    """The JSON of ``buckets_sql``."""
    return {int(bucket): (int(rows), str(keys), str(total)) for bucket, rows, keys, total in data}


@dataclass(frozen=True)
class BucketPart:
    """Buckets that are fetched together: these, or all from `first` to `last`; `rows` only of those that differ."""

    rows: int
    these: tuple[int, ...] = ()
    first: int = 0
    last: int = 0


def parts(clone: Buckets, live: Buckets, most: int = MOST_FETCHED) -> list[BucketPart]:
    """The buckets that differ, as many at a time as hold that many rows. None: nothing differs."""
    differing = sorted(b for b in {*clone, *live} if clone.get(b) != live.get(b))
    if len(differing) <= _MOST_NAMED:
        return [BucketPart(_held(some, clone, live), tuple(some)) for some in _grouped(differing, clone, live, most)]
    # Too many to name them all: what lies between two that differ is fetched with them, and is found alike.
    wanted = set(differing)
    return [
        BucketPart(_held([b for b in some if b in wanted], clone, live), (), some[0], some[-1])
        for some in _grouped(sorted({*clone, *live}), clone, live, most)
    ]


def _grouped(buckets: Sequence[int], clone: Buckets, live: Buckets, most: int) -> Iterator[Sequence[int]]:
    return pieces(((bucket, _held([bucket], clone, live)) for bucket in buckets), most)


def _held(buckets: Iterable[int], clone: Buckets, live: Buckets) -> int:
    return sum(max(side.get(bucket, (0,))[0] for side in (clone, live)) for bucket in buckets)


def in_proportion(found: Sequence[Rows], looked_at: int, all: int) -> Rows:
    """The sum of the parts; where some of them were not looked at any more, what all would hold in proportion.

    Buckets are chosen by a hash, so those left out are like those looked at.
    """
    comes, goes, changes = (
        sum(numbers) for numbers in ([r.comes_back for r in found], [r.goes for r in found], [r.changes for r in found])
    )
    if looked_at >= all:
        return Rows(comes, goes, changes)
    times = all / looked_at
    return Rows(round(comes * times), round(goes * times), round(changes * times), about=True)


def difference(clone: str, live: str, keyed: bool) -> Rows:
    """The rows that differ, of the pairs of hashes that ``pairs_sql`` gave on each side.

    Rows are counted as often as they are there. With a key, a row on both sides with another content has changed.
    """
    ours, theirs = Counter(_pairs(clone)), Counter(_pairs(live))
    here, there = ours - theirs, theirs - ours
    keys_here, keys_there = _keys(here), _keys(there)
    changed = sum((keys_here & keys_there).values()) if keyed else 0
    return Rows(sum(here.values()) - changed, sum(there.values()) - changed, changed)


def _pairs(text: str) -> Iterator[bytes]:
    data = base64.b64decode(text)
    return (data[at : at + _PAIR] for at in range(0, len(data), _PAIR))


def _keys(pairs: Counter[bytes]) -> Counter[bytes]:
    found = Counter[bytes]()
    for pair, times in pairs.items():
        found[pair[: _PAIR // 2]] += times
    return found


def common_columns(clone: Iterable[Sequence[Any]], live: Iterable[Sequence[Any]]) -> tuple[str, ...]:
    """The columns that both sides have by the same name and type, in the clone's order; rows of ``columns_sql``."""
    theirs = {row[0]: row[3] for row in live}
    return tuple(row[0] for row in clone if theirs.get(row[0]) == row[3])


@dataclass(frozen=True)
class Change:
    """Things of one kind, by name: on the clone's side only, on the live side only, on both and different."""

    what: str
    comes_back: tuple[str, ...] = ()
    goes: tuple[str, ...] = ()
    differs: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """How many."""
        return len(self.comes_back) + len(self.goes) + len(self.differs)

    def words(self, most: int | None = None) -> str:
        """``indexes: 2 come back (a, b), 1 goes (c)``, with so many names of each at most."""
        told = (
            (self.comes_back, "come back", "comes back"),
            (self.goes, "go", "goes"),
            (self.differs, "change back", "changes back"),
        )
        parts = [
            f"{len(names):,} {one if len(names) == 1 else many} ({some(names, most)})"
            for names, many, one in told
            if names
        ]
        return f"{self.what}: {', '.join(parts)}"


def some(names: Sequence[str], most: int | None) -> str:
    """So many of the names, and how many more there are."""
    if most is None or len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most:,} more"


def change(
    what: str, clone: Iterable[Sequence[Any]], live: Iterable[Sequence[Any]], without: frozenset[str] = frozenset()
) -> Change:
    """What differs between two lists of name, definition and the table that it belongs to.

    What belongs to a thing in `without` comes and goes with that, and is not told again.
    """
    ours, theirs = (
        {str(row[0]): str(row[1]) for row in side if not (len(row) > 2 and row[2] in without)} for side in (clone, live)
    )
    return Change(
        what,
        tuple(sorted(ours.keys() - theirs.keys())),
        tuple(sorted(theirs.keys() - ours.keys())),
        tuple(sorted(name for name in ours.keys() & theirs.keys() if ours[name] != theirs[name])),
    )
