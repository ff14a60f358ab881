"""Carrying a run out in the terminal, by the same loop as a worker, and asking its questions here."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType

from sqlalchemy.exc import SQLAlchemyError

from actions.control import answers
from actions.control.answers import choice
from actions.engine.errors import RecoveryError, Refused
from actions.engine.run import Run
from actions.engine.status import RETRY, UNDO, RunState, labels_of, rests
from actions.store import notes
from actions.store.ledger import LEASE_SECONDS
from bot.runs import run_control
from bot.terminal import run_shown
from bot.terminal.answer_question import Given, answer
from bot.terminal.follow_run import Code, RunFollower, code_of, next_word, rested
from bot.terminal.session import Session

_LEAVE = "Leave it"
_LOOK_SECONDS = 0.5


class ForegroundRun(threading.Thread):
    """The loop in a thread of its own, so that the terminal can show and hear meanwhile."""

    def __init__(self, carry_out: Callable[[str], str], run: str) -> None:
        super().__init__(name=f"carry out {run}", daemon=True)
        self._carry_out, self._run = carry_out, run
        self.trouble: RecoveryError | None = None

    def run(self) -> None:
        """Carry out until the run waits, has ended, or another process has it."""
        try:
            self._carry_out(self._run)
        except RecoveryError as trouble:
            self.trouble = trouble
        except SQLAlchemyError as error:
            self.trouble = RecoveryError(
                "The store does not answer.",
                code="MD-ST-006",
                detail=str(error)[:200],
                hint=f"When it is back, go on with: mayday carry-out {self._run}",
            )
        except Exception as surprise:  # noqa: BLE001 - unsaid, another one would take it up for ever
            self.trouble = RecoveryError(
                f"{self._run} stopped here, for a reason that Mayday did not foresee.",
                code="MD-CMD-019",
                detail=f"{type(surprise).__name__}: {surprise}"[:200],
                hint=f"Nothing is lost. Look with: mayday show {self._run}; go on with: mayday carry-out {self._run}",
            )
            self.trouble.__cause__ = surprise  # Which --debug shows.


class Presence:
    """Says that this terminal has the run, also while it waits at a question."""

    def __init__(self, session: Session, run: str) -> None:
        self._session, self._run = session, run
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="presence", daemon=True)

    def __enter__(self) -> Presence:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()
        notes.left_foreground(self._session.store, self._run)

    def _beat(self) -> None:
        while True:
            try:
                notes.carries_in_foreground(self._session.store, self._run, {"by": self._session.person.speaker.name})
            except SQLAlchemyError as error:  # It is said again at the next beat.
                self._session.tell(f"The store does not answer ({type(error).__name__}).")
            if self._over.wait(LEASE_SECONDS / 4):
                return


def carry_on(session: Session, run_id: str, wanted: tuple[RunState, ...], after: int = 0) -> Code:
    """Carry a run out here until it has ended, or waits for somebody who is not here."""
    carry_out = session.terminal.runner(session.settings, session.store)
    follower = RunFollower(session, run_id, after)
    with Presence(session, run_id):
        while True:
            run = _worked(session, follower, ForegroundRun(carry_out, run_id))
            if not rests(run):
                time.sleep(_LOOK_SECONDS)
                continue
            if run.finished is not None or _stays(session, follower, run):
                break
    if run.finished is None and session.interactive:
        session.tell(next_word(run))
        return code_of(run, wanted)
    return rested(session, follower, wanted)


def _stays(session: Session, follower: RunFollower, run: Run) -> bool:
    """Whether a run waits for somebody who is not here. A countdown goes on by itself, and nobody else may have it."""
    if session.interactive:
        return not _asked(session, follower, run)
    if not run.asking or run.question is None or run.question.on_silence is None:
        return True
    until = run.question.expires_at
    follower.through(lambda seen: seen.last > run.last or until is None or session.store.clock() >= until)
    return until is None


def _worked(session: Session, follower: RunFollower, working: ForegroundRun) -> Run:
    """Let it work and show it; Ctrl-C asks the run to stop at its next safe place, a second one leaves it."""
    working.start()
    asked_to_stop = False
    while True:
        try:
            run = follower.through(lambda _run: not working.is_alive())
            break
        except KeyboardInterrupt:
            if asked_to_stop:
                raise
            asked_to_stop = True
            _stop(session, follower)
    if working.trouble is not None:
        raise working.trouble
    return run if rests(run) else follower.through(lambda seen: rests(seen) or _nobody_has(session, seen))


def _nobody_has(session: Session, run: Run) -> bool:
    """Whether the run may be taken up again: it wants to go on, and no other process has its lease."""
    return run.id not in session.store.leased()


def _stop(session: Session, follower: RunFollower) -> None:
    run = follower.news()
    session.tell("It stops at its next safe place. Ctrl-C once more leaves it at once; it goes on from its journal.")
    try:
        answers.stop(session.store, run.id, session.person.speaker)
    except Refused as refusal:
        session.tell(" ".join(part for part in (refusal.said, refusal.hint) if part))


def _asked(session: Session, follower: RunFollower, run: Run) -> bool:
    """Ask the person here. Whether the run goes on; False where they leave it."""
    run_shown.end(session.out, session.bot.procedure(run.procedure), follower.entries)
    while True:
        offered = [*_choosable(session, run), _LEAVE]
        _offer(session, run, offered)
        typed = _wait(session, run)
        if typed is None:
            return True
        label = _picked(typed, offered)
        if label == _LEAVE:
            return False
        if label and _said(session, run, label):
            return True


def _choosable(session: Session, run: Run) -> list[str]:
    """The labels that this person may press now."""
    question = run.question
    if not run.asking or question is None:
        return list(labels_of(run))
    found = []
    for option in question.options:
        try:
            choice(run, question.n, str(option["label"]), session.person.speaker, session.store.clock())
            found.append(str(option["label"]))
        except Refused:
            continue
    return found


def _offer(session: Session, run: Run, offered: list[str]) -> None:
    others = [label for label in labels_of(run) if label not in offered]
    for label in others:
        session.tell(f"  {label}: somebody else says that, in another terminal: {run_shown.command(run, label)}")
    numbered = "  ".join(f"{n} {label}" for n, label in enumerate(offered, 1))
    session.tell(f"{numbered}\nA number, and Enter:")


def _wait(session: Session, run: Run) -> str | None:
    """A line that is typed, empty at the end of input; None where somebody else answered, or it expired."""
    expires = run.question.expires_at if run.asking and run.question else None
    while (typed := session.typed_soon(_LOOK_SECONDS)) is None:
        now = session.store.run(run.id)
        if now.last > run.last or (expires and session.store.clock() >= expires):
            return None
    return typed


def _picked(typed: str, offered: list[str]) -> str:
    """The label that a number or a label means; empty for neither."""
    if not typed:
        return _LEAVE
    said = typed.strip()
    if said.isdigit() and 1 <= int(said) <= len(offered):
        return offered[int(said) - 1]
    return next((label for label in offered if label.casefold() == said.casefold()), "")


def _said(session: Session, run: Run, label: str) -> bool:
    """Say it to the run; whether it counted. A refusal is shown, and the person is asked again."""
    try:
        if label in (RETRY, UNDO) and not run.asking:
            return run_control.steer(session.bot, label.casefold(), run.id, session.person.speaker) is not None
        return answer(session, run.id, label, Given()) is not None
    except RecoveryError as refusal:
        session.tell(refusal.words())
        return session.store.run(run.id).last > run.last
