"""Whether a run has come to what people must see, however little of it is shown otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from actions.engine.fact_roles import role_of
from actions.engine.journal import Entry, Kind
from actions.engine.procedure import FactRole, Outcome, Procedure
from actions.engine.shown import Shown, shown_of

_ALWAYS = (Kind.FAILED, Kind.UNDO_FAILED, Kind.STOPPED, Kind.ASKED)
_WELL = (Outcome.DONE, Outcome.RECOVERED)


def needs_people(entries: Iterable[Entry], procedure: Procedure | None) -> bool:
    """True from the first failure, stop, question, instruction, bad verdict or alert on, and at an end without success.

    What was once so stays so: a thread that was opened does not become a line again.
    """
    return any(_is_news(entry, procedure) for entry in entries)


def is_unseen(entries: Sequence[Entry], procedure: Procedure | None) -> bool:
    """Whether nothing of a run is to stand in Slack, because nobody has to do anything."""
    return shown_of(entries[0]) is Shown.ON_TROUBLE and not needs_people(entries, procedure)


def _is_news(entry: Entry, procedure: Procedure | None) -> bool:
    if entry.kind is Kind.DONE:
        return bool(entry.data.get("missed")) or _is_bad_verdict(entry, procedure)
    if entry.kind is Kind.FINISHED:
        report = entry.data.get("report") or []
        ill = entry.data.get("error") or any(sheet.get("alerts") for sheet in report)
        return bool(ill) or entry.data.get("outcome") not in _WELL
    return entry.kind in _ALWAYS


def _is_bad_verdict(entry: Entry, procedure: Procedure | None) -> bool:
    if role_of(procedure, str(entry.data.get("gives", ""))) is not FactRole.VERDICT:
        return False
    fact = entry.data.get("fact")
    return isinstance(fact, dict) and fact.get("healthy") is False
