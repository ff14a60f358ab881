"""Sheets as blocks: the few rows that people need before they answer; all of a sheet is one click away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.views.mrkdwn import Block, escape, section

_PAIRS = 10
Sheets = Sequence[dict[str, Any]]


def essential(given: Sheets, carded: bool = False) -> list[dict[str, Any]]:
    """The sheets as a thread shows them, without what they keep for the details; their alerts are told apart.

    With `carded` a decision card says some of their rows. A sheet of an earlier version is shown whole.
    """
    brief = [_brief(sheet, carded) for sheet in given]
    return [sheet for sheet in brief if sheet.get("rows") or sheet.get("notes") or sheet.get("essential") is None]


def _brief(sheet: dict[str, Any], carded: bool) -> dict[str, Any]:
    rows, wanted = sheet.get("rows") or [], sheet.get("essential")
    said = set(sheet.get("carded") or ()) if carded else set()
    if wanted is None and not said:
        return sheet
    kept = [row for row in rows if (wanted is None or row[0] in wanted) and row[0] not in said]
    return {**sheet, "essential": wanted or [], "rows": kept, "notes": [] if wanted is not None else sheet.get("notes")}


def folds(given: Sheets, carded: bool = False) -> bool:
    """Whether a thread shows less than all of the sheets."""

    def lines(sheets: Sheets) -> int:
        return sum(len(sheet.get("rows") or []) + len(sheet.get("notes") or []) for sheet in sheets)

    return lines(essential(given, carded)) < lines(given)


def papers(given: Sheets) -> list[Block]:
    """Sheets without their alerts."""
    return [block for sheet in given for block in _sheet(sheet)]


def sheets_text(given: Sheets) -> str:
    """The same sheets as a plain text file, whole."""
    parts = []
    for sheet in given:
        rows = [f"{label}: {value}" for label, value in sheet.get("rows") or []]
        alerts = [f"! {alert}" for alert in sheet.get("alerts") or []]
        whole = [f"{sheet['title']}, in full", *map(str, sheet["whole"])] if sheet.get("whole") else []
        parts.append("\n".join([*alerts, str(sheet["title"]), *rows, *map(str, sheet.get("notes") or []), *whole]))
    return "\n\n".join(parts)


def lines(given: Sheets) -> list[str]:
    """All that the sheets say, a line each, for a dialog."""
    told: list[str] = []
    for sheet in given:
        told.append(f"*{escape(sheet['title'])}*")
        told += [f"🔴 *{escape(alert)}*" for alert in sheet.get("alerts") or []]
        told += [_row(label, value) for label, value in sheet.get("rows") or []]
        told += [escape(text) for text in (*(sheet.get("notes") or []), *(sheet.get("whole") or []))]
    return told


def _sheet(sheet: dict[str, Any]) -> list[Block]:
    rows = [_row(label, value) for label, value in sheet.get("rows") or []]
    groups = [rows[i : i + _PAIRS] for i in range(0, len(rows), _PAIRS)] or [[]]
    groups[0].insert(0, f"*{escape(sheet['title'])}*")
    notes = [escape(note) for note in sheet.get("notes") or []]
    return [section("\n".join(group)) for group in groups] + ([section("\n".join(notes))] if notes else [])


def _row(label: str, value: str) -> str:
    return f"*{escape(label)}* {escape(value)}" if value else escape(label)
