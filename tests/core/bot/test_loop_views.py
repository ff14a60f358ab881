"""How a loop over items, and what is done by hand, look to people: short, and with the buttons that work."""

from __future__ import annotations

import io
from typing import Any

from rich.console import Console

from actions.control import answers
from actions.engine.folding import fold
from actions.incidents.milestones import milestones
from actions.incidents.run_story import retell
from bot.runs.button_target import ButtonTarget
from bot.slack.run_thread import story
from bot.slack.thread_item import ThreadItem
from bot.terminal import run_shown
from bot.views import answer_modals, run_header, step_table
from bot.views.run_header import HeaderData
from bot.web.run_counts import RunCounts
from tests.support.worlds.planned import ONCALL
from tests.support.worlds.services import RESTART, STACK, Host, Room, Service
from tests.support.worlds.toys import trouble

ROUTER = Service("router", instruction="Switch the <router> on.")


def seen(here: Room) -> HeaderData:
    entries = here.store.entries("r1")
    return HeaderData(RESTART, here.run, entries, here.clock())


def thread(here: Room) -> list[ThreadItem]:
    return story(seen(here))[1:]


def buttons(item: ThreadItem) -> list[str]:
    return [e["text"]["text"] for b in item.blocks if b["type"] == "actions" for e in b["elements"]]


def shown(item: ThreadItem) -> str:
    return "\n".join((b.get("text") or {}).get("text", "") for b in item.blocks if isinstance(b.get("text"), dict))


def terminal(here: Room, draw: Any) -> str:
    out = io.StringIO()
    draw(Console(file=out, width=200))
    return out.getvalue()


def table(here: Room) -> str:
    return step_table.text(step_table.rows(RESTART, here.run, here.store.entries("r1")))


def test_the_items_of_a_loop_fold_into_the_header_and_stand_in_the_table_of_steps() -> None:
    here = Room().ask()
    here.work()
    assert [item.key for item in thread(here)] == ["r1:16", "r1:16:report-r1.txt:file"]
    assert all(f"Start the services: {s.name}" in table(here) for s in STACK)
    half = here.store.entries("r1")[:4]
    under_way = HeaderData(RESTART, fold(half), half, here.clock())
    assert "0 of 5" in str(run_header.blocks(under_way))


def test_a_failed_item_is_a_line_without_buttons_and_the_run_says_what_to_do_once() -> None:
    here = Room(host=Host(fails={"start redis": trouble("Out of memory.")})).ask()
    here.work()
    items, failed = thread(here)
    assert items.text.splitlines()[0] == "*Start the services*"
    assert "redis · 0.0 s — failed: Out of memory." in items.text
    assert buttons(items) == []
    assert "redis: Out of memory." in shown(failed)
    assert buttons(failed) == ["Retry", "Undo"]
    told = [m.text for m in milestones(here.store.entries("r1"), RESTART)]
    assert sum("Out of memory" in text for text in told) == 1


def test_what_is_taken_back_of_a_loop_is_counted_and_stands_in_the_table() -> None:
    here = Room(host=Host(fails={"start web": trouble()})).ask()
    here.work()
    answers.undo(here.store, RESTART, "r1", ONCALL)
    here.work()
    assert table(here).count("Taken back: Start the services") >= 4
    assert "1 taken back" in str(run_header.blocks(seen(here)))


def test_a_message_stands_as_it_was_while_more_is_told() -> None:
    here = Room(host=Host(tuple(Service(f"s{n:02}") for n in range(45)))).ask()
    here.work()
    keys = [item.key for item in thread(here)]
    entries = here.store.entries("r1")
    for n in range(2, len(entries)):
        part = HeaderData(RESTART, here.run, entries[:n], here.clock())
        told = [item.key for item in story(part)[1:]]
        assert told == keys[: len(told)]


def test_the_terminal_has_one_line_for_each_item() -> None:
    here = Room().ask()
    here.work()
    lines = terminal(here, lambda console: [run_shown.line(console, e) for e in here.store.entries("r1")]).splitlines()
    assert len([line for line in lines if "start the services" in line]) == len(STACK)


def test_the_time_of_items_side_by_side_counts_once() -> None:
    here = Room().ask()
    here.host.amid = lambda what: here.clock.advance(10) if what == "start redis" else None
    here.work()
    told = retell(here.store.entries("r1"))
    assert told.seconds is not None
    assert sum(seconds for _, seconds in told.spent) <= told.seconds + 0.1
    assert len([step for step in told.steps if "start the services" in step.title]) == len(STACK)


def test_the_items_of_a_loop_are_measured_under_its_title() -> None:
    here = Room().ask()
    here.work()
    counts = RunCounts((RESTART,))
    counts.hear(here.store.entries("r1"))
    assert sum(counts.steps["restart", "start the services", "done"].counts) == len(STACK)


def test_an_instruction_is_one_message_with_its_buttons_and_then_with_who_did_it() -> None:
    here = Room(host=Host((ROUTER,))).ask()
    here.work()
    asked = thread(here)[-1]
    assert "Switch the &lt;router&gt; on." in shown(asked)
    assert buttons(asked) == ["Done", "Cannot be done"]
    assert "open until somebody answers" in str(asked.blocks)
    assert run_header.state_text(RESTART, here.run) == "Waits for a person: start the services: router"
    here.host.up = frozenset({"router"})
    here.answer("Done", ONCALL, "it blinks")
    here.work()
    settled = next(item for item in thread(here) if item.key == asked.key)
    assert buttons(settled) == []
    assert "chose *Done* (it blinks)" in shown(settled)
    told = [m.text for m in milestones(here.store.entries("r1"), RESTART)]
    assert "oncall did by hand: start the services: router. it blinks" in told


def test_the_terminal_says_how_to_answer_an_instruction() -> None:
    here = Room(host=Host((ROUTER,))).ask()
    here.work()
    told = terminal(here, lambda console: run_shown.end(console, RESTART, here.store.entries("r1")))
    assert "Switch the <router> on." in told
    assert "waits until somebody answers" in told
    assert "with a few words that stay on the record" in told
    assert "mayday answer r1 'Done'" in run_shown.how_to_answer(here.run)
    assert not run_shown.is_typed_back(None, here.run.question, here.run.question.options[0])  # type: ignore[arg-type, union-attr]


def test_the_dialog_of_an_instruction_asks_for_a_note() -> None:
    view = answer_modals.ask(ButtonTarget("r1", 5, "Done"), "note", "stack")
    assert "with your name" in str(view["blocks"][0])
    assert view["blocks"][1]["element"]["max_length"] == 300
