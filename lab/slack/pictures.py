"""Image blocks that name a file of Slack: which files they may name, and from when on.

docs.slack.dev/reference/block-kit/composition-objects/slack-file-object: an id or an address, not both; PNG, JPG, GIF;
and whoever posts must have access. A file can be named some time after its upload was completed, no sooner:
slackapi/python-slack-sdk#1658, with the words of that refusal.
"""

from __future__ import annotations

import re

from lab.slack.errors import SlackError
from lab.slack.messages import Json
from lab.slack.world import File, World

_ID = re.compile(r"F[A-Z0-9]{8,}")
_KINDS = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif"}


def kind_of(content: bytes) -> str:
    """The kind of image that the content is, by its first bytes; empty for everything else."""
    return next((kind for begin, kind in _KINDS.items() if content.startswith(begin)), "")


def check_pictures(world: World, blocks: list[Json], code: str, at: str = "/blocks") -> None:
    """Raise the error with which Slack refuses blocks that name a file which they may not name, or not yet."""
    problems = [
        f"{why} [json-pointer:{at}/{number}/slack_file]"
        for number, block in enumerate(blocks)
        if block.get("type") == "image" and "slack_file" in block and (why := _wrong(world, block["slack_file"]))
    ]
    if problems:
        raise SlackError(code, *problems)


def _wrong(world: World, named: object) -> str:
    if not isinstance(named, dict) or bool(named.get("id")) == bool(named.get("url")):
        return "must have either id or url"
    if named.get("id") and not _ID.fullmatch(str(named["id"])):
        return "input must match regex pattern: ^[F][A-Z0-9]{8,}$"
    file = world.files.get(str(named["id"])) if named.get("id") else _at(world, str(named["url"]))
    return "" if file is not None and _can_be_shown(world, file) else "invalid slack file"


def _at(world: World, url: str) -> File | None:
    return next((file for file in world.files.values() if url == world.link_to(file)), None)


def _can_be_shown(world: World, file: File) -> bool:
    return file.shared and bool(kind_of(file.content)) and world.clock() - file.completed >= world.reads_files_in
