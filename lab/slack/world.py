"""The state of the practice room: everything that is not on the wire."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from lab.slack.company import Company
from lab.slack.errors import SlackError
from lab.slack.faults import Faults
from lab.slack.feed import Feed
from lab.slack.limits import Limiter, Tally
from lab.slack.messages import Json, Log, Message
from lab.slack.plain import Plain

TRIGGER_LIFE = 3.0
HOOK_LIFE = 30 * 60.0
HOOK_USES = 5


@dataclass
class Trigger:
    """The right to open one modal, for three seconds."""

    id: str
    user: str
    born: float
    used: bool = False


@dataclass
class Hook:
    """A response_url: five answers within thirty minutes."""

    id: str
    user: str
    channel: str
    trigger: str
    born: float
    origin: Message | None = None
    uses: int = 0


@dataclass
class File:
    """An uploaded file; `shared` once its upload was completed, which was when `completed` says."""

    id: str
    name: str
    length: int
    title: str = ""
    content: bytes = b""
    shared: bool = False
    completed: float = 0.0


@dataclass
class OpenView:
    """A modal on somebody's screen; `under` is what it was pushed upon."""

    id: str
    user: str
    view: Json
    trigger: str = ""
    revision: int = 1
    under: str | None = None

    def as_slack(self, company: Company) -> Json:
        base = {"id": self.id, "team_id": company.team_id, "app_id": company.app_id, "bot_id": company.bot_id}
        state = {"state": {"values": {}}, "hash": f"{self.revision}.{self.id[-6:]}", "root_view_id": self.id}
        return {"private_metadata": "", "callback_id": "", **self.view, **base, **state, "previous_view_id": self.under}


@dataclass
class World:
    """All state of one practice workspace, in memory."""

    company: Company = field(default_factory=Company)
    clock: Callable[[], float] = time.time
    base_url: str = ""
    log: Log = field(init=False)
    limiter: Limiter = field(init=False)
    plain: Plain = field(init=False)
    faults: Faults = field(default_factory=Faults)
    tally: Tally = field(default_factory=Tally)
    feed: Feed = field(default_factory=Feed)
    files: dict[str, File] = field(default_factory=dict)
    views: dict[str, OpenView] = field(default_factory=dict)
    homes: dict[str, OpenView] = field(default_factory=dict)
    hooks: dict[str, Hook] = field(default_factory=dict)
    triggers: dict[str, Trigger] = field(default_factory=dict)
    pins: list[Json] = field(default_factory=list)
    reads_files_in: float = 1.0
    """Seconds from a completed upload until blocks may name the file."""

    def __post_init__(self) -> None:
        self.log = Log(self.clock)
        self.limiter = Limiter(self.clock)
        self.plain = Plain(self.company)

    def link_to(self, file: File) -> str:
        """Where a file can be read."""
        return f"{self.base_url}/files/{file.id}/{file.name}"

    def post(self, message: Message) -> Message:
        self.log.add(message)
        self.feed.tell("message", message, message.only_for)
        return message

    def changed(self, message: Message) -> None:
        self.feed.tell("update", message, message.only_for)

    def delete(self, message: Message) -> None:
        self.log.remove(message)
        self.feed.tell("delete", message, message.only_for)

    def bot_message(self, channel: str, text: str, blocks: list[Json], **more: Any) -> Message:
        """A new message of the app, not yet posted."""
        company = self.company
        more = {"author": company.bot.id, "bot_id": company.bot_id, **more}
        return Message(channel=channel, ts=self.log.next_ts(), text=text, blocks=blocks, **more)

    def new_trigger(self, user: str) -> Trigger:
        trigger = Trigger(f"{secrets.randbelow(10**12)}.{secrets.token_hex(8)}", user, self.clock())
        self.triggers[trigger.id] = trigger
        self._forget_old()
        return trigger

    def new_hook(self, trigger: Trigger, channel: str, origin: Message | None = None) -> str:
        hook = Hook(secrets.token_hex(12), trigger.user, channel, trigger.id, self.clock(), origin)
        self.hooks[hook.id] = hook
        return f"{self.base_url}/hook/{hook.id}"

    def spend_trigger(self, trigger_id: str, arrived: float) -> Trigger:
        trigger = self.triggers.get(trigger_id)
        if trigger is None:
            raise SlackError("invalid_trigger_id")
        if arrived - trigger.born > TRIGGER_LIFE:
            raise SlackError("expired_trigger_id")
        if trigger.used:
            raise SlackError("exchanged_trigger_id")
        trigger.used = True
        return trigger

    def spend_hook(self, hook_id: str) -> Hook:
        hook = self.hooks.get(hook_id)
        if hook is None or self.clock() - hook.born > HOOK_LIFE:
            raise SlackError("expired_url")
        if hook.uses >= HOOK_USES:
            raise SlackError("used_url")
        hook.uses += 1
        return hook

    def _forget_old(self) -> None:
        horizon = self.clock() - 2 * HOOK_LIFE
        self.triggers = {k: t for k, t in self.triggers.items() if t.born > horizon}
        self.hooks = {k: h for k, h in self.hooks.items() if h.born > horizon}
