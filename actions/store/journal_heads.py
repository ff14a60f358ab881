"""The head of each journal: what the table of journals keeps, so that nobody reads history to find what is open or new.

A head is a function of the journal's entries alone. It is written in the transaction of each entry, made anew from the
entries of older stores, and held against them by `mayday journal verify`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from actions.engine.ids import is_errand
from actions.engine.journal import Entry, Kind


class JournalKind(StrEnum):
    """What a journal tells of."""

    RUN = "run"
    ERRAND = "errand"
    INCIDENT = "incident"
    OTHER = "other"


@dataclass(frozen=True)
class JournalHead:
    """A journal at its last entry. `closed_at` is set while a run has finished or an incident is over."""

    id: str
    kind: JournalKind
    site: str
    service: str
    opened_at: datetime
    n: int
    hash: str
    at: datetime
    closed_at: datetime | None = None


@dataclass(frozen=True)
class Grown:
    """A journal that grew: its last position, the number of that change in the store, and of its first entry's."""

    journal: str
    n: int
    change: int
    began: int


def kind_of(journal: str, first: str) -> JournalKind:
    """The kind of a journal, by its id and the kind of its first entry."""
    if first == Kind.REQUESTED:
        return JournalKind.ERRAND if is_errand(journal) else JournalKind.RUN
    return JournalKind.INCIDENT if first == Kind.OPENED else JournalKind.OTHER


def place_in(data: Any) -> tuple[str, str]:
    """Site and service, as a first entry tells them. A text that no database holds is cut down to one that all do."""
    said = data if isinstance(data, Mapping) else {}
    site, service = (str(said.get(name) or "") for name in ("site", "service"))
    return _plain(site), _plain(service)


def closing(kind: str, data: Any) -> bool | None:
    """Whether an entry ends its journal's matter (True), opens it again (False), or leaves that as it is (None).

    What PagerDuty says may end an incident and open it again: whoever writes it says which (`over`). Entries of before
    do not say so, and after those an incident counts as open.
    """
    if kind in (Kind.FINISHED, Kind.CLOSED):
        return True
    if kind == Kind.ALERTED:
        return bool(isinstance(data, Mapping) and data.get("over"))
    return None


def begun(entry: Entry) -> JournalHead:
    """The head of a journal that has this one entry."""
    site, service = place_in(entry.data)
    kind = kind_of(entry.run, entry.kind)
    return _closed(JournalHead(entry.run, kind, site, service, entry.at, entry.n, entry.hash, entry.at), entry)


def after(head: JournalHead, entry: Entry) -> JournalHead:
    """The head once one more entry was written."""
    return _closed(replace(head, n=entry.n, hash=entry.hash, at=entry.at), entry)


def head_of(told: Sequence[Entry]) -> JournalHead | None:
    """The head of a journal that reads like this; None where nothing is left of it."""
    head: JournalHead | None = None
    for entry in told:
        head = after(head, entry) if head else begun(entry)
    return head


def contradiction(kept: JournalHead | None, told: Sequence[Entry]) -> str:
    """In which way the table of journals says something else than the entries; empty where they agree."""
    right = head_of(told)
    if kept == right:
        return ""
    if kept is None:
        return "the table of journals does not know it"
    if right is None:
        return f"it has no entry, and {kept.n} by the table of journals"
    if kept.n != right.n:
        return f"it has {right.n} entries, and {kept.n} by the table of journals"
    names = ("kind", "site", "service", "opened_at", "hash", "at", "closed_at")
    wrong = next(name for name in names if getattr(kept, name) != getattr(right, name))
    return f"the table of journals says '{getattr(kept, wrong)}' for its {wrong.replace('_', ' ')}"


def _closed(head: JournalHead, entry: Entry) -> JournalHead:
    closes = closing(entry.kind, entry.data)
    return head if closes is None else replace(head, closed_at=entry.at if closes else None)


def _plain(text: str) -> str:
    return text.replace("\0", "").encode(errors="replace").decode()[:200]
