"""The loop: looks, acts and asks are carried out under a lease, on the record, and never more often than they must."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from actions.control import answers
from actions.engine.errors import Fenced, Refused
from actions.engine.journal import Kind
from actions.engine.procedure import Act, Outcome
from actions.store.ledger import LEASE_SECONDS
from tests.support.worlds.planned import APPROVER, ONCALL, WATCHER
from tests.support.worlds.toys import PAINT, House, Yard, trouble


@pytest.fixture
def yard() -> Yard:
    made = Yard()
    made.ask()
    return made


def painted(yard: Yard) -> Yard:
    """The wall is painted and the second question is open."""
    yard.work()
    yard.answer("Yes", ONCALL)
    assert yard.work() == "asking", yard.run.failure
    return yard


def test_a_run_goes_from_the_request_to_its_end(yard: Yard) -> None:
    painted(yard).answer("Varnish", APPROVER, "wall")
    assert yard.work() == "finished"
    assert yard.run.finished is Outcome.RECOVERED
    assert yard.house == House(
        paint="red", did=["look", "look", "scaffold up", "paint", "look", "look", "varnish", "scaffold down"]
    )


def test_a_question_shows_the_facts_and_leaves_the_worker_free(yard: Yard) -> None:
    assert yard.work() == "asking"
    asked = yard.store.entries("r1")[-1]
    assert asked.data["sheets"][0]["rows"] == [["Bricks", "100"], ["Weather", "dry"]]
    assert asked.data["title"] == "Paint it?"
    assert yard.store.leased() == set()


def test_a_look_that_refuses_ends_the_run_before_anything_was_done(yard: Yard) -> None:
    yard.house.bricks = 0
    assert yard.work() == "finished"
    assert yard.run.finished is Outcome.REFUSED
    assert yard.store.entries("r1")[-1].data["hint"] == "Build one."


def test_a_look_that_refuses_after_an_act_is_a_failure_that_people_decide_on(yard: Yard) -> None:
    yard.house.fails = {"paint": trouble()}
    yard.work()
    yard.answer("Yes", ONCALL)
    yard.work()
    yard.house.fails, yard.house.bricks = {}, 0
    answers.retry(yard.store, "r1", ONCALL)
    assert yard.work() == "failed"
    assert yard.run.finished is None


def test_a_failure_says_what_was_seen_and_what_to_do_and_retry_goes_on(yard: Yard) -> None:
    yard.house.fails = {"paint": trouble()}
    yard.work()
    yard.answer("Yes", ONCALL)
    assert yard.work() == "failed"
    failure = yard.run.failure
    assert failure is not None
    assert (failure.message, failure.detail, failure.hint) == (
        "The brush broke.",
        "bristles everywhere",
        "Buy a new one.",
    )
    assert yard.work() == "failed"
    yard.house.fails = {}
    answers.retry(yard.store, "r1", ONCALL)
    assert yard.work() == "asking"
    assert yard.house.did.count("scaffold up") == 1


def test_an_act_without_its_effect_has_failed() -> None:
    blind = replace(PAINT.steps[2], verify=lambda house: False)
    blind.verify.__annotations__ = {"house": House, "return": bool}
    yard = Yard(replace(PAINT, steps=(*PAINT.steps[:2], blind, *PAINT.steps[3:])))
    yard.ask()
    yard.work()
    yard.answer("Yes", ONCALL)
    assert yard.work() == "failed"
    assert yard.run.failure is not None
    assert "cannot be seen" in yard.run.failure.message


def test_an_unexpected_error_is_a_failure_with_a_hint_and_not_the_end_of_the_worker(yard: Yard) -> None:
    yard.house.fails = {"paint": ZeroDivisionError("ladders / 0")}
    yard.work()
    yard.answer("Yes", ONCALL)
    assert yard.work() == "failed"
    failure = yard.run.failure
    assert failure is not None
    assert "ZeroDivisionError: ladders / 0" in failure.detail
    assert failure.hint


def test_a_run_that_yields_is_stopped_when_another_claims_its_service_and_goes_on_after_that() -> None:
    yard = Yard(replace(PAINT, claims=False, yields=True))
    yard.ask()
    yard.work()
    yard.answer("Yes", ONCALL)
    other = {**yard.store.entries("r1")[0].data}

    def somebody_recovers(place: str) -> None:
        if place == "after the entry 'began' of step 3":
            yard.store.open_run("r2", other, claims=True, key="r2")

    yard.store.at_place = somebody_recovers
    assert yard.work() == "stopped"
    stopped = yard.store.entries("r1")[-1]
    assert (stopped.kind, stopped.data["error"]) == (Kind.STOPPED, "It gave way to run r2.")
    assert "Retry" in stopped.data["hint"]
    assert yard.house.paint == "white"
    answers.retry(yard.store, "r1", ONCALL)
    assert yard.work() == "held"
    lease = yard.store.acquire("r2", "w2")
    yard.store.append(lease, Kind.FINISHED, None, {"outcome": "done"})
    assert yard.work() == "asking"
    assert yard.house.paint == "red"


def test_undo_takes_acts_back_newest_first_and_once_each(yard: Yard) -> None:
    painted(yard)
    answers.undo(yard.store, PAINT, "r1", ONCALL)
    assert yard.work() == "finished"
    assert yard.run.finished is Outcome.UNDONE
    assert yard.house.did[-2:] == ["wash", "scaffold down"]
    assert not yard.house.scaffold
    assert yard.house.paint == "white"


def test_an_undo_that_fails_waits_and_goes_on_where_it_was(yard: Yard) -> None:
    painted(yard).house.fails = {"scaffold down": trouble()}
    answers.undo(yard.store, PAINT, "r1", ONCALL)
    assert yard.work() == "failed"
    yard.house.fails = {}
    answers.retry(yard.store, "r1", ONCALL)
    assert yard.work() == "finished"
    assert yard.house.did.count("wash") == 1
    assert yard.run.finished is Outcome.UNDONE


def test_changed_facts_void_the_answer_and_the_plan_is_looked_up_and_asked_anew(yard: Yard) -> None:
    yard.work()
    old = yard.run.question
    assert old is not None
    yard.answer("Yes", ONCALL)
    yard.house.bricks = 99
    assert yard.work() == "asking"
    new = yard.run.question
    assert new is not None
    assert new.plan != old.plan
    assert yard.run.facts["wall"]["bricks"] == 99
    assert "scaffold up" not in yard.house.did
    with pytest.raises(Refused):
        yard.answer("Yes", ONCALL, question=old.n)
    assert yard.work() == "asking"
    yard.answer("Yes", ONCALL)
    yard.work()
    assert yard.house.paint == "red"


def test_changed_facts_of_the_first_plan_void_the_second_answer_once(yard: Yard) -> None:
    painted(yard).house.bricks = 99
    yard.answer("Varnish", APPROVER, "wall")
    assert yard.work() == "asking"
    assert yard.kinds().count(Kind.VOIDED) == 1
    yard.answer("Varnish", APPROVER, "wall")
    assert yard.work() == "finished"


def test_facts_that_only_are_shown_may_change_meanwhile(yard: Yard) -> None:
    yard.work()
    yard.house.weather = "rain"
    yard.answer("Yes", ONCALL)
    yard.work()
    assert Kind.VOIDED not in yard.kinds()


def test_looking_again_that_fails_can_be_retried_and_the_answer_still_counts(yard: Yard) -> None:
    yard.work()
    yard.answer("Yes", ONCALL)
    yard.house.fails = {"look": trouble("Fog.")}
    assert yard.work() == "failed"
    yard.house.fails = {}
    answers.retry(yard.store, "r1", ONCALL)
    assert yard.work() == "asking"
    assert yard.house.paint == "red"


def test_an_answer_that_came_too_late_has_no_effect(yard: Yard) -> None:
    yard.work()
    yard.clock.advance(3601)
    assert yard.work() == "finished"
    assert yard.run.finished is Outcome.DISCARDED
    assert Kind.EXPIRED in yard.kinds()


def test_a_stop_is_noticed_within_an_act_at_its_next_safe_place(yard: Yard) -> None:
    yard.work()
    yard.answer("Yes", ONCALL)
    yard.store.at_place = lambda place: (
        answers.stop(yard.store, "r1", ONCALL) if place == "after the entry 'began' of step 3" else None
    )
    assert yard.work() == "stopped"
    assert yard.house.paint == "white"
    assert yard.run.failure is not None
    assert yard.run.failure.stopped
    yard.store.at_place = lambda place: None
    answers.retry(yard.store, "r1", ONCALL)
    assert yard.work() == "asking"


def leaving_at(yard: Yard, place: str) -> threading.Event:
    """Set once the run has come there."""
    leaving = threading.Event()
    yard.store.at_place = lambda now: leaving.set() if now == place else None
    return leaving


def test_a_worker_that_leaves_leaves_the_run_at_the_end_of_its_step_and_the_next_goes_on(yard: Yard) -> None:
    yard.work()
    yard.answer("Yes", ONCALL)
    assert yard.work(leaving=leaving_at(yard, "after the entry 'began' of step 2")) == "leaving"
    assert (yard.house.scaffold, yard.house.paint, yard.run.failure) == (True, "white", None)
    assert yard.store.leased() == set()
    assert yard.work() == "asking"
    assert yard.house.did.count("scaffold up") == 1


def test_a_worker_does_not_leave_between_the_last_answer_and_the_point_of_no_return(yard: Yard) -> None:
    painted(yard).answer("Varnish", APPROVER, "wall")
    assert yard.work(leaving=leaving_at(yard, "after the entry 'rechecked' of step 5")) == "leaving"
    assert yard.house.did[-1] == "varnish"
    assert yard.work() == "finished"
    assert yard.house.did.count("varnish") == 1


def test_a_run_that_another_worker_carries_out_is_left_alone(yard: Yard) -> None:
    assert yard.store.acquire("r1", "another") is not None
    assert yard.work() == "held"
    assert yard.house.did == []
    yard.clock.advance(LEASE_SECONDS + 1)
    assert yard.work() == "asking"


def test_a_worker_fenced_in_the_middle_writes_nothing_more(yard: Yard) -> None:
    def taken_over(place: str) -> None:
        if place == "before the entry 'done' of step 0":
            yard.clock.advance(LEASE_SECONDS + 1)
            assert yard.store.acquire("r1", "another") is not None

    yard.store.at_place = taken_over
    assert yard.work() == "fenced"
    assert yard.kinds() == [Kind.REQUESTED]


def test_a_run_that_began_with_another_table_waits_for_that_version(yard: Yard) -> None:
    painted(yard)
    other: Any = replace(PAINT, steps=(*PAINT.steps, Act("clean up", PAINT.steps[2].do, PAINT.steps[2].verify)))  # type: ignore[union-attr]
    yard.answer("Varnish", APPROVER, "wall")
    assert yard.work(lambda name: other) == "failed"
    assert yard.run.failure is not None
    assert "have changed" in yard.run.failure.message
    assert "varnish" not in yard.house.did


def test_an_act_that_takes_longer_than_its_limit_fails_with_a_hint() -> None:
    hurried = replace(PAINT.steps[3], limit=timedelta(seconds=0))
    yard = Yard(replace(PAINT, steps=(*PAINT.steps[:3], hurried, *PAINT.steps[4:])))
    yard.ask()
    yard.work()
    yard.answer("Yes", ONCALL)
    assert yard.work() == "failed"
    assert yard.run.failure is not None
    assert "longer than its limit" in yard.run.failure.message


def test_nobody_without_rights_moves_anything(yard: Yard) -> None:
    yard.work()
    with pytest.raises(Refused):
        yard.answer("Yes", WATCHER)
    assert yard.work() == "asking"


def test_a_fenced_worker_is_told_that_there_is_nothing_to_do() -> None:
    told = Fenced("x", code="MD-RUN-999", hint="Nothing to do.").as_json()
    assert told == {"error": "x", "code": "MD-RUN-999", "detail": "", "hint": "Nothing to do."}


def spare(yard: Yard) -> Yard:
    """The last act of the painter, which is only tidying, is spare."""
    last = yard.procedure.steps[7]
    assert isinstance(last, Act)
    yard.procedure = replace(yard.procedure, steps=(*yard.procedure.steps[:7], replace(last, spare=True)))
    return yard


def test_a_spare_act_that_fails_is_told_first_and_fails_no_run() -> None:
    yard = spare(Yard())
    yard.ask()
    painted(yard).answer("Varnish", APPROVER, "wall")
    yard.house.fails = {"scaffold down": trouble("The ladder broke.")}
    assert yard.work() == "finished"
    ended = yard.store.entries("r1")[-1]
    assert ended.data["outcome"] == Outcome.RECOVERED
    assert ended.data["report"][0]["alerts"] == [
        "NOT DONE: take the scaffold away. The ladder broke. bristles everywhere Buy a new one."
    ]
    assert yard.store.holder("wall") == ""


def test_stop_leaves_out_a_spare_act_alone() -> None:
    yard = spare(Yard())
    yard.ask()
    painted(yard).answer("Varnish", APPROVER, "wall")
    yard.store.at_place = lambda place: (
        answers.stop(yard.store, "r1", ONCALL) if place == "after the entry 'began' of step 7" else None
    )
    assert yard.work() == "finished"
    assert yard.run.finished is Outcome.RECOVERED
