"""A run told after it is over: its papers, who agreed to what, how long each step took, what the checks said."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from actions import catalog
from actions.engine.errors import error_said
from actions.engine.fact_roles import fact_with
from actions.engine.folding import fold
from actions.engine.journal import Entry, Kind
from actions.engine.procedure import FactRole, Procedure
from actions.engine.run import Run
from actions.engine.run_summary import summary_of
from actions.engine.standstill import Standstill, standstill
from actions.engine.status import state_of
from actions.incidents.story_lines import ENDED, StoryLine, is_step, story_lines, who
from actions.watch.run_records import Actual, Records


@dataclass(frozen=True)
class Paper:
    """What people read before they answered, or at the end: a title, rows of label and value, notes, alerts."""

    title: str
    rows: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    alerts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Approval:
    """Somebody's answer to a question. `typed` is what they had to type, `plan` the hash that they agreed to.

    `waited` is for how many seconds the question had been open, `alone` why nobody else was asked, mostly nothing.
    """

    at: datetime
    who: str
    question: str
    option: str
    typed: str
    plan: str
    waited: float
    alone: str = ""


@dataclass(frozen=True)
class StepTaken:
    """A step that was made: when it began, how it ended, and in how many seconds."""

    began: datetime
    title: str
    ended: str
    seconds: float
    said: str = ""


@dataclass(frozen=True)
class IntegrityTold:
    """What the integrity checks found, at which step; `lines` are the findings that are not in order."""

    step: str
    healthy: bool
    text: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class RunStory:
    """Everything that a run's journal tells afterwards. `state` is how it stands or ended.

    `lost` and `kept` are its facts about what was given up and where the old data lies, as JSON.
    """

    run: Run
    name: str
    summary: str
    state: str
    seconds: float | None
    papers: tuple[Paper, ...]
    approvals: tuple[Approval, ...]
    steps: tuple[StepTaken, ...]
    verdicts: tuple[IntegrityTold, ...]
    report: tuple[Paper, ...]
    actual: Actual | None
    lines: tuple[StoryLine, ...]
    lost: dict[str, Any] = field(default_factory=dict)
    kept: dict[str, Any] = field(default_factory=dict)
    standstill: Standstill = Standstill()

    @property
    def slowest(self) -> StepTaken | None:
        """The step that took longest."""
        return max(self.steps, key=lambda step: step.seconds, default=None)

    @property
    def spent(self) -> tuple[tuple[str, float], ...]:
        """Where the time of a run that has ended went, in seconds: that no worker was there is in what is between."""
        if self.seconds is None:
            return ()
        worked = _worked(self.steps)
        waited = sum(approval.waited for approval in self.approvals)
        told = (("in steps", worked), ("waiting for answers", waited), ("in between", self.seconds - worked - waited))
        return tuple((what, seconds) for what, seconds in told if seconds >= 0.05)


def _worked(steps: Sequence[StepTaken]) -> float:
    """Seconds in which at least one step was at work: the items of a loop are carried out side by side."""
    seconds, until = 0.0, datetime.min.replace(tzinfo=UTC)
    for step in sorted(steps, key=lambda step: step.began):
        ended = step.began + timedelta(seconds=step.seconds)
        seconds += max(0.0, (ended - max(step.began, until)).total_seconds())
        until = max(until, ended)
    return seconds


def retell(told: Sequence[Entry], find: Callable[[str], Procedure | None] = catalog.known) -> RunStory:
    """The story of a run, from its journal and the table of its procedure.

    Raises:
        ValueError: it is no run's.
    """
    run, first = fold(told), told[0].data
    records, procedure = Records(find), find(run.procedure)
    records.hear(told)
    ended = next((e for e in reversed(told) if e.kind is Kind.FINISHED), None)
    name = str(first.get("name") or run.requester)
    return RunStory(
        run=run,
        name=name,
        summary=summary_of(told),
        state=str(state_of(run)),
        seconds=(run.finished_at - run.requested_at).total_seconds() if run.finished_at else None,
        papers=tuple(p for e in told if e.kind is Kind.ASKED for p in _papers(e.data.get("sheets"))),
        approvals=tuple(_approvals(told)),
        steps=tuple(_step(e) for e in told if is_step(e)),
        verdicts=tuple(v for e in told for v in _verdict(e)),
        report=tuple(_papers(ended.data.get("report"))) if ended else (),
        actual=records.of(run.site, run.service).actual,
        lines=tuple(story_lines(told, name)),
        lost=fact_with(procedure, run, FactRole.LOST),
        kept=fact_with(procedure, run, FactRole.KEPT),
        standstill=standstill(procedure, told),
    )


def _papers(sheets: Sequence[dict[str, Any]] | None) -> Iterator[Paper]:
    for sheet in sheets or ():
        rows = tuple((str(label), str(value)) for label, value in sheet.get("rows") or ())
        notes, alerts = (tuple(map(str, sheet.get(part) or ())) for part in ("notes", "alerts"))
        yield Paper(str(sheet["title"]), rows, notes, alerts)


def _approvals(told: Sequence[Entry]) -> Iterator[Approval]:
    asked: Entry | None = None
    for entry in told:
        data = entry.data
        if entry.kind is Kind.ASKED:
            asked = entry
        elif entry.kind is Kind.ANSWERED and asked is not None:
            yield Approval(
                entry.at,
                who(data),
                str(asked.data["title"]),
                str(data["option"]),
                str(data.get("text") or ""),
                str(data.get("plan") or ""),
                max(0.0, (entry.at - asked.at).total_seconds()),
                str((data.get("glass") or {}).get("reason") or ""),
            )


def _step(entry: Entry) -> StepTaken:
    data = entry.data
    said, took = data.get("said") or error_said(data), float(data.get("seconds") or 0)
    return StepTaken(entry.at - timedelta(seconds=took), str(data["title"]), ENDED[entry.kind], took, str(said))


def _verdict(entry: Entry) -> Iterator[IntegrityTold]:
    fact = entry.data.get("fact")
    if entry.kind is not Kind.DONE or not isinstance(fact, dict) or "verdict" not in fact:
        return
    lines = tuple(str(f["text"]) for f in fact.get("findings") or () if f.get("state") not in ("ok", "not applicable"))
    yield IntegrityTold(str(entry.data.get("title") or ""), bool(fact.get("healthy")), str(fact["verdict"]), lines)
