"""An incident's timeline in words: what happened, in UTC, from its journal and those of its runs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from actions.engine.ids import is_errand
from actions.engine.journal import Entry, Kind
from actions.incidents import incident as incidents
from actions.incidents.incident import Incident
from actions.store.store import Store
from actions.wording import newest
from bot.views.mrkdwn import SECTION, cut, foreign

_HEAD, _LINE = 400, 600


def text(store: Store, incident: Incident) -> str:
    """The timeline, the newest part where it is too long."""
    lines = [f"{at:%H:%M:%S} {foreign(said)}" for at, said in told(store, incident)]
    head = cut(f"*{foreign(incident.title)}* · `{incident.id}`, times in UTC", _HEAD)
    return "\n".join([head, *newest([cut(line, _LINE) for line in lines], SECTION - len(head) - 1)])


def told(store: Store, incident: Incident) -> list[tuple[datetime, str]]:
    """What happened and when, in order, as plain text."""
    return sorted(_all(store, incident), key=lambda line: line[0])


def _all(store: Store, incident: Incident) -> Iterator[tuple[datetime, str]]:
    entries = store.entries(incident.id)
    state = incidents.fold(entries[:1])
    yield entries[0].at, f"Opened: {incident.title}"
    for entry in entries[1:]:
        before, state = state, incidents.after(state, entry)
        yield from _of(entry, before, state)
    for linked in incident.runs:
        yield from _run(store, linked.run)


def _of(entry: Entry, before: Incident, now: Incident) -> Iterator[tuple[datetime, str]]:
    data, name = entry.data, str(entry.data.get("name") or "")
    match entry.kind:
        case Kind.ALERTED:
            if now.state is not before.state or not before.alerts:
                where = f" to {now.moved_to}" if now.moved_to else ""
                yield entry.at, f"PagerDuty: {now.state}{where}" + (f", {now.count} alerts" if now.count > 1 else "")
        case Kind.GRADED:
            yield entry.at, f"{name}: severity {data['severity']}"
        case Kind.ROLE:
            yield entry.at, f"{data['user_name']} is {data['role']}"
        case Kind.PINNED:
            yield datetime.fromisoformat(data["at"]), f"{data.get('author') or name}: {data['text']}"
        case Kind.NOTED if data.get("note"):
            yield entry.at, f"{data.get('by') or 'PagerDuty'} noted: {data['text']}"
        case Kind.CLOSED:
            yield entry.at, f"{name} resolved the incident"


def _run(store: Store, run: str) -> Iterator[tuple[datetime, str]]:
    for entry in store.entries(run):
        data = entry.data
        match entry.kind:
            case Kind.REQUESTED:
                yield entry.at, f"{data.get('name') or data['by']} asked: {data.get('summary')} ({run})"
            case Kind.ANSWERED:
                yield entry.at, f"{data.get('name') or data['by']} chose {data['option']} ({run})"
            case Kind.DONE if not is_errand(run):
                yield entry.at, f"{data.get('title')} ({run})"
            case Kind.FAILED | Kind.UNDO_FAILED:
                yield entry.at, f"{data.get('title')} failed: {data.get('error')} ({run})"
            case Kind.FINISHED:
                yield entry.at, f"Ended: {data['outcome']} ({run})"
