"""Two real bots on one store and one practice Slack: one posts, it is killed, and the other goes on."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from actions.engine.journal import Kind
from actions.store import notes
from actions.store.store import Store
from lab.slack.client import RunningPracticeSlack
from tests.support.bot_world import CHANNEL, PlayedWorker
from tests.support.practice_bot import slack, store
from tests.support.waiting import within

__all__ = ["slack", "store"]
pytestmark = pytest.mark.parts
TAKEN_OVER_WITHIN = 15.0
LINES = 12
eventually = within(60)


@pytest.fixture
def start(tmp_path: Path, slack: RunningPracticeSlack) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Starts another `mayday bot` of the same settings, and waits until it hears Slack."""
    settings = tmp_path / "mayday.toml"
    # Nobody listens at that Redis: that a run cannot be enqueued is no trouble to a bot.
    settings.write_text(f"""store = "sqlite:///{tmp_path}/mayday.db"
redis = "redis://127.0.0.1:9/0"

[slack]
channel = "{CHANNEL}"
base_url = "{slack.api_url}"
bot_token = "xoxb-practice"
app_token = "xapp-practice"
signing_secret = "practice-signing-secret"

[people]
operator_groups = ["S0OPERATORS"]
approver_groups = ["S0APPROVERS"]
""")
    with ExitStack() as ended:

        def another() -> subprocess.Popen[bytes]:
            before = slack.health()["sockets"]
            bot = ended.enter_context(running(settings, tmp_path / "bots.log"))
            assert slack.wait_for_bot(60, before + 1), (tmp_path / "bots.log").read_text()
            return bot

        yield another


@contextmanager
def running(settings: Path, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("ab") as said:
        bot = subprocess.Popen(
            [sys.executable, "-P", "-m", "mayday", "bot", "--config", str(settings)],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
        )
    try:
        yield bot
    finally:
        bot.kill()
        bot.wait(10)


def keys(slack: RunningPracticeSlack, thread: str) -> list[str]:
    shown: list[dict[str, Any]] = slack.thread(thread)["messages"]
    return [message["metadata"]["event_payload"]["key"] for message in shown if message["metadata"]]


def test_the_second_bot_goes_on_when_the_first_is_killed_and_every_entry_stands_once(
    slack: RunningPracticeSlack, store: Store, start: Callable[[], subprocess.Popen[bytes]]
) -> None:
    first = start()
    eventually(lambda: "S0OPERATORS" in store.notes("people"))
    said = slack.say("/recover postgres verify")
    assert said["run"], said
    eventually(lambda: slack.threads())
    second = start()
    worker, killed = PlayedWorker(store, said["run"]), threading.Event()

    def goes_on() -> None:
        for n in range(LINES):
            # The first is killed in the middle of this, between any two calls, or within one.
            notes.worker_lives(store, "w", {"host": "here", "sites": ["main"]})
            worker.write(Kind.NOTED, None, text=f"Line {n}.")
            time.sleep(0.4)
        killed.wait(60)
        worker.ends("done")

    going = threading.Thread(target=goes_on, daemon=True)
    going.start()
    thread = said["thread"]
    eventually(lambda: len(keys(slack, thread)) >= 3)
    first.kill()
    first.wait(10)
    stood = len(keys(slack, thread))
    killed.set()
    eventually(lambda: len(keys(slack, thread)) > stood, TAKEN_OVER_WITHIN, "the second bot goes on")
    going.join(60)
    complete(slack, store, said["run"], thread)

    # One that leaves in order hands over at once, and one that is new takes over.
    third = start()
    second.send_signal(signal.SIGTERM)
    assert second.wait(20) == 0
    other = slack.say("/recover postgres verify")
    assert other["run"], other
    eventually(lambda: keys(slack, other["thread"]), 5, "the third bot goes on")
    PlayedWorker(store, other["run"]).ends("done")
    complete(slack, store, other["run"], other["thread"])
    assert third.poll() is None
    assert len([one for one in slack.threads() if one["run"]]) == 2


def pressing(slack: RunningPracticeSlack, thread: str) -> list[str]:
    """The buttons that would do something; those that only show more stay."""
    shown = [button for message in slack.thread(thread)["messages"] for button in message["buttons"]]
    return [button["label"] for button in shown if not button["action_id"].startswith("show:")]


def complete(slack: RunningPracticeSlack, store: Store, run: str, thread: str) -> None:
    """The thread has its header and a message for each entry, in order and once, and no button is left."""
    eventually(lambda: notes.cursor(store, "slack", run) == store.run(run).last, 60, "the thread is complete")
    header, *rest = keys(slack, thread)
    assert rest == [f"{run}:{n}" for n in range(2, store.run(run).last + 1)]
    assert not header.startswith(run)
    messages = slack.thread(thread)["messages"]
    eventually(lambda: not pressing(slack, thread), 30, "no button is left")
    assert len(messages) == len(rest) + 1
