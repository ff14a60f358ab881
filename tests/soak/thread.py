"""What stands in the practice Slack: every message once, a line for every finished step in order, the right end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from actions.engine.journal import Entry, Kind
from bot.views.run_header import ENDED
from bot.views.steps import sentence

Message = Mapping[str, Any]


def wrong_in_thread(entries: Sequence[Entry], messages: Sequence[Message]) -> Iterator[str]:
    """Messages of the bot that stand twice, and what is missing in the run's own thread."""
    yield from _twice(messages)
    run = entries[0].run
    roots = [m["ts"] for m in messages if _payload(m).get("run") == run and not m.get("thread_ts")]
    if len(roots) != 1:
        yield f"thread: {len(roots)} headers of {run}"
        return
    yield from _incomplete(entries, [m for m in messages if roots[0] in (m["ts"], m.get("thread_ts"))])


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


def _incomplete(entries: Sequence[Entry], thread: Sequence[Message]) -> Iterator[str]:
    finished = [e for e in entries if e.kind in (Kind.DONE, Kind.UNDONE)]
    expected = [
        sentence(("Taken back: " if e.kind is Kind.UNDONE else "") + sentence(e.data["title"])) for e in finished
    ]
    lines = [line.partition(" · ")[0] for m in thread[1:] for line in _lines(m) if " · " in line]
    found = [line for line in lines if line in set(expected)]
    if found != expected:
        yield f"thread: the lines of the steps are {found}, should be {expected}"
    outcome = next((str(e.data["outcome"]) for e in entries if e.kind is Kind.FINISHED), "")
    head = "\n".join(_lines(thread[0]))
    if outcome and ENDED[outcome].casefold() not in head.casefold():
        yield f"thread: its header does not say '{ENDED[outcome]}': {head[:200]}"
    asked = [str(e.data["title"]) for e in entries if e.kind is Kind.ASKED]
    put = [line for m in thread[1:] if _lines(m) and (line := _lines(m)[0].strip("*")) in asked]
    if put != asked:
        yield f"thread: its questions are {put}, should be {asked}"
    if outcome and any(m.get("buttons") for m in thread):
        yield f"thread: it still has buttons: {[b['label'] for m in thread for b in m['buttons']]}"


def _lines(message: Message) -> list[str]:
    lines = message.get("lines") or [message.get("text", "")]
    return "\n".join(map(str, lines)).splitlines()


def _payload(message: Message) -> Mapping[str, Any]:
    carried: Mapping[str, Any] = ((message.get("metadata") or {}).get("event_payload")) or {}
    return carried
