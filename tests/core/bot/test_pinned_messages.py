"""A pushpin puts a message into the timeline: rights first, cut second, whatever anybody wrote into the message."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from actions.incidents.incident import fold
from bot.listeners.pinned_messages import PIN, pinned
from tests.support.bot_world import CHANNEL, DirectoryClient
from tests.support.worlds.emergency import Emergency

MANY = " ".join(f"<@U{n:08d}>" for n in range(3000))


class Room(DirectoryClient):
    """A thread with one message, which anybody may have written."""

    def __init__(self, here: Emergency, ts: str, text: str) -> None:
        super().__init__(here.office.directory)
        self.ts, self.text, self.whispered = ts, text, list[str]()

    def conversations_replies(self, **_asked: Any) -> Any:
        return {"messages": [{"ts": "2.5", "thread_ts": self.ts, "user": "U0GUEST", "text": self.text}]}

    def chat_postEphemeral(self, **sent: Any) -> Any:  # noqa: N802
        self.whispered.append(sent["text"])


@pytest.fixture
def here() -> Emergency:
    made = Emergency()
    made.office.directory.groups = {"S0OPERATORS": ["U0ONCALL"], "S0APPROVERS": ["U0APPROVER"]}
    made.pages()
    return made


def pin(here: Emergency, text: str, user: str) -> Room:
    (incident,) = here.store.incidents()
    header = here.store.note("post", f"{incident}:1") or {}
    room = Room(here, str(header.get("ts")), text)
    here.office.directory.asked.clear()
    item = {"type": "message", "channel": CHANNEL, "ts": "2.5"}
    pinned(replace(here.bot, client=room), room, {"reaction": PIN, "item": item, "user": user})
    return room


def pins(here: Emergency) -> list[str]:
    (incident,) = here.store.incidents()
    return [said.text for said in fold(here.store.entries(incident)).pins]


def test_a_guests_pin_is_refused_before_a_name_in_it_is_asked_of_slack(here: Emergency) -> None:
    room = pin(here, MANY, "U0GUEST")
    assert "may not lead incidents" in room.whispered[0]
    assert pins(here) == []
    assert not [asked for asked in here.office.directory.asked if asked.startswith("U000")]


def test_of_a_message_with_thousands_of_names_some_are_looked_up(here: Emergency) -> None:
    pin(here, MANY, "U0ONCALL")
    assert len([asked for asked in here.office.directory.asked if asked.startswith("U000")]) <= 20
    (kept,) = pins(here)
    assert kept.startswith("@")
    assert len(kept) <= 1000
