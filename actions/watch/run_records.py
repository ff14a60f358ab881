"""What earlier runs proved about a service: its last restore, its last verify, how long and how much it cost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from actions.engine.folding import after, fold
from actions.engine.journal import Entry, Kind
from actions.engine.procedure import Outcome
from actions.engine.run import Run


@dataclass(frozen=True)
class Proven:
    """Data that was checked: by which run, when, with which verdict."""

    run: str
    at: datetime
    healthy: bool
    verdict: str


@dataclass(frozen=True)
class Actual:
    """What a recovery took. `rpo_seconds` is the span of commits given up, None where it was not counted."""

    run: str
    procedure: str
    at: datetime
    rto_seconds: float
    rpo_seconds: float | None


@dataclass(frozen=True)
class Record:
    """The newest of each, None where there was none."""

    restored: Proven | None = None
    verified: Proven | None = None
    actual: Actual | None = None


class Records:
    """The record of every service, from entries as they come. Journals that tell no run are passed over."""

    def __init__(self) -> None:
        self._open: dict[str, Run] = {}
        self._of: dict[str, Record] = {}

    def of(self, service: str) -> Record:
        """The record of a service."""
        return self._of.get(service, Record())

    def hear(self, told: Iterable[Entry]) -> None:
        """More entries of one journal, in order."""
        for entry in told:
            run = self._open.get(entry.run)
            if run is None and entry.kind is not Kind.REQUESTED:
                return
            self._open[entry.run] = run = after(run, entry) if run else fold([entry])
            self._of[run.service] = _with(self.of(run.service), run, entry)
            if run.finished is not None:
                self._open.pop(entry.run)


def _with(record: Record, run: Run, entry: Entry) -> Record:
    if entry.kind is Kind.DONE and entry.data.get("gives") == "integrity":
        return _proven(record, run, entry)
    if entry.kind is Kind.FINISHED and run.finished is Outcome.RECOVERED:
        actual = Actual(run.id, run.procedure, entry.at, (entry.at - run.requested_at).total_seconds(), _lost(run))
        return replace(record, actual=_newer(record.actual, actual))
    return record


def _proven(record: Record, run: Run, entry: Entry) -> Record:
    """A restored clone that was checked proves a restore, whether it was swapped in or given up afterwards."""
    fact: dict[str, Any] = entry.data["fact"]
    proven = Proven(run.id, entry.at, bool(fact.get("healthy")), str(fact.get("verdict") or ""))
    if "reached" in run.facts:
        return replace(record, restored=_newer(record.restored, proven))
    return replace(record, verified=_newer(record.verified, proven))


def _newer(before: Any, now: Any) -> Any:
    """Journals are read one after the other, not in the order of their entries."""
    return now if before is None or now.at >= before.at else before


def _lost(run: Run) -> float | None:
    lost, kept = run.facts.get("lost") or {}, _last_kept(run)
    if not lost.get("counted") or (lost.get("commits") and not (kept and lost.get("last_at"))):
        return None
    if not lost.get("commits") or kept is None:
        return 0.0
    return max(0.0, (datetime.fromisoformat(lost["last_at"]) - kept).total_seconds())


def _last_kept(run: Run) -> datetime | None:
    at = ((run.facts.get("aim") or {}).get("stop") or {}).get("last_commit_at")
    return datetime.fromisoformat(at) if at else None
