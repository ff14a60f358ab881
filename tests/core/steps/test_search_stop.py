"""A stop and the base backup that it fits: a later backup's end stands for it only where nothing lies between."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from actions.clock.when import Target
from actions.postgres.lsn import Lsn, format_lsn
from actions.postgres.stops import Stop
from actions.steps.postgres import search_stop
from actions.steps.postgres.search_stop import Search

AT = datetime(2026, 2, 9, 9, tzinfo=UTC)
SECOND = timedelta(seconds=1)
FOUND = Stop(Lsn(100), inclusive=True, end=Lsn(120))
LATEST = Target("latest", "latest")


class Refusal(Exception):
    """That a target was refused; what the refusal says is tested where it is made."""


@pytest.fixture(autouse=True)
def _refusals(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*about: Any) -> Exception:
        return Refusal(about)

    for name in ("too_early", "too_late"):
        monkeypatch.setattr(search_stop, name, refuse)


def reach(floor: int, over: datetime | None = AT) -> Any:
    return SimpleNamespace(floor=Lsn(floor), until_lsn=Lsn(500), backup=SimpleNamespace(over_by=over, start_lsn=Lsn(1)))


def settled(*reaches: Any, found: Stop = FOUND, limit: int | None = None, target: Target = LATEST) -> tuple[int, bool]:
    """Where it stops, and whether behind the record there."""
    way: Any = SimpleNamespace(reaches=reaches)
    part: Any = None
    stop = Search(target, part, [way]).settle(way, found, None if limit is None else Lsn(limit))
    return stop.lsn, stop.inclusive


def position(lsn: int) -> Target:
    return Target("lsn", "", lsn=format_lsn(Lsn(lsn)))


def moment(at: datetime) -> Target:
    return Target("time", "", at=at)


@pytest.mark.parametrize(
    ("floor", "stands"),
    [(100, False), (119, False), (120, True), (300, True)],
)
def test_a_backup_stands_for_a_stop_that_its_end_lies_behind(floor: int, stands: bool) -> None:
    assert settled(reach(50), reach(floor)) == ((floor, False) if stands else (100, True))


def test_before_a_record_the_record_itself_is_behind_the_stop() -> None:
    before = Stop(Lsn(100), inclusive=False, end=Lsn(120))
    assert settled(reach(50), reach(100), found=before) == (100, False)
    assert settled(reach(50), reach(110), found=before) == (110, False)
    with pytest.raises(Refusal):
        settled(reach(50), reach(99), found=before)


@pytest.mark.parametrize(("limit", "stands"), [(None, True), (130, True), (129, False)])
def test_no_backup_stands_for_a_stop_where_a_transaction_that_is_not_kept_ended_before(
    limit: int | None, stands: bool
) -> None:
    assert settled(reach(50), reach(130), limit=limit) == ((130, False) if stands else (100, True))


@pytest.mark.parametrize(
    ("target", "stands"),
    [(position(130), True), (position(129), False), (moment(AT), True), (moment(AT - SECOND), False)],
)
def test_no_backup_stands_for_a_target_that_lies_before_its_end(target: Target, stands: bool) -> None:
    assert settled(reach(50), reach(130), target=target) == ((130, False) if stands else (100, True))


def test_a_backup_of_which_nobody_knows_when_it_ended_stands_by_its_position() -> None:
    assert settled(reach(130, None), target=moment(AT - SECOND)) == (130, False)


def test_without_a_backup_that_ends_before_it_a_stop_is_refused() -> None:
    assert settled(reach(100)) == (100, True)
    with pytest.raises(Refusal):
        settled(reach(101))


@pytest.mark.parametrize(
    ("target", "whole", "known", "enough"),
    [
        (LATEST, False, None, True),
        (position(500), False, None, True),
        (position(501), True, AT, False),
        (moment(AT), True, AT, True),
        (moment(AT + SECOND), True, AT, False),
        (moment(AT), False, AT, False),
        (moment(AT), True, None, False),
    ],
)
def test_without_a_commit_behind_the_target_the_wal_is_known_to_be_whole_up_to_it(
    target: Target, whole: bool, known: datetime | None, enough: bool
) -> None:
    way: Any = SimpleNamespace(reaches=(reach(50),), whole=whole, missing="")
    part: Any = None
    search = Search(target, part, [way], known_until=known)
    if enough:
        search._demand_whole(way, [])
        return
    with pytest.raises(Refusal):
        search._demand_whole(way, [])
