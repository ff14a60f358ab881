"""What a run's thread looks like: a pure function of its journal.

Each item has a key and stands at its place for good; what it shows may change while the journal grows (a
question gets its answer, a list of looks grows). The thread writer posts the items that are missing, in order, and
edits those that look different by now.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from actions.engine.break_glass import in_words
from actions.engine.journal import Entry, Kind
from actions.engine.procedure import Procedure
from actions.engine.run import SYSTEM
from bot.requests import header_key
from bot.views import plan, question, report, run_header
from bot.views.mrkdwn import Block, cut, escape, person, section, size, small
from bot.views.run_header import HeaderData
from bot.views.steps import item_lines, line, spoken

MOST_BLOCKS = 48
# Slack refuses some 13,200 characters over all blocks of a message, a limit that its documents do not name.
MOST_TEXT = 12_000
_SPOKEN = (Kind.STOP_ASKED, Kind.NOTED)
_FAILURES = (Kind.FAILED, Kind.UNDO_FAILED, Kind.STOPPED)
_LINES_IN_ONE = 20


@dataclass(frozen=True)
class ThreadItem:
    """One message of a thread. `file` is a name and a content; a header's `signature` changes with its state.

    The file goes along where the message cannot hold all of it, or where it says `more` than the message.
    """

    key: str
    n: int
    text: str
    blocks: tuple[Block, ...] = ()
    file: tuple[str, str] | None = None
    header: bool = False
    signature: str = ""
    more: bool = False

    @cached_property
    def shown(self) -> str:
        """A short hash of how the item looks."""
        seen = json.dumps([self.text, self.blocks], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(seen.encode(errors="replace")).hexdigest()[:16]


def story(seen: HeaderData) -> list[ThreadItem]:
    """All messages of a run's thread, the header first."""
    items = [_header(seen)]
    for item in _told(seen):
        items += _fitting(item)
    return items


def _header(seen: HeaderData) -> ThreadItem:
    key = header_key(seen.run)
    made = tuple(run_header.blocks(seen))
    return ThreadItem(key, 1, run_header.text(seen), made, header=True, signature=run_header.signature(seen))


def _told(seen: HeaderData) -> Iterator[ThreadItem]:
    shared: list[Entry] = []
    for at, entry in enumerate(seen.entries):
        later = seen.entries[at + 1 :]
        group = _group(seen.procedure, entry)
        if group and (not shared or _group(seen.procedure, shared[0]) == group) and len(shared) < _LINES_IN_ONE:
            shared.append(entry)
            continue
        items = _items(entry, later, seen) if not group else []
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


def _items(entry: Entry, later: list[Entry], seen: HeaderData) -> list[ThreadItem]:
    """What an entry adds to the thread; nothing where it only changes what stands there."""
    if entry.kind in (Kind.DONE, Kind.UNDONE):
        return list(_lines([entry])) if entry.data.get("title") else []
    if entry.kind is Kind.ASKED:
        return _asked(entry, settled_by(later), _held(later), askers(seen))
    if entry.kind in _FAILURES:
        return [_failed(entry, _steered(later))]
    if entry.kind is Kind.FINISHED:
        return [_finished(entry)]
    if entry.kind in _SPOKEN:
        return _spoken(entry)
    return []


def askers(seen: HeaderData) -> question.Askers:
    """Whom the questions of a run concern."""
    first = seen.entries[0].data
    asker = "" if first["by"] == SYSTEM else person(str(first["by"]), first.get("name"))
    return question.Askers(asker, seen.approvers, seen.untold)


def _asked(entry: Entry, settled: Entry | None, held: Entry | None, whom: question.Askers) -> list[ThreadItem]:
    given = entry.data.get("sheets") or []
    items = []
    if given and not entry.data.get("hand"):
        title = escape(given[0]["title"])
        whole = (f"plan-{entry.run}-{entry.n}.txt", plan.sheets_text(given))
        more = any(sheet.get("whole") for sheet in given)
        items.append(ThreadItem(f"{_key(entry)}:plan", entry.n, title, tuple(plan.sheets(given)), whole, more=more))
    made = tuple(question.blocks(entry, settled, held, whom))
    return [*items, ThreadItem(_key(entry), entry.n, question.text(entry, settled), made)]


def _failed(entry: Entry, settled: Entry | None) -> ThreadItem:
    text = cut(report.trouble(entry.data) or "Stopped.")
    return ThreadItem(_key(entry), entry.n, text, tuple(report.failed(entry, settled)), _detail(entry))


def _finished(entry: Entry) -> ThreadItem:
    whole = plan.sheets_text(entry.data.get("report") or [])
    if whole and entry.data.get("glass"):
        whole = f"{in_words(entry.data['glass'])}\n\n{whole}"
    file = (f"report-{entry.run}.txt", whole) if whole else _detail(entry)
    ended = run_header.ended(entry.data["outcome"], str(entry.data.get("words") or ""))
    return ThreadItem(_key(entry), entry.n, escape(ended), tuple(report.finished(entry)), file)


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


def _fitting(item: ThreadItem) -> list[ThreadItem]:
    """The item within Slack's limits: what does not fit goes along as a file."""
    if not item.file or item.text == "" or item.key.endswith(":file"):
        return [item]
    name, content = item.file
    bare = replace(item, file=None, more=False)
    long_detail = name.startswith("detail-")
    fits = len(item.blocks) <= MOST_BLOCKS and size(list(item.blocks)) <= MOST_TEXT
    if fits and not long_detail and not item.more:
        return [bare]
    kept = _shortened(item.blocks)
    note = small(f"The whole of it is in the file {escape(name)}.")
    return [replace(bare, blocks=(*kept, note)), file_item(item.key.split(":")[0], item.n, name, content)]


def _shortened(blocks: tuple[Block, ...]) -> list[Block]:
    """As many blocks as fit; the buttons always stay."""
    fixed = [block for block in blocks if block["type"] == "actions"]
    kept: list[Block] = []
    for block in blocks:
        if block["type"] == "actions":
            continue
        if len(kept) + len(fixed) + 1 > MOST_BLOCKS or size([*kept, block]) > MOST_TEXT - 500:
            break
        kept.append(block)
    return [*kept, *fixed]


def file_item(run: str, n: int, name: str, content: str) -> ThreadItem:
    """A file of a journal's thread; it is uploaded once."""
    # The name is the key by which an upload whose outcome is unknown is found again.
    return ThreadItem(f"{run}:{n}:{name}:file", n, "", file=(f"{run}-{n}-{name}", content or " "))


def settled_by(later: list[Entry]) -> Entry | None:
    """What settled a question: an answer that held, its expiry, or that the facts had changed."""
    answered: Entry | None = None
    held = _held(later) is not None
    for entry in later:
        if entry.kind is Kind.ANSWERED or (entry.kind is Kind.EXPIRED and entry.data.get("option")):
            # What expired in the same moment counts for nothing.
            answered = answered or (None if held and entry.kind is Kind.EXPIRED else entry)
        elif entry.kind in (Kind.VOIDED, Kind.EXPIRED, Kind.UNDO_ASKED, Kind.FINISHED):
            return entry if entry.kind is Kind.VOIDED or answered is None else answered
        elif entry.kind in (Kind.RECHECKED, Kind.ASKED):
            return answered
    return answered


def _held(later: list[Entry]) -> Entry | None:
    """Who held the countdown of a question."""
    for entry in later:
        if entry.kind in (Kind.HELD, Kind.ASKED):
            return entry if entry.kind is Kind.HELD else None
    return None


def _steered(later: list[Entry]) -> Entry | None:
    ends = (Kind.RETRIED, Kind.UNDO_ASKED, Kind.FINISHED)
    return next((entry for entry in later if entry.kind in ends), None)


def _key(entry: Entry) -> str:
    return f"{entry.run}:{entry.n}"


def payload(item: ThreadItem, run: str) -> dict[str, Any]:
    """The metadata by which a message is found again; it carries no secret, everybody can read it."""
    found = {"run": run, "key": item.key, "entry": item.n}
    return found | ({"request": item.key} if item.header else {})
