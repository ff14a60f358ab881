"""Messages, and the log of all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass
class Message:
    """One message; `only_for` makes it ephemeral, `via` names the trigger that it answers."""

    channel: str
    ts: str
    author: str
    text: str
    blocks: list[Json] = field(default_factory=list)
    thread_ts: str | None = None
    metadata: Json | None = None
    files: list[str] = field(default_factory=list)
    edited: str | None = None
    only_for: str | None = None
    via: str | None = None
    bot_id: str | None = None
    reactions: list[Json] = field(default_factory=list)

    @property
    def root(self) -> str:
        return self.thread_ts or self.ts

    @property
    def is_reply(self) -> bool:
        return self.thread_ts is not None and self.thread_ts != self.ts

    @property
    def payload(self) -> Json:
        """The metadata's event_payload, empty where there is none."""
        return (self.metadata or {}).get("event_payload") or {}

    def as_dict(self) -> Json:
        return asdict(self)


class Log:
    """All messages by channel, in order; gives each its unique ts."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last = 0
        self.channels: dict[str, list[Message]] = {}

    def next_ts(self) -> str:
        self._last = max(self._last + 1, int(self._clock() * 1_000_000))
        return f"{self._last // 1_000_000}.{self._last % 1_000_000:06d}"

    def add(self, message: Message) -> Message:
        self.channels.setdefault(message.channel, []).append(message)
        self._last = max(self._last, int(message.ts.replace(".", "")))
        return message

    def find(self, channel: str, ts: str) -> Message | None:
        return next((m for m in self.channels.get(channel, []) if m.ts == ts), None)

    def remove(self, message: Message) -> None:
        self.channels[message.channel].remove(message)

    def roots(self, channel: str) -> list[Message]:
        return [m for m in self.shared(channel) if not m.is_reply]

    def thread(self, channel: str, root: str) -> list[Message]:
        return [m for m in self.shared(channel) if m.root == root]

    def shared(self, channel: str) -> list[Message]:
        """What everybody in the channel sees."""
        return [m for m in self.channels.get(channel, []) if m.only_for is None]

    def seen_by(self, user: str, channels: Iterable[str]) -> list[Message]:
        seen = [m for c in channels for m in self.channels.get(c, []) if m.only_for in (None, user)]
        return sorted(seen, key=lambda m: m.ts)
