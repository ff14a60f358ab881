"""Who may say what to a run, and that it counts once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from actions.control import answers
from actions.engine.errors import Refused
from actions.engine.journal import Kind
from actions.engine.procedure import Outcome
from actions.engine.rights import Speaker
from actions.engine.status import rests
from tests.support.worlds.planned import APPROVER, DBA, ONCALL, WATCHER
from tests.support.worlds.toys import PAINT, Yard, trouble

OPERATOR = Speaker("U-OTHER", "other", may_ask=True, may_approve=False)


@pytest.fixture
def yard() -> Yard:
    """A run of oncall that asks its second question."""
    made = Yard()
    made.ask()
    made.work()
    made.answer("Yes", ONCALL)
    made.work()
    return made


@pytest.mark.parametrize("rights", [ONCALL, replace(ONCALL, may_approve=True)])
def test_whoever_asked_never_approves_alone(yard: Yard, rights: Speaker) -> None:
    with pytest.raises(Refused, match="does not approve it alone") as refused:
        yard.answer("Varnish", rights, "wall")
    assert "second person" in refused.value.hint
    assert Kind.ANSWERED not in yard.kinds()[-1:]


@pytest.mark.parametrize("speaker", [OPERATOR, WATCHER])
def test_nobody_approves_who_may_not(yard: Yard, speaker: Speaker) -> None:
    with pytest.raises(Refused, match="may not approve"):
        yard.answer("Varnish", speaker, "wall")


@pytest.mark.parametrize("speaker", [OPERATOR, WATCHER])
def test_only_who_asked_and_approvers_choose_the_other_options(yard: Yard, speaker: Speaker) -> None:
    with pytest.raises(Refused, match="may not steer"):
        yard.answer("Back", speaker)
    assert yard.run.asking


@pytest.mark.parametrize("speaker", [ONCALL, APPROVER])
def test_who_asked_and_approvers_may_lead_back(yard: Yard, speaker: Speaker) -> None:
    yard.answer("Back", speaker)
    yard.work()
    assert yard.run.finished is Outcome.DISCARDED


@pytest.mark.parametrize("typed", ["", "wal", "WALL", "the wall"])
def test_a_wrongly_typed_name_is_refused_with_what_to_type(yard: Yard, typed: str) -> None:
    with pytest.raises(Refused, match="does not match") as refused:
        yard.answer("Varnish", APPROVER, typed)
    assert "wall" in refused.value.hint
    assert yard.run.asking


def test_the_rightly_typed_name_counts_with_spaces_around_it(yard: Yard) -> None:
    assert yard.answer("Varnish", APPROVER, " wall ") is not None


def test_a_label_may_be_written_in_small_letters_and_a_wrong_one_is_told_the_right_ones(yard: Yard) -> None:
    with pytest.raises(Refused, match="is not an answer") as refused:
        yard.answer("Polish", APPROVER)
    assert refused.value.hint == "The answers are: Varnish, Another colour, Back."
    assert yard.answer("back", APPROVER) is not None


def test_another_time_needs_one(yard: Yard) -> None:
    with pytest.raises(Refused, match="Which other time"):
        yard.answer("Another colour", ONCALL, "  ")


def test_a_second_click_is_told_who_answered_first(yard: Yard) -> None:
    yard.answer("Varnish", APPROVER, "wall")
    with pytest.raises(Refused, match="answered already") as refused:
        yard.answer("Back", DBA)
    assert refused.value.detail == "approver chose Varnish."
    assert yard.kinds().count(Kind.ANSWERED) == 2


def test_an_old_question_is_no_longer_open(yard: Yard) -> None:
    with pytest.raises(Refused, match="no longer open"):
        yard.answer("Yes", ONCALL, question=3)


def test_an_expired_question_is_no_longer_open(yard: Yard) -> None:
    yard.clock.advance(3601)
    yard.work()
    with pytest.raises(Refused, match="no longer open"):
        yard.answer("Varnish", APPROVER, "wall", question=len(yard.kinds()))


def test_a_question_whose_time_is_over_takes_no_answer_even_before_a_worker_noticed(yard: Yard) -> None:
    yard.clock.advance(3601)
    with pytest.raises(Refused, match="has expired"):
        yard.answer("Varnish", APPROVER, "wall")


def test_a_question_is_closed_by_an_undo(yard: Yard) -> None:
    question = yard.run.question
    assert question is not None
    answers.undo(yard.store, PAINT, "r1", ONCALL)
    with pytest.raises(Refused, match="no longer open"):
        yard.answer("Varnish", APPROVER, "wall", question=question.n)
    assert not yard.run.asking


def test_undo_is_refused_after_the_point_of_no_return_and_says_where_the_old_data_lies(yard: Yard) -> None:
    yard.house.fails = {"scaffold down": trouble()}
    yard.answer("Varnish", APPROVER, "wall")
    yard.work()
    with pytest.raises(Refused, match="can no longer be undone") as refused:
        answers.undo(yard.store, PAINT, "r1", APPROVER, why_not="The old data lies in /srv/before.")
    assert refused.value.detail == "The old data lies in /srv/before."
    yard.house.fails = {}
    answers.retry(yard.store, "r1", APPROVER)
    yard.work()
    with pytest.raises(Refused, match="can no longer be undone"):
        answers.undo(yard.store, PAINT, "r1", APPROVER)


def test_pressing_undo_or_retry_twice_writes_once(yard: Yard) -> None:
    assert answers.undo(yard.store, PAINT, "r1", ONCALL) is not None
    assert answers.undo(yard.store, PAINT, "r1", DBA) is None
    assert answers.retry(yard.store, "r1", ONCALL) is None


def test_a_run_at_work_is_stopped_before_it_is_undone(yard: Yard) -> None:
    yard.answer("Varnish", APPROVER, "wall")
    with pytest.raises(Refused, match="at work"):
        answers.undo(yard.store, PAINT, "r1", ONCALL)
    assert answers.stop(yard.store, "r1", ONCALL) is not None
    assert answers.stop(yard.store, "r1", APPROVER) is None
    assert yard.work() == "stopped"
    assert "varnish" not in yard.house.did
    assert answers.undo(yard.store, PAINT, "r1", ONCALL) is not None


def test_a_run_that_waits_has_nothing_to_stop(yard: Yard) -> None:
    with pytest.raises(Refused, match="not doing anything"):
        answers.stop(yard.store, "r1", ONCALL)


@pytest.mark.parametrize("speaker", [WATCHER, OPERATOR])
def test_nobody_steers_who_may_not(yard: Yard, speaker: Speaker) -> None:
    for steer in (answers.stop, answers.retry):
        with pytest.raises(Refused, match="may not steer"):
            steer(yard.store, "r1", speaker)
    with pytest.raises(Refused, match="may not steer"):
        answers.undo(yard.store, PAINT, "r1", speaker)


def test_a_run_that_has_ended_is_steered_no_more(yard: Yard) -> None:
    yard.answer("Back", ONCALL)
    yard.work()
    for steer in (answers.stop, answers.retry):
        with pytest.raises(Refused, match="has ended"):
            steer(yard.store, "r1", ONCALL)
    with pytest.raises(Refused, match="has ended"):
        answers.undo(yard.store, PAINT, "r1", ONCALL)


def test_the_answer_keeps_who_gave_it_and_for_which_plan(yard: Yard) -> None:
    question = yard.run.question
    entry = yard.answer("Varnish", APPROVER, "wall")
    assert entry is not None
    assert question is not None
    assert entry.data["plan"] == question.plan
    assert (entry.data["by"], entry.data["name"]) == (APPROVER.id, "approver")


def test_the_plans_hash_counts_as_the_typed_name_as_a_terminal_shows_it(yard: Yard) -> None:
    question = yard.run.question
    assert question is not None
    assert yard.answer("Varnish", APPROVER, answers.short(question.plan)) is not None


def test_who_asked_steers_only_as_long_as_they_may_ask(yard: Yard) -> None:
    gone = replace(ONCALL, may_ask=False)
    for steer in (answers.stop, answers.retry):
        with pytest.raises(Refused, match="may not steer"):
            steer(yard.store, "r1", gone)
    with pytest.raises(Refused, match="may not steer"):
        yard.answer("Back", gone)


def test_a_question_expires_at_its_time_to_the_second(yard: Yard) -> None:
    yard.clock.advance(3600)
    with pytest.raises(Refused, match="has expired"):
        yard.answer("Varnish", APPROVER, "wall")


def test_the_last_question_of_a_run_that_has_ended_is_no_longer_open(yard: Yard) -> None:
    question = yard.run.question
    assert question is not None
    yard.answer("Back", ONCALL)
    yard.work()
    assert yard.run.finished is Outcome.DISCARDED
    with pytest.raises(Refused, match="no longer open"):
        yard.answer("Varnish", APPROVER, "wall", question=question.n)


def test_a_run_that_has_failed_has_nothing_to_stop(yard: Yard) -> None:
    yard.house.fails = {"varnish": trouble()}
    yard.answer("Varnish", APPROVER, "wall")
    assert yard.work() == "failed"
    with pytest.raises(Refused, match="not doing anything"):
        answers.stop(yard.store, "r1", ONCALL)
    assert not yard.run.stop_asked


def test_an_undo_that_failed_can_be_asked_for_again(yard: Yard) -> None:
    yard.house.fails = {"wash": trouble()}
    answers.undo(yard.store, PAINT, "r1", ONCALL)
    assert yard.work() == "failed"
    yard.house.fails = {}
    assert answers.undo(yard.store, PAINT, "r1", ONCALL) is not None
    yard.work()
    assert yard.run.finished is Outcome.UNDONE


def test_a_run_rests_while_it_waits_for_people_and_when_it_has_ended(yard: Yard) -> None:
    assert rests(yard.run)
    yard.answer("Back", ONCALL)
    assert not rests(yard.run)
    yard.work()
    assert rests(yard.run)
    made = Yard()
    made.ask()
    assert not rests(made.run)
