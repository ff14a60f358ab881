"""How much people read in a thread: the characters of its messages, as Slack shows them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import unescape
from typing import Any

Blocks = Sequence[dict[str, Any]]
_LINK = re.compile(r"<([^<>\n]+)>")
_MARK = re.compile(r"(?<!\w)[*_~`]+|[*_~`]+(?!\w)")


def characters(messages: Iterable[Blocks]) -> int:
    """All characters of these messages, without the labels of buttons, which say again what the text is about."""
    return sum(len(line) for blocks in messages for line in lines(blocks))


def lines(blocks: Blocks) -> list[str]:
    """The lines of a message as they are read: a mention as a name, a moment as a time, no marks."""
    texts = (text for block in blocks for text in _texts(block))
    return [line for text in texts for line in _read(text).split("\n") if line.strip()]


def _texts(block: dict[str, Any]) -> Iterable[str]:
    parts = [block.get("text"), *(block.get("fields") or [])]
    parts += (block.get("elements") or []) if block.get("type") == "context" else []
    return [str(part["text"]) for part in parts if isinstance(part, dict) and part.get("text")]


def _read(text: str) -> str:
    return unescape(_MARK.sub("", _LINK.sub(_linked, text)))


def _linked(match: re.Match[str]) -> str:
    target, _, label = match[1].partition("|")
    return label or ("@somebody" if target.startswith("@") else target)
