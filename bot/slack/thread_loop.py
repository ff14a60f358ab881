"""Of several bots on one store one keeps the threads: whoever holds the lease. All of them answer people.

A bot that takes over begins like one that is started anew: it reads what is noted, and looks in Slack for a message
whose outcome nobody noted.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Protocol

from sqlalchemy.exc import SQLAlchemyError

from actions.chores.chores import Chore, KeptThreads
from actions.chores.leader_lease import LeaderLease
from actions.engine.errors import Fenced
from actions.store.fenced_store import FencedStore
from actions.store.ledger import LEASE_SECONDS
from bot.context import BotContext
from bot.slack.thread_writer import ThreadWriter

_log = logging.getLogger(__name__)
THREADS = "threads"
"""Whose turn it is to post and edit what stands in threads."""
APPROVALS = "messages to approvers"
"""Whose turn it is to tell those who may approve. Its own, so that no thread waits for anybody's direct message."""
LOOK_EVERY = 0.25
_BEAT_EVERY = LEASE_SECONDS / 4
_RETRY_EVERY = 2.0


class Sink(Protocol):
    """Keeps what stands in Slack as the journals say."""

    def tick(self) -> bool:
        """Look once; whether everything stands as it should."""
        ...


class ThreadLoop:
    """Has a sink while this bot holds the lease; everything that the sink notes is under the lease's fencing token."""

    def __init__(
        self,
        bot: BotContext,
        owner: str,
        what: str = THREADS,
        sink: Callable[[BotContext], Sink] = ThreadWriter,
        every: float = LOOK_EVERY,
    ) -> None:
        self._bot, self._what, self._make, self._every = bot, what, sink, every
        self._leader = LeaderLease(bot.store, what, owner)
        self._sink: Sink | None = None
        self.wake = threading.Event()

    @property
    def posts(self) -> bool:
        """Whether it is this bot that posts now."""
        return self._sink is not None

    def run(self, stop: threading.Event) -> None:
        """Go on until told to stop; then another bot may go on at once."""
        store, host, kept = self._bot.store, socket.gethostname(), KeptThreads()
        beats = Chore(f"lease of the {self._what}", _BEAT_EVERY, self._beat, store, first=_BEAT_EVERY, place=host)
        kept.keep_all((beats,), stop)
        loop = Chore(self._what, self._every, self._turn, store, wake=self.wake, place=host)
        loop.retry = loop.longest_retry = _RETRY_EVERY
        try:
            loop.run(stop)
        finally:
            with suppress(SQLAlchemyError):
                self._leader.give_up()

    def _turn(self) -> None:
        try:
            self.tick()
        except SQLAlchemyError:
            raise
        except BaseException:
            # Like a bot that is started anew: what is held in memory is no longer believed.
            self._sink = None
            raise

    def tick(self) -> bool:
        """Look at all journals once, if this process leads. Returns whether everything stands as it should."""
        if not self._leader.mine() or (lease := self._leader.lease) is None:
            self._leave()
            return False
        if self._sink is None:
            _log.info("this bot keeps the %s from now on", self._what)
            # A new one each time: what another bot noted meanwhile is not in the memory of an old one.
            self._sink = self._make(replace(self._bot, store=FencedStore(self._bot.store, lease)))
        try:
            return self._sink.tick()
        except Fenced:
            self._leave()
            self._leader.give_up()
            return False

    def _leave(self) -> None:
        if self._sink is not None:
            _log.warning("another bot keeps the %s now; this one goes on answering", self._what)
            self._sink = None

    def _beat(self) -> None:
        """Hold the lease while Slack keeps a call waiting for longer than a lease lives: its message may yet come."""
        lease = self._leader.lease
        # One that is lost is noticed where it matters, at the next note.
        with suppress(Fenced):
            if lease is not None:
                self._bot.store.beat(lease)
