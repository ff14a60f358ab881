"""The next move is a pure function of the procedure, the journal and the time; every state has one answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.engine.folding import after, fold
from actions.engine.journal import GENESIS, Entry, Kind, sealed
from actions.engine.next_move import Do, Expire, Finish, Halt, Move, Put, Recheck, Resume, Undo, Wait, next_move
from actions.engine.no_return import may_rest, passed_no_return
from actions.engine.procedure import Act, Outcome
from actions.engine.run import Run
from tests.support.worlds.toys import PAINT

NOW = datetime(2026, 2, 9, 8, tzinfo=UTC)
REQUEST = {
    "procedure": "paint",
    "table": "t",
    "service": "wall",
    "site": "main",
    "by": "U1",
    "request": {},
    "origin": {},
}
LOOK, ASK, ACT, PAINTING = 0, 1, 2, 3

Said = tuple[Kind, int | None, dict[str, Any]]

ASKED: Said = (
    Kind.ASKED,
    ASK,
    {"title": "?", "options": [], "expires_at": (NOW + timedelta(hours=1)).isoformat(), "plan": "h"},
)
YES: Said = (Kind.ANSWERED, ASK, {"option": "Yes", "leads": "on", "gives": "first", "by": "U1"})
NO: Said = (Kind.ANSWERED, ASK, {"option": "No", "leads": "back", "gives": "first", "by": "U1"})
LOOKED: Said = (Kind.DONE, LOOK, {"gives": "wall", "fact": {}})
BROKE: Said = (Kind.FAILED, ACT, {"error": "it broke"})
BEGAN: Said = (Kind.BEGAN, ACT, {})
RECHECKED: Said = (Kind.RECHECKED, ASK, {})
APPROVED = (LOOKED, ASKED, YES, RECHECKED)


def told(*said: Said) -> Run:
    run = fold([sealed(Entry("r1", 1, NOW, Kind.REQUESTED, None, REQUEST), GENESIS)])
    for n, (kind, step, data) in enumerate(said, 2):
        run = after(run, Entry("r1", n, NOW, kind, step, data))
    return run


def done(step: int) -> Said:
    return (Kind.DONE, step, {})


@pytest.mark.parametrize(
    ("said", "move"),
    [
        ((), Do(LOOK)),
        ((LOOKED,), Put(ASK)),
        ((LOOKED, ASKED), Wait("asking")),
        ((LOOKED, ASKED, YES), Recheck(ASK)),
        ((LOOKED, ASKED, NO), Finish(Outcome.DISCARDED)),
        ((LOOKED, ASKED, (Kind.EXPIRED, ASK, {})), Finish(Outcome.DISCARDED)),
        ((LOOKED, ASKED, YES, (Kind.VOIDED, ASK, {"redo": [LOOK]})), Do(LOOK)),
        (APPROVED, Do(ACT)),
        ((*APPROVED, BEGAN), Resume(ACT)),
        ((*APPROVED, BEGAN, BROKE), Wait("failed")),
        ((*APPROVED, BEGAN, BROKE, (Kind.RETRIED, ACT, {})), Resume(ACT)),
        ((*APPROVED, BEGAN, (Kind.STOP_ASKED, None, {"by": "U1"}), done(ACT)), Halt(PAINTING)),
        ((*APPROVED, BEGAN, (Kind.STOPPED, ACT, {})), Wait("stopped")),
        ((*APPROVED, BEGAN, BROKE, (Kind.UNDO_ASKED, None, {})), Undo(ACT)),
        ((*APPROVED, BEGAN, BROKE, (Kind.UNDO_ASKED, None, {}), (Kind.UNDO_BEGAN, ACT, {})), Undo(ACT)),
        (
            (*APPROVED, BEGAN, BROKE, (Kind.UNDO_ASKED, None, {}), (Kind.UNDO_FAILED, ACT, {"error": "x"})),
            Wait("failed"),
        ),
        ((*APPROVED, BEGAN, BROKE, (Kind.UNDO_ASKED, None, {}), (Kind.UNDONE, ACT, {})), Finish(Outcome.UNDONE)),
        ((*APPROVED, BEGAN, done(ACT), (Kind.BEGAN, PAINTING, {}), BROKE, (Kind.UNDO_ASKED, None, {})), Undo(PAINTING)),
        ((LOOKED, (Kind.FINISHED, None, {"outcome": "refused"})), Wait("finished")),
    ],
)
def test_the_next_move_of_a_run(said: tuple[Said, ...], move: Move) -> None:
    assert next_move(PAINT, told(*said), NOW) == move


def test_a_question_expires_at_its_time_and_not_before() -> None:
    run = told(LOOKED, ASKED)
    assert next_move(PAINT, run, NOW + timedelta(minutes=59, seconds=59)) == Wait("asking")
    assert next_move(PAINT, run, NOW + timedelta(hours=1)) == Expire(ASK)


def test_an_answer_in_time_counts_even_if_nobody_worked_on_it_in_time() -> None:
    assert next_move(PAINT, told(LOOKED, ASKED, YES), NOW + timedelta(hours=9)) == Recheck(ASK)


def test_no_return_is_passed_when_the_act_begins_and_not_when_it_ends() -> None:
    assert not passed_no_return(PAINT, told(*APPROVED, BEGAN))
    assert passed_no_return(PAINT, told(*APPROVED, (Kind.BEGAN, 6, {})))
    assert not passed_no_return(PAINT, told((Kind.BEGAN, LOOK, {})))


def test_all_steps_done_means_the_end_that_the_procedure_promises() -> None:
    run = told(*APPROVED, *(done(i) for i in range(len(PAINT.steps))))
    assert next_move(PAINT, run, NOW) == Finish(Outcome.RECOVERED)


def test_what_brings_the_service_back_is_undone_before_what_only_tidies() -> None:
    scaffold, painting = PAINT.steps[ACT], PAINT.steps[PAINTING]
    assert isinstance(painting, Act)
    steps = (*PAINT.steps[:PAINTING], replace(painting, tidies=True), *PAINT.steps[PAINTING + 1 :])
    tidying = replace(PAINT, steps=steps)
    began = (*APPROVED, BEGAN, done(ACT), (Kind.BEGAN, PAINTING, {}), BROKE, (Kind.UNDO_ASKED, None, {}))
    assert next_move(PAINT, told(*began), NOW) == Undo(PAINTING)
    assert next_move(tidying, told(*began), NOW) == Undo(ACT), scaffold.title
    assert next_move(tidying, told(*began, (Kind.UNDONE, ACT, {})), NOW) == Undo(PAINTING)
    failed = (*began, (Kind.UNDONE, ACT, {}), (Kind.UNDO_FAILED, PAINTING, {"error": "it hangs"}))
    assert next_move(tidying, told(*failed), NOW) == Wait("failed")


STEPS = st.integers(0, len(PAINT.steps) - 1)
ANYTHING = st.one_of(
    st.sampled_from(
        [
            LOOKED,
            ASKED,
            YES,
            NO,
            RECHECKED,
            (Kind.RETRIED, ACT, {}),
            (Kind.STOP_ASKED, None, {"by": "U1"}),
            (Kind.UNDO_ASKED, None, {}),
            (Kind.EXPIRED, ASK, {}),
            (Kind.VOIDED, ASK, {"redo": [0]}),
            (Kind.NOTED, None, {}),
        ]
    ),
    st.tuples(st.sampled_from([Kind.BEGAN, Kind.DONE, Kind.UNDONE, Kind.UNDO_BEGAN]), STEPS, st.just({})),
    st.tuples(st.sampled_from([Kind.FAILED, Kind.UNDO_FAILED]), STEPS, st.just({"error": "x"})),
)


@given(st.lists(ANYTHING, max_size=14))
@settings(max_examples=80)
def test_every_journal_has_exactly_one_next_move(said: list[Said]) -> None:
    run = told(*said)
    move = next_move(PAINT, run, NOW)
    assert isinstance(move, Move)
    if isinstance(move, Undo):
        assert move.step in run.began
        assert move.step not in run.undone
    if isinstance(move, Do):
        assert move.step not in run.done
        assert run.failure is None
    assert next_move(PAINT, run, NOW) == move


def test_a_journal_without_its_request_is_no_run() -> None:
    with pytest.raises(ValueError, match="begins with its request"):
        fold([])
    with pytest.raises(ValueError, match="begins with its request"):
        fold([Entry("r1", 1, NOW, Kind.NOTED, None, {})])


def test_a_run_may_rest_but_not_between_the_last_answer_and_the_point_of_no_return() -> None:
    last, varnish = 5, 6
    asking, approved = told(*APPROVED), replace(told(*APPROVED), done=frozenset(range(varnish)))
    assert may_rest(PAINT, asking)
    assert not may_rest(PAINT, approved)
    assert not may_rest(PAINT, replace(approved, undoing=Outcome.UNDONE))
    assert may_rest(PAINT, replace(approved, began=(varnish,)))
    assert not may_rest(PAINT, replace(approved, began=(varnish,), undoing=Outcome.UNDONE))
    assert may_rest(PAINT, replace(approved, done=frozenset(range(last))))
