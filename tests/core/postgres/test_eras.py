"""Which timeline was in service at a moment, from signs of life in its WAL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from actions.postgres.eras import TimelineLife, in_service

DAY = datetime(2026, 2, 9, tzinfo=UTC)


def hours(number: float) -> datetime:
    return DAY + timedelta(hours=number)


def life(at: float, *ends: float, began: float | None = None) -> TimelineLife:
    past = [end for end in ends if end <= at]
    return TimelineLife(
        None if began is None else hours(began),
        hours(past[-1]) if past else None,
        hours(ends[-1]) if ends else None,
    )


def service(at: float, live: int, *told: tuple[float | None, tuple[float, ...]]) -> int:
    """Timelines 1, 2, …: each with its beginning and its ends of transactions."""
    return in_service(hours(at), live, {n: life(at, *ends, began=b) for n, (b, ends) in enumerate(told, start=1)})


THREE = ((None, (1, 2, 3, 4)), (4.1, (5, 6)), (6.1, (7, 8)))


@pytest.mark.parametrize(
    ("at", "timeline"),
    [(2.5, 1), (3.9, 1), (4.05, 1), (4.5, 2), (5.5, 2), (6.05, 2), (6.2, 3), (7.5, 3), (99, 3), (0.5, 1)],
)
def test_after_two_recoveries_each_time_has_its_timeline(at: float, timeline: int) -> None:
    assert service(at, 3, *THREE) == timeline


def test_the_old_one_serves_until_the_cut_over() -> None:
    told = ((None, (1, 2, 4.2)), (4.1, (4.3, 5)))
    assert [service(at, 2, *told) for at in (4.15, 4.25, 4.4)] == [1, 2, 2]


def test_an_idle_new_one_serves_from_the_cut_over_on() -> None:
    told = ((None, (1, 2, 4.2)), (4.1, ()))
    assert service(5, 2, *told) == 2


def test_a_new_one_has_begun_at_the_very_moment() -> None:
    told = ((None, (1, 2)), (4.0, ()))
    assert [service(at, 2, *told) for at in (3.99, 4.0)] == [1, 2]


def test_one_that_was_undone_was_hardly_in_service() -> None:
    """Timeline 2 was tried at four o'clock and given back; timeline 1 goes on."""
    told = ((None, (1, 2, 3, 6, 7)), (4, (4.01,)))
    assert [service(at, 1, *told) for at in (3.5, 4.5, 6.5, 9)] == [1, 1, 1, 1]
    assert service(6.5, 3, *told, (8, (8.1,))) == 1


def test_one_that_was_left_unseen_by_the_live_one_was_in_service_nonetheless() -> None:
    """The second recovery went back behind the first one's target, so the live timeline does not descend from 2."""
    told = ((None, (1, 2, 3)), (3.1, (3.2, 5)), (6, (6.1,)))
    assert service(4, 3, *told) == 2
    assert service(5.5, 3, *told) == 2


def test_one_whose_beginning_nothing_tells_counts_where_it_is_live() -> None:
    assert in_service(hours(9), 2, {1: life(9, 1, 2), 2: TimelineLife()}) == 2
    assert in_service(hours(1.5), 2, {1: life(1.5, 1, 2), 2: TimelineLife()}) == 1
    assert in_service(hours(9), 1, {1: life(9, 1, 2), 2: TimelineLife()}) == 1
