"""Comparing the tables of two servers: summed up in rounds, and looked into where they differ, while there is time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from actions.postgres.compare_sql import (
    ComparedTable,
    buckets_between,
    buckets_sql,
    columns_sql,
    pairs_sql,
    these_buckets,
)
from actions.postgres.row_comparison import (
    MOST_WHOLE,
    BucketPart,
    Change,
    Pair,
    Rows,
    change,
    common_columns,
    difference,
    in_proportion,
    parse_buckets,
    parts,
)
from actions.steps.postgres.compare_sides import TIME_RAN_OUT, Budget, Digests, Key, Side, by_database, why
from actions.tools.progress import Progress
from actions.tools.sql import QueryResult

# So many bytes are read in one round, so that people see how far it is and nothing large keeps small tables waiting.
_BYTES_AT_ONCE = 256 << 20
_TABLES_AT_ONCE = 4_000
_ROWS_AT_ONCE = 200_000
_FEW_BUCKETS, _MANY_BUCKETS, _MANY_ROWS = 1 << 10, 1 << 15, 200_000


@dataclass
class TablesCompared:
    """What the comparison of tables brought, by table."""

    rows: dict[Key, Rows] = field(default_factory=dict)
    columns: dict[Key, Change] = field(default_factory=dict)
    alike: set[Key] = field(default_factory=set)
    not_compared: dict[Key, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Rounds:
    """Both sides, how many locks a statement may take in each database, and the time."""

    clone: Side
    live: Side
    most: Mapping[str, int]
    budget: Budget
    progress: Progress

    def compare(self, pairs: Sequence[Pair]) -> TablesCompared:
        """In their order; those for which the time did not suffice are not compared, and said so."""
        found, done, total = TablesCompared(), 0, sum(pair.bytes for pair in pairs)
        for some in _rounds(pairs):
            if self.budget.over:
                found.not_compared |= dict.fromkeys(map(key_of, some), TIME_RAN_OUT)
                continue
            self.progress(done, max(total, 1), f"comparing {some[0].table.full_name}")
            self._round(some, found)
            done += sum(pair.bytes for pair in some)
        return found

    def _round(self, pairs: Sequence[Pair], found: TablesCompared) -> None:
        ours = self.clone.digests(by_database(pairs, "clone"), self.most)
        theirs = self.live.digests(by_database(pairs, "live"), self.most)
        apart: list[Pair] = []
        for pair in pairs:
            key = key_of(pair)
            unread = [(side, why[key]) for side, why in (("the clone", ours.why), ("live", theirs.why)) if key in why]
            if unread:
                found.not_compared[key] = "; ".join(
                    said if said == TIME_RAN_OUT else f"{side}: {said}" for side, said in dict(unread).items()
                )
            elif not pair.clone or not pair.live:
                found.rows[key] = _one_sided(pair, ours, theirs)
            elif key not in ours.values or key not in theirs.values:
                found.not_compared[key] = TIME_RAN_OUT
            elif ours.of(key) == theirs.of(key) and pair.clone.columns == pair.live.columns:
                found.alike.add(key)
            else:
                apart.append(pair)
        self._look_into(apart, ours, theirs, found)

    def _look_into(self, apart: Sequence[Pair], ours: Digests, theirs: Digests, found: TablesCompared) -> None:
        """The exact difference of tables whose sums or columns differ."""
        pairs = self._with_common_columns(apart, found)
        small: list[Pair] = []
        for pair in pairs:
            key = key_of(pair)
            if ours.of(key) == theirs.of(key):
                found.alike.add(key)  # Of other columns, but with the same rows.
            elif _rows(key, ours, theirs) <= MOST_WHOLE:
                small.append(pair)
            else:
                self._large(pair, _rows(key, ours, theirs), found)
        for some in _few_rows(small, ours, theirs):
            self._small(some, found)

    def _small(self, pairs: Sequence[Pair], found: TablesCompared) -> None:
        ours = self.clone.each({key_of(pair): pairs_sql(pair.clone) for pair in pairs if pair.clone})
        theirs = self.live.each({key_of(pair): pairs_sql(pair.live) for pair in pairs if pair.live})
        for pair in pairs:
            key = key_of(pair)
            self._note(found, key, _apart(ours.get(key), theirs.get(key), pair.keyed))

    def _large(self, pair: Pair, rows: int, found: TablesCompared) -> None:
        key, buckets = key_of(pair), _MANY_BUCKETS if rows > _MANY_ROWS else _FEW_BUCKETS
        assert pair.clone
        assert pair.live
        ours = self.clone.each({key: buckets_sql(pair.clone, buckets)}).get(key)
        theirs = self.live.each({key: buckets_sql(pair.live, buckets)}).get(key)
        if trouble := _trouble(ours, theirs):
            found.not_compared[key] = trouble
            return
        assert ours
        assert theirs
        self._note(
            found, key, self._parts(pair, parts(parse_buckets(ours.value), parse_buckets(theirs.value)), buckets)
        )

    def _parts(self, pair: Pair, wanted: Sequence[BucketPart], buckets: int) -> Rows | str:
        """The first part is looked at in any case: in proportion it says how much the whole is."""
        told: list[Rows] = []
        looked_at = 0
        for part in wanted:
            if told and self.budget.left < self.budget.seconds / 2:
                break
            one = self._part(pair, part, buckets)
            if isinstance(one, str):
                if not told:
                    return one
                break
            told.append(one)
            looked_at += part.rows
        return in_proportion(told, looked_at, sum(part.rows for part in wanted))

    def _part(self, pair: Pair, part: BucketPart, buckets: int) -> Rows | str:
        where = these_buckets(part.these, buckets) if part.these else buckets_between(part.first, part.last, buckets)
        assert pair.clone
        assert pair.live
        key = key_of(pair)
        ours = self.clone.each({key: pairs_sql(pair.clone, where)}).get(key)
        theirs = self.live.each({key: pairs_sql(pair.live, where)}).get(key)
        return _apart(ours, theirs, pair.keyed)

    def _note(self, found: TablesCompared, key: Key, rows: Rows | str) -> None:
        if isinstance(rows, str):
            found.not_compared[key] = rows
        elif rows.total or key in found.columns:
            found.rows[key] = rows
        else:
            found.alike.add(key)  # It became so between two looks, or differs in columns alone.

    def _with_common_columns(self, apart: Sequence[Pair], found: TablesCompared) -> list[Pair]:
        """Where the columns differ, that is told, and what both have is compared."""
        other = [pair for pair in apart if pair.clone and pair.live and pair.clone.columns != pair.live.columns]
        if not other:
            return list(apart)
        ours, theirs = (
            side.in_pieces(by_database(other, name), self.most, _columns, lambda value: value).values
            for side, name in ((self.clone, "clone"), (self.live, "live"))
        )
        made: dict[Key, Pair] = {}
        for pair in other:
            key = key_of(pair)
            here, there = ours.get(key) or [], theirs.get(key) or []
            found.columns[key] = change("columns", here, there)
            common = common_columns(here, there)
            if not common or not pair.clone or not pair.live:
                found.not_compared[key] = "it has no column in common"
                continue
            made[key] = replace(pair, clone=pair.clone.of_common(common), live=pair.live.of_common(common))
        return [made.get(key_of(pair), pair) for pair in apart if key_of(pair) not in found.not_compared]


def key_of(pair: Pair) -> Key:
    """The table's database and name."""
    return pair.database, pair.table.full_name


def _trouble(ours: QueryResult | None, theirs: QueryResult | None) -> str:
    if ours is None or theirs is None:
        return TIME_RAN_OUT
    trouble = ours.error or theirs.error
    return why(trouble) if trouble else ""


def _apart(ours: QueryResult | None, theirs: QueryResult | None, keyed: bool) -> Rows | str:
    """What differs between two lists of pairs, or why that is not known."""
    if trouble := _trouble(ours, theirs):
        return trouble
    return difference(str((ours and ours.value) or ""), str((theirs and theirs.value) or ""), keyed)


def _columns(piece: Sequence[ComparedTable]) -> str:
    return columns_sql(table.oid for table in piece)


def _one_sided(pair: Pair, ours: Digests, theirs: Digests) -> Rows:
    rows = (ours if pair.clone else theirs).of(key_of(pair)) or (0, "")
    return Rows(comes_back=rows[0]) if pair.clone else Rows(goes=rows[0])


def _rows(key: Key, ours: Digests, theirs: Digests) -> int:
    return max((ours.of(key) or (0, ""))[0], (theirs.of(key) or (0, ""))[0])


def _few_rows(pairs: Sequence[Pair], ours: Digests, theirs: Digests) -> Iterator[Sequence[Pair]]:
    some: list[Pair] = []
    rows = 0
    for pair in pairs:
        mine = _rows(key_of(pair), ours, theirs)
        if some and rows + mine > _ROWS_AT_ONCE:
            yield some
            some, rows = [], 0
        some.append(pair)
        rows += mine
    if some:
        yield some


def _rounds(pairs: Sequence[Pair]) -> Iterator[Sequence[Pair]]:
    some: list[Pair] = []
    size = 0
    for pair in pairs:
        if some and (size + pair.bytes > _BYTES_AT_ONCE or len(some) >= _TABLES_AT_ONCE):
            yield some
            some, size = [], 0
        some.append(pair)
        size += pair.bytes
    if some:
        yield some
