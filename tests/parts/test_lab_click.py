"""`mayday lab click` presses what a run asks, also in the moment before its thread shows the button."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from actions.store import notes
from actions.store.store import Store
from lab import company
from lab.cli import app
from lab.home import Lab
from lab.slack.client import RunningPracticeSlack
from tests.support.bot_world import PITR, PlayedWorker
from tests.support.practice_bot import connected_bot, eventually, labels, slack

__all__ = ["slack"]
pytestmark = pytest.mark.parts


@pytest.fixture
def lab(slack: RunningPracticeSlack, tmp_path: Path) -> Lab:
    """A practice company of which nothing runs but its room."""
    made = Lab(tmp_path / "lab")
    made.write_state(room_port=int(slack.url.rsplit(":", 1)[1]))
    return made


@pytest.fixture
def store(lab: Lab) -> Store:
    made = company.open_store(lab)
    notes.worker_lives(made, "w", {"host": "here", "sites": ["main"]})
    return made


def lab_says(lab: Lab, *words: str) -> Result:
    return CliRunner().invoke(app, ["--home", str(lab.root), *words, "--json"])


def click(lab: Lab, label: str, *more: str) -> Result:
    return lab_says(lab, "click", label, "--as", "oncall", *more)


@pytest.fixture
def asking(slack: RunningPracticeSlack, store: Store) -> Iterator[PlayedWorker]:
    """The worker of a run that has just asked, before its thread shows it."""
    with connected_bot(slack, store):
        said: dict[str, Any] = slack.say("/recover postgres pitr 14:30")
        worker = PlayedWorker(store, said["run"])
        worker.looks(PITR, 0, 1)
        worker.asks(PITR, 2)
        assert "Cancel" not in labels(slack, worker.run), "else the tests prove nothing"
        yield worker


def test_a_question_that_no_thread_shows_yet_is_waited_for(lab: Lab, store: Store, asking: PlayedWorker) -> None:
    pressed = click(lab, "Cancel", "--thread", asking.run)
    assert pressed.exit_code == 0, pressed.exception
    eventually(lambda: store.run(asking.run).answered)


def test_who_waits_for_a_question_finds_its_buttons_in_the_thread(
    slack: RunningPracticeSlack, lab: Lab, asking: PlayedWorker
) -> None:
    waited = lab_says(lab, "wait", asking.run)
    assert json.loads(waited.stdout)["state"] == "asking"
    assert "Cancel" in labels(slack, asking.run)


def test_a_button_that_nobody_asks_for_is_refused_at_once(slack: RunningPracticeSlack, lab: Lab, store: Store) -> None:
    with connected_bot(slack, store):
        slack.say("/recover postgres pitr 14:30")
        refused = click(lab, "Cut over").exception
    assert "There is no 'Cut over'" in str(refused)
