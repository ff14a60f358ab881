"""The schedules that settings name: a wrong one is told, and keeps none of the others from their due times."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from actions.catalog import find
from actions.engine.errors import RecoveryError
from actions.settings.schedules import ScheduleTable
from actions.settings.settings import Settings
from tests.support.bot_world import store_in
from tests.support.worlds.clock import Clock
from workers.doctor import worker_checks
from workers.watch.schedule_ticks import schedule_chore

RIGHT = ScheduleTable(name="nightly", cron="* * * * *", procedure="postgres base backup")
WRONG = {
    "procedure": (RIGHT.model_copy(update={"procedure": "postgres backup"}), "no procedure 'postgres backup'"),
    "service": (RIGHT.model_copy(update={"service": "billing-db"}), "billing-db"),
    "site": (RIGHT.model_copy(update={"site": "east"}), "no site 'east'"),
    "arguments": (RIGHT.model_copy(update={"procedure": "postgres pitr", "arguments": "soon"}), "soon"),
}


@pytest.mark.parametrize("what", WRONG)
def test_the_doctor_tells_of_a_schedule_that_asks_for_nothing_that_there_is(memory_path: Path, what: str) -> None:
    store = store_in(memory_path, Clock())
    table, seen = WRONG[what]
    wrong, right = worker_checks.schedules(
        Settings(schedules=(table.model_copy(update={"name": "wrong"}), RIGHT)), store
    )
    assert (wrong.name, wrong.ok) == ("schedule wrong", False)
    assert seen in wrong.seen
    assert "[[schedules]]" in wrong.do
    assert (right.name, right.ok) == ("schedule nightly", True)


@pytest.mark.parametrize("what", ["procedure", "service", "site"])
def test_a_wrong_schedule_keeps_no_other_from_its_due_time_and_is_told_each_time(memory_path: Path, what: str) -> None:
    clock = Clock()
    store = store_in(memory_path, clock)
    table = WRONG[what][0].model_copy(update={"name": "wrong"})
    opened: list[str] = []
    chore = schedule_chore(Settings(schedules=(table, RIGHT)), store, find, opened.append)
    for _ in range(2):
        with pytest.raises(RecoveryError, match="The schedule 'wrong' asks for nothing that there is"):
            chore.work()
        clock.now += timedelta(minutes=1)
    assert len(opened) == 1
    assert store.run(opened[0]).procedure == "postgres base backup"


def test_what_cannot_be_read_is_told_with_the_names_that_can(memory_path: Path) -> None:
    store = store_in(memory_path, Clock())
    [wrong] = worker_checks.schedules(Settings(schedules=(WRONG["procedure"][0],)), store)
    assert "postgres base backup" in wrong.do
    assert "postgres rows" not in wrong.do
