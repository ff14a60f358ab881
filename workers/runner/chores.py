"""Chores: what one worker of all does every now and then, each in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy.exc import SQLAlchemyError

from actions.engine.errors import RecoveryError
from actions.engine.leader_lease import LeaderLease

log = structlog.get_logger("mayday.chores")


@dataclass(frozen=True)
class Chore:
    """Something to do every so many seconds, while this process leads. What goes wrong is tried again the next time."""

    name: str
    every: float
    work: Callable[[], object]
    leader: LeaderLease

    def once(self) -> bool:
        """Do it, if this process leads; whether it was done and went well."""
        try:
            if not self.leader.mine():
                return False
            self.work()
        except RecoveryError as trouble:
            log.warning("a chore did not work", chore=self.name, error=trouble.said, detail=trouble.detail)
            return False
        except SQLAlchemyError as away:
            log.warning("the store does not answer", chore=self.name, detail=str(away)[:200])
            return False
        return True

    def run(self, leaving: threading.Event) -> None:
        """Go on until told to leave."""
        while not leaving.is_set():
            self.once()
            leaving.wait(self.every)


@dataclass(frozen=True)
class Chores:
    """All chores of a worker; one that dies of something unforeseen is begun anew."""

    all: Sequence[Chore]

    def run(self, leaving: threading.Event) -> None:
        """Keep them up until told to leave."""
        threads: dict[str, threading.Thread] = {}
        while not leaving.is_set():
            for chore in self.all:
                if chore.name not in threads or not threads[chore.name].is_alive():
                    made = threading.Thread(target=chore.run, args=(leaving,), name=chore.name, daemon=True)
                    threads[chore.name] = made
                    made.start()
            leaving.wait(5.0)
