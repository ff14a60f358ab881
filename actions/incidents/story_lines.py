"""The timeline of one run: its journal, moment by moment, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from actions.engine.errors import error_said
from actions.engine.ids import is_errand
from actions.engine.journal import Entry, Kind
from actions.engine.put_question import void_words
from actions.engine.run_summary import summary_of

ENDED = {
    Kind.DONE: "done",
    Kind.UNDONE: "taken back",
    Kind.FAILED: "failed",
    Kind.STOPPED: "stopped",
    Kind.UNDO_FAILED: "could not be taken back",
}


@dataclass(frozen=True)
class StoryLine:
    """One moment of the timeline."""

    at: datetime
    text: str
    where: str = ""


def who(data: dict[str, Any]) -> str:
    """Who said something, by name where the journal has it."""
    return str(data.get("name") or data.get("by") or "somebody")


def is_step(entry: Entry) -> bool:
    """Whether an entry tells how a step ended."""
    # That a loop has failed is told by its items.
    return entry.kind in ENDED and bool(entry.data.get("title")) and "items" not in entry.data


def story_lines(told: Sequence[Entry], name: str) -> Iterator[StoryLine]:
    """The moments of a run. What it looked at before it first asked is its plan, and stands there."""
    asked = next((entry.n for entry in told if entry.kind is Kind.ASKED), 0)
    errand, summary = is_errand(told[0].run), summary_of(told)
    for entry in told:
        if entry.kind is Kind.DONE and (errand or entry.n < asked):
            continue
        text = _line(entry, name, summary if errand else "Ended")
        if text:
            yield StoryLine(entry.at, text, entry.run)


def _line(entry: Entry, name: str, ended: str) -> str:
    data, title = entry.data, str(entry.data.get("title") or "the step")
    match entry.kind:
        case Kind.REQUESTED:
            return f"{name} asked: {data.get('summary') or data['procedure']}"
        case Kind.ASKED:
            return f"Asked: {title}"
        case Kind.ANSWERED:
            return f"{who(data)} chose {data['option']}"
        case Kind.EXPIRED if data.get("option"):
            return f"Nobody answered in time: {data['option']} stands"
        case Kind.HELD:
            return f"{who(data)} held it: {title}"
        case Kind.EXPIRED:
            return f"Nobody answered in time: {title}"
        case Kind.VOIDED:
            return void_words(data)
        case Kind.RECHECKED if data.get("said"):
            return f"As it stood then: {data['said']}"
        case Kind.STOP_ASKED | Kind.RETRIED | Kind.UNDO_ASKED:
            return f"{who(data)} {_PRESSED[entry.kind]}"
        case Kind.FINISHED:
            return f"{ended}: {data.get('words') or data['outcome']}" + (
                f". {error_said(data)}" if data.get("error") else ""
            )
        case Kind.NOTED:
            return str(data.get("text") or "")
        case Kind.DONE:
            return _sentence(title) + (f": {data['said']}" if data.get("said") else "")
        case _ if is_step(entry):
            return f"{_sentence(title)}: {ENDED[entry.kind]}" + (f". {error_said(data)}" if data.get("error") else "")
        case _:
            return ""


_PRESSED = {Kind.STOP_ASKED: "asked it to stop", Kind.RETRIED: "had it go on", Kind.UNDO_ASKED: "had it taken back"}


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
