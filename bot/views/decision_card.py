"""The decision card: the few rows that people decide on, the first thing read, on a phone and in a terminal alike."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from actions.clock.times import spell
from bot.views.mrkdwn import Block, escape, moment, section

Rows = Sequence[dict[str, Any]]
"""The rows as the journal of a question keeps them; a question of before there were cards has none."""


def blocks(rows: Rows) -> list[Block]:
    """The card as one paragraph, a line for each row; nothing where there is none."""
    return [section("\n".join(map(_line, rows)))] if rows else []


def pairs(rows: Rows) -> list[tuple[str, str]]:
    """The same for a terminal: labels and plain words, moments in UTC."""
    return [
        (str(row["label"]), _joined(row, spell(at.replace(microsecond=0)) if (at := _at(row)) else "")) for row in rows
    ]


def _line(row: dict[str, Any]) -> str:
    at = _at(row)
    said = _joined({**row, "text": escape(row.get("text") or "")}, moment(at, ago=True) if at else "")
    return f"*{escape(row['label'])}* {said}"


def _joined(row: dict[str, Any], at: str) -> str:
    return " · ".join(part for part in (at, str(row.get("text") or "")) if part)


def _at(row: dict[str, Any]) -> datetime | None:
    return datetime.fromisoformat(row["at"]) if row.get("at") else None
