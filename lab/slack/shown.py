"""How the room shows messages, buttons and modals to its page and to the command line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lab.slack.messages import Json, Message
from lab.slack.world import OpenView, World

PRESSABLE = ("button", "static_select", "overflow", "users_select", "checkboxes", "radio_buttons")


@dataclass(frozen=True)
class Part:
    """An interactive element, and the block that it sits in."""

    block_id: str
    element: Json

    @property
    def action_id(self) -> str:
        return str(self.element.get("action_id") or "")

    @property
    def label(self) -> str:
        return str((self.element.get("text") or {}).get("text") or "")

    @property
    def options(self) -> list[Json]:
        return list(self.element.get("options") or [])

    def visible_to(self, user: str) -> bool:
        allowed = self.element.get("visible_to_user_ids")
        return not allowed or user in allowed


def parts_of(blocks: list[Json]) -> Iterator[Part]:
    """Every button and menu of some blocks, in reading order."""
    for block in blocks:
        inside = [*(block.get("elements") or []), block.get("accessory"), block.get("element")]
        inside += block.get("actions") or []
        for element in inside:
            if isinstance(element, dict) and element.get("type") in PRESSABLE:
                yield Part(str(block.get("block_id")), element)


def message_shown(world: World, message: Message) -> Json:
    """A message with all that a reader may want to know."""
    return {
        **message.as_dict(),
        "author": name_of(world, message.author),
        "user_id": message.author,
        "lines": world.plain.message(message),
        "buttons": buttons_of(world, message),
        "files": [file_shown(world, file_id) for file_id in message.files],
    }


def buttons_of(world: World, message: Message) -> list[Json]:
    return [_button(world, part) for part in parts_of(message.blocks) if part.element["type"] == "button"]


def file_shown(world: World, file_id: str) -> Json:
    file = world.files[file_id]
    content = file.content.decode("utf-8", "replace")
    return {
        "id": file.id,
        "name": file.name,
        "title": file.title,
        "size": len(file.content),
        "url": f"/files/{file.id}/{file.name}",
        "content": content,
    }


def view_shown(world: World, opened: OpenView) -> Json:
    shown = opened.as_slack(world.company)
    return {**shown, "user": opened.user, "lines": world.plain.blocks(opened.view.get("blocks") or [])}


def root_shown(world: World, channel: str, root: Message) -> Json:
    """One line of the list of threads."""
    thread = world.log.thread(channel, root.ts)
    carried = [m.payload for m in thread if m.payload]
    first = {key: next((p[key] for p in carried if p.get(key)), None) for key in ("key", "run")}
    lines = world.plain.message(root)
    return {
        "ts": root.ts,
        "channel": channel,
        "author": name_of(world, root.author),
        "summary": lines[0],
        "replies": len(thread) - 1,
        "latest": max((m.ts for m in thread), default=root.ts),
        **first,
    }


def name_of(world: World, user_id: str) -> str:
    user = world.company.user(user_id)
    return user.name if user else user_id


def confirm_text(world: World, element: Json) -> str | None:
    confirm = element.get("confirm")
    return world.plain.words(str(confirm["text"].get("text") or "")) if confirm else None


def _button(world: World, part: Part) -> Json:
    allowed: Any = part.element.get("visible_to_user_ids")
    who = [name_of(world, user) for user in allowed] if allowed else "everyone"
    return {
        "label": part.label,
        "action_id": part.action_id,
        "value": part.element.get("value"),
        "who": who,
        "style": part.element.get("style"),
        "confirm": confirm_text(world, part.element),
    }
