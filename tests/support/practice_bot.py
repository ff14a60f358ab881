"""A real bot in a thread, connected to the practice Slack, and what its threads there say."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from actions.engine.procedure import Procedure
from actions.settings.outside import WebSettings
from actions.store import notes
from actions.store.store import Store
from bot.bot_service import BotService
from lab.slack.client import RunningPracticeSlack, running_practice_slack
from tests.support.bot_world import CATALOG, settings_for, store_in
from tests.support.waiting import now, within

eventually = within(12)


@pytest.fixture
def slack() -> Iterator[RunningPracticeSlack]:
    """A practice Slack on a free port."""
    with running_practice_slack() as running:
        yield running


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store of its own, in which a worker lives."""
    store = store_in(tmp_path, now)
    notes.worker_lives(store, "w", {"host": "here", "sites": ["main"]})
    return store


@contextmanager
def serving(bot: BotService) -> Iterator[BotService]:
    """That bot at work."""
    stop = threading.Event()
    thread = threading.Thread(target=bot.run, args=(stop,), daemon=True)
    thread.start()
    try:
        yield bot
    finally:
        stop.set()
        thread.join(10)


@contextmanager
def running_bot(
    slack: RunningPracticeSlack, store: Store, catalog: Sequence[Procedure] = CATALOG, *, web: bool = False, **more: Any
) -> Iterator[BotService]:
    """A bot of the practice room, with the played procedures where no other catalog is given.

    With `web` its web server listens too. `more` are settings of Slack's.
    """
    settings = settings_for(slack.api_url, **more)
    if web:
        settings = settings.model_copy(update={"web": WebSettings(enabled=True, host="127.0.0.1", port=0)})
    with serving(BotService(settings, store, catalog, lambda run: None, now, lambda: 0)) as bot:
        if web:
            eventually(lambda: bot.port)
        yield bot


@contextmanager
def connected_bot(
    slack: RunningPracticeSlack, store: Store, catalog: Sequence[Procedure] = CATALOG, **more: Any
) -> Iterator[BotService]:
    """The same once it hears Slack and knows the people."""
    with running_bot(slack, store, catalog, **more) as bot:
        assert slack.wait_for_bot()
        eventually(lambda: store.notes("people").get("S0OPERATORS"))
        yield bot


def lines(slack: RunningPracticeSlack, thread: str = "newest") -> list[str]:
    """What a thread says, message by message."""
    return ["\n".join(m["lines"]) for m in slack.thread(thread)["messages"]]


def labels(slack: RunningPracticeSlack, thread: str = "newest") -> list[str]:
    """The buttons that a thread shows."""
    return [b["label"] for m in slack.thread(thread)["messages"] for b in m["buttons"]]
