"""Who the bot is in its workspace: asked once, kept, so that it can listen while Slack's API is away."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass

from slack_sdk import WebClient
from sqlalchemy.exc import SQLAlchemyError

from actions.engine.errors import NOT_READ
from actions.store.store import Store

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class BotIdentity:
    """The bot's own ids and its workspace; empty where nobody could be asked yet."""

    team: str = ""
    user: str = ""
    bot: str = ""
    url: str = ""


def known(store: Store) -> BotIdentity:
    """Who the bot was when it last asked."""
    kept = store.note("slack", "identity")
    return BotIdentity(**kept) if kept else BotIdentity()


class LastKnown:
    """Who the bot was when the store last said so: whoever presses hears an answer though it cannot even be read."""

    def __init__(self, store: Store) -> None:
        self._store, self._last = store, BotIdentity()

    def __call__(self) -> BotIdentity:
        try:
            self._last = known(self._store)
        except (SQLAlchemyError, *NOT_READ) as error:
            _log.error("the store does not say who the bot is: %s", type(error).__name__)
        return self._last


def ask(store: Store, client: WebClient) -> BotIdentity:
    """Ask Slack who the bot is, and keep the answer.

    Raises:
        SlackApiError, OSError: Slack did not say.
    """
    said = client.auth_test()
    found = BotIdentity(str(said["team_id"]), str(said["user_id"]), str(said.get("bot_id") or ""), str(said["url"]))
    store.keep("slack", "identity", asdict(found))
    return found


def link(identity: BotIdentity, channel: str, ts: str, thread: str = "") -> str:
    """The address of a message, of one in that thread; an empty text where the workspace is not known yet."""
    if not (identity.url and channel and ts):
        return ""
    within = f"?thread_ts={thread}&cid={channel}" if thread and thread != ts else ""
    return f"{identity.url.rstrip('/')}/archives/{channel}/p{ts.replace('.', '')}{within}"
