"""Two people in the practice Slack: one asks and answers, the other approves; they try again while Slack is away."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from actions.engine.errors import RecoveryError
from actions.engine.journal import Kind
from actions.engine.no_return import passed_no_return
from actions.engine.run import Run
from actions.engine.status import RETRY, STOP, UNDO, labels_of, rests
from actions.recoveries.postgres_pitr import PROCEDURE
from tests.soak.aim import CANCEL, DISCARD, STOP_RETRY, STOP_UNDO, Aim
from tests.soak.place import Place

KEEP, PAUSE, CUT_OVER = "Restore, keep serving", "Pause writers and restore", "Cut over"
_HEARD_WITHIN = 8.0
_MOST_RETRIES = 6
_LOOK_EVERY = 0.2


@dataclass
class People:
    """What they do in one round. `said` is what they did, for the record."""

    place: Place
    aim: Aim
    said: list[str] = field(default_factory=list)
    _retries: int = 0
    _stopped: bool = False

    def ask(self, when: str, seconds: float) -> str:
        """Ask until a run stands; its id, empty where none came."""
        known, end = set(self._recoveries()), time.monotonic() + seconds
        while time.monotonic() < end:
            answer = self._tried(lambda: self.place.room.say(f"/recover postgres pitr {when}", "oncall"))
            self.said.append(f"asked for {when}: {answer.get('error') or answer.get('answers')}")
            heard = time.monotonic() + _HEARD_WITHIN
            while time.monotonic() < heard:
                if new := [run for run in self._recoveries() if run not in known]:
                    return new[0]
                time.sleep(_LOOK_EVERY)
        return ""

    def _recoveries(self) -> list[str]:
        store = self.place.store
        return [run for run in store.runs() if store.run(run).procedure == PROCEDURE.name]

    def see_to(self, run: str) -> bool:
        """Do what is to be done now; whether the run has ended."""
        state = self.place.store.run(run)
        if state.finished is not None:
            return True
        if rests(state):
            self._decide(state)
        elif self._wants_stop(run):
            self._press(STOP, run)
        time.sleep(_LOOK_EVERY)
        return False

    def _wants_stop(self, run: str) -> bool:
        """Whether the step has begun at which they have seen something, and Stop was not heard yet."""
        if not self.aim.stops or self._stopped:
            return False
        told = self.place.store.entries(run)
        self._stopped = any(e.kind is Kind.STOP_ASKED for e in told)
        return not self._stopped and any(e.kind is Kind.BEGAN and e.data.get("title") == self.aim.stops for e in told)

    def _decide(self, state: Run) -> None:
        if state.failure is not None:
            self._retries += 1
            self._press(self._after_trouble(state), state.id)
            return
        labels = labels_of(state)
        if CUT_OVER not in labels:
            self._press("Cancel" if self.aim.way == CANCEL else PAUSE if self.aim.pauses else KEEP, state.id)
        elif self.aim.way == DISCARD:
            self._press("Discard", state.id)
        elif self.aim.double:
            with ThreadPoolExecutor() as pool:
                list(pool.map(lambda user: self._click(CUT_OVER, state.id, user), ("approver", "dba")))
            self._await_growth(state.id, state.last)
        else:
            self._press(CUT_OVER, state.id, "approver")

    def _after_trouble(self, state: Run) -> str:
        """Retry, and take it back where that does not help or was wanted; never from where nothing is taken back."""
        if passed_no_return(PROCEDURE, state) or state.undoing is not None:
            return RETRY
        stopped = state.failure is not None and state.failure.stopped
        if self.aim.way == STOP_UNDO and (stopped or self._stopped):
            return UNDO
        if self.aim.way == STOP_RETRY and stopped:
            return RETRY
        return RETRY if self._retries <= _MOST_RETRIES else UNDO

    def _press(self, label: str, run: str, user: str = "oncall") -> None:
        last = self.place.store.run(run).last
        if self._click(label, run, user):
            self._await_growth(run, last)

    def _await_growth(self, run: str, last: int) -> None:
        """A press counts a moment after it was taken; whoever pressed looks for a while before trying again."""
        end = time.monotonic() + _HEARD_WITHIN
        while self.place.store.run(run).last == last and time.monotonic() < end:
            time.sleep(_LOOK_EVERY / 4)

    def _click(self, label: str, run: str, user: str) -> bool:
        typed = self.place.postgres if label == CUT_OVER else None
        answer = self._tried(lambda: self.place.room.click(label, user, run, typed))
        taken = bool(answer.get("ok"))
        if taken or answer.get("error") != "no such button now":
            self.said.append(f"{user} pressed {label}: {answer.get('error') or answer.get('answers') or 'taken'}")
        return taken

    def undo_too_late(self, run: str) -> None:
        """Ask for what cannot be had any more."""
        answer = self._tried(lambda: self.place.room.say(f"/recover undo {run}", "oncall"))
        self.said.append(f"asked for an undo of what had ended: {answer.get('error') or answer.get('answers')}")

    def _tried(self, action: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = action()
        except RecoveryError as away:
            return {"error": f"{away.message} {away.detail}"}
        return answer
