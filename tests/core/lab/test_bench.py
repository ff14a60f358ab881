"""How the figures of `make bench` are taken, without measuring any."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest

from actions.engine.journal import Entry, Kind
from actions.incidents.alert_grouping import Rules
from actions.stack.manual import MANUAL, known
from actions.stack.stack import needs_of
from lab.bench.figure import percentile
from lab.bench.pages import ALONE
from lab.bench.works import Page, Work, works

BEGAN = datetime(2026, 2, 9, 14, 30, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return BEGAN + timedelta(seconds=seconds)


def journal(*told: tuple[float, Kind]) -> list[Entry]:
    return [Entry("r1", n, at(seconds), kind, None, {}) for n, (seconds, kind) in enumerate(told, 1)]


@pytest.mark.parametrize(
    ("many", "percent", "rank"),
    [(30, 95, 29), (20, 95, 19), (1000, 99, 990), (1003, 99, 993), (1, 95, 1), (30, 100, 30)],
)
def test_a_percentile_is_the_value_of_the_nearest_rank(many: int, percent: int, rank: int) -> None:
    assert percentile(list(range(many, 0, -1)), percent) == rank


def test_a_recovery_works_from_the_first_step_that_was_agreed_to_until_it_rests() -> None:
    told = journal(
        (0, Kind.BEGAN),
        (1, Kind.DONE),
        (2, Kind.ASKED),
        (9, Kind.ANSWERED),
        (10, Kind.BEGAN),
        (12, Kind.DONE),
        (12, Kind.BEGAN),
        (20, Kind.DONE),
        (21, Kind.ASKED),
        (30, Kind.ANSWERED),
        (31, Kind.FINISHED),
    )
    assert list(works(told)) == [Work(at(10), at(20))]


@pytest.mark.parametrize(
    ("sent", "posted", "counts"),
    [
        (10.5, 10.8, True),
        (9.9, 10.2, False),  # before the first step
        (19.9, 20.2, False),  # the recovery had ended
        (19.9, 25.0, True),  # too slow to be let off
        (20.5, 25.0, False),
    ],
)
def test_a_page_counts_while_a_step_is_at_work(sent: float, posted: float, counts: bool) -> None:
    assert Work(at(10), at(20)).holds(Page(at(sent), at(posted))) is counts


def test_no_page_of_the_bench_folds_into_one_of_another_service() -> None:
    rules = Rules(needs=needs_of(MANUAL))
    containers = [f"nself-{name}" for name in ALONE]
    related = [(one, other) for one, other in combinations(containers, 2) if rules.related(one, other)]
    assert related == []
    assert all(known(name) for name in containers)
