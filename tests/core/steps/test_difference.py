"""What a cut-over changes, as hashes tell it: exact counts, whatever the rows, the keys and the buckets are."""

from __future__ import annotations

import base64
import struct
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.postgres.compare_sql import (
    OBJECTS,
    ComparedTable,
    buckets_sql,
    digests_sql,
    identifier,
    pairs_sql,
    these_buckets,
)
from actions.postgres.locks import pieces
from actions.postgres.row_comparison import (
    BucketPart,
    Buckets,
    Change,
    Rows,
    change,
    common_columns,
    difference,
    in_proportion,
    pair_tables,
    parts,
    some,
)
from actions.steps.postgres.difference import SHOWN, Difference, TableRows, difference_sheet

Row = tuple[int, int]


def encoded(rows: list[Row]) -> str:
    return base64.b64encode(b"".join(struct.pack(">qq", key, row) for key, row in rows)).decode()


def summed(rows: list[Row], buckets: int) -> Buckets:
    found: dict[int, tuple[int, int, int]] = {}
    for key, row in rows:
        n, keys, total = found.get(key & (buckets - 1), (0, 0, 0))
        found[key & (buckets - 1)] = (n + 1, keys + key, total + row)
    return {bucket: (n, str(keys), str(total)) for bucket, (n, keys, total) in found.items()}


hashes = st.integers(-(2**63), 2**63 - 1)
few = st.integers(-3, 12)


@given(st.dictionaries(few | hashes, hashes), st.dictionaries(few | hashes, hashes))
def test_with_a_key_each_row_comes_goes_or_changes(clone: dict[int, int], live: dict[int, int]) -> None:
    assert difference(encoded([*clone.items()]), encoded([*live.items()]), keyed=True) == Rows(
        len(clone.keys() - live.keys()),
        len(live.keys() - clone.keys()),
        sum(clone[key] != live[key] for key in clone.keys() & live.keys()),
    )


@given(st.lists(few), st.lists(few))
def test_without_a_key_rows_count_as_often_as_they_are_there(clone: list[int], live: list[int]) -> None:
    found = difference(encoded([(row, row) for row in clone]), encoded([(row, row) for row in live]), keyed=False)
    assert found.comes_back == sum((Counter(clone) - Counter(live)).values())
    assert found.goes == sum((Counter(live) - Counter(clone)).values())
    assert found.changes == 0


@given(
    st.dictionaries(st.integers(0, 400), few, max_size=60),
    st.dictionaries(st.integers(0, 400), few, max_size=60),
    st.integers(1, 50),
)
def test_the_parts_together_find_just_what_differs(clone: dict[int, int], live: dict[int, int], most: int) -> None:
    """Also where two buckets differ whose rows and sums happen to be alike in one of the three."""
    ours, theirs = [*clone.items()], [*live.items()]
    found: list[Rows] = []
    for part in parts(summed(ours, 16), summed(theirs, 16), most):
        inside = [[row for row in side if row[0] & 15 in part.these] for side in (ours, theirs)]
        assert len(part.these) == 1 or part.rows <= most
        found.append(difference(*map(encoded, inside), keyed=True))  # type: ignore[misc]
    whole = difference(encoded(ours), encoded(theirs), keyed=True)
    assert in_proportion(found, 1, 1) == whole


def test_very_many_buckets_are_asked_for_as_spans() -> None:
    clone: Buckets = dict.fromkeys(range(10000), (2, "1", "1"))
    live: Buckets = {bucket: (2, "1", "1" if bucket % 2 else "2") for bucket in range(10_000)}
    found = parts(clone, live, most=8_000)
    assert [(part.first, part.last) for part in found] == [(0, 3999), (4000, 7999), (8000, 9999)]
    assert [part.rows for part in found] == [4_000, 4_000, 2_000]
    assert parts(clone, clone) == []
    assert parts({1: (1, "1", "1")}, {}) == [BucketPart(1, (1,))]


def test_what_was_not_looked_at_any_more_is_told_in_proportion_and_as_such() -> None:
    found = in_proportion([Rows(10, 0, 5)], looked_at=100, all=1_000)
    assert found == Rows(100, 0, 50, about=True)
    assert found.words() == "about 100 rows come back, 50 rows change back"


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (Rows(changes=1001), "1,001 rows change back"),
        (Rows(1, 1, 1), "1 row comes back, 1 row goes, 1 row changes back"),
        (Rows(5, 10, 40), "5 rows come back, 10 rows go, 40 rows change back"),
        (Rows(), "no rows differ"),
    ],
)
def test_rows_are_told_in_words(rows: Rows, words: str) -> None:
    assert rows.words() == words


def test_names_are_quoted_whatever_they_contain() -> None:
    table = ComparedTable(7, 'we"ird', "ta'ble; drop", key=("Id", "b"))
    assert identifier('a"b') == '"a""b"'
    assert 'FROM ONLY "we""ird"."ta\'ble; drop" t' in buckets_sql(table, 1024)
    assert 'ROW(t."Id", t."b")::text' in pairs_sql(table)
    assert "k & 1023 IN (1, 3)" in pairs_sql(table, these_buckets([1, 3], 1024))
    assert "'{7,8}'::oid[]" in digests_sql([7, 8])
    for name in ("", "a\0b"):
        with pytest.raises(ValueError, match="not a name"):
            identifier(name)


def test_a_key_counts_only_where_both_sides_have_it() -> None:
    ours, theirs = (ComparedTable(n, "a", "t", key=key) for n, key in ((1, ("id",)), (2, ("id", "b"))))
    assert [pair.keyed for pair in pair_tables("d", [ours], [theirs])] == [False]
    assert [pair.keyed for pair in pair_tables("d", [ours], [ours])] == [True]
    large = ComparedTable(2613, "pg_catalog", "pg_largeobject", OBJECTS)
    assert [pair.keyed for pair in pair_tables("d", [large], [large])] == [True]
    one_sided = list(pair_tables("d", [ours], [ComparedTable(3, "a", "s")]))
    assert [(pair.table.name, pair.clone is None) for pair in one_sided] == [("s", True), ("t", False)]


def test_columns_of_another_type_are_not_compared() -> None:
    clone = [["id", "integer NOT NULL", None, "integer"], ["a", "text", None, "text"], ["b", "text", None, "text"]]
    live = [["id", "integer", None, "integer"], ["a", "jsonb", None, "jsonb"]]
    assert common_columns(clone, live) == ("id",)
    assert change("columns", clone, live) == Change("columns", ("b",), (), ("a", "id"))


def test_what_belongs_to_a_table_of_one_side_is_told_with_it() -> None:
    found = change("indexes", [["i", "1", "public.t"], ["j", "2", "public.s"]], [], frozenset({"public.t"}))
    assert found.words() == "indexes: 1 comes back (j)"
    assert Change("views", goes=("a", "b", "c", "d")).words(2) == "views: 4 go (a, b and 2 more)"
    assert some(["a"], 2) == "a"


@given(st.lists(st.integers(1, 30)), st.integers(1, 40))
def test_pieces_hold_everything_once_and_no_more_than_fits(weights: list[int], most: int) -> None:
    made = [list(piece) for piece in pieces(enumerate(weights), most)]
    assert [n for piece in made for n in piece] == list(range(len(weights)))
    assert all(len(piece) == 1 or sum(weights[n] for n in piece) <= most for piece in made)


def many_tables(number: int) -> Difference:
    tables = tuple(TableRows(f"public.t{n}", "3 rows come back", 3) for n in range(number))
    return Difference(True, 3 * number, same=7, tables=tables, not_compared=tuple(f"public.n{n}: x" for n in range(20)))


def test_a_long_list_says_how_much_more_there_is_and_is_whole_in_the_file() -> None:
    sheet = difference_sheet(many_tables(SHOWN + 188))
    assert sheet.rows[-1] == ("and 188 more tables", "564 rows")
    assert len(sheet.rows) == SHOWN + 1
    assert "Not compared: 8 more" in sheet.notes
    assert sheet.whole.count("public.t212: 3 rows come back") == 1
    assert "Not compared: public.n19: x" in sheet.whole
    assert difference_sheet(Difference(True)).whole == ()


def test_what_was_not_compared_is_never_called_alike() -> None:
    assert many_tables(0).says().endswith("7 tables alike; NOT COMPARED: 20")
    assert Difference(False).says() == "the live server does not answer, so there is nothing to compare with"
    one = Difference(True, 1, 0, 1, same=1, besides=("x",))
    assert one.says() == (
        "1 row comes back, 0 rows of the live data go, 1 row changes back; 1 table alike; 1 difference besides rows"
    )
