"""A look that takes minutes: it shows how far it is, a person can stop it, and it has a limit. Nothing was begun."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from actions.control import answers
from actions.engine.injection import check
from actions.engine.journal import Kind, first_broken
from actions.engine.procedure import Look, Outcome
from actions.store import notes
from actions.tools.progress import Progress
from bot.views import run_header
from bot.views.run_header import HeaderData
from tests.support.worlds.planned import ONCALL
from tests.support.worlds.toys import PAINT, TOOLS, House, Wall, Yard

LONG = timedelta(hours=1)


@dataclass
class Bricks(House):
    """A house whose bricks are counted one by one; something may happen meanwhile."""

    amid: Callable[[int], object] = lambda bricks: None


def count_bricks(house: House, progress: Progress) -> Wall:
    house.does("count")
    for n in range(2):
        happens(house, n)
        progress(n + 1, 4, f"brick {n + 1}")
    happens(house, 2)
    return Wall(house.bricks)


def happens(house: House, bricks: int) -> None:
    assert isinstance(house, Bricks)
    house.amid(bricks)


def counting(limit: timedelta = LONG) -> Yard:
    """The wall is looked at brick by brick."""
    look = Look("count the bricks", count_bricks, gives="wall", limit=limit)
    yard = Yard(replace(PAINT, steps=(look, *PAINT.steps[1:4])), Bricks())
    yard.ask()
    return yard


def amid(yard: Yard, what: Callable[[int], object]) -> None:
    """Have something happen whenever so many bricks were counted."""
    assert isinstance(yard.house, Bricks)
    yard.house.amid = what


def stopped_before_the_first_brick(yard: Yard) -> Yard:
    amid(yard, lambda bricks: answers.stop(yard.store, "r1", ONCALL))
    assert yard.work() == "stopped"
    amid(yard, lambda bricks: None)
    return yard


def test_a_look_may_take_progress() -> None:
    yard = counting()
    check(yard.procedure, TOOLS)
    assert yard.work() == "asking"


def test_how_far_a_look_is_stands_in_the_header() -> None:
    yard = counting()
    shown: list[str] = []

    def see(bricks: int) -> None:
        made = {**(notes.progress(yard.store, "r1") or {}), "seconds": 30.0}
        entries = yard.store.entries("r1")
        shown.append(str(run_header.blocks(HeaderData(yard.procedure, yard.run, entries, yard.clock(), made))))

    amid(yard, see)
    yard.work()
    assert "brick 1 · 25 %, 1:30 min left" in shown[1]
    entries = yard.store.entries("r1")
    late = {"step": 0, "done": 1, "total": 4, "text": "brick 1"}
    assert "brick 1" not in str(run_header.blocks(HeaderData(yard.procedure, yard.run, entries, yard.clock(), late)))


def test_stop_at_a_look_ends_as_at_an_act_and_nothing_was_begun() -> None:
    yard = stopped_before_the_first_brick(counting())
    run = yard.run
    assert run.failure is not None
    assert (run.failure.stopped, run.failure.step, run.failure.message) == (True, 0, "Stopped by U-ONCALL.")
    assert (run.began, run.facts, run.open_step) == ((), {}, None)
    answers.retry(yard.store, "r1", ONCALL)
    assert yard.work() == "asking"
    assert yard.house.did.count("count") == 2


def test_a_stopped_look_can_be_given_up_without_a_trace() -> None:
    yard = stopped_before_the_first_brick(counting())
    answers.undo(yard.store, yard.procedure, "r1", ONCALL)
    assert yard.work() == "finished"
    assert yard.run.finished is Outcome.UNDONE
    assert Kind.UNDO_BEGAN not in yard.kinds()
    assert yard.store.holder("wall") == ""


def test_a_look_keeps_to_its_limit() -> None:
    yard = counting(limit=timedelta(0))
    assert yard.work() == "failed"
    assert yard.run.failure is not None
    assert "longer than its limit" in yard.run.failure.message
    assert yard.run.began == ()


@pytest.mark.parametrize("how", ["stop", "limit"])
def test_looking_again_before_an_answer_counts_can_be_stopped_and_has_the_same_limit(how: str) -> None:
    yard = counting()
    yard.work()
    yard.answer("Yes", ONCALL)
    if how == "stop":
        stopped_before_the_first_brick(yard)
    else:
        whole = yard.procedure
        yard.procedure = replace(whole, steps=(replace(whole.steps[0], limit=timedelta(0)), *whole.steps[1:]))
        assert yard.work() == "failed"
        yard.procedure = whole
    assert yard.house.paint == "white"
    assert yard.run.began == ()
    answers.retry(yard.store, "r1", ONCALL)
    assert yard.work() == "finished"
    assert yard.house.paint == "red"
    assert first_broken(yard.store.entries("r1")) is None


def test_without_a_word_a_look_has_a_generous_limit() -> None:
    assert Look("look", count_bricks, gives="wall").limit >= timedelta(hours=6)
