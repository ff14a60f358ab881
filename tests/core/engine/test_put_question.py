"""A question that has nothing to choose is not put; an option that makes no sense is not offered."""

from __future__ import annotations

from dataclasses import replace

import pytest

from actions.control import answers
from actions.engine import injection
from actions.engine.errors import Refused
from actions.engine.journal import Kind
from actions.engine.procedure import Ask, Option, OptionEffect, Outcome, Procedure
from tests.support.worlds.planned import APPROVER, ONCALL
from tests.support.worlds.toys import PAINT, TOOLS, Wall, Yard

FIRST, SECOND = 1, 5


def is_large(wall: Wall) -> bool:
    return wall.bricks >= 100


def not_when_small(wall: Wall) -> tuple[str, ...]:
    return () if wall.bricks >= 100 else ("Thickly",)


def with_coats() -> Procedure:
    """Asks how to paint where the wall is large, before it asks whether to varnish."""
    coats = Ask(
        "How?",
        (Option("Thinly"), Option("Thickly"), Option("Back", leads=OptionEffect.BACK)),
        gives="how",
        applies=is_large,
    )
    return replace(PAINT, steps=(*PAINT.steps[:SECOND], coats, *PAINT.steps[SECOND:]))


def yard(procedure: Procedure, bricks: int) -> Yard:
    made = Yard(procedure)
    made.house.bricks = bricks
    made.ask()
    made.work()
    return made


def titles(here: Yard) -> list[str]:
    return [e.data["title"] for e in here.store.entries("r1") if e.kind is Kind.ASKED]


def test_where_there_is_something_to_choose_people_are_asked() -> None:
    here = yard(with_coats(), 100)
    here.answer("Yes", ONCALL)
    assert here.work() == "asking"
    here.answer("Thickly", ONCALL)
    here.work()
    assert titles(here) == ["Paint it?", "How?", "Varnish it?"]
    assert here.run.facts["how"]["option"] == "Thickly"


def test_where_there_is_nothing_to_choose_the_first_option_stands_as_nobodys_answer() -> None:
    here = yard(with_coats(), 99)
    here.answer("Yes", ONCALL)
    assert here.work() == "asking"
    assert titles(here) == ["Paint it?", "Varnish it?"]
    assert here.run.facts["how"] == {"option": "Thinly", "by": "", "text": "", "seen": {}}
    here.answer("Varnish", APPROVER, "wall")
    assert here.work() == "finished"
    assert here.run.finished is Outcome.RECOVERED


@pytest.mark.parametrize("place", ["before the entry 'done' of step 5", "after the entry 'done' of step 5"])
def test_killed_where_nothing_is_asked_the_next_worker_goes_on_as_if_nothing_had_happened(place: str) -> None:
    class Dead(BaseException):
        pass

    def die(at: str) -> None:
        if at == place:
            here.store.at_place = lambda name: None
            raise Dead

    here = yard(with_coats(), 99)
    here.answer("Yes", ONCALL)
    here.store.at_place = die
    with pytest.raises(Dead):
        here.work()
    here.clock.advance(60)
    assert here.work() == "asking"
    assert titles(here) == ["Paint it?", "Varnish it?"]
    assert here.kinds().count(Kind.ANSWERED) == 1


@pytest.mark.parametrize(("bricks", "offered"), [(100, ["Thinly", "Thickly"]), (99, ["Thinly"])])
def test_an_option_that_makes_no_sense_is_not_offered_and_cannot_be_chosen(bricks: int, offered: list[str]) -> None:
    ask = Ask("How?", (Option("Thinly"), Option("Thickly")), gives="first", leaves_out=not_when_small)
    here = yard(replace(PAINT, steps=(PAINT.steps[0], ask, *PAINT.steps[2:])), bricks)
    question = here.run.question
    assert question is not None
    assert [option["label"] for option in question.options] == offered
    if "Thickly" not in offered:
        with pytest.raises(Refused):
            answers.answer(here.store, "r1", question.n, "Thickly", ONCALL)


def test_what_decides_on_a_question_is_wired_as_every_step_is() -> None:
    ask = Ask("How?", (Option("Thinly"),), gives="first", applies=is_large, leaves_out=not_when_small)
    with pytest.raises(injection.Miswired, match="nobody gives 'wall'"):
        injection.check(replace(PAINT, steps=(ask, *PAINT.steps)), TOOLS)
