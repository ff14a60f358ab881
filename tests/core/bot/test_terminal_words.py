"""The terminal's words: groups, version, typing mistakes, runs on one line; and the direct conversation's answers."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from rich.console import Console
from slack_sdk import WebClient
from typer.testing import CliRunner

import mayday
from actions.engine.errors import Refused
from actions.engine.status import state_of
from actions.version import VERSION
from bot.listeners.whisper import whisper
from bot.terminal.deferred import GROUPS, LATE
from bot.terminal.records import print_runs
from bot.views.mrkdwn import button
from tests.support.bot_world import office_in


def typed(*words: str) -> str:
    return CliRunner().invoke(mayday.app, list(words), catch_exceptions=False).stdout


def test_the_help_has_every_command_in_one_of_its_groups() -> None:
    said = typed("--help")
    assert [line.rstrip(":") for line in said.splitlines() if line.rstrip(":") in GROUPS] == list(GROUPS)
    shown = [line.split()[0] for line in said.splitlines() if re.match(r"  \S+  +\S", line)]
    assert set(LATE) <= set(shown)
    assert len(shown) == len(set(shown))
    assert all(len(line) <= 80 for line in said.splitlines())


def test_the_version_is_told() -> None:
    assert typed("--version") == f"Mayday {VERSION}\n"


@pytest.mark.parametrize(
    ("words", "near"),
    [
        (("recovr", "postgres", "pitr", "14:30"), "mayday recover postgres pitr 14:30"),
        (("statsu",), "mayday status"),
        (("cancel", "r1"), "mayday stop r1"),
        (("restore", "to", "12:05"), "mayday recover restore to 12:05"),
        (("ack", "i1"), "mayday incident acknowledge i1"),
        (("version",), "mayday --version"),
    ],
)
def test_a_word_that_is_no_command_is_answered_with_the_one_that_was_meant(words: tuple[str, ...], near: str) -> None:
    with pytest.raises(Refused) as refused:
        typed(*words)
    assert f"Did you mean {near}?" in refused.value.hint


def test_a_word_that_resembles_nothing_gets_the_list() -> None:
    with pytest.raises(Refused) as refused:
        typed("xyzzy")
    assert refused.value.hint == "mayday --help lists what there is."


def test_runs_are_one_line_each_within_eighty_columns() -> None:
    office = office_in()
    for i in range(3):
        at = {"procedure": "postgres base backup of all", "service": "nself-postgres-of-a-very-long-name-indeed"}
        told = {
            **at,
            "table": "",
            "site": "main",
            "by": "U1",
            "name": "Ana",
            "request": {},
            "summary": "",
            "origin": {},
        }
        office.store.open_run(f"r1122-aaa{i}", told, claims=[], key=f"k{i}")
    found = [office.store.run(run) for run in office.store.runs()]
    out = io.StringIO()
    print_runs(Console(file=out, width=80, soft_wrap=True), found)
    lines = out.getvalue().splitlines()
    assert len(lines) == 4
    assert all(len(line) <= 80 for line in lines)
    assert all(run.id in line and str(state_of(run)) in line for run, line in zip(found, lines[1:], strict=True))


class Heard(WebClient):
    def __init__(self) -> None:
        super().__init__(token="xoxb-test")
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def api_call(self, api_method: str, **more: Any) -> Any:
        self.calls.append((api_method, more["json"]))


def test_an_answer_stays_in_the_direct_conversation_and_is_for_one_person_elsewhere() -> None:
    client, row = Heard(), {"type": "actions", "elements": [button("Status", "a", "b")]}
    whisper(client, "D0ANA", "U0ANA", "There.", buttons=[row])
    whisper(client, "C0OPS", "U0ANA", "There.", "17.1")
    assert [kind for kind, _given in client.calls] == ["chat.postMessage", "chat.postEphemeral"]
    assert client.calls[0][1]["blocks"][1] == row
    assert client.calls[1][1]["user"] == "U0ANA"
