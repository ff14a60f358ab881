"""Warnings of a thread: each is said once, and again only where it changed, with what it said before."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import Any

from bot.views.mrkdwn import Block, escape, paragraphs, section

_FIGURE = re.compile(r"(?<!\w)\d[\w,.:/-]*")


class WarningsSaid:
    """What a thread has warned of so far, in its order."""

    def __init__(self) -> None:
        self._said: dict[str, list[str]] = {}
        """By warning without its figures: all that was said of it."""

    def blocks(self, given: Sequence[dict[str, Any]]) -> list[Block]:
        """What these sheets warn of that was not said yet, in red; how many of the others still hold, in a line."""
        alerts = list(dict.fromkeys(str(alert) for sheet in given for alert in sheet.get("alerts") or []))
        lines, still = [], 0
        for alert in alerts:
            said = self._said.setdefault(_FIGURE.sub("#", alert), [])
            if alert in said:
                still += 1
                continue
            before = next((text for text in reversed(said) if text not in alerts), "")
            said.append(alert)
            lines.append(f"🔴 *{escape(alert)}*" + (f" {_before(before, alert)}" if before else ""))
        if still:
            lines.append("The warning above still holds." if still == 1 else f"{still} warnings above still hold.")
        return [section(part) for part in paragraphs(lines)]


def _before(old: str, new: str) -> str:
    """What stood where the figures differ."""
    words, now = old.split(), new.split()
    found = difflib.SequenceMatcher(None, words, now, autojunk=False).get_opcodes()
    gone = ", ".join(" ".join(words[a:b]).strip(".,;:") for tag, a, b, _, _ in found if tag in ("replace", "delete"))
    return f"(before: {escape(gone)})"
