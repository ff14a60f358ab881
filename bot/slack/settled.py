"""What became of a question or a failure, from the entries that came after it."""

from __future__ import annotations

from collections.abc import Sequence

from actions.engine.journal import Entry, Kind


def settled_by(later: Sequence[Entry]) -> Entry | None:
    """What settled a question: an answer that held, its expiry, or that the facts had changed."""
    answered: Entry | None = None
    was_held = held_by(later) is not None
    for entry in later:
        if entry.kind is Kind.ANSWERED or (entry.kind is Kind.EXPIRED and entry.data.get("option")):
            # What expired in the same moment counts for nothing.
            answered = answered or (None if was_held and entry.kind is Kind.EXPIRED else entry)
        elif entry.kind in (Kind.VOIDED, Kind.EXPIRED, Kind.UNDO_ASKED, Kind.FINISHED):
            return entry if entry.kind is Kind.VOIDED or answered is None else answered
        elif entry.kind in (Kind.RECHECKED, Kind.ASKED):
            return answered
    return answered


def held_by(later: Sequence[Entry]) -> Entry | None:
    """Who held the countdown of a question."""
    for entry in later:
        if entry.kind in (Kind.HELD, Kind.ASKED):
            return entry if entry.kind is Kind.HELD else None
    return None


def steered_by(later: Sequence[Entry]) -> Entry | None:
    ends = (Kind.RETRIED, Kind.UNDO_ASKED, Kind.FINISHED)
    return next((entry for entry in later if entry.kind in ends), None)
