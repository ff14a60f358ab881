"""What earlier runs proved about a service: its last restore, its last verify, how long and how much it cost."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from actions import catalog
from actions.engine.fact_roles import fact_with, role_of
from actions.engine.facts import from_json, to_json
from actions.engine.folding import after, fold
from actions.engine.journal import Entry, Kind
from actions.engine.procedure import FactRole, Outcome, Procedure
from actions.engine.run import Run


@dataclass(frozen=True)
class Proven:
    """Data that was checked: by which run, when, with which verdict."""

    run: str
    at: datetime
    healthy: bool
    verdict: str


class Bound(StrEnum):
    """What a figure is to the truth. `at least`: more may have been written after it was counted."""

    EXACT = ""
    AT_MOST = "at most"
    AT_LEAST = "at least"


@dataclass(frozen=True)
class Actual:
    """What a recovery took. `rpo_seconds` is the span of commits given up, None where it was not counted.

    `rpo_bound` says of which kind that figure is.
    """

    run: str
    procedure: str
    at: datetime
    rto_seconds: float
    rpo_seconds: float | None
    rpo_bound: Bound = Bound.EXACT


@dataclass(frozen=True)
class Record:
    """The newest of each, None where there was none."""

    restored: Proven | None = None
    verified: Proven | None = None
    actual: Actual | None = None


class Records:
    """The record of every service of every site, from entries as they come. Journals that tell no run are passed over.

    `find` gives a run's procedure, whose table says which of its facts are told here.
    """

    def __init__(self, find: Callable[[str], Procedure | None] = catalog.known) -> None:
        self._find = find
        self.open: dict[str, Run] = {}
        self._of: dict[tuple[str, str], Record] = {}

    def of(self, site: str, service: str) -> Record:
        """The record of a service: two sites may have one of the same name."""
        return self._of.get((site, service), Record())

    def hear(self, told: Iterable[Entry]) -> None:
        """More entries of one journal, in order."""
        for entry in told:
            run = self.open.get(entry.run)
            if run is None and entry.kind is not Kind.REQUESTED:
                return
            self.open[entry.run] = run = after(run, entry) if run else fold([entry])
            before = self.of(run.site, run.service)
            self._of[run.site, run.service] = _with(before, run, entry, self._find(run.procedure))
            if run.finished is not None:
                self.open.pop(entry.run)

    def kept(self) -> Any:
        """All of it but the open runs, as JSON."""
        return [[site, service, to_json(record)] for (site, service), record in self._of.items()]

    def restore(self, kept: Any) -> None:
        """Be what was kept; nothing where nothing was."""
        self._of = {(str(site), str(service)): from_json(Record, record) for site, service, record in kept or ()}
        self.open = {}


def _with(record: Record, run: Run, entry: Entry, procedure: Procedure | None) -> Record:
    if entry.kind is Kind.DONE and role_of(procedure, entry.data.get("gives", "")) is FactRole.VERDICT:
        return _proven(record, run, entry, procedure)
    if entry.kind is Kind.FINISHED and run.finished is Outcome.RECOVERED:
        took = (entry.at - run.requested_at).total_seconds()
        actual = Actual(run.id, run.procedure, entry.at, took, *given_up(run, procedure))
        return replace(record, actual=_newer(record.actual, actual))
    return record


def _proven(record: Record, run: Run, entry: Entry, procedure: Procedure | None) -> Record:
    """A restored clone that was checked proves a restore, whether it was swapped in or given up afterwards."""
    fact: dict[str, Any] = entry.data["fact"]
    proven = Proven(run.id, entry.at, bool(fact.get("healthy")), str(fact.get("verdict") or ""))
    if fact_with(procedure, run, FactRole.REACHED):
        return replace(record, restored=_newer(record.restored, proven))
    return replace(record, verified=_newer(record.verified, proven))


def _newer(before: Any, now: Any) -> Any:
    """Journals are read one after the other, not in the order of their entries."""
    return now if before is None or now.at >= before.at else before


def given_up(run: Run, procedure: Procedure | None) -> tuple[float | None, Bound]:
    """The span of commits that were given up; where they could not be counted, until nothing more could be written."""
    lost, kept = fact_with(procedure, run, FactRole.LOST), _last_kept(run, procedure)
    final = bool(lost.get("final"))
    if not lost.get("counted"):
        known = final and kept and lost.get("until")
        return (_since(kept, lost["until"]), Bound.AT_MOST) if known and kept else (None, Bound.EXACT)
    if lost.get("commits") and not (kept and lost.get("last_at")):
        return None, Bound.EXACT
    seconds = _since(kept, lost["last_at"]) if lost.get("commits") and kept else 0.0
    # Before anybody looked once more, it was counted while the writers went on.
    return seconds, Bound.EXACT if final else Bound.AT_LEAST


def _since(kept: datetime, end: str) -> float:
    return max(0.0, (datetime.fromisoformat(end) - kept).total_seconds())


def _last_kept(run: Run, procedure: Procedure | None) -> datetime | None:
    at = (fact_with(procedure, run, FactRole.AIM).get("stop") or {}).get("last_commit_at")
    return datetime.fromisoformat(at) if at else None
