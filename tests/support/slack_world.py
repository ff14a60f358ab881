"""A Slack channel as a small world: it keeps messages and files, and has bad days."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from tests.support.bot_world import Clock


class Killed(BaseException):
    """The bot died in the middle of a call."""


@dataclass
class Channel:
    """What stands in Slack. `fate` decides about each call: None lets it pass."""

    clock: Clock
    messages: list[dict[str, Any]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    fate: Callable[[int, str], str | None] = lambda _n, _method: None
    takes_plan: bool = True
    whispers: list[dict[str, Any]] = field(default_factory=list)
    """Messages that one person alone was shown."""
    removed: set[str] = field(default_factory=set)
    """Keys of messages that somebody removed; one with such a key that is posted later stands."""
    gone_threads: set[str] = field(default_factory=set)
    poison: Callable[[dict[str, Any]], bool] = lambda _sent: False
    unopened: dict[str, str] = field(default_factory=dict)
    """Slack's word for people with whom no direct conversation can be opened."""
    poisoned: str = "fatal_error"
    """Slack's word for a message that is poison."""
    _ids: int = 0

    def act(self, method: str, effect: Callable[[], Any]) -> Any:
        self.calls.append(method)
        fate = self.fate(len(self.calls), method)
        if fate in ("kill before", "down", "limited") or (fate or "").startswith("error:"):
            raise _failure(str(fate))
        done = effect()
        if fate in ("kill after", "broken after"):
            raise _failure(fate)
        return done

    def next_ts(self) -> str:
        self._ids += 1
        return f"{self.clock.now.timestamp():.0f}.{self._ids:06d}"

    @property
    def keys(self) -> list[str]:
        return [m["key"] for m in self.messages]

    def find(self, ts: str) -> dict[str, Any]:
        return next(m for m in self.messages if m["ts"] == ts)

    def text(self, key_end: str) -> str:
        message = next(m for m in self.messages if m["key"].endswith(key_end))
        return "\n".join((b.get("text") or {}).get("text", "") for b in message["blocks"] or []) or message["text"]


def _failure(fate: str) -> BaseException:
    if fate.startswith("kill"):
        return Killed()
    if fate == "limited":
        return SlackApiError("limited", {"status": 429, "error": "ratelimited", "headers": {"Retry-After": "7"}})
    if fate.startswith("error:"):
        return SlackApiError("no", {"status": 200, "error": fate.removeprefix("error:"), "headers": {}})
    return ConnectionResetError(fate) if fate == "down" else SlackApiError("500", {"status": 500, "body": ""})


class ChannelClient(WebClient):
    """The part of Slack's API that the tail uses, on such a channel."""

    def __init__(self, channel: Channel) -> None:
        super().__init__(token="xoxb-test")
        self.channel = channel

    def chat_postMessage(self, **sent: Any) -> Any:  # noqa: N802
        def effect() -> Any:
            self._check(sent)
            key = sent["metadata"]["event_payload"]["key"]
            if sent.get("thread_ts") in self.channel.gone_threads:
                raise SlackApiError("no", {"status": 200, "error": "thread_not_found", "headers": {}})
            self.channel.removed.discard(key)
            self.channel.messages.append({**sent, "ts": self.channel.next_ts(), "key": key})
            return self.channel.messages[-1]

        return self.channel.act("post", effect)

    def chat_postEphemeral(self, **sent: Any) -> Any:  # noqa: N802
        return self.channel.act("whisper", lambda: self.channel.whispers.append(sent))

    def api_test(self, **_asked: Any) -> Any:
        return self.channel.act("test", lambda: {"ok": True})

    def chat_update(self, **sent: Any) -> Any:
        def effect() -> Any:
            self._check(sent)
            if self.channel.find(sent["ts"])["key"] in self.channel.removed:
                raise SlackApiError("no", {"status": 200, "error": "message_not_found", "headers": {}})
            self.channel.find(sent["ts"]).update(sent)

        return self.channel.act("update", effect)

    def files_upload_v2(self, **sent: Any) -> Any:
        def effect() -> Any:
            file = {"id": f"F{self.channel.next_ts()}", "name": sent["filename"]}
            made = {**sent, "ts": self.channel.next_ts(), "key": sent["filename"], "files": [file], "blocks": []}
            self.channel.messages.append(made)
            return {"files": [file]}

        return self.channel.act("upload", effect)

    def conversations_open(self, *, users: str, **_asked: Any) -> Any:
        def effect() -> Any:
            if word := self.channel.unopened.get(users):
                raise SlackApiError("no", {"status": 200, "error": word, "headers": {}})
            return {"channel": {"id": f"D{users[1:]}"}}

        return self.channel.act("open", effect)

    def conversations_history(self, *, channel: str, **_asked: Any) -> Any:
        return self.channel.act(
            "history", lambda: self._page(lambda m: not m.get("thread_ts") and m["channel"] == channel)
        )

    def conversations_replies(self, *, ts: str, **asked: Any) -> Any:
        return self.channel.act("replies", lambda: self._page(lambda m: ts in (m["ts"], m.get("thread_ts"))))

    def _page(self, wanted: Callable[[dict[str, Any]], bool]) -> Any:
        return {"messages": [m for m in self.channel.messages if wanted(m)]}

    def _check(self, sent: dict[str, Any]) -> None:
        if self.channel.poison(sent):
            raise SlackApiError("fatal", {"status": 200, "error": self.channel.poisoned, "headers": {}})
        has_plan = any(block["type"] == "plan" for block in sent.get("blocks") or [])
        if has_plan and not self.channel.takes_plan:
            raise SlackApiError("no", {"status": 200, "error": "invalid_blocks", "headers": {}})
