"""An approver reads the card in a direct message of the practice company, and approves from there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from actions.store.store import Store
from bot.bot_service import BotService
from lab.slack.client import RunningPracticeSlack
from tests.support.bot_world import PITR, SERVICE, PlayedWorker
from tests.support.practice_bot import connected_bot, eventually, slack, store

__all__ = ["slack", "store"]
pytestmark = pytest.mark.parts
CARD = [
    {"label": "To", "text": "", "at": "2026-11-22T13:58:00+00:00"},
    {"label": "Comes back", "text": "921 rows", "at": None},
    {"label": "Lost", "text": "1,259 rows; about 8 rows a second more", "at": None},
]


@pytest.fixture
def bot(slack: RunningPracticeSlack, store: Store) -> Iterator[BotService]:
    with connected_bot(slack, store) as bot:
        yield bot


def told(slack: RunningPracticeSlack, user: str) -> list[dict[str, Any]]:
    """The direct messages that one person sees."""
    seen = slack.state(user)
    direct = [channel["id"] for channel in seen["channels"] if channel["is_direct"]]
    return [message for message in seen["messages"] if message["channel"] in direct]


def test_an_approver_is_told_and_approves_from_the_direct_message(
    slack: RunningPracticeSlack, store: Store, bot: BotService
) -> None:
    worker = PlayedWorker(store, slack.say("/recover postgres pitr 14:30")["run"])
    worker.looks(PITR, 0, 1)
    worker.asks(PITR, 5, card=CARD)
    eventually(lambda: told(slack, "approver") and told(slack, "dba"))
    assert told(slack, "oncall") == [] == told(slack, "watcher")
    (message,) = told(slack, "approver")
    text = "\n".join(message["lines"])
    assert "@oncall asks: Bring nself-postgres back to 14:30." in text
    assert "*Lost* 1,259 rows; about 8 rows a second more" in text
    assert "Open the thread" in text
    assert [button["label"] for button in message["buttons"]] == ["Approve…"]
    wrong = slack.click("Approve…", "approver", typed="wrong")
    assert wrong["error"] == "validation"
    assert slack.click("Approve…", "approver", typed=SERVICE)["ok"]
    eventually(lambda: store.run(worker.run).answered)
    for user in ("approver", "dba"):
        eventually(lambda user=user: not told(slack, user)[0]["buttons"])
        assert "@approver chose *Cut over*" in "\n".join(told(slack, user)[0]["lines"])
