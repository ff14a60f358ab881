"""Looks that answer only the person who asked: what is under way, the last runs, one run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from actions.engine.folding import fold
from actions.engine.ids import is_errand
from actions.engine.journal import Entry, Kind
from actions.engine.needs_people import is_unseen
from actions.engine.run import Run
from actions.engine.run_summary import summary_of
from actions.engine.served import told
from actions.engine.status import labels_of
from actions.store.notes import living_workers
from actions.wording import counted, newest
from bot.context import BotContext
from bot.runs.requests import NO_WORKER, has_worker, thread_link
from bot.runs.run_control import find
from bot.views.mrkdwn import SECTION, clock, cut, escape, moment
from bot.views.run_header import UNSEEN, state_text
from bot.views.steps import line

_LAST = 10
_ALL = 10_000
_HEAD = 600


def status(bot: BotContext) -> str:
    """What is under way, and whether somebody is there to do it."""
    lines = _few(bot, bot.store.runs(open_only=True, limit=_ALL)) or ["No run is under way."]
    workers = living_workers(bot.store)
    names = "; ".join(sorted(escape(told(w, name)) for name, w in workers.items()))
    lines.append(f"Workers alive: {names}" if has_worker(bot) else NO_WORKER)
    return cut("\n".join(lines))


def runs(bot: BotContext, about: str) -> str:
    """The last runs, or everything that one run did."""
    if about:
        return _one(bot, find(bot, about.split()[0].casefold()))
    listed = _few(bot, bot.store.runs(limit=_ALL))
    more = ["`/recover runs <run>` tells one of them."] if listed else ["There was no run yet."]
    return cut("\n".join([*listed, *more]))


def approvals(bot: BotContext) -> str:
    """Where approvals are given: by the button of the question, since it shows what is approved."""
    under_way = (bot.store.run(run) for run in bot.store.runs(open_only=True) if not is_errand(run))
    waiting = [run for run in under_way if run.asking]
    if not waiting:
        return "Nothing waits for an approval."
    lines = ["An approval is given by the button of the question, which shows what is approved. Waiting now:"]
    for run in waiting[:_LAST]:
        labels = ", ".join(f"*{escape(label)}*" for label in labels_of(run))
        lines.append(f"{_run_line(bot, run.id)}\n{labels}")
    lines += [f"and {left:,} more"] if (left := len(waiting) - _LAST) > 0 else []
    return cut("\n".join([*lines, "In a terminal: `mayday approve <run>`"]))


def _few(bot: BotContext, names: Sequence[str]) -> list[str]:
    """The newest of these without the errands, of which an incident may have many; and how many there are besides."""
    runs = [name for name in names if not is_errand(name)]
    left = len(runs) - _LAST
    more = [f"and {counted(left, 'earlier run')}: `mayday runs` in a terminal"] if left > 0 else []
    return [*(_run_line(bot, run) for run in bot.store.readable(runs[:_LAST])), *more]


def _run_line(bot: BotContext, name: str) -> str:
    entries = bot.store.entries(name)
    return _line(bot, fold(entries), entries, bot.clock())


def _line(bot: BotContext, run: Run, entries: list[Entry], now: datetime) -> str:
    procedure = bot.procedure(run.procedure)
    where = thread_link(bot, run)
    state = state_text(procedure, run)
    spent = clock((run.finished_at or now) - run.requested_at)
    shown = f"<{where}|`{run.id}`>" if where else f"`{run.id}`"
    by = escape(str(entries[0].data.get("name") or run.requester))
    of = f" · child of run `{escape(run.parent)}`" if run.parent else ""
    unseen = UNSEEN if is_unseen(entries, procedure) else ""
    return f"{shown} {escape(run.procedure)} · {state} · {spent} · asked by {by} {moment(run.requested_at)}{of}{unseen}"


def _one(bot: BotContext, run: Run) -> str:
    entries = bot.store.entries(run.id)
    lines = [_line(bot, run, entries, bot.clock()), escape(summary_of(entries))]
    told = [_told(entry) for entry in entries]
    steps = [text for text in told if text]
    head = "\n".join(cut(line, _HEAD) for line in lines)
    return "\n".join([head, *newest([cut(step, _HEAD) for step in steps], SECTION - len(head) - 1)])


def _told(entry: Entry) -> str:
    data = entry.data
    match entry.kind:
        case Kind.DONE | Kind.UNDONE:
            return line(entry)
        case Kind.FAILED | Kind.UNDO_FAILED:
            return f"{escape(data['title'])} failed: {escape(data['error'])}"
        case Kind.ANSWERED:
            return f"{escape(data.get('name') or data['by'])} chose {escape(data['option'])}"
        case Kind.FINISHED:
            return f"Ended: {escape(data.get('words') or data['outcome'])}"
        case _:
            return ""
