"""A procedure says in its own words how it ended; without any, all is called as before."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from actions.control import answers
from actions.engine.errors import RecoveryError
from actions.engine.injection import Miswired, check
from actions.engine.journal import Kind
from actions.engine.procedure import Outcome
from actions.incidents.milestones import milestones
from actions.incidents.run_story import retell
from bot.slack.run_thread import story
from bot.terminal import run_shown
from bot.views import run_header
from bot.views.run_header import HeaderData
from tests.support.worlds.planned import ONCALL
from tests.support.worlds.services import RESTART, TOOLS, Host, Room, Service, Services
from tests.support.worlds.toys import trouble

WORDS = {
    Outcome.DONE: "{service} is restarted",
    Outcome.UNDONE: "The services are as they were <before>",
    Outcome.REFUSED: "Nothing of {service} was restarted",
}


def counted(services: Services) -> str:
    return f"{len(services.all)} services run again"


def nobody_gives(nobody: int) -> str:
    return ""


def broken(services: Services) -> str:
    raise RecoveryError("No words.", hint="None.")


def room(says: Mapping[Outcome, str] | Callable[..., str] | None, host: Host | None = None) -> Room:
    return Room(replace(RESTART, says=says), host or Host()).ask()


def everywhere(here: Room) -> list[str]:
    """Every place where people read how a run ended."""
    entries = here.store.entries("r1")
    seen = HeaderData(here.procedure, here.run, entries, here.clock())
    report = next(item for item in story(seen) if item.key == f"r1:{entries[-1].n}")
    out = io.StringIO()
    run_shown.line(Console(file=out, width=300), entries[-1])
    return [
        run_header.text(seen),
        str(run_header.blocks(seen)),
        report.text,
        str(report.blocks),
        out.getvalue(),
        retell(entries).lines[-1].text,
        [m.text for m in milestones(entries, here.procedure)][-1],
    ]


@pytest.mark.parametrize(
    ("says", "words"), [(WORDS, "stack is restarted"), (counted, "5 services run again"), (None, "done")]
)
def test_the_words_of_a_procedure_stand_wherever_its_end_is_told(says: Any, words: str) -> None:
    here = room(says)
    here.work()
    assert here.run.finished is Outcome.DONE
    assert all(words in text or words in text.casefold() for text in everywhere(here)), everywhere(here)


def test_what_was_taken_back_has_the_procedures_words_and_nothing_of_a_swap() -> None:
    here = room(WORDS, Host(fails={"start web": trouble()}))
    here.work()
    answers.undo(here.store, here.procedure, "r1", ONCALL)
    here.work()
    told = everywhere(here)
    assert all("The services are as they were" in text for text in told), told
    assert not any("old world" in text for text in told)
    assert "&lt;before&gt;" in told[0]


def test_a_refusal_has_the_procedures_words_and_still_its_reason() -> None:
    here = room(WORDS, Host((Service("a", ("zz",)),)))
    here.work()
    told = everywhere(here)
    assert here.run.finished is Outcome.REFUSED
    assert all("Nothing of stack was restarted" in text for text in told), told
    assert "a needs zz" in told[4]


def test_an_end_that_a_procedure_has_no_words_for_is_called_as_before() -> None:
    here = room({Outcome.DONE: "Fine"}, Host(fails={"start web": trouble()}))
    here.work()
    answers.undo(here.store, here.procedure, "r1", ONCALL)
    here.work()
    assert "words" not in here.store.entries("r1")[-1].data
    assert "Undone, the old world is back" in everywhere(here)[0]


@pytest.mark.parametrize("says", [counted, broken])
def test_a_function_is_asked_of_the_promised_end_alone_and_its_failure_ends_no_run_otherwise(says: Any) -> None:
    here = room(says, Host((Service("a", ("zz",)),)))
    here.work()
    assert here.run.finished is Outcome.REFUSED
    here = room(broken)
    assert here.work() == "finished"
    assert here.run.finished is Outcome.DONE
    assert [e.kind for e in here.store.entries("r1")][-1] is Kind.FINISHED


def test_the_function_of_the_words_is_checked_at_import() -> None:
    check(replace(RESTART, says=counted), TOOLS)
    check(replace(RESTART, says=WORDS), TOOLS)
    with pytest.raises(Miswired, match="says"):
        check(replace(RESTART, says=nobody_gives), TOOLS)
