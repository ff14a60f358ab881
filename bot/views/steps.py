"""A line for each finished step, and what people said in between."""

from __future__ import annotations

from collections.abc import Sequence

from actions.engine.journal import Entry, Kind
from actions.engine.run import Run
from bot.views.mrkdwn import escape, took


def line(entry: Entry) -> str:
    """What a finished step did and how long it took."""
    data = entry.data
    what = escape(sentence(str(data.get("title") or "A step")))
    if entry.kind is Kind.UNDONE:
        what = f"Taken back: {what}"
    said = f" — {escape(data['said'])}" if data.get("said") else ""
    return f"{what} · {took(float(data.get('seconds') or 0))}{said}"


def item_lines(entries: Sequence[Entry]) -> list[str]:
    """The items of one loop: what is done for them, then a line for each with how it went."""
    what = sentence(str(entries[0].data["title"]).removesuffix(f": {entries[0].data['item']}"))
    back = "Taken back: " if entries[0].kind is Kind.UNDONE else ""
    return [f"*{back}{escape(what)}*", *map(_item, entries)]


def _item(entry: Entry) -> str:
    data = entry.data
    said = f"failed: {data.get('error')}" if entry.kind is Kind.FAILED else str(data.get("said") or "")
    return f"{escape(data['item'])} · {took(float(data.get('seconds') or 0))}" + (f" — {escape(said)}" if said else "")


def sentence(text: str) -> str:
    """A title with a capital letter, as a line begins."""
    return text[:1].upper() + text[1:]


def titled(title: str, run: Run) -> str:
    """A step's title; those of questions may name the service."""
    return sentence(title.replace("{service}", run.service))


def spoken(entry: Entry) -> str:
    """Something that a person or the run said, that has no question of its own."""
    data = entry.data
    who = escape(data.get("name") or data.get("by") or "Somebody")
    match entry.kind:
        case Kind.STOP_ASKED:
            return f"{who} pressed Stop. The run ends at its next safe place."
        case Kind.RETRIED:
            return f"{who} pressed Retry. The run goes on."
        case Kind.UNDO_ASKED:
            return f"{who} pressed Undo. What was done is taken back, newest first."
        case _:
            return escape(data.get("text") or "")
