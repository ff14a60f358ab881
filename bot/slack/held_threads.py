"""Runs whose thread is not opened yet: it waits until a look has found the moment that was asked for.

A moment that cannot be reached is a matter between Mayday and whoever typed it. Only the looks know, as the bot may not
reach Docker: the thread waits for that look, for a few seconds at most, and the refusal goes to the asker alone.
It does not wait for a run that no worker takes, as there people have to do something.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from actions.engine.journal import Entry, Kind
from actions.engine.procedure import FactRole, Look, Outcome, Procedure

LONGEST = timedelta(seconds=10)
"""A look that takes longer has its thread meanwhile, so that people see that something is going on."""
TAKEN_WITHIN = timedelta(seconds=2)
"""A run that no worker carries out by then has its thread: all of them are busy, or what it claims is held."""


def is_held(entries: Sequence[Entry], procedure: Procedure | None, now: datetime, alive: bool) -> bool:
    """Whether nothing is to be shown of a run as yet: a worker is looking whether its moment can be reached."""
    aim = _aim(procedure)
    if not aim or not alive or not _only_looked(entries):
        return False
    found = any(entry.data.get("gives") == aim for entry in entries)
    return not found and timedelta() <= now - entries[0].at < LONGEST


def is_overdue(entries: Sequence[Entry], now: datetime) -> bool:
    """Whether a worker that is free would have taken the run by now."""
    return now - entries[0].at >= TAKEN_WITHIN


def is_private(entries: Sequence[Entry]) -> bool:
    """Whether a run ended before anything was shown of it, with what could be asked for instead."""
    last = entries[-1]
    refused = last.kind is Kind.FINISHED and last.data.get("outcome") == Outcome.REFUSED
    return refused and bool(last.data.get("instead")) and _only_looked(entries[:-1])


def _only_looked(entries: Sequence[Entry]) -> bool:
    asked_here = bool(entries) and (entries[0].data.get("origin") or {}).get("sink") == "slack"
    return asked_here and all(entry.kind is Kind.DONE for entry in entries[1:])


def _aim(procedure: Procedure | None) -> str:
    looks = procedure.steps[: procedure.plan_length] if procedure is not None else ()
    return next((one.gives for one in looks if isinstance(one, Look) and one.role is FactRole.AIM), "")
