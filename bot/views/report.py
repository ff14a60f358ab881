"""How a run ended, or why it waits: the report, the failure, the refusal."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from actions.engine.errors import error_said
from actions.engine.journal import Entry, Kind
from actions.engine.status import RETRY, UNDO
from bot.views import plan
from bot.views.mrkdwn import Block, actions, button, clock, cut, escape, moment, person, section, small, took
from bot.views.run_header import ended, glass
from bot.views.steps import sentence
from bot.views.warnings import WarningsSaid


def finished(entry: Entry, warned: WarningsSaid, promised: timedelta | None = None) -> list[Block]:
    """The last message of a run: the few lines that matter. All of it is in the file that goes along."""
    data = entry.data
    how = ended(str(data["outcome"]), str(data.get("words") or ""))
    head = f"*{escape(how)}* · {_took(float(data.get('seconds') or 0), promised)}"
    said = [section(trouble(data))] if data.get("error") else []
    again: dict[str, Any] = data.get("again") or {}
    more = [section(f"Another time is wanted: {escape(again.get('text') or '')}. A new run begins.")] if again else []
    given = data.get("report") or []
    papers = plan.papers(plan.essential(given))
    return [
        *glass(data.get("glass")),
        *warned.blocks(given),
        section(head),
        *said,
        *papers,
        *more,
        small(anchor(entry)),
    ]


def anchor(entry: Entry) -> str:
    """The end of a journal, outside of the store, where whoever cuts it short cannot reach.

    `mayday journal verify` names the same.
    """
    return f"Journal `{escape(entry.run)}`: {entry.n} entries, the last one {entry.hash[:16]}"


def _took(seconds: float, promised: timedelta | None) -> str:
    """How long it took, against what was promised."""
    if promised is None:
        return took(seconds)
    kept = "kept" if seconds <= promised.total_seconds() else "missed"
    return f"{clock(seconds)} of {clock(promised)}, {kept}"


def failed(entry: Entry, settled: Entry | None) -> list[Block]:
    """Why a run waits for a person, with what they can do about it."""
    data = entry.data
    stopped = entry.kind is Kind.STOPPED
    what = sentence(str(data.get("title") or "the step"))
    head = f"*Stopped before: {escape(what)}*" if stopped else f"*{escape(what)} failed*"
    hint = "Retry goes on from here; Undo takes back what was done." if stopped else ""
    body = section("\n".join(part for part in (head, trouble(data), hint) if part))
    if settled is not None:
        return [body, section(_settled(settled))]
    row = [button(RETRY, "steer:retry", entry.run, "primary")]
    undo = "Everything that this run did is taken back, newest first."
    row.append(button(UNDO, "steer:undo", entry.run, "danger", undo))
    return [body, *actions(row)]


def trouble(data: dict[str, Any]) -> str:
    """What happened, what was seen, what to do next."""
    detail = escape(data.get("detail") or "")
    seen = f"```{cut(detail, 1800)}```" if "\n" in detail else detail
    parts = (escape(error_said(data)), seen, escape(data.get("hint") or ""))
    return "\n".join(part for part in parts if part)


def _settled(entry: Entry) -> str:
    word = {Kind.RETRIED: RETRY, Kind.UNDO_ASKED: UNDO}.get(entry.kind)
    if word is None:
        return "The run went on."
    return f"{person(entry.data['by'], entry.data.get('name'))} pressed *{word}* {moment(entry.at)}."
