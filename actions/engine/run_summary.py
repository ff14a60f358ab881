"""What a run is for, in one sentence, once it is known which of two readings of a time it goes to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from actions.engine.journal import Entry, Kind


def summary_of(entries: Iterable[Entry]) -> str:
    """The sentence that the journal began with. Where a look took the other reading of the target, it names that."""
    told, asked = "", ""
    for entry in entries:
        if entry.kind is Kind.REQUESTED:
            told = str(entry.data.get("summary") or entry.data.get("procedure") or "")
            asked = _text((entry.data.get("request") or {}).get("target"))
        elif entry.kind is Kind.DONE and asked and (taken := _text(reading_of(entry.data.get("fact")))):
            return told.replace(asked, taken)
    return told


def reading_of(fact: Any) -> Mapping[str, Any] | None:
    """The reading that a look took instead of the request's, as JSON."""
    taken = fact.get("reading") if isinstance(fact, Mapping) else None
    return taken if isinstance(taken, Mapping) else None


def _text(target: Any) -> str:
    return str(target.get("text") or "") if isinstance(target, Mapping) else ""
