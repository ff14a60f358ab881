"""A child that fails or ends otherwise than it should: what its parent waits for, and what a retry opens anew."""

from __future__ import annotations

from actions.control import answers
from actions.engine.journal import Kind
from actions.engine.next_move import Wait, next_move
from actions.engine.procedure import Outcome
from tests.support.worlds.family import (
    ASKING,
    OLGA,
    PAINT,
    PARENT,
    ROOMS,
    Family,
    parent,
)
from tests.support.worlds.toys import trouble


def test_a_service_that_a_stranger_holds_fails_the_step_and_retry_goes_on_with_that_one_alone() -> None:
    here = Family().ask(*ROOMS)
    stranger = here.busy("kitchen").split()[2]
    here.settle()
    failure = here.run.failure
    assert failure is not None
    assert "kitchen is held by run" in failure.message
    # By then it is free: what was due has been carried out.
    assert here.store.run(stranger).finished
    answers.retry(here.store, here.root, OLGA)
    here.settle()
    assert here.run.finished is Outcome.DONE
    assert sorted(child.service for child in here.children) == sorted(ROOMS)


def test_a_child_that_ends_otherwise_than_it_should_fails_the_step_and_retry_opens_it_anew() -> None:
    here = Family(child=ASKING).ask("hall", "attic")
    here.settle()
    one, other = here.children
    for child, label in ((one, "No"), (other, "Yes")):
        asked = child.question
        assert asked is not None
        answers.answer(here.store, child.id, asked.n, label, OLGA)
    here.settle()
    assert here.store.run(one.id).finished is Outcome.DISCARDED
    failure = here.run.failure
    assert failure is not None
    assert failure.message == f"hall: Run {one.id} ended as 'discarded'."
    answers.retry(here.store, here.root, OLGA)
    here.settle()
    again = here.children[-1]
    assert [child.service for child in here.children] == ["hall", "attic", "hall"]
    assert again.question is not None
    answers.answer(here.store, again.id, again.question.n, "Yes", OLGA)
    here.settle()
    assert here.run.finished is Outcome.DONE
    assert [(end["item"], end["run"]) for end in here.run.facts["ends"]] == [("hall", again.id), ("attic", other.id)]


def test_a_parent_that_accepts_any_end_goes_on_with_it() -> None:
    here = Family(parent=parent(accepts=("done", "discarded")), child=ASKING).ask("hall")
    here.settle()
    asked = here.children[0].question
    assert asked is not None
    answers.answer(here.store, here.children[0].id, asked.n, "No", OLGA)
    here.settle()
    assert here.walls.did == ("admire hall=discarded",)


def test_a_child_that_has_failed_is_waited_for_and_its_parent_goes_on_once_a_person_has_helped() -> None:
    here = Family().ask("hall", "attic")
    here.walls.fails["paint hall"] = trouble()
    here.settle()
    assert here.run.failure is None
    assert next_move(PARENT, here.run, here.clock()) == Wait("children")
    assert [entry.data.get("error") for entry in here.entries() if entry.kind is Kind.CHILD] == [
        "The brush broke.",
        None,
    ]
    here.walls.fails.clear()
    answers.retry(here.store, here.children[0].id, OLGA)
    here.settle()
    assert here.run.finished is Outcome.DONE


def test_unattended_a_child_that_has_failed_fails_its_parent_and_is_retried_with_it() -> None:
    here = Family(parent=parent(unattended=True)).ask("hall", "attic")
    here.walls.fails["paint hall"] = trouble()
    here.settle()
    failure = here.run.failure
    assert failure is not None
    assert failure.message.startswith("hall: Run ")
    assert "The brush broke." in failure.detail
    here.walls.fails.clear()
    answers.retry(here.store, here.root, OLGA)
    here.settle()
    assert here.run.finished is Outcome.DONE
    assert len(here.children) == 2


def test_unattended_a_child_that_is_undone_after_all_ends_the_waiting_for_it() -> None:
    here = Family(parent=parent(unattended=True)).ask("hall")
    here.walls.fails["paint hall"] = trouble()
    here.settle()
    answers.undo(here.store, PAINT, here.children[0].id, OLGA)
    here.settle()
    assert here.run.failure is not None
    here.walls.fails.clear()
    answers.retry(here.store, here.root, OLGA)
    here.settle()
    assert [child.finished for child in here.children] == [Outcome.UNDONE, Outcome.DONE]
    assert here.run.finished is Outcome.DONE
