"""What a new person is told to do in the practice room: the same in terminal and page, with words that exist."""

from __future__ import annotations

import io
import re

from rich.console import Console

from actions.catalog import CATALOG
from actions.engine.procedure import Ask
from bot.commands.parse_command import ProcedureCommand, meaning
from bot.views.run_header import ENDED
from lab import show
from lab.slack.company import PEOPLE
from tests.support.paths import ROOT


def steps_of_the_page() -> list[str]:
    told = (ROOT / "lab/slack/web/app.js").read_text().split("const FIRST = [")[1].split("];")[0]
    return ["".join(re.findall(r'"([^"]*)"', line)) for line in told.splitlines() if line.strip().startswith("[")]


def test_the_terminal_and_the_page_say_the_same() -> None:
    out = io.StringIO()
    show.first_recovery(Console(file=out, width=80))
    plain = [step.replace("Here, as", "In the room, as") for step in steps_of_the_page()]
    assert [line.split(". ", 1)[1] for line in out.getvalue().splitlines()] == plain
    assert list(show.FIRST_RECOVERY) == plain


def test_each_step_names_commands_buttons_and_people_that_exist() -> None:
    text = " ".join(show.FIRST_RECOVERY)
    [command] = re.findall(r"(/recover .*?)(?: and the moment)", text)
    assert isinstance(meaning(f"{command} 12:30", CATALOG), ProcedureCommand)
    labels = {option.label for step in CATALOG[0].steps if isinstance(step, Ask) for option in step.options}
    assert {"Pause writers and restore", "Cut over"} <= labels
    assert all(label in text for label in ("Pause writers and restore", "Cut over"))
    known = {f"{one.real_name} ({one.name})" for one in PEOPLE}
    assert set(re.findall(r"[A-Z]\w+ [A-Z]\w+ \(\w+\)", text)) <= known
    assert "Recovered" in ENDED["recovered"]


def test_a_loss_is_told_with_what_brings_it_back() -> None:
    out = io.StringIO()
    console = Console(file=out, width=80)
    found = {"channel": "launch", "messages": 7, "moment": "2026-11-24T12:30:00.123456Z"}
    show.loss(console, found)
    show.way_back(console, found)
    [sent] = re.findall(r"^  (/recover .*)$", out.getvalue(), re.M)
    [typed] = re.findall(r"^  .venv/bin/mayday lab say '(/recover .*)' --as oncall$", out.getvalue(), re.M)
    assert sent == typed
    assert isinstance(meaning(sent, CATALOG), ProcedureCommand)


def test_a_message_is_shown_once_with_its_time_its_files_and_whoever_alone_sees_a_button() -> None:
    out = io.StringIO()
    shown = {
        "author": "mayday",
        "ts": "1796079098.070105",
        "lines": ["*Plan* of `r1`", "[ Cut over ]  [ Discard ]"],
        "buttons": [{"label": "Cut over", "who": ["approver", "dba"]}, {"label": "Discard", "who": "everyone"}],
        "files": [{"name": "report-r1.txt", "size": 6000}],
    }
    show.thread(Console(file=out, width=40), {"messages": [shown]})
    assert out.getvalue().splitlines() == [
        "mayday 22:51:38 UTC",
        "  Plan of r1",
        "  [ Cut over ]  [ Discard ]",
        "  file report-r1.txt, 6,000 bytes",
        "  [Cut over] is shown to approver, dba",
    ]
