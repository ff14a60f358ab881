"""For how long a run kept the writers from writing, from its journal, and how much of that was a countdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from actions.clock.times import span_rounded_up
from actions.engine.journal import Entry, Kind
from actions.engine.procedure import Act, ActRole, OptionEffect, Procedure

_SETTLES = (Kind.ANSWERED, Kind.EXPIRED, Kind.UNDO_ASKED, Kind.STOPPED, Kind.FAILED, Kind.ASKED, Kind.FINISHED)
"""What ends a countdown. One that is put anew, after a retry, is another: no second of both counts twice."""


@dataclass(frozen=True)
class Standstill:
    """From the first act that stops the writers to when they go on: `held` of these seconds were a countdown.

    Nobody was stopped where `seconds` is None. `open` says that they still stand still.
    """

    seconds: float | None = None
    held: float = 0.0
    open: bool = False

    def says(self) -> str:
        """For example: 21 s, 12 s of it the hold."""
        if self.seconds is None:
            return "not at all"
        held = f", {span_rounded_up(timedelta(seconds=self.held))} of it the hold" if self.held else ""
        return f"{span_rounded_up(timedelta(seconds=self.seconds))}{held}{', and they still are' if self.open else ''}"


def standstill(procedure: Procedure | None, told: Sequence[Entry]) -> Standstill:
    """Of a run whose table this version knows; a left out act stopped nobody."""
    since = next((e.at for e in told if e.kind is Kind.BEGAN and _role(procedure, e) is ActRole.STOPS_WRITERS), None)
    if since is None:
        return Standstill()
    ended = next((e.at for e in told if e.at >= since and _lets_on(procedure, e)), None)
    until = ended or told[-1].at
    held = sum(max(0.0, (min(b, until) - max(a, since)).total_seconds()) for a, b in _holds(told, until))
    return Standstill((until - since).total_seconds(), held, ended is None)


def _role(procedure: Procedure | None, entry: Entry) -> ActRole | None:
    steps = procedure.steps if procedure is not None else ()
    if entry.step is None or not 0 <= entry.step < len(steps):
        return None
    step = steps[entry.step]
    return step.role if isinstance(step, Act) else None


def _lets_on(procedure: Procedure | None, entry: Entry) -> bool:
    role = _role(procedure, entry)
    if entry.kind is Kind.UNDONE:
        return role is ActRole.STOPS_WRITERS
    return entry.kind is Kind.DONE and role is ActRole.RESUMES_WRITERS


def _holds(told: Sequence[Entry], until: datetime) -> list[tuple[datetime, datetime]]:
    """From when to when a countdown was shown, or was held by somebody."""
    found = []
    for n, entry in enumerate(told):
        if entry.kind is Kind.ASKED and entry.data.get("silence") == OptionEffect.ON:
            found.append((entry.at, next((e.at for e in told[n + 1 :] if e.kind in _SETTLES), until)))
    return found
