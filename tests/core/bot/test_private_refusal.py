"""A moment that cannot be reached is told to the asker alone, with buttons, and opens no thread."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from actions.engine.journal import Kind
from actions.engine.procedure import FactRole, Look, Procedure
from actions.recoveries import postgres_pitr
from actions.store import notes
from bot.commands.parse_command import ProcedureCommand
from bot.dispatch import hear
from bot.runs.requests import Origin, open_run
from bot.slack.thread_writer import ThreadWriter
from tests.support.bot_world import CHANNEL, PITR, Office, PlayedWorker, look, office_in
from tests.support.slack_world import Channel, ChannelClient

AIMED: Procedure = replace(
    PITR, steps=(PITR.steps[0], Look("find the place", look, "aim", role=FactRole.AIM), *PITR.steps[2:])
)
REFUSED: dict[str, Any] = {
    "outcome": "refused",
    "error": "07:00 lies before the oldest backup.",
    "code": "MD-PG-002",
    "detail": "The window is 08:00 to 14:00.",
    "hint": "The nearest is 08:00.",
    "instead": ["2026-11-22 08:00:00 UTC", "latest"],
    "report": [],
    "seconds": 2.0,
}


class Scene:
    """A bot that speaks into a channel, and whoever asked for a moment there."""

    def __init__(self, alive: bool = True) -> None:
        self.office: Office = office_in((AIMED,))
        self.channel = Channel(self.office.clock)
        self.bot = replace(self.office.bot, client=ChannelClient(self.channel))
        if alive:
            notes.worker_lives(self.office.store, "w", {"sites": ["main"]})
        self.sink = ThreadWriter(self.bot)

    def ask(self, channel: str = CHANNEL, thread: str = "") -> PlayedWorker:
        origin = Origin("t1", "U0ONCALL", "T1", channel, thread)
        wants = ProcedureCommand(AIMED, "07:00")
        opened = open_run(self.bot, wants, origin, self.bot.people.asking("U0ONCALL", "T1"))
        return PlayedWorker(self.office.store, opened.run)

    def draw(self, seconds: int = 1) -> None:
        for _ in range(seconds):
            self.office.clock.on(1)
            notes.worker_lives(self.office.store, "w", {"sites": ["main"]}) if seconds < 5 else None
            self.sink.tick()

    @property
    def offered(self) -> list[tuple[str, str]]:
        """Label and command of each button that the asker was given."""
        [said] = self.channel.whispers
        return [(b["text"]["text"], b["value"]) for block in said["blocks"][1:] for b in block["elements"]]


@pytest.mark.parametrize("thread", ["", "1795.000100"])
def test_a_refused_moment_is_told_to_the_asker_alone_and_no_thread_is_there(thread: str) -> None:
    scene = Scene()
    worker = scene.ask(thread=thread)
    scene.draw()
    worker.looks(AIMED, 0)
    scene.draw()
    worker.write(Kind.FINISHED, None, **REFUSED)
    scene.draw(4)
    assert scene.channel.messages == []
    [said] = scene.channel.whispers
    assert (said["user"], said["channel"], said["thread_ts"]) == ("U0ONCALL", CHANNEL, thread or None)
    assert "07:00 lies before the oldest backup. [MD-PG-002]" in said["text"]
    assert "no thread was opened" in said["text"]
    assert scene.offered == [
        ("Recover to 2026-11-22 08:00:00 UTC", "recover postgres pitr 2026-11-22 08:00:00 UTC"),
        ("The newest state", "recover postgres pitr latest"),
    ]


def test_a_bot_that_is_started_anew_says_it_neither_again_nor_aloud() -> None:
    scene = Scene()
    scene.ask().write(Kind.FINISHED, None, **REFUSED)
    scene.draw(3)
    scene.sink = ThreadWriter(scene.bot)
    scene.draw(3)
    assert (len(scene.channel.whispers), scene.channel.messages) == (1, [])
    assert scene.sink.tick()


def test_the_thread_opens_once_the_moment_is_found() -> None:
    scene = Scene()
    worker = scene.ask()
    scene.draw()
    assert scene.channel.messages == []
    worker.looks(AIMED, 0, 1)
    scene.draw(3)
    assert scene.channel.keys[0] == "t1"


def test_a_look_that_takes_long_has_its_thread_meanwhile() -> None:
    scene = Scene()
    scene.ask().looks(AIMED, 0)
    for _ in range(9):
        scene.draw()
        assert scene.channel.keys == []
    scene.draw()
    assert scene.channel.keys == ["t1"]


def test_a_run_that_no_worker_takes_has_its_thread_at_once() -> None:
    scene = Scene()
    scene.ask()
    scene.draw()
    assert scene.channel.keys == []
    scene.draw()
    assert scene.channel.keys == ["t1"]
    assert "waiting for a worker for 2 s" in scene.channel.text("t1")


def test_a_run_whose_worker_died_while_it_looked_has_its_thread() -> None:
    scene = Scene()
    worker = scene.ask()
    worker.looks(AIMED, 0)
    assert worker.lease is not None
    scene.draw(4)
    assert scene.channel.keys == []
    scene.office.store.release(worker.lease)
    scene.draw()
    assert scene.channel.keys == ["t1"]


def test_without_a_worker_the_thread_opens_at_once_and_says_so() -> None:
    scene = Scene(alive=False)
    scene.ask()
    scene.office.clock.on(1)
    scene.sink.tick()
    assert scene.channel.keys == ["t1"]
    assert "No worker is alive" in scene.channel.text("t1")


def test_any_other_end_or_trouble_has_its_thread() -> None:
    for said in ({k: v for k, v in REFUSED.items() if k != "instead"}, {"title": "look", "error": "Docker is away."}):
        scene = Scene()
        worker = scene.ask()
        worker.write(Kind.FINISHED if "outcome" in said else Kind.FAILED, None if "outcome" in said else 0, **said)
        scene.draw(3)
        assert scene.channel.keys[0] == "t1"
        assert scene.channel.whispers == []


def test_where_slack_takes_no_private_refusal_the_thread_says_it() -> None:
    scene = Scene()
    scene.channel.fate = lambda _n, method: "error:user_not_in_channel" if method == "whisper" else None
    scene.ask().write(Kind.FINISHED, None, **REFUSED)
    scene.draw(4)
    assert scene.channel.keys[0] == "t1"


def test_while_slack_is_away_it_is_tried_again() -> None:
    scene = Scene()
    scene.channel.fate = lambda n, method: "down" if method == "whisper" and n < 3 else None
    scene.ask().write(Kind.FINISHED, None, **REFUSED)
    scene.draw(7)
    assert (len(scene.channel.whispers), scene.channel.messages) == (1, [])
    assert scene.channel.calls.count("whisper") == 3


def test_where_slack_wants_to_be_asked_later_it_is_asked_no_sooner() -> None:
    scene = Scene()
    scene.channel.fate = lambda n, method: "limited" if method == "whisper" and n < 2 else None
    scene.ask().write(Kind.FINISHED, None, **REFUSED)
    scene.draw(7)
    assert (scene.channel.calls.count("whisper"), scene.channel.whispers) == (1, [])
    scene.draw(2)
    assert (scene.channel.calls.count("whisper"), len(scene.channel.whispers)) == (2, 1)


def test_a_refusal_that_cannot_be_read_holds_up_no_thread() -> None:
    scene = Scene()
    scene.ask().write(Kind.FINISHED, None, **{**REFUSED, "instead": 7})
    asker = scene.bot.people.asking("U0ONCALL", "T1")
    open_run(scene.bot, ProcedureCommand(PITR, "07:00"), Origin("t2", "U0ONCALL", "T1", CHANNEL), asker)
    scene.draw(3)
    assert scene.channel.keys[:1] == ["t2"]


def test_a_typed_time_that_is_refused_at_once_has_its_buttons_too_and_opens_no_run() -> None:
    office = office_in((postgres_pitr.PROCEDURE,))
    reply = hear(office.bot, "postgres pitr half past two", Origin("t1", "U0ONCALL", "T1", CHANNEL))
    labels = [(b["text"]["text"], b["value"]) for block in reply.buttons for b in block["elements"]]
    assert labels == [
        ("Recover to 2:30am", "recover postgres pitr 2:30am"),
        ("Recover to 2:30pm", "recover postgres pitr 2:30pm"),
    ]
    assert office.store.runs() == []
    assert hear(office.bot, labels[0][1], Origin("t2", "U0ONCALL", "T1", CHANNEL)).runs == (office.store.runs()[0],)
