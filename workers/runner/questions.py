"""The questions of a run: putting them, and looking whether an answer still stands on what it was given for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from actions.engine import put_question
from actions.engine.journal import Kind
from actions.engine.procedure import Ask, Look
from actions.engine.run import Run
from workers.runner.another_time import look_ahead, not_reached
from workers.runner.recheck import look_again, voided
from workers.runner.step_guard import Guard
from workers.runner.step_work import StepWork


@dataclass
class QuestionWork:
    """What a worker does about the questions of one run."""

    work: StepWork
    guard: Guard

    def put(self, i: int, run: Run) -> None:
        """Put it, with what people read before they answer."""
        ask, scope, told = self._ask(i), self.work.scope(i, run), list[put_question.Told]()
        procedure, now = self.work.procedure, self.work.store.clock()
        trouble = self.guard(ask.title, lambda: told.append(put_question.put(procedure, ask, scope, run.facts, now)))
        if trouble is not None:
            return self.work.failed(Kind.FAILED, i, {"title": ask.title}, trouble, self.work.store.clock())
        kind, said = told[0]
        return self.work.say(kind, i, said)

    def expire(self, i: int, run: Run) -> None:
        """Nobody answered in time."""
        kind, said = put_question.expire(self._ask(i).title, run.question)
        self.work.say(kind, i, said)

    def renew(self, i: int, run: Run, why: str) -> None:
        """An answer no longer stands."""
        self.work.say(Kind.VOIDED, i, voided(self.work.procedure, i, run, "", why))

    def recheck(self, i: int, run: Run) -> None:
        """Look again at what the answer was based on; a change makes the answer void."""
        if run.again is not None:
            return self._other_time(i, run)
        ask, told = self._ask(i), list[put_question.Told]()

        def scope(look: Look) -> dict[str, Any]:
            return self.work.scope(i, run, self.work.progress(i, run, look.limit))

        trouble = self.guard(ask.title, lambda: told.append(look_again(self.work.procedure, i, run, scope)))
        if trouble is not None:
            said = {"title": f"look again before '{ask.title}'"}
            return self.work.failed(Kind.FAILED, i, said, trouble, self.work.store.clock())
        kind, said = told[0]
        return self.work.say(kind, i, said)

    def _other_time(self, i: int, run: Run) -> None:
        """Look whether the other time can be reached; where it cannot, nothing was given up and the question stays."""
        told = list[put_question.Told]()

        def scope(look: Look, wanted: Run) -> dict[str, Any]:
            return self.work.scope(i, wanted, self.work.progress(i, run, look.limit))

        trouble = self.guard(self._ask(i).title, lambda: told.append(look_ahead(self.work.procedure, i, run, scope)))
        kind, said = told[0] if trouble is None else (Kind.VOIDED, not_reached(i, run, trouble))
        self.work.say(kind, i, said)

    def _ask(self, i: int) -> Ask:
        step = self.work.procedure.steps[i]
        assert isinstance(step, Ask)
        return step
