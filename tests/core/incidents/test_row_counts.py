"""Rows that vanished are noticed, and nothing else is taken for it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from actions.watch.row_counts import REMEMBERED, RowsSeen, compare
from tests.support.worlds.pages import at

BEFORE = RowsSeen("08:00", {"a": 1000, "b": 40, "c": 60})


def lost(counts: dict[str, int], started: str = "08:00", before: RowsSeen | None = BEFORE) -> list[tuple[str, int]]:
    return [(loss.table, loss.before - loss.now) for loss in compare(before, RowsSeen(started, counts), at(0)).losses]


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"a": 1000, "b": 40, "c": 60}, []),
        ({"a": 801, "b": 0, "c": 60}, []),
        ({"a": 800, "b": 40, "c": 60}, [("a", 200)]),
        ({"a": 1000, "b": 40}, [("c", 60)]),
        ({"a": 5000, "b": 40, "c": 0}, [("c", 60)]),
        ({}, [("a", 1000), ("c", 60)]),
    ],
)
def test_a_fifth_of_a_table_of_some_size_is_worth_a_word(
    counts: dict[str, int], expected: list[tuple[str, int]]
) -> None:
    assert lost(counts) == expected


def test_a_server_that_began_anew_counts_from_nothing_and_lost_nothing() -> None:
    assert lost({}, started="09:00") == []
    assert lost({}, before=None) == []


def test_a_loss_is_remembered_once_until_the_rows_are_back_or_it_is_old() -> None:
    first = compare(BEFORE, RowsSeen("08:00", {"a": 100}), at(0))
    again = compare(first, RowsSeen("08:00", {"a": 90}), at(5))
    assert again.losses == first.losses
    restarted = compare(again, RowsSeen("09:00", {"a": 0}), at(10))
    assert restarted.losses == first.losses
    assert compare(restarted, RowsSeen("09:00", {"a": 990}), at(20)).losses == first.losses[1:]
    assert compare(restarted, RowsSeen("09:00", {"a": 0}), at(0) + REMEMBERED + timedelta(minutes=1)).losses == ()
    assert "a lost 900 of 1000 rows before 14:00 UTC" in [loss.says() for loss in first.losses]


def test_a_second_loss_of_a_table_stands_before_the_first() -> None:
    first = compare(BEFORE, RowsSeen("08:00", {"a": 700, "c": 60}), at(0))
    second = compare(first, RowsSeen("08:00", {"a": 300, "c": 60}), at(30))
    assert [(loss.before, loss.now, loss.at) for loss in second.losses] == [(700, 300, at(30)), (1000, 700, at(0))]
    third = compare(second, RowsSeen("08:00", {"a": 300, "c": 0}), at(40))
    assert [loss.table for loss in third.losses] == ["c", "a", "a"]
