"""The plan: the sheets that people read before they answer, and the steps with how far they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from actions.engine.procedure import Procedure
from actions.engine.run import Run
from bot.views.mrkdwn import Block, cut, escape, section
from bot.views.steps import sentence

TASKS = 48
_PAIRS = 10
_MARKS = {"complete": "✓", "in_progress": "▸", "error": "✗", "pending": "·"}


@dataclass(frozen=True)
class Task:
    """A step as the plan block shows it."""

    id: str
    title: str
    status: str


def progress(procedure: Procedure, run: Run) -> list[Task]:
    """Each step of a run with how far it is."""
    failed = run.failure.step if run.failure else None
    steps = list(enumerate(procedure.steps))
    # Slack takes 50 tasks in a plan; the steps that are done first are the ones nobody misses.
    shown = steps if len(steps) <= TASKS else [s for s in steps if s[0] not in run.done][:TASKS]
    return [Task(f"{run.id}-{i}", titled(step.title, run) + _of(run, i), _status(run, i, failed)) for i, step in shown]


def _of(run: Run, step: int) -> str:
    """How many items of a loop are done."""
    items = run.items.get(step)
    return f" ({len(items.done)} of {len(items.all)})" if items is not None else ""


def titled(title: str, run: Run) -> str:
    """A step's title; those of questions may name the service."""
    return sentence(title.replace("{service}", run.service))


def rich(tasks: list[Task], headline: str) -> list[Block]:
    """The plan block."""
    cards = [{"type": "task_card", "task_id": t.id, "title": cut(t.title, 150), "status": t.status} for t in tasks]
    return [{"type": "plan", "title": cut(headline, 150), "tasks": cards}] if cards else []


def plain(tasks: list[Task]) -> list[Block]:
    """The same where Slack does not know the plan block."""
    lines = [f"{_MARKS[task.status]} {escape(task.title)}" for task in tasks]
    return [section("\n".join(lines))] if lines else []


def _status(run: Run, step: int, failed: int | None) -> str:
    if step == failed:
        return "error"
    if step in run.undone:
        return "pending"
    if step in run.done:
        return "complete"
    asked = run.question is not None and run.question.step == step
    return "in_progress" if step == run.open_step or asked else "pending"


def sheets(given: Sequence[dict[str, Any]]) -> list[Block]:
    """Sheets as blocks: first what must not be overlooked, then each with its title, its rows, its notes."""
    return [*alerts(given), *papers(given)]


def alerts(given: Sequence[dict[str, Any]]) -> list[Block]:
    """What must not be overlooked, of all sheets."""
    said = [f"🔴 *{escape(alert)}*" for sheet in given for alert in sheet.get("alerts") or []]
    return [section("\n".join(said))] if said else []


def papers(given: Sequence[dict[str, Any]]) -> list[Block]:
    """Sheets without their alerts."""
    return [block for sheet in given for block in _sheet(sheet)]


def sheets_text(given: Sequence[dict[str, Any]]) -> str:
    """The same sheets as a plain text file, whole."""
    parts = []
    for sheet in given:
        rows = [f"{label}: {value}" for label, value in sheet.get("rows") or []]
        alerts = [f"! {alert}" for alert in sheet.get("alerts") or []]
        whole = [f"{sheet['title']}, in full", *map(str, sheet["whole"])] if sheet.get("whole") else []
        parts.append("\n".join([*alerts, str(sheet["title"]), *rows, *map(str, sheet.get("notes") or []), *whole]))
    return "\n\n".join(parts)


def _sheet(sheet: dict[str, Any]) -> list[Block]:
    rows = [_row(label, value) for label, value in sheet.get("rows") or []]
    groups = [rows[i : i + _PAIRS] for i in range(0, len(rows), _PAIRS)] or [[]]
    groups[0].insert(0, f"*{escape(sheet['title'])}*")
    notes = [escape(note) for note in sheet.get("notes") or []]
    return [section("\n".join(group)) for group in groups] + ([section("\n".join(notes))] if notes else [])


def _row(label: str, value: str) -> str:
    return f"*{escape(label)}* {escape(value)}" if value else escape(label)
