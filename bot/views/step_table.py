"""All steps of a run: when each was done, how long it took, what it said; then what is to come. Nothing is cut."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from actions.engine.errors import error_said
from actions.engine.journal import Entry, Kind
from actions.engine.procedure import Procedure
from actions.engine.run import Run
from bot.views.mrkdwn import escape, took
from bot.views.steps import sentence, titled

_MARKS = {
    Kind.DONE: "✓",
    Kind.ANSWERED: "✓",
    Kind.UNDONE: "↩",
    Kind.FAILED: "✗",
    Kind.UNDO_FAILED: "✗",
    Kind.STOPPED: "■",
}
_AT_WORK, _TO_COME = "▸", "·"


@dataclass(frozen=True)
class StepRow:
    """A line of the table. One that is still to come has no moment."""

    mark: str
    number: int | None
    title: str
    at: datetime | None = None
    seconds: float | None = None
    said: str = ""


def rows(procedure: Procedure | None, run: Run, entries: list[Entry]) -> list[StepRow]:
    """What was done, in its order, and what of the procedure is still to come."""
    return [*_done(entries), *(_ahead(procedure, run) if procedure is not None else [])]


def _done(entries: list[Entry]) -> Iterator[StepRow]:
    question = ""
    for entry in entries:
        data = entry.data
        question = str(data.get("title") or "") if entry.kind is Kind.ASKED else question
        if entry.kind not in _MARKS:
            continue
        title = question if entry.kind is Kind.ANSWERED else str(data.get("title") or "")
        back = "Taken back: " if entry.kind is Kind.UNDONE else ""
        seconds = float(data["seconds"]) if data.get("seconds") is not None else None
        number = entry.step + 1 if entry.step is not None else None
        yield StepRow(_MARKS[entry.kind], number, back + sentence(title or "A step"), entry.at, seconds, _said(entry))


def _said(entry: Entry) -> str:
    data = entry.data
    if entry.kind is Kind.ANSWERED:
        typed = f" ({data['text']})" if data.get("text") else ""
        return f"{data.get('name') or data.get('by') or 'Somebody'} chose {data.get('option')}{typed}"
    if data.get("said"):
        return str(data["said"])
    return " ".join(filter(None, (error_said(data), str(data.get("detail") or ""), str(data.get("hint") or ""))))


def _ahead(procedure: Procedure, run: Run) -> Iterator[StepRow]:
    if run.finished is not None or run.undoing is not None:
        return
    for i, step in enumerate(procedure.steps):
        if i not in run.done:
            asked = run.question is not None and run.question.step == i
            mark = _AT_WORK if i == run.open_step or asked else _TO_COME
            yield StepRow(mark, i + 1, titled(step.title, run))


def lines(table: list[StepRow]) -> list[str]:
    """The table as a dialog shows it, with times in the reader's own zone."""
    return [_line(row, escape, _clock(row.at) if row.at else "") for row in table]


def text(table: list[StepRow]) -> str:
    """The table as a plain text file, with times in UTC."""
    told = [_line(row, str, f"{row.at:%Y-%m-%d %H:%M:%S} UTC" if row.at else "") for row in table]
    return "\n".join(["Steps", *told])


def _clock(at: datetime) -> str:
    return f"<!date^{int(at.timestamp())}^{{time_secs}}|{at:%H:%M:%S} UTC>"


def _line(row: StepRow, words: Callable[[object], str], at: str) -> str:
    spent = took(row.seconds) if row.seconds is not None else ""
    said = f" — {words(row.said)}" if row.said else ""
    number = f"{row.number} " if row.number is not None else ""
    return f"{row.mark} " + " · ".join(filter(None, (f"{number}{words(row.title)}", at, spent))) + said
