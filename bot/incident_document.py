"""The post-incident document as files in the thread, once an incident that needed a recovery is over."""

from __future__ import annotations

from datetime import datetime, timedelta

from actions.engine.ids import is_errand
from actions.engine.store import Store
from actions.incidents.export import document_of
from actions.incidents.incident import Incident
from actions.incidents.rendering import html, markdown
from bot.thread import Item, file_item

SETTLES = timedelta(seconds=20)
"""So long after the end PagerDuty and the status page are still told; the document shall tell of that too."""


def wanted(incident: Incident) -> bool:
    """Whether the thread gets one. What was over without a recovery is written on request: `mayday incident export`."""
    return not incident.open and any(not is_errand(linked.run) for linked in incident.runs)


def ready(store: Store, incident: Incident, now: datetime) -> bool:
    """Whether everything that it tells of has ended."""
    over = incident.over_at
    if over is None or now - over < SETTLES:
        return False
    return all(store.run(linked.run).finished is not None for linked in incident.runs)


def items(store: Store, incident: Incident, over: int) -> list[Item]:
    """The files. `over` is the entry that ended the incident: one that comes back gets another document."""
    made = document_of(store, incident.id)
    files = (("incident.md", markdown(made)), ("incident.html", html(made)))
    return [file_item(incident.id, over, name, content) for name, content in files]
