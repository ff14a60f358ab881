"""Between the journal and the thread: what a run asks stands in the one a moment before the other shows it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from actions.engine.errors import RecoveryError
from actions.engine.run import Run
from actions.engine.status import labels_of
from actions.store.store import Store
from lab.slack.client import PracticeSlack
from lab.slack.errors import NO_SUCH_BUTTON


def until_it_is_drawn(room: Callable[[], PracticeSlack], run: Run) -> None:
    """What a run asks stands in the journal before a busy thread shows it; whoever waited wants to press it now."""
    wanted, deadline = set(labels_of(run)), time.monotonic() + 10
    while wanted and time.monotonic() < deadline:
        try:
            health = room().health()
            shown = {button["label"] for message in room().thread(run.id)["messages"] for button in message["buttons"]}
        except (RecoveryError, KeyError):
            return  # The room is away, or the run has no thread there.
        if not health["sockets"] or health["fault"] != "off" or wanted & shown:
            return  # It is there, or nobody draws it soon.
        time.sleep(0.2)


def once_it_is_drawn(press: Callable[[], dict[str, Any]], *, asked: bool) -> dict[str, Any]:
    """The room's answer to a press; a question stands in the journal before a busy thread shows its buttons."""
    deadline = time.monotonic() + 15
    while (answer := press()).get("error") == NO_SUCH_BUTTON and asked and not answer.get("shown"):
        if time.monotonic() > deadline:
            break
        time.sleep(0.3)
    return answer


def until_it_counts(store: Store, asking: list[str], label: str) -> None:
    """The bot acknowledges a press before it writes it down; `wait` right after must not see the old question."""
    deadline = time.monotonic() + 5
    while all(label in labels_of(store.run(run)) for run in asking) and time.monotonic() < deadline:
        time.sleep(0.05)
