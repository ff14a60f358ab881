"""Blocks as plain lines of text, for terminals, tests and people without a browser."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any

from lab.slack.company import Company
from lab.slack.messages import Json, Message

MARKS = {"pending": "[ ]", "in_progress": "[~]", "complete": "[x]", "error": "[!]"}


class Plain:
    """Reads Block Kit aloud; knows the people, so that mentions become names."""

    def __init__(self, company: Company) -> None:
        self._company = company

    def message(self, message: Message) -> list[str]:
        return self.blocks(message.blocks) if message.blocks else self.words(message.text).split("\n")

    def blocks(self, blocks: list[Json]) -> list[str]:
        lines = [line for block in blocks for line in self._block(block)]
        return [piece for line in lines for piece in line.split("\n")]

    def words(self, text: str) -> str:
        """Slack's mrkdwn without its angle brackets."""
        return html.unescape(re.sub(r"<([^<>\n]+)>", self._link, text))

    def _link(self, match: re.Match[str]) -> str:
        target, _, label = match[1].partition("|")
        if target.startswith("@"):
            user = self._company.user(target[1:])
            return "@" + (user.name if user else label or target[1:])
        if target.startswith("!"):
            return self._special(target[1:], label)
        if target.startswith("#"):
            channel = self._company.channel(target[1:])
            return "#" + (channel.name if channel else label)
        return f"{label} ({target})" if label else target

    def _special(self, target: str, label: str) -> str:
        kind, _, rest = target.partition("^")
        if kind == "subteam":
            group = self._company.group(rest)
            return "@" + (group.handle if group else label.lstrip("@"))
        return label if kind == "date" else "@" + kind

    def _block(self, block: Json) -> list[str]:
        readers: dict[str, Callable[[Json], list[str]]] = {
            "section": self._section,
            "header": lambda b: [self._text(b.get("text")).upper()],
            "divider": lambda b: ["-" * 40],
            "context": self._context,
            "actions": self._actions,
            "image": lambda b: [f"[image: {b.get('alt_text', '')}]"],
            "input": self._input,
            "rich_text": lambda b: self._rich(b.get("elements")),
            "markdown": lambda b: [b.get("text", "")],
            "table": self._table,
            "plan": self._plan,
            "task_card": self._task,
            "alert": self._alert,
        }
        reader = readers.get(str(block.get("type")))
        return reader(block) if reader else [f"[{block.get('type')}]"]

    def _text(self, text: Any) -> str:
        if not isinstance(text, dict):
            return str(text or "")
        words = str(text.get("text") or "")
        return self.words(words) if text.get("type") == "mrkdwn" else words

    def _section(self, block: Json) -> list[str]:
        lines = [self._text(block["text"])] if block.get("text") else []
        lines += [": ".join(self._text(f).split("\n", 1)) for f in block.get("fields") or []]
        return lines + (self._elements([block["accessory"]]) if block.get("accessory") else [])

    def _context(self, block: Json) -> list[str]:
        return [" ".join(self._element(e) for e in block.get("elements") or [])]

    def _actions(self, block: Json) -> list[str]:
        return self._elements(block.get("elements") or [])

    def _elements(self, elements: list[Json]) -> list[str]:
        return ["  ".join(self._element(e) for e in elements)]

    def _element(self, element: Json) -> str:
        kind = element.get("type")
        if kind in ("mrkdwn", "plain_text"):
            return self._text(element)
        if kind == "button":
            return f"[ {self._text(element.get('text'))} ]"
        if kind == "image":
            return f"[image: {element.get('alt_text', '')}]"
        options = " | ".join(self._text(o.get("text")) for o in element.get("options") or [])
        return f"( {options} )" if options else f"[{kind}]"

    def _input(self, block: Json) -> list[str]:
        hint = self._text(block.get("hint"))
        return [
            f"{self._text(block.get('label'))}: {self._element(block.get('element') or {})}",
            *([hint] if hint else []),
        ]

    def _alert(self, block: Json) -> list[str]:
        return [f"{str(block.get('level') or 'info').upper()}: {self._text(block.get('text'))}"]

    def _plan(self, block: Json) -> list[str]:
        return [self._text(block.get("title")), *(ln for t in block.get("tasks") or [] for ln in self._task(t))]

    def _task(self, task: Json) -> list[str]:
        mark = MARKS.get(task.get("status") or "in_progress", "[?]")
        more = [ln for key in ("details", "output") for ln in self._rich((task.get(key) or {}).get("elements"))]
        sources = [f"{s.get('text')} ({s.get('url')})" for s in task.get("sources") or []]
        return [f"{mark} {self._text(task.get('title'))}", *(f"    {ln}" for ln in more + sources)]

    def _table(self, block: Json) -> list[str]:
        rows = [[self._cell(cell) for cell in row] for row in block.get("rows") or []]
        widths = [max(len(r[i]) for r in rows if i < len(r)) for i in range(max(map(len, rows), default=0))]
        return [" | ".join(c.ljust(w) for c, w in zip(row, widths, strict=False)).rstrip() for row in rows]

    def _cell(self, cell: Json) -> str:
        if cell.get("type") == "rich_text":
            return " ".join(self._rich(cell.get("elements")))
        return str(cell.get("text", cell.get("value", "")))

    def _rich(self, elements: Any) -> list[str]:
        lines: list[str] = []
        for element in elements or []:
            lines += self._rich_part(element)
        return lines

    def _rich_part(self, element: Json) -> list[str]:
        parts = element.get("elements") or []
        if element.get("type") == "rich_text_list":
            ordered = element.get("style") == "ordered"
            indent = "  " * int(element.get("indent") or 0)
            items = [indent + (f"{n}. " if ordered else "- ") for n in range(1, len(parts) + 1)]
            return [mark + " ".join(self._rich([part])) for mark, part in zip(items, parts, strict=True)]
        text = "".join(self._inline(part) for part in parts)
        prefix = "> " if element.get("type") == "rich_text_quote" else ""
        return [prefix + line for line in text.rstrip("\n").split("\n")]

    def _inline(self, part: Json) -> str:
        kind = part.get("type")
        if kind == "user":
            user = self._company.user(str(part.get("user_id")))
            return "@" + (user.name if user else str(part.get("user_id")))
        if kind == "usergroup":
            group = self._company.group(str(part.get("usergroup_id")))
            return "@" + (group.handle if group else "group")
        if kind == "link":
            return str(part.get("text") or part.get("url"))
        return str(part.get("text") or part.get("fallback") or (f":{part.get('name')}:" if kind == "emoji" else ""))
