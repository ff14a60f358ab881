"""What stands in the practice Slack: every message once, each finished step in the report's file, the right end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from actions.engine.journal import Entry, Kind
from bot.views.pages import DETAILS, STEPS
from bot.views.run_header import ENDED
from bot.views.steps import sentence

Message = Mapping[str, Any]
_FINISHED = ("✓", "↩")
"""The marks of what was done, and of what was taken back."""


def wrong_in_thread(entries: Sequence[Entry], messages: Sequence[Message]) -> Iterator[str]:
    """Messages of the bot that stand twice, and what is missing in the run's own thread."""
    yield from _twice(messages)
    run = entries[0].run
    roots = [m["ts"] for m in messages if _payload(m).get("run") == run and not m.get("thread_ts")]
    if len(roots) != 1:
        yield f"thread: {len(roots)} headers of {run}"
        return
    yield from incomplete(entries, [m for m in messages if roots[0] in (m["ts"], m.get("thread_ts"))])


def _twice(messages: Sequence[Message]) -> Iterator[str]:
    keys = Counter(str(key) for m in messages if (key := _payload(m).get("key")))
    files = Counter(str(file["name"]) for m in messages for file in m.get("files") or [])
    bare = Counter((m.get("thread_ts"), *_lines(m)) for m in messages if not _payload(m) and not m.get("files"))
    for key, number in keys.items():
        if number > 1:
            yield f"message: {key} stands {number} times"
    for name, number in files.items():
        if number > 1:
            yield f"message: the file {name} stands {number} times"
    for said, number in bare.items():
        if number > 1:
            yield f"message: {said[1:]} stands {number} times"


def incomplete(entries: Sequence[Entry], thread: Sequence[Message]) -> Iterator[str]:
    """What is missing in the thread of a run: all steps, its end, its questions in order; or buttons that are left."""
    yield from _steps(entries, thread)
    outcome = next((str(e.data["outcome"]) for e in entries if e.kind is Kind.FINISHED), "")
    head = "\n".join(_lines(thread[0]))
    if outcome and ENDED[outcome].casefold() not in head.casefold():
        yield f"thread: its header does not say '{ENDED[outcome]}': {head[:200]}"
    asked = [str(e.data["title"]) for e in entries if e.kind is Kind.ASKED]
    put = [line for m in thread[1:] for text in _lines(m) if (line := text.strip("*")) in asked]
    if put != asked:
        yield f"thread: its questions are {put}, should be {asked}"
    left = [b["label"] for m in thread for b in m.get("buttons") or [] if b["label"] not in (STEPS, DETAILS)]
    if outcome and left:
        yield f"thread: it still has buttons: {left}"


def _steps(entries: Sequence[Entry], thread: Sequence[Message]) -> Iterator[str]:
    """All steps that were done and taken back, in their order, in the file of a report."""
    name = f"report-{entries[0].run}.txt"
    finished = [e for e in entries if e.kind in (Kind.DONE, Kind.UNDONE)]
    expected = [("Taken back: " if e.kind is Kind.UNDONE else "") + sentence(e.data["title"]) for e in finished]
    files = [str(file["content"]) for m in thread for file in m.get("files") or [] if file["name"].endswith(name)]
    if not files:
        if entries[-1].kind is Kind.FINISHED and any(e.kind is Kind.BEGAN for e in entries):
            yield "thread: there is no file with its report"
        return
    # A line begins with its mark and its number. A step that failed, or was stopped, is there once more as that.
    told = [line for line in files[-1].splitlines() if line.startswith(_FINISHED)]
    lines = [line.partition(" · ")[0].split(" ", 2)[-1] for line in told]
    found = [line for line in lines if line in set(expected)]
    if found != expected:
        yield f"thread: the steps in its file are {found}, should be {expected}"


def _lines(message: Message) -> list[str]:
    lines = message.get("lines") or [message.get("text", "")]
    return "\n".join(map(str, lines)).splitlines()


def _payload(message: Message) -> Mapping[str, Any]:
    carried: Mapping[str, Any] = ((message.get("metadata") or {}).get("event_payload")) or {}
    return carried
