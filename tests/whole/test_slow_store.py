"""Whatever somebody presses or types while the store is locked or full, they hear of it, and nothing begins later."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from actions.engine.journal import Kind
from actions.store import notes
from actions.store.database import file_of
from actions.store.store import Store
from bot.bot_service import BotService
from bot.listeners import response_deadline
from bot.listeners.response_deadline import UNDER_WAY
from lab.slack.client import RunningPracticeSlack
from tests.support.bot_world import PITR, SERVICE, PlayedWorker, store_in
from tests.support.locked_store import locked
from tests.support.practice_bot import connected_bot, eventually, labels, slack, store
from tests.support.waiting import now

__all__ = ["slack", "store"]
pytestmark = pytest.mark.whole
FAILED = "nothing was begun"


@pytest.fixture
def bot(slack: RunningPracticeSlack, store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[BotService]:
    monkeypatch.setattr(response_deadline, "GIVES_UP", 4.0)
    with connected_bot(slack, store) as bot:
        yield bot


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    at = tmp_path / "small"
    at.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "mayday-test", str(at)], check=True)
    yield at
    subprocess.run(["umount", "--lazy", str(at)], check=True)


def planned(slack: RunningPracticeSlack, store: Store) -> PlayedWorker:
    """A run whose first question stands in its thread."""
    worker = PlayedWorker(store, slack.say("/recover postgres pitr 14:30")["run"])
    worker.looks(PITR, 0, 1)
    worker.asks(PITR, 2)
    eventually(lambda: "Cancel" in labels(slack))
    return worker


def approvable(slack: RunningPracticeSlack, store: Store) -> PlayedWorker:
    """The same at its second question."""
    worker = planned(slack, store)
    slack.click("Pause writers and restore")
    eventually(lambda: store.run(worker.run).answered)
    worker.write(Kind.RECHECKED, 2)
    worker.acts(PITR, 3, 4)
    worker.asks(PITR, 5)
    eventually(lambda: "Cut over" in labels(slack))
    return worker


def told(slack: RunningPracticeSlack, user: str) -> str:
    """All that somebody sees."""
    return "\n".join(line for message in slack.state(user)["messages"] for line in message["lines"])


def all_told(slack: RunningPracticeSlack, did: Callable[[], Any], user: str = "oncall") -> None:
    """Somebody does that while the store is locked: told within three seconds, and then that nothing came of it."""
    done = did()
    assert done.get("acked_ms", 0) < 3_000, done
    eventually(lambda: UNDER_WAY in told(slack, user))
    eventually(lambda: FAILED in told(slack, user))


def test_a_command(slack: RunningPracticeSlack, store: Store, bot: BotService) -> None:
    with locked(file_of(str(store.engine.url))):
        all_told(slack, lambda: slack.say("/recover postgres pitr 14:30"))
    assert (store.runs(), store.holder(SERVICE)) == ([], "")
    assert slack.say("/recover postgres pitr 14:30")["run"]


def test_a_mention(slack: RunningPracticeSlack, store: Store, bot: BotService) -> None:
    with locked(file_of(str(store.engine.url))):
        all_told(slack, lambda: slack.say("@mayday postgres pitr 14:30"))
    assert store.runs() == []


def test_a_button(slack: RunningPracticeSlack, store: Store, bot: BotService) -> None:
    run = planned(slack, store).run
    before = len(store.entries(run))
    with locked(file_of(str(store.engine.url))):
        all_told(slack, lambda: slack.click("Pause writers and restore"))
    assert len(store.entries(run)) == before
    slack.click("Pause writers and restore")
    eventually(lambda: store.run(run).answered)


def test_a_dialog(slack: RunningPracticeSlack, store: Store, bot: BotService) -> None:
    run = approvable(slack, store).run
    before = len(store.entries(run))
    with locked(file_of(str(store.engine.url))):
        all_told(slack, lambda: slack.click("Cut over", "approver", typed=SERVICE), "approver")
    assert len(store.entries(run)) == before
    slack.click("Cut over", "approver", typed=SERVICE)
    eventually(lambda: store.run(run).answered)


def test_a_full_disk_is_told_at_once(slack: RunningPracticeSlack, small_disk: Path) -> None:
    store = store_in(small_disk, now)
    notes.worker_lives(store, "w", {"host": "here", "sites": ["main"]})
    with connected_bot(slack, store):
        run = planned(slack, store).run
        before, filler = len(store.entries(run)), small_disk / "filler"
        with suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        # What SQLite has room for in the file that it has already still goes in.
        with suppress(OperationalError):
            for n in range(10_000):
                store.keep("post", f"filler {n}", "x" * 3000)
        refused = slack.say("/recover postgres verify")["answers"][0]
        slack.click("Pause writers and restore")
        eventually(lambda: told(slack, "oncall").count("Its disk is full.") == 2)
        assert FAILED in refused
        assert "Its disk is full." in refused
        assert (store.runs(), len(store.entries(run))) == ([run], before)
        filler.unlink()
        slack.click("Pause writers and restore")
        eventually(lambda: store.run(run).answered)
