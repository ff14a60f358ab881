"""Where the threads of incidents are."""

from __future__ import annotations

from actions.store.notes import post
from actions.store.store import Store
from bot.slack.identity import known, link

_LOOKED_AT = 50


def header_key(incident: str) -> str:
    """The key under which an incident's header is kept and found again in Slack."""
    return f"{incident}:1"


def of_thread(store: Store, channel: str, thread: str) -> str:
    """The incident whose thread that is, or an empty text."""
    if not thread:
        return ""
    for name in store.incidents(_LOOKED_AT):
        header = post(store, header_key(name)) or {}
        if header.get("ts") == thread and header.get("channel") == channel:
            return name
    return ""


def thread_link(store: Store, incident: str) -> str:
    """The address of an incident's thread, empty until it is posted."""
    header = post(store, header_key(incident)) or {}
    return link(known(store), str(header.get("channel") or ""), str(header.get("ts") or ""))
