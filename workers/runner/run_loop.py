"""One execution of a run by one worker: move after move, each on the record before and after."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from actions.engine import facts as facts_of
from actions.engine import injection, notes, put_question
from actions.engine.errors import Away, GaveWay, RecoveryError, Refused, Stopped
from actions.engine.journal import Kind
from actions.engine.ledger import Lease
from actions.engine.next_move import (
    Do,
    Expire,
    Finish,
    Halt,
    Move,
    Put,
    Recheck,
    Renew,
    Resume,
    Undo,
    Wait,
    may_rest,
    next_move,
)
from actions.engine.procedure import Act, Ask, Look, Outcome, Procedure, Sheet
from actions.engine.run import Run
from actions.engine.store import Store
from workers.runner.heartbeat import Heartbeat
from workers.runner.progress import StepProgress
from workers.runner.recheck import changed_since, voided
from workers.runner.scope import scope_of
from workers.runner.step_guard import Guard

log = structlog.get_logger("mayday.loop")


def missed(title: str, trouble: RecoveryError) -> str:
    """What a report says first of a spare act that could not be done."""
    parts = (f"NOT DONE: {title}.", trouble.message, trouble.detail.partition("\n")[0], trouble.hint)
    return " ".join(part for part in parts if part)


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
            if self.leaving.is_set() and may_rest(self.procedure, run):
                return "leaving"
            if trouble is not None:
                self._without_tools(move, trouble, began)
                continue
            self._make(move, run)

    def _without_tools(self, move: Move, trouble: RecoveryError, began: datetime) -> None:
        i = getattr(move, "step", len(self.procedure.steps) - 1)
        kind = Kind.UNDO_FAILED if isinstance(move, Undo) else Kind.FAILED
        self._failed(kind, i, self.procedure.steps[i].title, trouble, began)

    def _make(self, move: Move, run: Run) -> None:
        match move:
            case Do(i) | Resume(i):
                step = self.procedure.steps[i]
                if isinstance(step, Look):
                    self._look(i, step, run)
                elif isinstance(step, Act):
                    self._act(i, step, run, resumed=isinstance(move, Resume))
            case Put(i):
                self._put(i, run)
            case Recheck(i):
                self._recheck(i, run)
            case Renew(i, why):
                self._say(Kind.VOIDED, i, voided(self.procedure, i, run, "", why))
            case Undo(i):
                self._undo(i, run)
            case Expire(i):
                self._say(Kind.EXPIRED, i, {"title": self.procedure.steps[i].title})
            case Halt(i):
                self._say(Kind.STOPPED, i, {"title": self.procedure.steps[i].title})
            case Finish(outcome):
                self._finish(outcome, run)

    def _look(self, i: int, step: Look, run: Run) -> None:
        began = self.store.clock()
        found: list[Any] = []
        trouble = self.guard(step.title, lambda: found.append(self._call(step.look, i, run)))
        if trouble is None:
            said = found[0].says() if hasattr(found[0], "says") else ""
            kept = {"gives": step.gives, "fact": facts_of.to_json(found[0]), "said": said}
            self._say(Kind.DONE, i, {"title": step.title, "seconds": self._since(began), **kept})
        # After an act there is something to take back, so people decide about a refusal then.
        elif isinstance(trouble, Refused) and not run.began:
            self._say(
                Kind.FINISHED,
                i,
                {
                    "outcome": Outcome.REFUSED,
                    **trouble.as_json(),
                    "report": [],
                    "seconds": self._since(run.requested_at),
                },
            )
        else:
            self._failed(Kind.FAILED, i, step.title, trouble, began)

    def _act(self, i: int, step: Act, run: Run, *, resumed: bool) -> None:
        began = self.store.clock()
        self._say(Kind.BEGAN, i, {"title": step.title, "resumed": resumed})
        # After an absence the act may have had its effect, so that is looked at before it is done again.
        trouble = self.guard(
            step.title,
            lambda: self._carry(i, step, run, resumed=resumed),
            again=lambda: self._carry(i, step, run, resumed=True),
        )
        if trouble is None:
            self._say(Kind.DONE, i, {"title": step.title, "seconds": self._since(began)})
        elif step.spare:
            said = f"NOT DONE: {trouble.message}"
            self._say(
                Kind.DONE,
                i,
                {
                    "title": step.title,
                    "seconds": self._since(began),
                    "said": said,
                    "missed": missed(step.title, trouble),
                },
            )
        else:
            self._failed(Kind.FAILED, i, step.title, trouble, began)

    def _carry(self, i: int, step: Act, run: Run, *, resumed: bool) -> None:
        """Work that holds already is not repeated; work that was done must be seen to hold."""
        if resumed and self._holds(i, step, run):
            return
        self._call(step.do, i, run, step)
        if not self._call(step.verify, i, run, step):
            raise RecoveryError(
                f"'{step.title}' was done, but its effect cannot be seen.",
                hint="Look at the services, then press Retry or Undo.",
            )

    def _holds(self, i: int, step: Act, run: Run) -> bool:
        try:
            return bool(self._call(step.verify, i, run, step))
        except Away:
            # Nobody can see then whether it holds, and to believe that it does not could do it twice.
            raise
        except RecoveryError as trouble:
            log.info("not verified on resume", run=run.id, step=step.title, detail=trouble.message)
            return False

    def _put(self, i: int, run: Run) -> None:
        ask, scope, told = self._ask(i), self._scope(i, run), list[put_question.Told]()
        trouble = self.guard(
            ask.title, lambda: told.append(put_question.put(self.procedure, ask, scope, run.facts, self.store.clock()))
        )
        if trouble is not None:
            return self._failed(Kind.FAILED, i, ask.title, trouble, self.store.clock())
        kind, said = told[0]
        return self._say(kind, i, said)

    def _recheck(self, i: int, run: Run) -> None:
        """Look again at what the answer was based on; a change makes the answer void."""
        ask, scope, seen = self._ask(i), self._scope(i, run), list[tuple[str, str]]()
        trouble = self.guard(ask.title, lambda: seen.append(changed_since(self.procedure, i, run, scope)))
        if trouble is not None:
            self._failed(Kind.FAILED, i, f"look again before '{ask.title}'", trouble, self.store.clock())
        elif seen[0][0]:
            self._say(Kind.VOIDED, i, voided(self.procedure, i, run, *seen[0]))
        else:
            self._say(Kind.RECHECKED, i, {})

    def _undo(self, i: int, run: Run) -> None:
        step = self.procedure.steps[i]
        assert isinstance(step, Act)
        undo = step.undo
        assert undo is not None
        began = self.store.clock()
        self._say(Kind.UNDO_BEGAN, i, {"title": step.title})
        trouble = self.guard(step.title, lambda: self._call(undo, i, run, step))
        if trouble is None:
            self._say(Kind.UNDONE, i, {"title": step.title, "seconds": self._since(began)})
        else:
            self._failed(Kind.UNDO_FAILED, i, step.title, trouble, began)

    def _finish(self, outcome: Outcome, run: Run) -> None:
        report: list[Any] = []
        describe = self.procedure.report
        if describe is not None and outcome is self.procedure.ends:
            scope = self._scope(len(self.procedure.steps), run)
            trouble = self.guard("report", lambda: report.extend(injection.call(describe, scope)))
            if trouble is not None:
                log.error("no report", run=run.id, error=trouble.message, detail=trouble.detail)
        said: dict[str, Any] = {"outcome": outcome, "seconds": self._since(run.requested_at)}
        gaps = [Sheet("Not done", alerts=run.missed)] if run.missed else []
        said["report"] = [facts_of.to_json(sheet) for sheet in (*gaps, *report)]
        more = {name: value for name, value in (("again", run.again), ("glass", run.glass)) if value}
        self._say(Kind.FINISHED, None, {**said, **more})

    def _other_table(self, run: Run) -> None:
        trouble = RecoveryError(
            f"The steps of '{run.procedure}' have changed since run {run.id} began.",
            detail=f"It began with table {run.table}, this worker has {self.procedure.table}.",
            hint="Carry it out with the version that it began with, or take over by hand.",
        )
        self._failed(Kind.FAILED, max(run.done, default=0), run.procedure, trouble, self.store.clock())

    # Small parts ---------------------------------------------------------------------------------

    def _ask(self, i: int) -> Ask:
        step = self.procedure.steps[i]
        assert isinstance(step, Ask)
        return step

    def _scope(self, i: int, run: Run, act: Act | None = None) -> dict[str, Any]:
        progress = StepProgress(
            self.store, self.heartbeat, run, i, act.limit if act else None, yields=self.procedure.yields
        )
        return scope_of(self.procedure, run, {**self.tools, "now": self.store.clock(), "progress": progress})

    def _call(self, function: Callable[..., Any], i: int, run: Run, act: Act | None = None) -> Any:
        step = self.procedure.steps[i]
        notes.set_progress(self.store, run.id, {"step": i, "title": step.title, "done": 0, "total": 0, "text": ""})
        return injection.call(function, self._scope(i, run, act))

    def _failed(self, kind: Kind, i: int, title: str, trouble: RecoveryError, began: datetime) -> None:
        if isinstance(trouble, Stopped):
            said = trouble.as_json() if isinstance(trouble, GaveWay) else {}
            return self._say(Kind.STOPPED, i, {"title": title, **said})
        return self._say(kind, i, {"title": title, **trouble.as_json(), "seconds": self._since(began)})

    def _say(self, kind: Kind, step: int | None, data: dict[str, Any]) -> None:
        self.store.append(self.lease, kind, step, data)

    def _since(self, began: datetime) -> float:
        return round((self.store.clock() - began).total_seconds(), 3)
