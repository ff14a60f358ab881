"""Two bots on one store: one posts; whatever becomes of it the other goes on, nothing is lost, nothing stands twice."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from actions.engine.errors import Fenced
from actions.engine.journal import Kind
from actions.store import notes
from actions.store.fenced_store import FencedStore
from actions.store.ledger import LEASE_SECONDS
from bot.commands.parse_command import ProcedureCommand
from bot.context import BotContext
from bot.runs.requests import Origin, open_run
from bot.slack.outbox import Outbox
from bot.slack.thread_item import ThreadItem
from bot.slack.thread_loop import ThreadLoop
from tests.support.bot_world import CHANNEL, PITR, Office, PlayedWorker, office_in
from tests.support.slack_world import Channel, ChannelClient, Killed

TAKEN_OVER_WITHIN = 15


class SuspendedClient(ChannelClient):
    """A client whose process can be stopped once, after Slack took a message and before it hears so."""

    meanwhile: Callable[[], None] | None = None

    def chat_postMessage(self, **sent: Any) -> Any:  # noqa: N802
        return self._waits(super().chat_postMessage(**sent))

    def chat_update(self, **sent: Any) -> Any:
        return self._waits(super().chat_update(**sent))

    def _waits(self, answer: Any) -> Any:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        return answer


class Scene:
    """Two bots that share a store and a channel; a run is under way."""

    def __init__(self) -> None:
        self.office: Office = office_in()
        self.channel = Channel(self.office.clock)
        self.clients = [SuspendedClient(self.channel), SuspendedClient(self.channel)]
        self.one, self.other = (ThreadLoop(self.bot(client), f"bot {n}") for n, client in enumerate(self.clients))
        notes.worker_lives(self.office.store, "w", {"sites": ["main"]})
        origin = Origin("trigger-1", "U0ONCALL", "T1", CHANNEL)
        person = self.office.bot.people.asking("U0ONCALL", "T1")
        opened = open_run(self.office.bot, ProcedureCommand(PITR, "14:30"), origin, person)
        self.worker = PlayedWorker(self.office.store, opened.run)

    def bot(self, client: ChannelClient) -> BotContext:
        return replace(self.office.bot, client=client)

    def told(self) -> None:
        """The run says something more."""
        for n in range(2):
            self.worker.write(Kind.NOTED, None, text=f"Line {n}.")

    def draw(self, *tails: ThreadLoop, seconds: int = 60) -> int:
        """Let these bots look each second until everything stands; how many seconds that took."""
        for second in range(1, seconds + 1):
            self.office.clock.on(1)
            complete = [tail.tick() for tail in tails]
            if any(complete):
                return second
        raise AssertionError(f"the thread was not complete in {seconds} s: {self.channel.keys}")

    def expected(self) -> list[str]:
        run = self.worker.run
        return ["trigger-1", *(f"{run}:{n}" for n in range(2, self.office.store.run(run).last + 1))]


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_one_posts_and_the_other_does_not(scene: Scene) -> None:
    scene.draw(scene.one, scene.other)
    scene.channel.calls.clear()
    scene.told()
    for _ in range(30):
        scene.office.clock.on(1)
        assert not scene.other.tick()
        scene.one.tick()
    assert (scene.one.posts, scene.other.posts) == (True, False)
    assert scene.channel.keys == scene.expected()


def test_one_that_is_silent_is_taken_over_in_time(scene: Scene) -> None:
    scene.draw(scene.one, scene.other)
    scene.told()
    assert scene.draw(scene.other) <= TAKEN_OVER_WITHIN
    assert scene.channel.keys == scene.expected()
    # The one of before finds out without a word to Slack.
    scene.channel.calls.clear()
    assert not scene.one.tick()
    assert (scene.one.posts, scene.channel.calls) == (False, [])


@pytest.mark.parametrize("how", ["kill after", "kill before"])
@pytest.mark.parametrize("at", [1, 2, 3])
def test_what_the_killed_one_was_about_to_post_stands_once(scene: Scene, how: str, at: int) -> None:
    scene.channel.fate = lambda n, _method: how if n == at else None
    scene.told()
    with pytest.raises(Killed):
        scene.draw(scene.one)
    scene.worker.write(Kind.NOTED, None, text="Meanwhile.")
    scene.draw(scene.other)
    assert scene.channel.keys == scene.expected()


@pytest.mark.parametrize("beginning", [True, False])
def test_one_that_comes_back_notes_nothing_and_posts_nothing(scene: Scene, beginning: bool) -> None:
    if not beginning:
        scene.draw(scene.one, scene.other)
    scene.told()

    def taken_over() -> None:
        scene.office.clock.on(LEASE_SECONDS + 1)
        scene.worker.ends("discarded")
        scene.draw(scene.other)
        scene.channel.calls.clear()

    scene.clients[0].meanwhile = taken_over
    before = scene.office.clock.now
    assert not scene.one.tick()
    assert scene.office.clock.now > before, "it was not suspended"
    assert (scene.one.posts, scene.other.posts, scene.channel.calls) == (False, True, [])
    assert scene.channel.keys == scene.expected()
    header = scene.channel.messages[0]
    assert "Discarded" in str(header["blocks"])
    assert "Stop" not in str(header["blocks"])
    assert notes.cursor(scene.office.store, "slack", scene.worker.run) == scene.office.store.run(scene.worker.run).last
    # Nor is anything put right again afterwards: what is noted is what stands.
    scene.draw(scene.one, scene.other)
    assert scene.channel.calls == []


def test_an_old_bot_puts_back_no_header(scene: Scene) -> None:
    store = scene.office.store
    old = store.acquire("turn x", "old")
    assert old is not None
    outbox = Outbox(FencedStore(store, old), scene.clients[0])
    scene.office.clock.on(LEASE_SECONDS + 1)
    assert store.acquire("turn x", "new") is not None
    with pytest.raises(Fenced):
        outbox.edit(ThreadItem("k", 1, "before", header=True), {"channel": CHANNEL, "ts": "1.0"})
    assert scene.channel.calls == []


def test_one_that_leaves_lets_the_other_go_on_at_once(scene: Scene) -> None:
    scene.draw(scene.one, scene.other)
    scene.told()
    stop = threading.Event()
    stop.set()
    scene.one.run(stop)
    assert scene.draw(scene.other) <= 3
    assert scene.channel.keys == scene.expected()
