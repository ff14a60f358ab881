"""Who pressed or typed something, of which workspace, and where they see the answer: as Slack's payloads tell it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Recipient:
    """Who asked, and where they see the answer."""

    channel: str
    user: str
    thread: str | None = None


def recipient_of(body: dict[str, Any]) -> Recipient:
    """Whoever pressed a button, where it stands; without a channel for one in a dialog or in the home tab."""
    container = body.get("container") or {}
    channel = str((body.get("channel") or {}).get("id") or container.get("channel_id") or "")
    return Recipient(channel, str(body["user"]["id"]), container.get("thread_ts"))


def team_of(body: dict[str, Any]) -> str:
    """The workspace of whoever pressed: in a channel that two share it is not always that of the channel."""
    return str(body["user"].get("team_id") or (body.get("team") or {}).get("id") or "")
