"""The picture in the README: a recorded recovery, drawn by the bot in the practice room, seen by a real browser.

`tests/data/pictured_run.json` is the journal of a real recovery of the practice company, as `mayday show RUN --json`
prints it; only the names of its host and folder were changed. What it asked and reported is told as it is now
(`tests/support/pictured.py`). The picture goes to a temporary folder;
`MAYDAY_PICTURE=docs/thread.png` keeps it.
"""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from actions.catalog import CATALOG, find
from actions.engine.journal import Entry, Kind
from actions.engine.procedure import Ask
from actions.store import notes
from actions.store.store import Store
from bot.bot_service import BotService
from bot.slack.watched_journals import SINK
from lab.bench.thread_figures import screens
from lab.slack.client import RunningPracticeSlack
from tests.support import pictured
from tests.support.bot_world import settings_for
from tests.support.paths import ROOT
from tests.support.practice_bot import serving, slack
from tests.support.waiting import within

__all__ = ["slack"]
pytestmark = pytest.mark.browser
WIDTH, HEIGHT, SCALE = 1240, 1760, 0.75
MOST_BYTES = 300_000
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--virtual-time-budget=5000",
    f"--force-device-scale-factor={SCALE}",
    f"--window-size={WIDTH},{HEIGHT}",
)


class Recording:
    """A recorded run, told again to a store whose clock shows the time of each entry."""

    def __init__(self) -> None:
        self.entries = pictured.entries()
        self.run = self.entries[0].run
        self.ahead = self.entries[-1].at - datetime.now(UTC)
        self._now: datetime | None = None

    def clock(self) -> datetime:
        """The time of the entry being told; afterwards time goes on from the last one."""
        return self._now or datetime.now(UTC) + self.ahead

    def tell(self, store: Store) -> None:
        for entry in self.entries:
            self._now = entry.at
            if entry.kind is Kind.REQUESTED:
                store.open_run(self.run, entry.data, claims=False, key="recorded")
            else:
                store.speak(self.run, drafted(entry))
        self._now = None


def drafted(entry: Entry) -> Callable[[Any], tuple[Kind, int | None, dict[str, Any]]]:
    return lambda _run: (entry.kind, entry.step, entry.data)


@pytest.fixture
def recording() -> Recording:
    return Recording()


@pytest.fixture
def drawn(slack: RunningPracticeSlack, recording: Recording, tmp_path: Path) -> Iterator[None]:
    """A bot that is connected and has drawn the whole thread, as slowly as Slack's limits want it."""
    store = Store(f"sqlite:///{tmp_path / 'mayday.db'}", recording.clock)
    recording.tell(store)
    service = BotService(settings_for(slack.api_url), store, CATALOG, lambda _run: None, recording.clock)
    with serving(service):
        within(120, every=0.25)(lambda: notes.cursor(store, SINK, recording.run) >= len(recording.entries))
        yield


def browse(slack: RunningPracticeSlack, profile: Path, *what: str) -> str:
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    assert browser, "chromium is not installed: apt-get install chromium"
    page = f"{slack.url}/?user=approver&thread=newest&still=1"
    command = [browser, *FLAGS, f"--user-data-dir={profile}", *what, page]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


def size_of(picture: Path) -> tuple[int, int]:
    head = picture.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", head[16:24])
    return width, height


def test_the_recorded_run_has_the_steps_of_the_procedure_as_it_is_now(recording: Recording) -> None:
    """Else the picture would show steps that are no longer so: record a recovery of the practice company anew."""
    steps = find(recording.entries[0].data["procedure"]).steps
    now = {i: step.title for i, step in enumerate(steps) if not isinstance(step, Ask)}
    # A question that had nothing to choose was done by nobody.
    done = {e.step: e.data["title"] for e in recording.entries if e.kind is Kind.DONE and e.step in now}
    assert done == now


@pytest.mark.usefixtures("drawn")
def test_a_picture_of_a_recovery_is_taken(slack: RunningPracticeSlack, recording: Recording, tmp_path: Path) -> None:
    seen = browse(slack, tmp_path / "reader", "--dump-dom")
    for words in (
        "Comes back",
        "chose <strong>Cut over",
        "Healthy",
        recording.run,
        "Recovered",
        ">bot connected",
    ):
        assert words in seen, words
    asked = os.environ.get("MAYDAY_PICTURE")
    picture = ROOT / asked if asked else tmp_path / "thread.png"
    browse(slack, tmp_path / "painter", f"--screenshot={picture}")
    assert size_of(picture) == (int(WIDTH * SCALE), int(HEIGHT * SCALE))
    # A page that did not load is a few plain kilobytes.
    assert 60_000 < picture.stat().st_size <= MOST_BYTES


@pytest.mark.usefixtures("drawn")
def test_the_thread_of_a_recovery_takes_at_most_four_screens_of_a_phone(
    slack: RunningPracticeSlack, recording: Recording
) -> None:
    figure = screens(slack, recording.run)
    assert figure.met, figure.measured


def test_the_recording_lasted_as_long_as_it_says(recording: Recording) -> None:
    first, last = recording.entries[0], recording.entries[-1]
    assert last.at - first.at < timedelta(minutes=30)
    assert last.data["outcome"] == "recovered"
