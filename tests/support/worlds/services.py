"""A toy stack: services that need each other, and procedures that start them in waves."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from actions.control import answers
from actions.engine.each import Each
from actions.engine.facts import to_json
from actions.engine.journal import Entry, Kind
from actions.engine.procedure import Act, Look, Procedure, Risk, Step
from actions.engine.reading import Asker, Words
from actions.engine.rights import Speaker
from actions.engine.run import Run
from actions.store.ledger import LEASE_SECONDS
from actions.tools.progress import Progress
from tests.support.worlds.clock import Clock
from tests.support.worlds.ledger import Ledger
from workers.runner.leased_runner import LeasedRunner


@dataclass(frozen=True)
class Service:
    """One service of the stack."""

    name: str
    needs: tuple[str, ...] = ()
    spare: bool = False
    instruction: str = ""


@dataclass(frozen=True)
class Restart:
    """What is asked for."""

    service: str
    only: tuple[str, ...] = ()


@dataclass(frozen=True)
class Services:
    """A fact that is a sequence with words of its own."""

    all: tuple[Service, ...]

    def __iter__(self) -> Iterator[Service]:
        return iter(self.all)

    def says(self) -> str:
        """One line for the thread."""
        return f"{len(self.all)} services"


STACK = (
    Service("postgres"),
    Service("redis"),
    Service("hasura", ("postgres",)),
    Service("auth", ("postgres", "redis")),
    Service("web", ("hasura", "auth")),
)


@dataclass
class Host:
    """The world: which services are up, what was done to them, and what goes wrong. Changed through `does` alone."""

    stack: tuple[Service, ...] = STACK
    up: frozenset[str] = frozenset()
    did: tuple[str, ...] = ()
    fails: dict[str, Exception] = field(default_factory=dict)
    amid: Callable[[str], None] = lambda what: None
    at_place: Callable[[str], None] = lambda place: None
    turn: Any = field(default_factory=threading.RLock)

    def fork(self, turn: Any) -> Host:
        """The same, free to go another way."""
        return replace(self, fails=dict(self.fails), at_place=lambda place: None, turn=turn)

    def does(self, what: str, up: Callable[[frozenset[str]], frozenset[str]]) -> None:
        """A change; it is seen by whoever looks right after."""
        self.amid(what)
        with self.turn:
            self.at_place(f"before '{what}'")
            if what in self.fails:
                raise self.fails[what]
            self.up, self.did = up(self.up), (*self.did, what)
            self.at_place(f"after '{what}'")


def see_services(host: Host) -> Services:
    return Services(host.stack)


def start(item: Service, host: Host, progress: Progress) -> None:
    progress(0, 1, "starting")
    host.does(f"start {item.name}", lambda up: up | {item.name})


def is_up(item: Service, host: Host) -> bool:
    return item.name in host.up


def stop(item: Service, host: Host) -> None:
    host.does(f"stop {item.name}", lambda up: up - {item.name})


def needs(item: Service) -> tuple[str, ...]:
    return item.needs


def is_spare(item: Service) -> bool:
    return item.spare


def instruction(item: Service) -> str:
    return item.instruction


def announce(host: Host) -> None:
    host.does("announce", lambda up: up | {"announced"})


def stop_announcing(host: Host) -> None:
    host.does("stop announcing", lambda up: up - {"announced"})


def is_announced(host: Host) -> bool:
    return "announced" in host.up


def read(text: str, asker: Asker) -> Restart:
    return Restart(asker.service, tuple(text.split()))


START = Each("start the services", "services", start, is_up, stop, needs, timedelta(minutes=1), instruction, is_spare)
LOOK = Look("see the services", see_services, gives="services")
LAST = Act("announce it", announce, is_announced)
TOOLS = {"host": Host, "progress": Progress}


def procedure(*steps: Step, **more: Any) -> Procedure:
    """A restart of these steps."""
    words = Words("restart", "", ("",), read)
    return Procedure("restart", "Restart {service}.", words, Restart, Risk.CHANGES, steps, **more)


RESTART = procedure(LOOK, START, LAST)


@dataclass(frozen=True)
class RoomTools:
    """What the steps of these procedures take."""

    host: Host


@dataclass
class Room:
    """A host, its journal, and the people around it."""

    procedure: Procedure = RESTART
    host: Host = field(default_factory=Host)
    clock: Clock = field(default_factory=Clock)
    store: Any = None
    away_seconds: float = 0.3
    reopened: int = 0

    def __post_init__(self) -> None:
        self.store = self.store or Ledger(self.clock)
        self.host.turn = getattr(self.store, "turn", self.host.turn)

    def fork(self) -> Room:
        """As it is in this instant."""
        clock = Clock(self.clock.now)
        store = self.store.fork(clock)
        return Room(self.procedure, self.host.fork(store.turn), clock, store, self.away_seconds)

    def watch(self, at_place: Callable[[str], None]) -> None:
        """Have a function called wherever a worker may be killed."""
        self.host.at_place = self.store.at_place = at_place

    @contextmanager
    def open(self, run: Run) -> Iterator[RoomTools]:
        self.reopened += 1
        yield RoomTools(self.host)

    def ask(self, text: str = "") -> Room:
        data = {
            "procedure": self.procedure.name,
            "table": self.procedure.table,
            "service": "stack",
            "site": "main",
            "by": "U-ONCALL",
            "name": "oncall",
            "request": to_json(read(text, Asker(self.clock(), "UTC", None, "stack"))),
            "origin": {},
        }
        self.store.open_run("r1", data, claims=self.procedure.claims, yields=self.procedure.yields, key="r1")
        return self

    def work(self, leaving: threading.Event | None = None) -> str:
        """A new worker carries the run out until it waits."""
        self.clock.advance(LEASE_SECONDS + 1)
        runner = LeasedRunner(self.store, lambda name: self.procedure, self, "worker", away_seconds=self.away_seconds)
        return runner.carry_out("r1", leaving)

    def answer(self, label: str, by: Speaker, text: str = "") -> Entry | None:
        asked = self.run.question
        return answers.answer(self.store, "r1", asked.n if asked else 0, label, by, text)

    @property
    def run(self) -> Run:
        found: Run = self.store.run("r1")
        return found

    def kinds(self) -> list[Kind]:
        return [e.kind for e in self.store.entries("r1")]

    def told(self, *kinds: Kind) -> list[str]:
        """The titles of entries of these kinds, in order."""
        return [str(e.data.get("title")) for e in self.store.entries("r1") if e.kind in kinds]
