"""Keeping the room over a restart: its messages, files, homes and pins in one JSON file."""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import asdict
from pathlib import Path

from lab.slack.messages import Json, Message
from lab.slack.world import File, OpenView, World

PAUSE = 0.5


def save(world: World, path: Path) -> None:
    """Write the room as it is now."""
    _write(json.dumps(as_json(world)), path)


def _write(text: str, path: Path) -> None:
    """Write beside, then rename: a crash leaves the old file or the new one."""
    beside = path.with_suffix(path.suffix + ".new")
    beside.parent.mkdir(parents=True, exist_ok=True)
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def load(world: World, path: Path) -> None:
    if path.exists():
        restore(world, json.loads(path.read_text(encoding="utf-8")))


def as_json(world: World) -> Json:
    files = [asdict(f) | {"content": base64.b64encode(f.content).decode()} for f in world.files.values()]
    return {
        "messages": [m.as_dict() for log in world.log.channels.values() for m in log],
        "files": files,
        "homes": [asdict(home) for home in world.homes.values()],
        "members": {c.id: c.members for c in world.company.channels},
        "pins": world.pins,
    }


def restore(world: World, kept: Json) -> None:
    for message in kept["messages"]:
        world.log.add(Message(**message))
    for file in kept["files"]:
        world.files[file["id"]] = File(**file | {"content": base64.b64decode(file["content"])})
    world.homes |= {home["user"]: OpenView(**home) for home in kept["homes"]}
    world.pins = kept["pins"]
    for channel in world.company.channels:
        channel.members = kept["members"].get(channel.id, channel.members)


async def keep(world: World, path: Path) -> None:
    """Save soon after anything happened, until cancelled; and once more then."""
    with world.feed.listen() as queue:
        try:
            while True:
                await queue.get()
                await asyncio.sleep(PAUSE)
                while not queue.empty():
                    queue.get_nowait()
                # A disk that is busy with a recovery must not make everybody in the room wait.
                await asyncio.to_thread(_write, json.dumps(as_json(world)), path)
        finally:
            save(world, path)
