"""The post-incident document as files in the thread, once an incident is over; and anew where there is more to tell."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from actions.engine.errors import Fenced
from actions.engine.folding import fold
from actions.engine.journal import Entry
from actions.incidents.document_export import journals_of
from actions.incidents.document_rendering import html, markdown
from actions.incidents.document_versions import Edition, Journals, as_given, editions, next_edition, tells_more
from actions.incidents.incident import Incident
from actions.incidents.self_resolved import passed_by_itself
from actions.stack.stack import Stack
from actions.store.store import Store
from bot.slack.thread_item import ThreadItem

SETTLES = timedelta(seconds=20)
"""So long after the end PagerDuty and the status page are still told; the document shall tell of that too."""
ADDED = timedelta(minutes=2)
"""So long nothing more is added to an incident that is told already: three pushpins are one version."""
PATIENCE = timedelta(minutes=10)
"""So long a run that has not ended is waited for, from what it last said. What comes later makes a version more."""


def look_after(
    store: Store, incident: Incident, entries: Sequence[Entry], over: int, now: datetime, stack: Stack
) -> bool:
    """Give out a version where one is due; returns whether one is still to come.

    `over` is the entry with which the incident was over. A version is given out by an entry of the journal,
    judged as it is written: a bot that is killed before it has posted the files finds there which they are.
    """
    if incident.open or passed_by_itself(entries):
        return False
    journals = journals_of(store, incident.id)
    if not tells_more(journals, stack):
        return _unfinished(journals)
    if now - max(journal[-1].at for journal in journals) >= _pause(journals, over):
        _give_out(store, journals)
    return True


def _give_out(store: Store, journals: Journals) -> None:
    seen, draft = journals[0][-1].n, next_edition(journals)
    # Where others speak all the time there is more to tell at the next look.
    with suppress(Fenced):
        store.extend(journals[0][0].run, lambda told: [draft] if told[-1].n == seen else [])


def _pause(journals: Journals, over: int) -> timedelta:
    """How long nothing must have happened."""
    if _unfinished(journals):
        return PATIENCE
    given = editions(journals[0])
    return ADDED if given and given[-1].n > over else SETTLES


def _unfinished(journals: Journals) -> bool:
    return any(fold(journal).finished is None for journal in journals[1:])


def items(store: Store, incident: str, edition: Edition, stack: Stack) -> list[ThreadItem]:
    """The files of a version. Their names are those by which an upload of unknown outcome is found again."""
    made = as_given(journals_of(store, incident), edition.number, stack)
    name = f"{incident}-version-{edition.number}" if edition.number > 1 else incident
    files = ((f"{name}.md", markdown(made)), (f"{name}.html", html(made)))
    return [ThreadItem(f"{incident}:{edition.n}:{file}:file", edition.n, "", file=(file, text)) for file, text in files]
