"""How long an approval takes: a second person presses, the journal has it, the next step begins."""

from __future__ import annotations

from dataclasses import dataclass

from actions.engine.journal import Entry, Kind
from actions.engine.status import RunState
from lab import company
from lab.bench.figure import Figure
from lab.bench.ground import Ground, until


@dataclass(frozen=True)
class Approval:
    """Seconds from the press until the answer stood in the journal, and until the next step had begun."""

    answered: float
    begun: float

    def __str__(self) -> str:
        return f"answered {self.answered:.2f} s, next step {self.begun:.2f} s"


def standing(ground: Ground) -> str:
    """A run that has restored beside the live data and waits for its second approver."""
    run = ground.restore(ground.now())
    ground.rest(run, RunState.ASKING)
    return run


def approve(ground: Ground, run: str) -> Approval:
    """The second approver types the name and presses; wait until the run goes on, not until it has ended."""
    pressed, store = company.clock(), company.open_store(ground.lab)

    def since() -> list[Entry]:
        return [entry for entry in store.entries(run) if entry.at >= pressed]

    ground.approve(run)
    until(lambda: any(entry.kind is Kind.BEGAN for entry in since()), 60, "The approved run did not go on.")
    first = {entry.kind: (entry.at - pressed).total_seconds() for entry in reversed(since())}
    return Approval(first[Kind.ANSWERED], first[Kind.BEGAN])


def delay(calm: Approval, storm: Approval) -> Figure:
    """What a storm costs an approval."""
    later = max(storm.answered - calm.answered, storm.begun - calm.begun)
    what = "approval by a second person in the storm, from the press"
    return Figure(what, f"{storm}; in calm {calm}", "at most 2 s more", later <= 2)
