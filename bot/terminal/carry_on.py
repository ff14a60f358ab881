"""After something was said to a run: who carries it out, and whether this terminal follows or does it itself."""

from __future__ import annotations

from dataclasses import dataclass

import typer

from actions.engine.errors import RecoveryError
from actions.engine.ids import is_errand
from actions.engine.status import RunState
from actions.store import notes
from bot.runs.ask_again import open_again
from bot.runs.requests import NO_WORKER, has_worker
from bot.terminal import run_shown
from bot.terminal.follow_run import Code, until_rest
from bot.terminal.foreground import carry_on
from bot.terminal.records import show_json
from bot.terminal.session import Session

GOOD = (RunState.RECOVERED, RunState.DONE)
BACK = (RunState.UNDONE, RunState.DISCARDED)


@dataclass(frozen=True)
class How:
    """What the command line said: follow the run, carry it out here where no worker lives."""

    follow: bool = False
    foreground: bool = False


def go_on(session: Session, run: str, how: How, wanted: tuple[RunState, ...] = GOOD, after: int = 0) -> None:
    """Follow the run, carry it out here, or leave it to its worker. Ends the command with an exit code."""
    code = moved(session, run, how, wanted, after)
    again = session.store.run(run).again
    if code is not Code.NO_WORKER and again and session.store.run(run).finished is not None:
        run, code = _again(session, run, again, how)
    if session.as_json:
        show_json(run_shown.document(session.store.entries(run)))
    raise typer.Exit(int(code))


def moved(session: Session, run: str, how: How, wanted: tuple[RunState, ...] = GOOD, after: int = 0) -> Code:
    """See to it that somebody carries the run out: a worker, or this process; how it stands then."""
    alive = has_worker(session.bot, session.store.run(run).site)
    taken = bool(notes.foreground_of(session.store, run))
    if not taken and _belongs_here(session, run, how, alive) and _has_hands(session, run):
        return carry_on(session, run, wanted, after)
    if not alive and not taken:
        able = "has its secrets" if is_errand(run) else "may speak to Docker"
        session.tell(f"{NO_WORKER}\nOr somebody who {able} carries it out: mayday carry-out {run}")
    elif how.foreground and alive:
        session.bot.wake_worker(run)  # What was to be done here has woken nobody yet.
        session.tell("A worker is alive and carries it out.")
    if how.follow or how.foreground:
        return until_rest(session, run, wanted, after)
    session.tell(f"Follow it: mayday show {run} --follow")
    return Code.GOOD


def _belongs_here(session: Session, run: str, how: How, alive: bool) -> bool:
    """Whether it is for this process to carry it out.

    An errand is short and touches nothing of the stack: it does not wait for a worker to be started, and where
    somebody wants it done here it is, beside a worker; whoever is first has it.
    """
    if is_errand(run):
        return how.foreground or not alive
    return not alive and (how.foreground or session.look.away("Redis"))


def _has_hands(session: Session, run: str) -> bool:
    """Whether this process has what the run needs: a run must not fail because its approver may not use Docker."""
    try:
        session.terminal.reach(session.settings, session.store.run(run))
    except RecoveryError as trouble:
        session.tell(f"It is not carried out here. {trouble.said} {trouble.detail}".strip())
        return False
    return True


def _again(session: Session, run: str, wanted: dict[str, str], how: How) -> tuple[str, Code]:
    """Another time was wanted: the run that was given up for it has ended, so the new one begins."""
    opened = open_again(session.bot, session.store.run(run), wanted)
    if opened is None:
        return run, Code.ENDED
    session.bot.wake_worker(opened.run)
    session.tell(f"Run {opened.run}: {opened.summary}")
    return opened.run, moved(session, opened.run, how, GOOD, 0)
