"""A run as one line, which says more as it goes on; an errand has it in the thread of its incident."""

from __future__ import annotations

from actions.engine.journal import Kind
from actions.engine.procedure import Outcome
from actions.engine.status import RETRY, UNDO
from bot.runs.requests import header_key
from bot.slack.thread_item import ThreadItem
from bot.views import report, run_header
from bot.views.mrkdwn import Block, actions, button, cut, escape, person, section, took
from bot.views.run_header import HeaderData


def item(seen: HeaderData, *, alone: bool) -> ThreadItem:
    """The line of a run as it stands now. One that stands `alone`, in no other's thread, names its run."""
    name = f" · run `{seen.run.id}`" if alone else ""
    said = cut(_said(seen, name))
    return ThreadItem(header_key(seen.run), seen.run.last, said, (section(said), *actions(_buttons(seen))))


def _said(seen: HeaderData, name: str) -> str:
    first, run = seen.entries[0].data, seen.run
    what = f"{escape(first.get('summary') or run.procedure)} · {person(first['by'], first.get('name'))}{name}"
    if run.failure is not None:
        told = next(e.data for e in reversed(seen.entries) if e.kind in (Kind.FAILED, Kind.STOPPED, Kind.UNDO_FAILED))
        return f"{what} · *did not work*\n{report.trouble(told)}"
    if run.finished is None:
        return f"{what} · at work" if seen.worker else f"{what} · waits for a worker: `mayday worker`"
    ended = seen.entries[-1].data
    if ended.get("error"):
        return f"{what} · *not done*\n{report.trouble(ended)}"
    return f"{what} · {'given up' if run.undoing else _ended(seen)} · {took(float(ended.get('seconds') or 0))}"


def _ended(seen: HeaderData) -> str:
    """How it ended, in its procedure's words where it has some, and what the last look found."""
    run = seen.run
    if run.finished is Outcome.DONE and not run.words:
        return _outcome(seen)
    return f"{escape(run_header.ended(str(run.finished), run.words))} · {_outcome(seen)}"


def _outcome(seen: HeaderData) -> str:
    """What the last look found, in its own words, with the address where it can be seen."""
    found = [e.data for e in seen.entries if e.kind is Kind.DONE and e.data.get("gives")]
    fact = found[-1].get("fact") or {} if found else {}
    url, said = (
        str(fact.get("url") or ""),
        str((found[-1].get("said") if found else "") or fact.get("status") or "done"),
    )
    return f"<{escape(url)}|{escape(said)}>" if url.startswith(("https://", "http://")) else escape(said)


def _buttons(seen: HeaderData) -> list[Block]:
    if seen.run.failure is None or seen.run.finished is not None:
        return []
    return [
        button(RETRY, "steer:retry", seen.run.id, "primary"),
        button(UNDO, "steer:undo", seen.run.id, "danger", "It is given up; nothing more is tried."),
    ]
