"""Following a run: its story line by line, how far the present act is, and an exit code for how it rests."""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import IntEnum

from rich.status import Status

from actions.engine.folding import fold
from actions.engine.journal import Entry
from actions.engine.run import Run
from actions.engine.status import RunState, rests, state_of
from actions.store import notes
from bot.runs.requests import NO_WORKER, has_worker
from bot.terminal import run_shown
from bot.terminal.session import Session

_LOOK_SECONDS = 0.1


class Code(IntEnum):
    """What the exit code of a command that follows a run says."""

    GOOD = 0
    WRONG = 1
    ASKS = 3
    FAILED = 4
    ENDED = 5
    NO_WORKER = 6


def code_of(run: Run, wanted: tuple[RunState, ...]) -> Code:
    """How a run that rests did; `wanted` is what it should have come to."""
    state = state_of(run)
    if state in wanted:
        return Code.GOOD
    if state is RunState.ASKING:
        return Code.ASKS
    return Code.FAILED if state in (RunState.FAILED, RunState.WAITING) else Code.ENDED


class RunFollower:
    """Shows what is new of one run, and keeps in mind what was shown."""

    def __init__(self, session: Session, run: str, after: int = 0) -> None:
        self._session, self._id = session, run
        self._live: Status | None = None
        self.entries: list[Entry] = session.store.entries(run)[:after]

    def through(self, over: Callable[[Run], bool]) -> Run:
        """Show what happens until `over` says so."""
        try:
            while True:
                run = self.news()
                if over(run):
                    return run
                self._progress(run)
                time.sleep(_LOOK_SECONDS)
        finally:
            self._still()

    def news(self) -> Run:
        """Show what was written since the last look."""
        new = self._session.store.entries(self._id, len(self.entries))
        if new and not self._session.as_json:
            self._still()
            for entry in new:
                run_shown.line(self._session.out, entry)
        self.entries += new
        return fold(self.entries)

    def _progress(self, run: Run) -> None:
        """How far the present act is, in a line that comes and goes; only where somebody watches."""
        if self._session.as_json or not self._session.out.is_terminal:
            return
        made = notes.progress(self._session.store, self._id) or {}
        done, total = float(made.get("done") or 0), float(made.get("total") or 0)
        percent = f"{min(100, int(100 * done / total))} % " if total else ""
        text = f"{state_of(run)}: {made.get('title', '')} {percent}{made.get('text', '')}".strip()
        if self._live is None:
            self._live = self._session.out.status(text)
            self._live.start()
        self._live.update(text)

    def _still(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None


def until_rest(session: Session, run: str, wanted: tuple[RunState, ...], after: int = 0) -> Code:
    """Follow a run that others carry out until it waits for a person or has ended."""
    lonely = _Lonely(session, run)
    follower = RunFollower(session, run, after)
    state = follower.through(lambda seen: rests(seen) or lonely.long())
    if not rests(state):
        session.tell(NO_WORKER + "\nOr carry it out here: mayday carry-out " + run)
        return Code.NO_WORKER
    return rested(session, follower, wanted)


def rested(session: Session, follower: RunFollower, wanted: tuple[RunState, ...]) -> Code:
    """Show what a run rests at, and say what can be done about it."""
    run = fold(follower.entries)
    if not session.as_json:
        run_shown.end(session.out, session.bot.procedure(run.procedure), follower.entries)
        session.tell(next_word(run))
        for line in notes.take_privately(session.store, run.id) or []:
            session.out.print(line, markup=False)
    return code_of(run, wanted)


def next_word(run: Run) -> str:
    """What a person can say to a run that rests."""
    if run.asking:
        return run_shown.how_to_answer(run)
    if run.failure is not None:
        return f"Run {run.id} waits for you: mayday retry {run.id}  or  mayday undo {run.id}"
    return f"Run {run.id}: {run.words.rstrip('.')}." if run.words else f"Run {run.id} is {state_of(run)}."


class _Lonely:
    """Notices that nobody carries a run out: no worker lives, no terminal does it, and for some time."""

    def __init__(self, session: Session, run: str) -> None:
        self._session, self._run = session, run
        self._site = session.store.run(run).site
        self._since: float | None = None

    def long(self) -> bool:
        store = self._session.store
        alive = has_worker(self._session.bot, self._site)
        carried = alive or self._run in store.leased() or notes.foreground_of(store, self._run)
        now = time.monotonic()
        self._since = None if carried else (self._since or now)
        return self._since is not None and now - self._since > self._session.terminal.wait_seconds
