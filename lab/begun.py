"""Which run and thread came of something that a practice user said, from Mayday's own store.

The room may answer before the bot's first message stands: Slack lets a channel have one message a second. A run whose
refusal went to the asker alone has no thread.
"""

from __future__ import annotations

import time
from typing import Any

from actions.engine.ids import INCIDENT
from actions.store.notes import post
from actions.store.store import Store
from bot.incidents.thread_places import header_key
from bot.slack.private_refusal import was_told

_RUN_SECONDS = 3.0
_THREAD_SECONDS = 30.0
_CHANNEL = "C0OPSEMERG"


def begun(store: Store, answer: dict[str, Any]) -> dict[str, Any]:
    """The room's answer with `run` and `thread` filled in where a run was begun."""
    key = answer.get("trigger_id") or f"{_CHANNEL}:{answer.get('ts')}"
    run = answer.get("run") or _soon(lambda: store.note("inbox", key), 0.0 if answer.get("answer") else _RUN_SECONDS)
    if not run:
        return answer
    if str(run).startswith(INCIDENT):
        # An incident was declared; it has a thread and no run.
        thread = _soon(lambda: _thread(store, header_key(run)), _THREAD_SECONDS)
        return {**answer, "run": None, "thread": thread}
    if not (thread := answer.get("thread")):
        _soon(lambda: _thread(store, key) or was_told(store, str(run)), _THREAD_SECONDS)
        thread = _thread(store, key)
    return {**answer, "run": run, "thread": thread}


def _thread(store: Store, key: str) -> str | None:
    header = post(store, key) or {}
    return header.get("thread") or header.get("ts") or None


def _soon(look: Any, seconds: float) -> Any:
    end = time.monotonic() + seconds
    while not (found := look()) and time.monotonic() < end:
        time.sleep(0.1)
    return found
