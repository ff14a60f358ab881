"""One message of a thread: what it shows, under which key, with which file."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from bot.views.mrkdwn import Block


@dataclass(frozen=True)
class ThreadItem:
    """One message of a thread. `file` is a name and a content; a header's `signature` changes with its state.

    The file goes along where the message cannot hold all of it, or where it says `more` than the message.
    """

    key: str
    n: int
    text: str
    blocks: tuple[Block, ...] = ()
    file: tuple[str, str] | None = None
    header: bool = False
    signature: str = ""
    more: bool = False

    @cached_property
    def shown(self) -> str:
        """A short hash of how the item looks."""
        seen = json.dumps([self.text, self.blocks], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(seen.encode(errors="replace")).hexdigest()[:16]


def file_item(run: str, n: int, name: str, content: str) -> ThreadItem:
    """A file of a journal's thread; it is uploaded once."""
    # The name is the key by which an upload whose outcome is unknown is found again. One that has the run in it is
    # alone in the thread already, and stays as the message beside it says it.
    shown = name if run in name else f"{run}-{n}-{name}"
    return ThreadItem(f"{run}:{n}:{name}:file", n, "", file=(shown, content or " "))


def payload(item: ThreadItem, run: str) -> dict[str, Any]:
    """The metadata by which a message is found again; it carries no secret, everybody can read it."""
    found = {"run": run, "key": item.key, "entry": item.n}
    return found | ({"request": item.key} if item.header else {})
