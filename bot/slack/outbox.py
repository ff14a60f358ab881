"""Posting each message exactly once, though Slack has no such promise.

Before a post its intent is noted, afterwards its place. Where the outcome is unknown (no answer, an error
after the message was taken, a killed bot) the message is looked for by its metadata before it is posted
again.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from actions.store import notes
from actions.store.store import Store
from bot.slack.client import FAILURES, Trouble, Why, trouble
from bot.slack.rate_limits import Call, Method
from bot.slack.thread_item import ThreadItem, payload
from bot.views.mrkdwn import cut, plain, sendable, small

_log = logging.getLogger(__name__)
_EARLIER = timedelta(minutes=15)
"""How far our clock and Slack's may be apart when a message is looked for."""


_NOWHERE = "0"
"""The ts of an item that was left out."""
_STATES = ("bare", "aside", "moved")
"""What is remembered of an item however often it is tried."""
_MOVED = "The thread of before was removed. It goes on here, with what is still open."
_ASIDE = "A message of this run cannot be shown in Slack. On the bot's host: mayday show {run}"


class NotNow(Exception):
    """A call about an item did not work and will be made again; `trouble` says why, `call` which one it was, where."""

    def __init__(self, item: ThreadItem, found: Trouble, call: Call) -> None:
        super().__init__(found.code)
        self.item = item
        self.trouble = found
        self.call = call


class ThreadGone(Exception):
    """The message that a thread hangs on was removed."""


@dataclass(frozen=True)
class ThreadPlace:
    """Where a run's thread is; the thread is empty until its first message stands."""

    channel: str
    thread: str


class Outbox:
    """Posts, edits and uploads for the thread writer, and notes what it did. It alone writes these notes."""

    def __init__(self, store: Store, client: WebClient) -> None:
        self._store = store
        self._client = client
        self._noted: dict[str, dict[str, Any]] = {}

    def where(self, item: ThreadItem) -> dict[str, Any]:
        """What is noted of an item: its channel and ts once it stands, how it looks."""
        if item.key not in self._noted:
            self._noted[item.key] = notes.post(self._store, item.key) or {}
        return self._noted[item.key]

    def forget(self, items: list[ThreadItem]) -> None:
        """Drop from memory what is noted of a thread that is complete."""
        for item in items:
            self._noted.pop(item.key, None)

    def anew(self, items: list[ThreadItem]) -> None:
        """Have these items posted once more, in another thread; the header says why."""
        for item in items:
            self._keep(item, {"moved": item.header})

    def undress(self, item: ThreadItem) -> None:
        """From now on show the item as bare text: Slack does not take its blocks."""
        self._keep(item, {**self.where(item), "bare": True})

    def set_aside(self, item: ThreadItem) -> None:
        """From now on say in its place that it cannot be shown; one that stands is left as it looks."""
        self._keep(item, {**self.where(item), "aside": True})

    def leave_out(self, item: ThreadItem) -> None:
        """Have it count as standing: Slack takes nothing in its place, and what follows must not wait for ever."""
        self._keep(item, {**self.where(item), "doubt": False, "aside": True, "ts": _NOWHERE})

    def call(self, item: ThreadItem, place: ThreadPlace) -> Call:
        """The next call that makes the item stand there; after a doubt it is looked for first."""
        if self.where(item).get("doubt"):
            return Method.LOOK, place.channel
        return (Method.UPLOAD if self._is_file(item) else Method.POST), place.channel

    def _is_file(self, item: ThreadItem) -> bool:
        """One that was set aside is a sentence, whatever it was before."""
        return item.file is not None and not self.where(item).get("aside")

    def stands_as(self, item: ThreadItem) -> bool:
        """Whether it looks as it should, or was set aside."""
        noted = self.where(item)
        return bool(noted.get("aside")) or noted.get("shown") == item.shown

    def post(self, item: ThreadItem, run: str, place: ThreadPlace) -> dict[str, Any]:
        """Make the item stand in its thread, once. Returns what was noted of it.

        Raises:
            NotNow: it does not stand yet, or nobody knows.
            ThreadGone: the message that its thread hangs on was removed.
        """
        noted = self.where(item)
        if noted.get("ts"):
            return noted
        if noted.get("doubt"):
            # Where it was sent to, wherever its thread may be by now.
            # What an earlier version noted does not say the thread.
            sent = ThreadPlace(str(noted["channel"]), str(noted.get("thread", place.thread)))
            found = self._look(item, sent, datetime.fromisoformat(noted["since"]))
            if found:
                return self._stands(item, sent, found, known=False)
        since = noted.get("since") or self._store.clock().isoformat()
        self._note(item, place, {"doubt": True, "since": since})
        try:
            ts = self._upload(item, place) if self._is_file(item) else self._send(item, run, place)
        except FAILURES as error:
            why = trouble(error)
            if why.why is not Why.DOUBT:
                self._note(item, place, {"doubt": False, "since": since})
            if why.code == "thread_not_found":
                raise ThreadGone from error
            raise NotNow(item, why, self.call(item, place)) from error
        return self._stands(item, place, ts, known=True)

    def edit(self, item: ThreadItem, noted: dict[str, Any]) -> None:
        """Make the item look as it should by now. An edit may be repeated without harm.

        Raises:
            NotNow: it looks as before.
            ThreadGone: it is a header, and somebody removed it.
        """
        # A post notes its intent first and is refused there where another bot posts by now. An edit has no intent to
        # note; without this a bot that was suspended would put back what a header said before.
        with self._store.transaction():
            pass
        try:
            self._client.chat_update(channel=noted["channel"], ts=noted["ts"], **self._dressed(item))
        except FAILURES as error:
            why = trouble(error)
            if why.why is not Why.GONE:
                raise NotNow(item, why, (Method.EDIT, str(noted["channel"]))) from error
            if item.header:
                raise ThreadGone from error
            _log.warning("somebody removed message %s of %s; it is left so", noted["ts"], item.key)
        self._keep(item, {**noted, **_looks(item)})

    def _send(self, item: ThreadItem, run: str, place: ThreadPlace) -> str:
        said = self._client.chat_postMessage(
            channel=place.channel,
            thread_ts=place.thread or None,
            **self._dressed(item),
            metadata={"event_type": "mayday", "event_payload": payload(item, run)},
            unfurl_links=False,
            unfurl_media=False,
        )
        return str(said["ts"])

    def _dressed(self, item: ThreadItem) -> dict[str, Any]:
        if self.where(item).get("aside"):
            return {"text": _ASIDE.format(run=item.key.partition(":")[0]), "blocks": []}
        if not self.where(item).get("bare"):
            moved = [small(_MOVED)] if self.where(item).get("moved") else []
            return sendable({"text": cut(item.text) or " ", "blocks": [*item.blocks, *moved]})
        return sendable({"text": cut(plain(item.blocks) or item.text) or " ", "blocks": []})

    def _upload(self, item: ThreadItem, place: ThreadPlace) -> str:
        assert item.file is not None
        name, content = item.file
        said = self._client.files_upload_v2(
            channel=place.channel, thread_ts=place.thread or None, filename=name, title=name, content=content
        )
        return str(said["files"][0]["id"])

    def _stands(self, item: ThreadItem, place: ThreadPlace, ts: str, known: bool) -> dict[str, Any]:
        states = {name: bool(self.where(item).get(name)) for name in _STATES}
        noted = {"channel": place.channel, "ts": ts, "thread": place.thread, **states}
        # How a message looks that was found again is not known; an empty hash has it edited once.
        noted |= _looks(item) if known else {"shown": "", "signature": ""}
        self._keep(item, noted)
        return noted

    def _note(self, item: ThreadItem, place: ThreadPlace, state: dict[str, Any]) -> None:
        states = {name: bool(self.where(item).get(name)) for name in _STATES}
        self._keep(item, {"channel": place.channel, "thread": place.thread, **states, **state})

    def _keep(self, item: ThreadItem, noted: dict[str, Any]) -> None:
        notes.keep_post(self._store, item.key, noted)
        self._noted[item.key] = noted

    def _look(self, item: ThreadItem, place: ThreadPlace, since: datetime) -> str:
        """The ts of the message with the item's key, empty where there is none."""
        cursor = ""
        oldest = f"{(since - _EARLIER).timestamp():.6f}"
        while True:
            try:
                page = self._page(place, oldest, cursor)
            except FAILURES as error:
                return self._unreadable(item, error, place)
            found = next((str(m["ts"]) for m in page["messages"] if _is(m, item)), "")
            cursor = str((page.get("response_metadata") or {}).get("next_cursor") or "")
            if found or not cursor:
                return found

    def _page(self, place: ThreadPlace, oldest: str, cursor: str) -> Any:
        asked: dict[str, Any] = {
            "channel": place.channel,
            "oldest": oldest,
            "limit": 200,
            "include_all_metadata": True,
            "cursor": cursor or None,
        }
        if place.thread:
            return self._client.conversations_replies(ts=place.thread, **asked)
        return self._client.conversations_history(**asked)

    def _unreadable(self, item: ThreadItem, error: Exception, place: ThreadPlace) -> str:
        """Without the right to read the channel a message rather stands twice than not at all."""
        why = trouble(error)
        if isinstance(error, SlackApiError) and why.why is Why.TOKEN and why.code == "missing_scope":
            _log.error("the app may not read its channel (missing_scope); a message may stand twice. Run mayday doctor")
            return ""
        raise NotNow(item, why, self.call(item, place)) from error


def _is(message: dict[str, Any], item: ThreadItem) -> bool:
    if item.file and any(file.get("name") == item.file[0] for file in message.get("files") or []):
        return True
    carried = (message.get("metadata") or {}).get("event_payload") or {}
    return bool(carried.get("key") == item.key)


def _looks(item: ThreadItem) -> dict[str, Any]:
    return {"shown": item.shown, "signature": item.signature}
