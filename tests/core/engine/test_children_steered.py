"""Stopping, retrying and undoing a parent reach its children, and each ends as it was asked to; whatever dies."""

from __future__ import annotations

from dataclasses import replace

import pytest

from actions.control import answers
from actions.engine.journal import Kind
from actions.engine.procedure import Act, Outcome
from tests.support.worlds.family import (
    ASKING,
    OLGA,
    PAINT,
    PARENT,
    ROOMS,
    Family,
    parent,
    wash_all,
)
from tests.support.worlds.toys import trouble


def stopped() -> Family:
    here = Family().ask(*ROOMS)
    here.carry(here.root)
    here.carry(here.children[0].id)
    answers.stop(here.store, here.root, OLGA)
    here.carry(here.root)
    return here


def test_stopping_a_parent_stops_its_children_and_retrying_it_has_them_go_on() -> None:
    here = stopped()
    assert here.run.failure is not None
    assert here.run.failure.stopped
    here.settle()
    assert [bool(child.failure) for child in here.children] == [False, True, True]
    assert here.walls.painted == {"hall"}
    answers.retry(here.store, here.root, OLGA)
    here.settle()
    assert here.run.finished is Outcome.DONE
    assert len(here.children) == 3
    assert here.walls.painted == {*ROOMS, "admired"}


@pytest.mark.parametrize("unattended", [False, True])
def test_a_parent_that_is_retried_before_its_stop_has_reached_a_child_has_it_go_on_all_the_same(
    unattended: bool,
) -> None:
    here = Family(parent=parent(unattended=unattended)).ask(*ROOMS)
    here.carry(here.root)
    answers.stop(here.store, here.root, OLGA)
    here.carry(here.root)
    assert [bool(child.stop_asked) and child.failure is None for child in here.children] == [True] * 3
    answers.retry(here.store, here.root, OLGA)
    here.settle()
    assert [child.finished for child in here.children] == [Outcome.DONE] * 3
    assert here.run.finished is Outcome.DONE
    assert sorted(what for what in here.walls.did if what.startswith("paint")) == sorted(
        f"paint {room}" for room in ROOMS
    )


def test_a_child_that_fails_by_itself_after_such_a_retry_waits_for_a_person() -> None:
    here = Family().ask("hall")
    here.carry(here.root)
    answers.stop(here.store, here.root, OLGA)
    here.carry(here.root)
    answers.retry(here.store, here.root, OLGA)
    [child] = here.children
    here.store.speak(child.id, lambda state: (Kind.RETRIED, None, {"by": "U1", "name": "Olga"}))
    here.walls.fails["paint hall"] = trouble()
    here.settle()
    assert here.kinds(child.id).count(Kind.FAILED) == 1
    assert here.children[0].failure is not None


def test_a_child_that_waits_for_an_answer_is_stopped_too_and_its_question_is_put_again_after() -> None:
    here = Family(child=ASKING).ask("hall")
    here.settle()
    answers.stop(here.store, here.root, OLGA)
    here.settle()
    [child] = here.children
    assert child.failure is not None
    assert child.failure.stopped
    answers.retry(here.store, here.root, OLGA)
    here.settle()
    asked = here.children[0].question
    assert asked is not None
    answers.answer(here.store, child.id, asked.n, "Yes", OLGA)
    here.settle()
    assert here.run.finished is Outcome.DONE


def test_undoing_a_parent_undoes_its_open_children_and_what_the_others_did_by_its_own_undo() -> None:
    here = Family(parent=parent(undo=wash_all)).ask(*ROOMS)
    here.walls.fails["paint attic"] = trouble()
    here.settle()
    answers.stop(here.store, here.root, OLGA)
    here.settle()
    answers.undo(here.store, here.parent, here.root, OLGA)
    here.settle()
    assert [child.finished for child in here.children] == [Outcome.DONE, Outcome.DONE, Outcome.UNDONE]
    assert here.walls.painted == frozenset()
    assert here.walls.did[-1] == "wash all"
    assert here.run.finished is Outcome.UNDONE
    assert here.store.claimed == ()


def test_whichever_move_of_an_undo_a_worker_dies_at_the_end_is_the_same() -> None:
    kills = 0
    for at in range(1, 500):
        here = stopped()
        answers.undo(here.store, PARENT, here.root, OLGA)
        came = here.settle_with_a_kill(at)
        assert here.run.finished is Outcome.UNDONE, at
        assert [child.finished for child in here.children] == [Outcome.DONE, Outcome.UNDONE, Outcome.UNDONE], at
        if not came:
            break
        kills += 1
    assert kills > 10


def test_a_child_at_work_is_stopped_before_it_is_undone() -> None:
    here = Family(child=ASKING, parent=parent(unattended=True)).ask("hall")
    here.carry(here.root)
    [child] = here.children
    answers.stop(here.store, here.root, OLGA)
    here.carry(here.root)
    answers.undo(here.store, here.parent, here.root, OLGA)
    here.settle()
    assert [kind for kind in here.kinds(child.id) if kind in (Kind.STOP_ASKED, Kind.UNDO_ASKED)] == [
        Kind.STOP_ASKED,
        Kind.UNDO_ASKED,
    ]
    assert here.children[0].finished is Outcome.UNDONE


def test_a_child_that_can_no_longer_be_undone_goes_on_to_its_end_and_its_parent_waits_for_it() -> None:
    paint = PAINT.steps[1]
    assert isinstance(paint, Act)
    last = replace(PAINT, steps=(PAINT.steps[0], replace(paint, undo=None, point_of_no_return=True)))
    here = Family(child=last).ask("hall")
    here.walls.fails["paint hall"] = trouble()
    here.settle()
    answers.stop(here.store, here.root, OLGA)
    here.settle()
    answers.undo(here.store, PARENT, here.root, OLGA)
    here.settle()
    assert Kind.UNDO_ASKED not in here.kinds(here.children[0].id)
    assert here.run.finished is None
    here.walls.fails.clear()
    answers.retry(here.store, here.children[0].id, OLGA)
    here.settle()
    assert (here.children[0].finished, here.run.finished) == (Outcome.DONE, Outcome.UNDONE)
