"""The journal: entries in order, each carrying the hash of the one before it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

GENESIS = "0" * 64


class Kind(StrEnum):
    """What an entry says happened: in a run, and below in an incident."""

    REQUESTED = "requested"
    BEGAN = "began"
    DONE = "done"
    FAILED = "failed"
    ASKED = "asked"
    ANSWERED = "answered"
    EXPIRED = "expired"
    HELD = "held"  # somebody stopped the countdown of a question
    RECHECKED = "rechecked"
    VOIDED = "voided"
    STOP_ASKED = "stop asked"
    STOPPED = "stopped"
    RETRIED = "retried"
    UNDO_ASKED = "undo asked"
    UNDO_BEGAN = "undo began"
    UNDONE = "undone"
    UNDO_FAILED = "undo failed"
    FINISHED = "finished"
    CHILD = "child"  # a run that this one opened has ended, or waits for a person
    PUT_OFF = "put off"  # a child is opened once another one has ended
    NOTED = "noted"

    OPENED = "opened"  # an incident began
    ALERTED = "alerted"  # what PagerDuty says of its own incidents by now
    GRADED = "graded"  # somebody said how bad it is
    ROLE = "role"  # somebody took a role, or gave it
    PINNED = "pinned"  # a message belongs to the timeline
    LINKED = "linked"  # a run belongs to the incident
    CLOSED = "closed"  # somebody said that it is over
    DOCUMENTED = "documented"  # a version of its document was given out

    @classmethod
    def _missing_(cls, value: object) -> Kind | None:
        """What a later version wrote is an entry too, and tells nothing here."""
        if not isinstance(value, str):
            return None
        made = str.__new__(cls, value)
        made._name_, made._value_ = "LATER", value
        return made


@dataclass(frozen=True)
class Entry:
    """One line of a journal. `run` names it: a run's (`r…`, an errand's `e…`) or an incident's (`i…`).

    `step` is a position in a run's table, `data` is JSON.
    """

    run: str
    n: int
    at: datetime
    kind: Kind
    step: int | None
    data: dict[str, Any]
    prev: str = GENESIS
    hash: str = ""


def canonical(value: Any) -> str:
    """The one JSON text of a value, so that equal values have equal hashes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(entry: Entry) -> str:
    """The hash of an entry over everything it says and the hash of the one before."""
    at = entry.at.astimezone(UTC).isoformat()
    said = [entry.run, entry.n, at, str(entry.kind), entry.step, entry.data, entry.prev]
    # People paste halves of surrogate pairs; those are text too.
    return hashlib.sha256(canonical(said).encode(errors="surrogatepass")).hexdigest()


def sealed(entry: Entry, prev: str) -> Entry:
    """The entry chained to the one whose hash is `prev`."""
    chained = replace(entry, prev=prev)
    return replace(chained, hash=digest(chained))


def first_broken(entries: Iterable[Entry]) -> tuple[Entry, str] | None:
    """The first entry of a run's chain that does not hold, with what is wrong about it."""
    prev, expected = GENESIS, 1
    for entry in entries:
        if entry.n != expected:
            return entry, f"entry {expected} is missing"
        if entry.prev != prev:
            return entry, "it is not chained to the entry before it"
        if digest(entry) != entry.hash:
            return entry, "its text was changed after it was written"
        prev, expected = entry.hash, expected + 1
    return None
