"""What a run's thread looks like: a pure function of its journal.

Each item has a key and stands at its place for good; what it shows may change while the journal grows (a
question gets its answer). The thread writer posts the items that are missing, in order, and edits those that look
different by now. A finished step is no message of its own: the header counts it, its button shows all of them, and the
report's file keeps what they said. Errands and drills tell theirs line by line.
"""

from __future__ import annotations

from collections.abc import Iterator

from actions.engine.break_glass import in_words
from actions.engine.errors import error_said
from actions.engine.ids import is_errand
from actions.engine.journal import Entry, Kind
from actions.engine.lanes import Lane
from actions.engine.procedure import Procedure
from actions.engine.run import SYSTEM
from bot.runs.requests import header_key
from bot.slack.fitting import fits, fitting
from bot.slack.settled import held_by, settled_by, steered_by
from bot.slack.thread_item import ThreadItem, file_item
from bot.views import pages, plan, question, report, run_header, step_table
from bot.views.mrkdwn import Block, cut, escape, person, section
from bot.views.run_header import HeaderData
from bot.views.steps import item_lines, line, spoken
from bot.views.warnings import WarningsSaid

_SPOKEN = (Kind.STOP_ASKED, Kind.NOTED)
_FAILURES = (Kind.FAILED, Kind.UNDO_FAILED, Kind.STOPPED)
_GOOD = (Kind.DONE, Kind.UNDONE)
_LINES_IN_ONE = 20
_TOGETHER = 0.6
"""The share of a message that sheets may take where their question stands below them."""


def story(seen: HeaderData) -> list[ThreadItem]:
    """All messages of a run's thread, the header first."""
    return [_header(seen), *(part for item in _told(seen, WarningsSaid()) for part in fitting(item))]


def tells_steps(seen: HeaderData) -> bool:
    """Whether each finished step has a line in the thread."""
    return is_errand(seen.run.id) or (seen.procedure is not None and seen.procedure.lane is Lane.DRILL)


def _header(seen: HeaderData) -> ThreadItem:
    key = header_key(seen.run)
    made = tuple(run_header.blocks(seen))
    return ThreadItem(key, 1, run_header.text(seen), made, header=True, signature=run_header.signature(seen))


def _told(seen: HeaderData, warned: WarningsSaid) -> Iterator[ThreadItem]:
    shared: list[Entry] = []
    folded = () if tells_steps(seen) else _GOOD
    for at, entry in enumerate(seen.entries):
        if entry.kind in folded:
            continue
        group = _group(seen.procedure, entry)
        if group and (not shared or _group(seen.procedure, shared[0]) == group) and len(shared) < _LINES_IN_ONE:
            shared.append(entry)
            continue
        items = _items(seen, at, warned) if not group else []
        if items or group:
            yield from _lines(shared)
            shared = [entry] if group else []
        yield from items
    yield from _lines(shared)


def _group(procedure: Procedure | None, entry: Entry) -> str:
    """Entries of one group share one message, with a line each: the looks of the plan, the items of a loop."""
    if entry.data.get("item") and entry.kind in (Kind.DONE, Kind.FAILED, Kind.UNDONE):
        return f"items {entry.step} {entry.kind is Kind.UNDONE}"
    return "looks" if _is_plan_look(procedure, entry) else ""


def _is_plan_look(procedure: Procedure | None, entry: Entry) -> bool:
    """The looks of the plan come fast and together; they share one message with a line each."""
    early = procedure is not None and entry.step is not None and entry.step < procedure.plan_length
    return early and entry.kind is Kind.DONE


def _lines(entries: list[Entry]) -> Iterator[ThreadItem]:
    if entries:
        told = item_lines(entries) if entries[0].data.get("item") else map(line, entries)
        lines = [cut(text, 400) for text in told]
        parts = ["\n".join(lines[i : i + 7]) for i in range(0, len(lines), 7)]
        yield ThreadItem(_key(entries[0]), entries[0].n, cut("\n".join(lines)), tuple(map(section, parts)))


def _items(seen: HeaderData, at: int, warned: WarningsSaid) -> list[ThreadItem]:
    """What an entry adds to the thread; nothing where it only changes what stands there."""
    entry, later = seen.entries[at], seen.entries[at + 1 :]
    if entry.kind in _GOOD:
        return list(_lines([entry])) if entry.data.get("title") else []
    if entry.kind is Kind.ASKED:
        return _asked(seen, entry, later, warned)
    if entry.kind in _FAILURES:
        return [_failed(entry, steered_by(later))]
    if entry.kind is Kind.FINISHED:
        return [_finished(seen, entry, warned)]
    if entry.kind in _SPOKEN:
        return _spoken(entry)
    return []


def askers(seen: HeaderData) -> question.Askers:
    """Whom the questions of a run concern."""
    first = seen.entries[0].data
    asker = "" if first["by"] == SYSTEM else person(str(first["by"]), first.get("name"))
    return question.Askers(asker, seen.approvers, seen.untold)


def _asked(seen: HeaderData, entry: Entry, later: list[Entry], warned: WarningsSaid) -> list[ThreadItem]:
    """A question below its sheets; those of the plan, and those that are long, are a message of their own."""
    how = settled_by(later)
    asks, said = tuple(question.blocks(entry, how, held_by(later), askers(seen))), question.text(entry, how)
    given = entry.data.get("sheets") or []
    if not given or entry.data.get("hand"):
        return [ThreadItem(_key(entry), entry.n, said, asks)]
    made = tuple(_sheets(entry, warned))
    whole = (f"plan-{entry.run}-{entry.n}.txt", plan.sheets_text(given))
    more = any(sheet.get("whole") for sheet in given)
    procedure = seen.procedure
    if procedure is not None and entry.step != procedure.plan_length and fits(made, _TOGETHER):
        return [ThreadItem(_key(entry), entry.n, said, (*made, *asks), whole, more=more)]
    first = ThreadItem(f"{_key(entry)}:plan", entry.n, escape(given[0]["title"]), made, whole, more=more)
    return [first, ThreadItem(_key(entry), entry.n, said, asks)]


def _sheets(entry: Entry, warned: WarningsSaid) -> list[Block]:
    """What people read before they answer, with a button to the rest where there is more."""
    given, carded = entry.data["sheets"], bool(entry.data.get("card"))
    papers = plan.papers(plan.essential(given, carded))
    if plan.folds(given, carded):
        papers = papers or [section(f"*{escape(given[0]['title'])}*")]
        papers[0] = {**papers[0], "accessory": pages.opens(pages.DETAILS, entry.run, entry.n)}
    return [*warned.blocks(given), *papers]


def _failed(entry: Entry, how: Entry | None) -> ThreadItem:
    text = cut(report.trouble(entry.data) or "Stopped.")
    return ThreadItem(_key(entry), entry.n, text, tuple(report.failed(entry, how)), _detail(entry))


def _finished(seen: HeaderData, entry: Entry, warned: WarningsSaid) -> ThreadItem:
    """The report. Its file goes along wherever something was done, and wherever the message shows less."""
    given = entry.data.get("report") or []
    acted = not tells_steps(seen) and any(e.kind is Kind.BEGAN for e in seen.entries)
    file = (f"report-{entry.run}.txt", _file(seen, entry)) if acted or given else _detail(entry)
    said = escape(run_header.ended(entry.data["outcome"], str(entry.data.get("words") or "")))
    kept = seen.procedure is not None and seen.procedure.ends == entry.data["outcome"]
    promised = seen.procedure.rto if seen.procedure is not None and kept else None
    made = tuple(report.finished(entry, warned, promised))
    return ThreadItem(_key(entry), entry.n, said, made, file, more=acted or plan.folds(given))


def _file(seen: HeaderData, entry: Entry) -> str:
    """The whole report: its sheets, all steps with what they said, the end of the journal."""
    alone = in_words(entry.data["glass"]) if entry.data.get("glass") else ""
    table = step_table.rows(seen.procedure, seen.run, seen.entries)
    ended = "\n".join(filter(None, (error_said(entry.data), entry.data.get("detail"), entry.data.get("hint"))))
    sheets = plan.sheets_text(entry.data.get("report") or [])
    parts = (alone, ended, sheets, step_table.text(table), report.anchor(entry).replace("`", ""))
    return "\n\n".join(part for part in parts if part)


def _detail(entry: Entry) -> tuple[str, str] | None:
    detail = str(entry.data.get("detail") or "")
    return (f"detail-{entry.run}-{entry.n}.txt", detail) if len(detail) > 1800 else None


def _spoken(entry: Entry) -> list[ThreadItem]:
    text = spoken(entry)
    items = [ThreadItem(_key(entry), entry.n, cut(text), (section(text),))] if text else []
    file = entry.data.get("file")
    if file:
        items.append(file_item(entry.run, entry.n, str(file["name"]), str(file["content"])))
    return items


def _key(entry: Entry) -> str:
    return f"{entry.run}:{entry.n}"
