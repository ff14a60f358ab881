"""One call of the Web API, and the helpers that its methods share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lab.slack.company import Channel, User
from lab.slack.errors import SlackError
from lab.slack.messages import Json, Message
from lab.slack.world import World


@dataclass(frozen=True)
class Call:
    """A method called with its arguments, when it arrived."""

    world: World
    method: str
    args: Json
    token: str
    arrived: float

    def text(self, name: str) -> str:
        value = self.args.get(name)
        return "" if value is None else str(value)

    def need(self, name: str, code: str = "invalid_arguments") -> str:
        value = self.text(name)
        if not value:
            raise SlackError(code, f"missing required field: {name}")
        return value

    def flag(self, name: str) -> bool:
        return str(self.args.get(name) or "").lower() in ("true", "1")

    def number(self, name: str, default: int) -> int:
        value = self.text(name)
        return int(value) if value.isdigit() else default

    def items(self, name: str, code: str) -> list[Json] | None:
        value = self.args.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, list):
            raise SlackError(code)
        return value

    def obj(self, name: str, code: str) -> Json | None:
        value = self.args.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, dict):
            raise SlackError(code)
        return value

    def channel(self, member: bool = True) -> Channel:
        """The channel argument; `member` says that the app must be in it."""
        found = self.world.company.channel(self.need("channel", "channel_not_found"))
        if found is None:
            raise SlackError("channel_not_found")
        if member and self.world.company.bot.id not in found.members:
            raise SlackError("not_in_channel")
        return found

    def user(self, name: str = "user") -> User:
        found = self.world.company.user(self.need(name, "user_not_found"))
        if found is None or not self.text(name).startswith("U"):
            raise SlackError("user_not_found")
        return found

    def message(self, name: str = "ts") -> Message:
        found = self.world.log.find(self.channel().id, self.need(name))
        if found is None or found.only_for:
            raise SlackError("message_not_found")
        return found


def with_block_ids(blocks: list[Json]) -> list[Json]:
    """Blocks as Slack hands them back: each has an id."""
    return [{**block, "block_id": block.get("block_id") or f"b{index}"} for index, block in enumerate(blocks)]


def page_of(call: Call, items: list[Any], name: str, key: str = "") -> Json:
    """One page of a listing, with the cursor to the next."""
    start = call.number("cursor", 0)
    limit = min(call.number("limit", 100) or 100, 1000)
    rest = str(start + limit) if start + limit < len(items) else ""
    page = {name: items[start : start + limit], "response_metadata": {"next_cursor": rest}}
    return {**page, "has_more": bool(rest)} if key == "has_more" else page


def message_json(world: World, message: Message, metadata: bool = True) -> Json:
    """A message as the API gives it."""
    out: Json = {
        "type": "message",
        "user": message.author,
        "text": message.text,
        "ts": message.ts,
        "team": world.company.team_id,
    }
    if message.bot_id:
        out |= {"bot_id": message.bot_id, "app_id": world.company.app_id}
    optional = {"thread_ts": message.thread_ts, "blocks": message.blocks, "reactions": message.reactions}
    out |= {key: value for key, value in optional.items() if value}
    if metadata and message.metadata:
        out["metadata"] = message.metadata
    if message.edited:
        out["edited"] = {"user": message.author, "ts": message.edited}
    if message.files:
        out["files"] = [file_json(world, file_id) for file_id in message.files]
    return out | _thread_facts(world, message)


def _thread_facts(world: World, message: Message) -> Json:
    if message.is_reply or message.only_for:
        return {}
    replies = [m for m in world.log.thread(message.channel, message.ts) if m.is_reply]
    if not replies:
        return {}
    latest = {"reply_count": len(replies), "latest_reply": replies[-1].ts}
    return {"thread_ts": message.ts, "reply_users": sorted({m.author for m in replies}), **latest}


def file_json(world: World, file_id: str) -> Json:
    file = world.files[file_id]
    link = world.link_to(file)
    return {
        "id": file.id,
        "name": file.name,
        "title": file.title or file.name,
        "size": len(file.content),
        "url_private": link,
        "permalink": link,
        "mode": "hosted",
    }
