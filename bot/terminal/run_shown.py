"""A run as a terminal shows it: its story, the plan, the question and how to answer it, the report. And as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from actions.control.answers import short
from actions.engine.break_glass import in_words
from actions.engine.errors import error_said
from actions.engine.folding import fold
from actions.engine.journal import Entry, Kind
from actions.engine.procedure import MayAnswer, OptionEffect, Procedure, Risk
from actions.engine.run import Run
from actions.engine.run_parts import Question
from actions.engine.run_summary import summary_of
from actions.engine.status import labels_of, state_of
from bot.views import decision_card
from bot.views.steps import sentence


def line(console: Console, entry: Entry) -> None:
    """A line of a run's story."""
    if entry.kind is not Kind.BEGAN and not (entry.kind is Kind.RECHECKED and not entry.data.get("said")):
        console.print(f"{entry.at:%H:%M:%S} {entry.kind:<12} {line_of(entry)}", markup=False)


def end(console: Console, procedure: Procedure | None, entries: list[Entry]) -> None:
    """What a run's story has led to: the plan with its open question, or the report."""
    run = fold(entries)
    if run.asking:
        asked = next(e for e in reversed(entries) if e.kind is Kind.ASKED)
        card(console, asked)
        sheets(console, asked.data.get("sheets") or [])
        question(console, procedure, run)
    elif entries[-1].kind is Kind.FINISHED:
        report(console, entries[-1])


def line_of(entry: Entry) -> str:
    """What an entry says, in one line."""
    data = entry.data
    what = (
        data.get("title") or data.get("summary") or data.get("option") or data.get("words") or data.get("outcome") or ""
    )
    who = f" by {data['name']}" if data.get("name") else ""
    who += f" alone: {data['glass']['reason']}" if entry.kind is Kind.ANSWERED and data.get("glass") else ""
    seconds = f" ({data['seconds']:.1f} s)" if data.get("seconds") is not None else ""
    more = data.get("said") or " ".join(filter(None, (error_said(data), data.get("detail"), data.get("hint"))))
    return f"{what}{who}{seconds}" + (f": {more}" if more else "")


def card(console: Console, asked: Entry) -> None:
    """The rows that people decide on, first of all; nothing where the question has none."""
    rows = decision_card.pairs(asked.data.get("card") or ())
    if rows:
        console.print()
        console.print(_rows(rows))


def _rows(rows: Sequence[tuple[str, str]]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for label, value in rows:
        table.add_row(Text(str(label)), Text(str(value)))
    return table


def sheets(console: Console, given: Sequence[dict[str, Any]]) -> None:
    """What must not be overlooked in red, then sheets with rows side by side and notes below; the words of Slack."""
    for alert in (alert for sheet in given for alert in sheet.get("alerts") or []):
        console.print(Text(f"! {alert}", style="bold red"))
    for sheet in given:
        console.print()
        console.print(Text(str(sheet["title"]), style="bold"))
        if rows := sheet.get("rows") or []:
            console.print(_rows(rows))
        for note in sheet.get("notes") or []:
            console.print(str(note), markup=False)
        if sheet.get("whole"):
            console.print(f"In full, {len(sheet['whole']):,} more lines: the same command with --json", markup=False)
    if given:
        console.print()


def report(console: Console, entry: Entry) -> None:
    """The report; its first line says where somebody went on alone."""
    if entry.data.get("glass"):
        console.print(Text(in_words(entry.data["glass"]), style="bold"))
    sheets(console, entry.data.get("report") or [])


def question(console: Console, procedure: Procedure | None, run: Run) -> None:
    """The open question: who may choose what, what has to be typed, and how."""
    asked = run.question
    if asked is None or not run.asking:
        return
    console.print(Text(sentence(asked.title.replace("{service}", run.service)), style="bold"), end="  ")
    until = _until(asked)
    console.print(f"plan {short(asked.plan)}, {until}", markup=False)
    for option in asked.options:
        does = f" {option['does']}" if option.get("does") else ""
        console.print(f"  {option['label']}: {_who(option)}{_typing(procedure, asked, option)}.{does}", markup=False)


def _until(asked: Question) -> str:
    """How long the question stays open, and what then."""
    if asked.expires_at is None:
        return "waits until somebody answers"
    at = f"{asked.expires_at:%H:%M:%S} UTC"
    if asked.on_silence is not None:
        return f"goes on with {asked.on_silence['label']} at {at}, unless somebody answers or holds it"
    return f"open until {at}"


def how_to_answer(run: Run) -> str:
    """The command that answers the open question."""
    labels = [str(option["label"]) for option in run.question.options] if run.question else []
    return "Answer it: " + "  or  ".join(command(run, label) for label in labels)


def approval(run: Run) -> str:
    """The label that `approve` stands for: the first that a second person may choose; empty where there is none."""
    options = run.question.options if run.question else ()
    return next((str(option["label"]) for option in options if option["who"] == MayAnswer.SECOND), "")


def command(run: Run, label: str) -> str:
    """What is typed to choose an option."""
    return f"mayday approve {run.id}" if label == approval(run) else f"mayday answer {run.id} '{label}'"


def is_typed_back(procedure: Procedure | None, asked: Question, option: dict[str, Any]) -> bool:
    """Whether the plan's hash has to be typed for that option: on the way to something that destroys.

    What goes on by itself when nobody speaks needs no hash from whoever is in a hurry.
    """
    risky = (procedure is None or procedure.risk is Risk.DESTRUCTIVE) and asked.silence is not OptionEffect.ON
    return risky and option["leads"] == OptionEffect.ON and option.get("types") != "note"


def _who(option: dict[str, Any]) -> str:
    second = option["who"] == MayAnswer.SECOND
    return "a second person who may approve, with a one-time code" if second else "who asked, or who may approve"


def _typing(procedure: Procedure | None, asked: Question, option: dict[str, Any]) -> str:
    if is_typed_back(procedure, asked, option):
        return ", typing the plan's hash"
    typed = {
        "service": ", typing the service's name",
        "when": ", typing the other time",
        "note": ", with a few words that stay on the record",
    }
    return typed.get(str(option.get("types") or ""), "")


def document(entries: list[Entry]) -> dict[str, Any]:
    """A run as one JSON document."""
    run = fold(entries)
    asked = next((e for e in reversed(entries) if e.kind is Kind.ASKED), None) if run.asking else None
    ended = entries[-1] if entries[-1].kind is Kind.FINISHED else None
    failure = run.failure
    return {
        "run": run.id,
        "procedure": run.procedure,
        "service": run.service,
        "state": state_of(run),
        "summary": summary_of(entries),
        "requester": run.requester,
        "requested_at": run.requested_at,
        "labels": labels_of(run),
        "question": question_json(run),
        "card": asked.data.get("card") or [] if asked else [],
        "sheets": asked.data.get("sheets") if asked else [],
        "report": ended.data.get("report") if ended else [],
        "glass": run.glass,
        "error": failure.message if failure else (ended.data.get("error") if ended else None),
        "code": failure.code if failure else (ended.data.get("code") if ended else None),
        "detail": failure.detail if failure else (ended.data.get("detail") if ended else None),
        "hint": failure.hint if failure else (ended.data.get("hint") if ended else None),
    }


def question_json(run: Run) -> dict[str, Any] | None:
    """The open question, None where there is none."""
    asked = run.question
    if asked is None or not run.asking:
        return None
    return {
        "n": asked.n,
        "title": asked.title,
        "plan": short(asked.plan),
        "expires_at": asked.expires_at,
        "options": asked.options,
    }
