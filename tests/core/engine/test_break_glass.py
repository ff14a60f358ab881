"""Breaking the glass: who asked goes alone, only where the settings say so, only after a time, and on the record."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.control import answers
from actions.engine.break_glass import BreakGlass, must_be_open
from actions.engine.errors import Refused
from actions.engine.journal import Entry, Kind
from actions.engine.rights import Speaker
from bot.slack.run_thread import story
from bot.views.run_header import HeaderData
from tests.support.terminal_world import Terminal
from tests.support.worlds.planned import APPROVER, DBA, ONCALL
from tests.support.worlds.toys import Yard

AFTER = timedelta(minutes=15)
REASON = "Nobody answers; orders are lost every minute."


@pytest.fixture
def yard() -> Yard:
    """A run of oncall that waits for a second person."""
    return waiting()


def waiting() -> Yard:
    made = Yard()
    made.ask()
    made.work()
    made.answer("Yes", ONCALL)
    made.work()
    return made


def alone(
    yard: Yard, by: Speaker = ONCALL, label: str = "Varnish", reason: str = REASON, after: timedelta | None = AFTER
) -> Entry | None:
    question = yard.run.question
    assert question is not None
    return answers.answer(yard.store, "r1", question.n, label, by, "wall", BreakGlass(reason, after))


def test_after_the_set_time_who_asked_goes_alone_and_it_is_on_the_record(yard: Yard) -> None:
    yard.clock.advance(900)
    entry = alone(yard)
    assert entry is not None
    assert entry.data["glass"] == {"reason": REASON, "waited_seconds": 900.0}
    assert (entry.data["by"], entry.data["option"]) == (ONCALL.id, "Varnish")
    yard.work()
    assert yard.run.glass
    assert yard.run.glass["name"] == "oncall"
    ended = yard.store.entries("r1")[-1]
    assert ended.kind is Kind.FINISHED
    assert ended.data["glass"]["reason"] == REASON


@given(seconds=st.floats(0, 3599), minutes=st.floats(0.01, 59))
def test_never_before_the_time_and_always_after(seconds: float, minutes: float) -> None:
    yard = waiting()
    yard.clock.advance(seconds)
    after = timedelta(minutes=minutes)
    question = yard.run.question
    assert question is not None
    assert question.asked_at is not None
    if yard.clock() >= question.asked_at + after:
        assert alone(yard, after=after) is not None
    else:
        with pytest.raises(Refused, match="too early"):
            alone(yard, after=after)
        assert yard.run.asking


def test_too_early_says_when_it_opens(yard: Yard) -> None:
    yard.clock.advance(899.9)
    with pytest.raises(Refused, match="too early") as refused:
        alone(yard)
    opens = yard.clock() + timedelta(seconds=0.1)
    assert f"{opens:%H:%M:%S} UTC" in refused.value.detail
    assert "15 minutes" in refused.value.detail


def test_a_question_of_which_nobody_knows_when_it_was_put_opens_for_nobody(yard: Yard) -> None:
    assert yard.run.question is not None
    with pytest.raises(Refused, match="too early") as refused:
        must_be_open(BreakGlass(REASON, AFTER), replace(yard.run.question, asked_at=None), yard.clock())
    assert refused.value.detail == "Others have 15 minutes to answer."


@pytest.mark.parametrize("after", [None, timedelta(0), timedelta(seconds=-1)])
def test_where_the_settings_do_not_allow_it_nobody_goes_alone_however_late(yard: Yard, after: timedelta | None) -> None:
    yard.clock.advance(3500)
    with pytest.raises(Refused, match="settings do not let"):
        alone(yard, after=after)
    assert yard.run.asking


@pytest.mark.parametrize("by", [APPROVER, DBA, replace(ONCALL, may_ask=False), replace(ONCALL, id="U-OTHER")])
def test_only_who_asked_and_still_may_ask_goes_alone(yard: Yard, by: Speaker) -> None:
    yard.clock.advance(900)
    with pytest.raises(Refused, match="did not ask for run r1, or may not ask any more"):
        alone(yard, by)
    assert yard.run.asking


@pytest.mark.parametrize("reason", ["", "   ", "\n"])
def test_a_reason_is_needed(yard: Yard, reason: str) -> None:
    yard.clock.advance(900)
    with pytest.raises(Refused, match="needs a reason"):
        alone(yard, reason=reason)


@pytest.mark.parametrize("label", ["Back", "Another colour"])
def test_an_answer_that_needs_no_second_person_breaks_no_glass(yard: Yard, label: str) -> None:
    yard.clock.advance(900)
    with pytest.raises(Refused, match="needs no second person"):
        alone(yard, label=label)


def test_an_answer_of_somebody_else_comes_first(yard: Yard) -> None:
    yard.clock.advance(900)
    yard.answer("Varnish", APPROVER, "wall")
    with pytest.raises(Refused, match="answered already"):
        alone(yard)
    assert yard.run.glass is None


def test_the_time_and_the_name_still_have_to_be_right(yard: Yard) -> None:
    yard.clock.advance(900)
    question = yard.run.question
    assert question is not None
    with pytest.raises(Refused, match="does not match"):
        answers.answer(yard.store, "r1", question.n, "Varnish", ONCALL, "wal", BreakGlass(REASON, AFTER))
    yard.clock.advance(3600)
    with pytest.raises(Refused, match="expired"):
        alone(yard)


def test_facts_that_changed_make_it_void_and_the_time_begins_anew(yard: Yard) -> None:
    yard.clock.advance(900)
    alone(yard)
    yard.house.bricks = 99
    yard.work()
    assert Kind.VOIDED in yard.kinds()
    assert yard.run.glass is None
    with pytest.raises(Refused, match="too early"):
        alone(yard)


def test_a_secret_in_the_reason_stays_out_of_the_journal_and_a_long_one_is_cut(yard: Yard) -> None:
    yard.clock.advance(900)
    entry = alone(yard, reason="password=hunter2 " + "x" * 5000)
    assert entry is not None
    assert "hunter2" not in entry.data["glass"]["reason"]
    assert len(entry.data["glass"]["reason"]) == 500


def test_the_thread_and_the_report_say_so_in_their_first_line(yard: Yard) -> None:
    yard.clock.advance(900)
    alone(yard, reason="<!channel> & nobody")
    yard.work()
    told = yard.store.entries("r1")
    header, *_, report, _file = story(HeaderData(yard.procedure, yard.run, told, yard.clock()))
    for item in (header, report):
        first: Any = item.blocks[0]
        assert "Approved by one person alone: oncall broke the glass" in first["text"]["text"]
        assert "&lt;!channel&gt; &amp; nobody" in first["text"]["text"]
    assert header.text.startswith("Approved by one person alone.")
    seen = story(HeaderData(yard.procedure, waiting().run, told[:3], yard.clock()))[0]
    assert "alone" not in seen.text
    assert seen.signature != header.signature


# In the terminal ---------------------------------------------------------------------------------------


@pytest.fixture
def terminal(memory_path: Path) -> Terminal:
    made = Terminal(memory_path, glass_minutes=15)
    made.typed("ana", "recover", "paint", "red")
    made.typed("ana", "answer", made.run.id, "Yes", "--type", made.plan)
    return made


@pytest.mark.parts
def test_in_a_terminal_it_takes_the_reason_the_hash_and_a_code_of_ones_own(terminal: Terminal) -> None:
    secret, run = terminal.enrol("ana"), terminal.run.id
    words = ("approve", run, "--alone", "--type", terminal.plan)
    early = terminal.type("ana", *words)
    assert "too early" in early.exception.message
    assert "Why" not in early.stderr
    terminal.clock.on(900)
    assert "is wrong" in terminal.type("ana", *words, "--code", "000000", "--reason", REASON).exception.message
    wordless = terminal.type("ana", *words, "--code", terminal.code(secret), stdin="\n")
    assert "needs a reason" in wordless.exception.message
    said = terminal.typed("ana", *words, "--code", terminal.code(secret), stdin=f"{REASON}\n")
    assert terminal.run.finished == "recovered"
    assert f"Reason: {REASON}" in said.stdout
    assert terminal.json("ana", "show", run)["entries"][-1]["data"]["glass"]["reason"] == REASON


@pytest.mark.parts
def test_off_by_default_and_refused_before_anybody_is_asked_why(terminal: Terminal) -> None:
    terminal.glass_minutes = 0
    terminal.clock.on(3000)
    refused = terminal.type("ana", "approve", terminal.run.id, "--alone")
    assert "settings do not let" in refused.exception.message
    assert "Why" not in refused.stderr


@pytest.mark.parts
def test_a_reason_without_going_alone_is_a_slip_that_is_said(terminal: Terminal) -> None:
    refused = terminal.type("bo", "approve", terminal.run.id, "--reason", REASON)
    assert "--alone" in refused.exception.hint
