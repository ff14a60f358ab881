"""One execution of a run by one worker: move after move, each on the record before and after."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from actions.engine import facts as facts_of
from actions.engine import injection
from actions.engine.child import Child
from actions.engine.each import Each
from actions.engine.ending import words_for
from actions.engine.errors import RecoveryError, Refused
from actions.engine.journal import Kind
from actions.engine.line_up import must_line_up
from actions.engine.next_move import (
    Do,
    Expire,
    Fall,
    Finish,
    Gather,
    Halt,
    Heed,
    Move,
    OpenChildren,
    Put,
    Recall,
    Recheck,
    Renew,
    Resume,
    Undo,
    Wait,
    Wave,
    next_move,
)
from actions.engine.no_return import may_rest
from actions.engine.procedure import Act, Ask, Look, Outcome, Procedure, Sheet
from actions.engine.run import Run
from actions.engine.standstill import standstill
from actions.store.store import Store
from actions.store.transaction import Lease
from workers.runner.children import ChildWork, Enqueue, SharedWriters, nobody_told, none_shared
from workers.runner.each import LoopWork, piece_of
from workers.runner.heartbeat import Heartbeat
from workers.runner.piece import PieceWork, of_act
from workers.runner.questions import QuestionWork
from workers.runner.step_guard import Guard
from workers.runner.step_work import StepWork

log = structlog.get_logger("mayday.loop")


@dataclass
class RunLoop:
    """One execution of one run, under one lease."""

    store: Store
    procedure: Procedure
    lease: Lease
    heartbeat: Heartbeat
    guard: Guard
    tools: dict[str, Any]
    leaving: threading.Event
    find: Callable[[str], Procedure]
    enqueue: Enqueue = nobody_told
    shared: SharedWriters = none_shared

    def __post_init__(self) -> None:
        self._work = StepWork(self.store, self.procedure, self.lease, self.heartbeat, self.tools)
        self._pieces = PieceWork(self._work, self.guard)
        self._questions = QuestionWork(self._work, self.guard)
        self._loops = LoopWork(self._work, self.guard, self._leaves)
        self._children = ChildWork(self._work, self.guard, self.find, self.enqueue, self.shared)

    def through(self) -> str:
        """Move after move, until the worker leaves. Without tools the run waits at its present step for a person."""
        run = self.store.run(self.lease.run)
        began = self.store.clock()
        trouble = self.guard("taking the tools out", self.guard.reopen, again=lambda: None)
        while True:
            run = self.store.follow(run)
            if run.table != self.procedure.table and run.finished is None and run.failure is None:
                self._other_table(run)
                continue
            move = next_move(self.procedure, run, self.store.clock())
            if isinstance(move, Wait):
                return move.why
            if self._leaves(run):
                return "leaving"
            if trouble is not None:
                self._without_tools(move, trouble, began)
                continue
            self._make(move, run)

    def _leaves(self, run: Run) -> bool:
        return self.leaving.is_set() and may_rest(self.procedure, run)

    def _without_tools(self, move: Move, trouble: RecoveryError, began: datetime) -> None:
        i = getattr(move, "step", len(self.procedure.steps) - 1)
        kind = Kind.UNDO_FAILED if isinstance(move, Undo) else Kind.FAILED
        self._work.failed(kind, i, {"title": self.procedure.steps[i].title}, trouble, began)

    def _make(self, move: Move, run: Run) -> None:
        match move:
            case Do(i) | Resume(i):
                self._do(i, run, resumed=isinstance(move, Resume))
            case Wave(i, names):
                self._loops.wave(i, self._each(i), names, run)
            case Fall(i):
                self._loops.fall(i, self.procedure.steps[i].title, run)
            case OpenChildren(i, names):
                self._children.open(i, self._child(i), names, run)
            case Gather(i):
                self._children.gather(i, self._child(i), run)
            case Recall(i, names):
                self._children.recall(i, self._child(i), names, run)
            case Put(i) if isinstance(self.procedure.steps[i], Ask):
                self._questions.put(i, run)
            case Put(i, item) if not self._spared(i, run):
                self._pieces.instruct(piece_of(self._work, i, item, run), run)
            case Heed(i, item):
                self._pieces.heed(piece_of(self._work, i, item, run), run)
            case Recheck(i):
                self._questions.recheck(i, run)
            case Renew(i, why):
                self._questions.renew(i, run, why)
            case Undo(i, item):
                self._pieces.undo(piece_of(self._work, i, item, run), run)
            case Expire(i):
                self._questions.expire(i, run)
            case Halt(i):
                self._children.stop(i, run)
                self._work.say(Kind.STOPPED, i, {"title": self.procedure.steps[i].title})
            case Finish(outcome):
                self._finish(outcome, run)

    def _do(self, i: int, run: Run, *, resumed: bool) -> None:
        match self.procedure.steps[i]:
            case Look() as look:
                self._look(i, look, run)
            case Act() as act if not resumed and self._left_out(i, act, run):
                pass
            case Act() as act:
                piece, began = of_act(i, act), self.store.clock()
                trouble = self._pieces.carry_out(piece, run, resumed=resumed)
                # Its seconds are not those of the whole act then, and no estimate takes them for that.
                self._pieces.settle(piece, trouble, began, **({"resumed": True} if resumed else {}))
            case Each() as each:
                self._loops.begin(i, each, run)
            case Child() as child:
                self._children.begin(i, child, run)

    def _spared(self, i: int, run: Run) -> bool:
        """Whether a person has nothing to do by hand this time."""
        step = self.procedure.steps[i]
        return isinstance(step, Act) and self._left_out(i, step, run)

    def _left_out(self, i: int, act: Act, run: Run) -> bool:
        """Whether an act is not carried out this time, nor can it be known: then the record says so."""
        if act.leaves_out is None:
            return False
        why, began = list[str](), self.store.clock()
        scope, leaves_out = self._work.scope(i, run), act.leaves_out
        trouble = self.guard(act.title, lambda: why.append(injection.call(leaves_out, scope)))
        if trouble is not None:
            self._work.failed(Kind.FAILED, i, {"title": act.title}, trouble, began)
        elif why[0]:
            self._work.say(Kind.DONE, i, {"title": act.title, "seconds": 0.0, "left_out": True, "said": why[0]})
        return trouble is not None or bool(why[0])

    def _look(self, i: int, step: Look, run: Run) -> None:
        began = self.store.clock()
        found: list[Any] = []
        trouble = self.guard(step.title, lambda: found.append(self._found(i, step, run)))
        if trouble is None:
            said = found[0].says() if hasattr(found[0], "says") else ""
            kept = {"gives": step.gives, "fact": facts_of.to_json(found[0]), "said": said}
            self._work.say(Kind.DONE, i, {"title": step.title, "seconds": self._work.since(began), **kept})
        # After an act there is something to take back, so people decide about a refusal then.
        elif isinstance(trouble, Refused) and not run.began:
            seconds = self._work.since(run.requested_at)
            words = self._words(Outcome.REFUSED, i, run)
            refused = {"outcome": Outcome.REFUSED, **words, **trouble.as_json(), "report": [], "seconds": seconds}
            self._work.say(Kind.FINISHED, i, refused)
        else:
            self._work.failed(Kind.FAILED, i, {"title": step.title}, trouble, began)

    def _found(self, i: int, step: Look, run: Run) -> Any:
        progress = self._work.progress(i, run, step.limit)
        progress.at_work(step.title)
        found = injection.call(step.look, self._work.scope(i, run, progress))
        must_line_up(self.procedure, step.gives, found)
        return found

    def _finish(self, outcome: Outcome, run: Run) -> None:
        report: list[Any] = []
        describe = self.procedure.report
        if describe is not None and outcome is self.procedure.ends:
            scope = self._work.scope(len(self.procedure.steps), run)
            scope["standstill"] = standstill(self.procedure, self.store.entries(run.id))
            trouble = self.guard("report", lambda: report.extend(injection.call(describe, scope)))
            if trouble is not None:
                log.error("no report", run=run.id, error=trouble.said, detail=trouble.detail)
        words = self._words(outcome, len(self.procedure.steps), run)
        said: dict[str, Any] = {"outcome": outcome, **words, "seconds": self._work.since(run.requested_at)}
        gaps = [Sheet("Not done", alerts=run.missed)] if run.missed else []
        said["report"] = [facts_of.to_json(sheet) for sheet in (*gaps, *report)]
        more = {name: value for name, value in (("again", run.again), ("glass", run.glass)) if value}
        self._work.say(Kind.FINISHED, None, {**said, **more})

    def _words(self, outcome: Outcome, i: int, run: Run) -> dict[str, str]:
        said: list[str] = []
        scope = self._work.scope(i, run)
        trouble = self.guard("says", lambda: said.append(words_for(self.procedure, run, outcome, scope)))
        if trouble is not None:
            log.error("no words for the end", run=run.id, error=trouble.said, detail=trouble.detail)
        return {"words": said[0]} if said and said[0] else {}

    def _other_table(self, run: Run) -> None:
        trouble = RecoveryError(
            f"The steps of '{run.procedure}' have changed since run {run.id} began.",
            code="MD-RUN-036",
            detail=f"It began with table {run.table}, this worker has {self.procedure.table}.",
            hint="Carry it out with the version that it began with, or take over by hand.",
        )
        last, said = max(run.done, default=0), {"title": run.procedure}
        self._work.failed(Kind.FAILED, last, said, trouble, self.store.clock())

    def _child(self, i: int) -> Child:
        step = self.procedure.steps[i]
        assert isinstance(step, Child)
        return step

    def _each(self, i: int) -> Each:
        step = self.procedure.steps[i]
        assert isinstance(step, Each)
        return step
