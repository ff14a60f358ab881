"""A question that goes on by itself: a countdown with its end, which people may answer, stop by Hold, or let be."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from rich.console import Console

from actions.control import answers
from actions.engine.errors import Refused
from actions.engine.injection import Miswired, check
from actions.engine.journal import Kind, first_broken
from actions.engine.next_move import Expire, Recheck, Wait, next_move
from actions.engine.procedure import Ask, MayAnswer, Option, OptionEffect, Outcome, Procedure
from actions.engine.run_parts import Question
from actions.incidents.run_story import retell
from bot.slack.run_thread import story
from bot.terminal import run_shown
from bot.views.run_header import HeaderData
from tests.support.worlds.planned import APPROVER, ONCALL, WATCHER
from tests.support.worlds.toys import PAINT, TOOLS, Yard

MINUTE = timedelta(minutes=1)
FIRST = PAINT.steps[1]
assert isinstance(FIRST, Ask)


def counting(**changes: Any) -> Procedure:
    """The painter goes on by himself after ten minutes."""
    assert isinstance(FIRST, Ask)
    asks = replace(FIRST, silence=OptionEffect.ON, expires=10 * MINUTE, **changes)
    return replace(PAINT, steps=(PAINT.steps[0], asks, *PAINT.steps[2:4]))


@pytest.fixture
def yard() -> Yard:
    made = Yard(counting())
    made.ask()
    assert made.work() == "asking"
    return made


def thread(yard: Yard) -> str:
    entries = yard.store.entries("r1")
    items = story(HeaderData(yard.procedure, yard.run, entries, yard.clock()))
    return str([item.blocks for item in items])


def test_nobody_answering_means_that_the_first_option_stands(yard: Yard) -> None:
    yard.clock.advance(600)
    assert yard.work() == "finished"
    assert yard.run.finished is Outcome.RECOVERED
    assert yard.house.paint == "red"
    seen = {"wall": {"bricks": 100, "weather": "dry"}}
    assert yard.run.facts["first"] == {"option": "Yes", "by": "", "text": "", "seen": seen}
    expired = next(e for e in yard.store.entries("r1") if e.kind is Kind.EXPIRED)
    assert (expired.data["leads"], expired.data["option"]) == ("on", "Yes")
    assert yard.run.people == {"U-ONCALL"}
    assert yard.run.agreed == {}


def test_before_its_end_the_countdown_waits(yard: Yard) -> None:
    yard.clock.advance(599)
    assert yard.work() == "asking"
    assert yard.house.paint == "white"


def test_the_next_move_says_where_silence_leads(yard: Yard) -> None:
    at = yard.clock() + 10 * MINUTE
    assert next_move(yard.procedure, yard.run, at) == Expire(1, OptionEffect.ON)
    assert next_move(yard.procedure, yard.run, at - MINUTE) == Wait("asking")


def test_what_the_question_stood_on_is_looked_at_again_and_a_change_begins_a_new_countdown(yard: Yard) -> None:
    yard.house.bricks = 99
    yard.clock.advance(600)
    assert yard.work() == "asking"
    assert yard.house.paint == "white"
    assert Kind.VOIDED in yard.kinds()
    assert "The question is put again" in thread(yard)
    yard.clock.advance(600)
    assert yard.work() == "finished"
    assert yard.house.paint == "red"


def test_hold_stops_the_countdown_and_the_journal_says_who(yard: Yard) -> None:
    yard.answer("Hold", ONCALL)
    held = yard.store.entries("r1")[-1]
    assert (held.kind, held.data["by"], held.data["name"]) == (Kind.HELD, "U-ONCALL", "oncall")
    yard.clock.advance(24 * 3600)
    assert yard.work() == "asking"
    assert yard.house.paint == "white"
    assert yard.run.question is not None
    assert [o["label"] for o in yard.run.question.options] == ["Yes", "No"]
    yard.answer("Yes", ONCALL)
    assert yard.work() == "finished"
    assert yard.house.paint == "red"


def test_a_second_hold_says_nothing_new(yard: Yard) -> None:
    assert yard.answer("Hold", ONCALL) is not None
    assert yard.answer("hold", APPROVER) is None
    assert yard.kinds().count(Kind.HELD) == 1


def test_only_who_may_steer_the_run_may_hold_it(yard: Yard) -> None:
    with pytest.raises(Refused):
        yard.answer("Hold", WATCHER)


def test_an_answer_before_the_end_counts(yard: Yard) -> None:
    yard.answer("No", ONCALL)
    yard.clock.advance(600)
    assert yard.work() == "finished"
    assert yard.run.finished is Outcome.DISCARDED
    assert yard.house.paint == "white"


def test_after_the_end_nobody_answers_or_holds_it_any_more(yard: Yard) -> None:
    yard.clock.advance(600)
    for label in ("Hold", "No"):
        with pytest.raises(Refused) as refused:
            yard.answer(label, ONCALL)
        assert "goes on with Yes" in refused.value.hint


@pytest.mark.parametrize("said", ["Hold", "No"])
def test_who_spoke_in_the_very_moment_of_the_end_is_heard(yard: Yard, said: str) -> None:
    asked = yard.run.question
    assert asked is not None

    def at_place(place: str) -> None:
        if place == "before the entry 'expired' of step 1":
            now, yard.clock.now = yard.clock.now, yard.clock.now - MINUTE  # The bot's clock is behind.
            answers.answer(yard.store, "r1", asked.n, said, ONCALL)
            yard.clock.now = now

    yard.store.at_place = at_place
    yard.clock.advance(600)
    yard.work()
    assert yard.house.paint == "white"
    assert yard.run.finished is (None if said == "Hold" else Outcome.DISCARDED)
    assert "Nobody answered in time" not in thread(yard)


def test_a_question_as_before_expires_and_leads_back() -> None:
    yard = Yard(replace(PAINT, steps=(*PAINT.steps[:4],)))
    yard.ask()
    yard.work()
    assert yard.run.question is not None
    assert "Hold" not in [o["label"] for o in yard.run.question.options]
    assert "silence" not in yard.store.entries("r1")[-1].data
    yard.clock.advance(3600)
    yard.work()
    assert yard.run.finished is Outcome.DISCARDED


def test_where_the_first_option_was_left_out_silence_leads_back() -> None:
    yard = Yard(counting(leaves_out=no_yes))
    yard.ask()
    yard.work()
    assert next_move(yard.procedure, yard.run, yard.clock() + 10 * MINUTE) == Expire(1, OptionEffect.BACK)
    yard.clock.advance(600)
    yard.work()
    assert yard.run.finished is Outcome.DISCARDED


def no_yes(colour: str) -> tuple[str, ...]:
    return ("Yes",)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"options": (Option("Yes", who=MayAnswer.SECOND), Option("No", leads=OptionEffect.BACK))}, "second person"),
        ({"options": (Option("Yes", types="service"), Option("No", leads=OptionEffect.BACK))}, "typed word"),
        ({"options": (Option("No", leads=OptionEffect.BACK), Option("Yes"))}, "first option"),
        ({"options": (Option("Yes"), Option("hold", leads=OptionEffect.BACK))}, "no option of its own"),
        ({"stands": MINUTE, "until": "paint"}, "fresh answer"),
    ],
)
def test_what_silence_cannot_say_is_found_at_import(changes: dict[str, Any], why: str) -> None:
    check(counting(), TOOLS)
    with pytest.raises(Miswired, match=why):
        check(counting(**changes), TOOLS)


def test_the_thread_shows_when_it_goes_on_and_what_became_of_it(yard: Yard) -> None:
    assert "goes on with *Yes*" in thread(yard)
    assert "'Hold'" in thread(yard)
    yard.answer("Hold", ONCALL)
    assert "pressed *Hold*, so it waits until somebody answers" in thread(yard)
    assert "Hold: who asked" not in thread(yard)
    assert any("oncall held it" in line.text for line in retell(yard.store.entries("r1")).lines)


def test_the_thread_says_that_nobody_answered(yard: Yard) -> None:
    yard.clock.advance(600)
    yard.work()
    assert "Nobody answered in time: *Yes* stands, and the run goes on." in thread(yard)
    assert any("Nobody answered in time: Yes stands" in line.text for line in retell(yard.store.entries("r1")).lines)


def test_the_terminal_shows_when_it_goes_on(yard: Yard) -> None:
    out = io.StringIO()
    run_shown.question(Console(file=out, width=200), yard.procedure, yard.run)
    assert f"goes on with Yes at {yard.clock() + 10 * MINUTE:%H:%M:%S} UTC, unless somebody" in out.getvalue()


def test_killed_at_every_entry_of_a_countdown_it_goes_on_once(yard: Yard) -> None:
    places: list[Yard] = []

    def keep(place: str) -> None:
        clock = type(yard.clock)(yard.clock.now)
        copy = Yard(yard.procedure, replace(yard.house, did=list(yard.house.did)), clock)
        copy.store = yard.store.fork(clock)
        places.append(copy)

    yard.store.at_place = keep
    yard.clock.advance(600)
    yard.work()
    assert len(places) > 6
    for here in places:
        here.clock.advance(11)
        here.work()
        assert here.run.finished is Outcome.RECOVERED
        assert here.house.did.count("paint") == 1
        assert here.kinds().count(Kind.EXPIRED) == 1
        assert first_broken(here.store.entries("r1")) is None


def test_an_expiry_told_by_an_older_version_still_leads_back(yard: Yard) -> None:
    lease = yard.store.acquire("r1", "older")
    yard.store.append(lease, Kind.EXPIRED, 1, {"title": "Paint it?"})
    assert yard.run.undoing is Outcome.DISCARDED
    assert not isinstance(next_move(yard.procedure, yard.run, yard.clock()), Recheck)


@pytest.mark.parametrize(
    "more", [{"types": "service"}, {"types": "when"}, {"who": MayAnswer.SECOND}, {"leads": OptionEffect.BACK}]
)
def test_silence_is_no_second_person_and_types_nothing(more: dict[str, Any], yard: Yard) -> None:
    plain = {"label": "Go on", "leads": OptionEffect.ON, "types": "", "who": MayAnswer.REQUESTER}

    def asked(first: dict[str, Any]) -> Question:
        return Question(1, 2, "Go on?", (first,), yard.clock(), "p", silence=OptionEffect.ON)

    assert asked(plain).on_silence == plain
    assert asked({**plain, **more}).on_silence is None


def test_hold_after_an_answer_is_refused_like_any_second_answer(yard: Yard) -> None:
    question = yard.run.question
    assert question is not None
    answers.answer(yard.store, "r1", question.n, "Hold", ONCALL)
    answers.answer(yard.store, "r1", question.n, question.options[0]["label"], ONCALL)
    with pytest.raises(Refused, match="answered already"):
        answers.answer(yard.store, "r1", question.n, "Hold", ONCALL)
