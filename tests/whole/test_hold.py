"""The hold after a real swap, the figure of what was lost, and another time that is out of reach."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest

from actions.engine.journal import Kind
from actions.incidents.run_story import retell
from actions.steps.postgres.hold import LET_ON
from lab import town_process, truth
from tests.support.practice import Practice, practice_company

KEEP = "Restore, keep serving"
pytestmark = pytest.mark.whole


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    with practice_company(tmp_path_factory.mktemp("hold"), "mta-hold", hold_seconds=120) as made:
        yield made


def acknowledged(practice: Practice) -> int:
    return len(truth.messages_in(practice.lab))


def writes_on(practice: Practice, more: int) -> None:
    wrote = acknowledged(practice)
    practice.until(lambda: acknowledged(practice) >= wrote + more, 60, "the town writes on")


def swapped(practice: Practice, run: str) -> None:
    practice.press("Cut over", run, "approver", typed=practice.postgres)
    assert practice.wait(run) == "asking", practice.story(run)
    assert LET_ON in practice.buttons(run) or practice.run(run).question.title == "Let the writers on?"  # type: ignore[union-attr]


def test_another_time_out_of_reach_keeps_the_clone_and_undo_in_the_hold_loses_nothing(practice: Practice) -> None:
    run = practice.pitr_to_preview(practice.now(), KEEP)
    practice.press("Another time", run, typed="2020-01-01 12:00")
    assert practice.wait(run) == "asking", practice.story(run)
    void = practice.wait_for(run, Kind.VOIDED)
    assert void.data["why"].startswith("'2020-01-01 12:00' cannot be reached, and nothing was given up for it.")
    assert practice.clone_runs(run)

    writes_on(practice, 5)
    swapped(practice, run)
    assert practice.docker("inspect", "-f", "{{.State.Status}}", practice.lab.container("functions")) == "paused"
    practice.press("Undo", run)
    assert practice.wait(run) == "undone", practice.story(run)
    writes_on(practice, 3)
    practice.assert_nothing_lost()


def test_what_was_written_while_people_decided_is_in_the_figure_and_the_hold_in_the_downtime(
    practice: Practice,
) -> None:
    target = practice.now()
    run = practice.pitr_to_preview(target, KEEP)
    planned = practice.run(run).facts["lost"]
    writes_on(practice, 20)
    swapped(practice, run)
    lost = practice.run(run).facts["given_up"]
    assert lost["counted"], lost
    assert lost["commits"] >= planned["commits"] + 20
    practice.press(LET_ON, run)
    assert practice.wait(run) == "recovered", practice.story(run)
    town_process.stop(practice.lab)
    assert practice.compare(target).equal
    told = retell(practice.store.entries(run))
    assert told.actual is not None
    spoken = (datetime.fromisoformat(lost["last_at"]) - datetime.fromisoformat(lost["kept_at"])).total_seconds()
    assert told.actual.rpo_seconds == spoken
    assert told.standstill.seconds is not None
    assert 0 < told.standstill.held < told.standstill.seconds
    report = {label: value for paper in told.report for label, value in paper.rows}
    assert "of it the hold" in report["Writers paused"]
