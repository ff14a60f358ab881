"""A bare time in Slack from its words to the plan: read in two zones, planned by a worker, pressed in a thread.

The company is a world whose clock stands hours behind its base backup, so that both readings can be reached.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from actions.catalog import CATALOG
from actions.engine.ids import is_errand
from actions.settings.settings import Settings
from actions.store import notes
from actions.store.store import Store
from actions.watch.row_counts import RowsSeen, look
from bot.bot_service import BotService
from lab.slack.client import RunningPracticeSlack
from tests.support.bot_world import settings_for
from tests.support.practice_bot import serving, slack
from tests.support.waiting import within
from tests.support.worlds.company import SITE
from tests.support.worlds.founding import company
from tests.support.worlds.planned import Company

__all__ = ["slack"]
pytestmark = pytest.mark.parts
eventually = within(30)
# The practice company's oncall lives in Europe/Berlin, an hour before UTC in winter.
LATER, EARLIER = "2026-02-09 09:40:30 UTC", "2026-02-09 08:40:30 UTC"


class Room:
    """A bot in the practice Slack, and a worker that carries out what it queues."""

    def __init__(self, slack: RunningPracticeSlack, here: Company) -> None:
        self.slack, self.here = slack, here
        self.queued: list[str] = []
        self._lock = threading.Lock()

    def queue(self, run: str) -> None:
        with self._lock:
            self.queued.append(run)

    def planned(self, number: int) -> str:
        """The plan of the run that was asked for as that one, from 1; the words of its thread."""
        eventually(lambda: len(self._works()) >= number)
        run = self._works()[number - 1]
        assert self.here.work(run) == "asking", self.here.said(run)
        eventually(lambda: "Cancel" in self.buttons(run), what="the question")
        return "\n".join(line for message in self._told(run) for line in message["lines"])

    def buttons(self, run: str) -> list[str]:
        """What its messages show to press."""
        # Slack's limits are kept by the clock that the bot was handed, which else would stand still.
        self.here.world.clock.advance(0.1)
        return [button["label"] for message in self._told(run) for button in message["buttons"]]

    def _told(self, run: str) -> list[Any]:
        """Its messages, of a thread that it may share with the run before."""
        shown = self.slack.thread(run).get("messages", ())
        return [message for message in shown if message["metadata"]["event_payload"]["run"] == run]

    def newest(self) -> str:
        return self._works()[-1]

    def _works(self) -> list[str]:
        with self._lock:
            return list(dict.fromkeys(run for run in self.queued if not is_errand(run)))


def offered(slack: RunningPracticeSlack) -> list[str]:
    """The losses that the newest private answer has a button for."""
    blocks = [block for message in slack.state()["messages"] if message["only_for"] for block in message["blocks"]]
    shown = [element["text"]["text"] for block in blocks for element in block.get("elements", ()) if "text" in element]
    return [label for label in shown if label.startswith("Before 921 rows vanished from nchat_messages")]


@pytest.fixture
def room(slack: RunningPracticeSlack, tmp_path: Path) -> Iterator[Room]:
    world = company()
    world.says(80)
    store = Store(f"sqlite:///{tmp_path / 'mayday.db'}", world.clock)
    notes.worker_lives(store, "w", {"host": "here", "sites": [SITE.name]})
    made = Room(slack, Company(world, store))
    settings: Settings = settings_for(slack.api_url)
    with serving(BotService(settings, store, CATALOG, made.queue, world.clock, lambda: 0)):
        assert slack.wait_for_bot()
        eventually(lambda: store.notes("people").get("S0OPERATORS"))
        yield made


def test_a_bare_time_is_planned_as_the_later_reading_and_a_button_gives_the_plan_of_the_other(room: Room) -> None:
    room.slack.say("/recover postgres pitr 09:40:30")
    first = room.planned(1)
    assert LATER in first
    rather = "Rather 09:40:30 in Europe/Berlin (1 h earlier)"
    assert rather in room.buttons(room.newest())
    assert room.slack.click(rather, thread=room.newest())["ok"]
    room.here.work(room.newest())
    second = room.planned(2)
    assert EARLIER in second
    assert LATER not in second
    assert not [label for label in room.buttons(room.newest()) if label.startswith("Rather")]
    assert room.here.world.changes == (), "nothing was touched"


def test_recover_alone_has_a_button_for_a_counted_loss_that_gives_the_plan_of_the_moment_before(room: Room) -> None:
    world, store = room.here.world, room.here.store
    for rows in (1840, 919):
        look(store, SITE.name, SITE.postgres, RowsSeen("08:00", {"public.nchat_messages": rows}))
        world.says(1)
    room.slack.say("/recover")
    [label] = eventually(lambda: offered(room.slack), what="the answer for oncall alone")
    assert room.slack.click(label)["ok"]
    moment = label.split("(")[1].removesuffix(")")
    assert moment in room.planned(1)
    assert room.here.world.changes == (), "nothing was touched"
