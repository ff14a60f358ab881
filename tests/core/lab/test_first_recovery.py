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
    [command] = re.findall(r"(/recover .*?)(?: Its thread)", text)
    assert isinstance(meaning(command, CATALOG), ProcedureCommand)
    labels = {option.label for step in CATALOG[0].steps if isinstance(step, Ask) for option in step.options}
    assert {"Pause writers and restore", "Cut over"} <= labels
    assert all(label in text for label in ("Pause writers and restore", "Cut over"))
    known = {f"{one.real_name} ({one.name})" for one in PEOPLE}
    assert set(re.findall(r"[A-Z]\w+ [A-Z]\w+ \(\w+\)", text)) <= known
    assert "Recovered" in ENDED["recovered"]


def test_a_loss_is_told_with_what_brings_it_back() -> None:
    out = io.StringIO()
    show.loss(Console(file=out, width=200), {"channel": "launch", "messages": 7, "moment": "2026-11-24T12:30:00Z"})
    [command] = re.findall(r"'(/recover .*)'", out.getvalue())
    assert isinstance(meaning(command, CATALOG), ProcedureCommand)
