"""A run with children: a parent that paints rooms, each by a run of its own, and whatever else parents do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from actions.control.requests import Subject, open_run
from actions.engine.child import Child, ChildEnd, ChildRequest
from actions.engine.errors import Busy
from actions.engine.journal import Entry, Kind, first_broken
from actions.engine.next_move import Wait, next_move
from actions.engine.procedure import Act, Ask, Look, Option, OptionEffect, Procedure, Risk
from actions.engine.reading import Words
from actions.engine.rights import Speaker
from actions.engine.run import Run
from actions.store.ledger import LEASE_SECONDS
from tests.support.worlds.clock import Clock
from tests.support.worlds.ledger import Ledger
from workers.runner.children import SharedWriters, none_shared
from workers.runner.leased_runner import LeasedRunner

OLGA = Speaker("U1", "Olga", may_ask=True, may_approve=True)
ROOMS = ("hall", "kitchen", "attic")


@dataclass(frozen=True)
class Painting:
    """Paint these rooms, or the one of the child."""

    rooms: tuple[str, ...] = ()


@dataclass(frozen=True)
class Chosen:
    """The rooms that are to be painted, as a look found them."""

    rooms: tuple[str, ...]

    def __iter__(self) -> Iterator[str]:
        return iter(self.rooms)


class Killed(BaseException):
    """The worker is killed."""


@dataclass
class Walls:
    """The world: which rooms are painted, what was done, what goes wrong."""

    painted: frozenset[str] = frozenset()
    did: tuple[str, ...] = ()
    fails: dict[str, Exception] = field(default_factory=dict)

    def does(self, what: str, painted: frozenset[str]) -> None:
        self.did = (*self.did, what)
        if what in self.fails:
            raise self.fails[what]
        self.painted = painted


@dataclass(frozen=True)
class FamilyTools:
    """What the steps take."""

    walls: Walls


def choose(rooms: tuple[str, ...]) -> tuple[str, ...]:
    return rooms


def paint(rooms: tuple[str, ...], walls: Walls) -> None:
    walls.does(f"paint {rooms[0]}", walls.painted | {*rooms})


def is_painted(rooms: tuple[str, ...], walls: Walls) -> bool:
    return {*rooms} <= walls.painted


def wash(rooms: tuple[str, ...], walls: Walls) -> None:
    walls.does(f"wash {rooms[0]}", walls.painted - {*rooms})


def child_for(item: str) -> ChildRequest:
    return ChildRequest("paint", Painting((item,)), item)


def same_service(item: str) -> ChildRequest:
    return ChildRequest("paint", Painting((item,)), "house")


def admire(ends: tuple[ChildEnd, ...], walls: Walls) -> None:
    walls.does("admire " + " ".join(f"{end.item}={end.outcome}" for end in ends), walls.painted | {"admired"})


def admired(walls: Walls) -> bool:
    return "admired" in walls.painted


def shut(walls: Walls) -> None:
    walls.does("shut", walls.painted - {"admired"})


def wash_all(children: tuple[ChildEnd, ...], walls: Walls) -> None:
    walls.does("wash all", walls.painted - {end.item for end in children})


WORDS = Words("paint", "", ("",), lambda text, asker: Painting((text or "hall",)))
PAINT = Procedure(
    name="paint",
    summary="Paint {service}.",
    words=WORDS,
    request=Painting,
    risk=Risk.CHANGES,
    about="house",
    steps=(Look("choose a colour", choose, gives="seen"), Act("paint", paint, is_painted, undo=wash)),
)
QUESTION = Ask("Paint it?", (Option("Yes"), Option("No", leads=OptionEffect.BACK)), gives="agreed")
ASKING = replace(PAINT, steps=(PAINT.steps[0], QUESTION, PAINT.steps[1]))
STEP = Child("paint the rooms", child_for, gives="ends", over="chosen")
PARENT = replace(
    PAINT,
    name="paint all",
    summary="Paint all of {service}.",
    steps=(
        Look("choose the rooms", choose, gives="chosen"),
        STEP,
        Act("admire it", admire, admired, undo=shut),
    ),
)
TOOLS: dict[str, Any] = {"walls": Walls}


def parent(**changed: Any) -> Procedure:
    """The parent with another step in the place of the one that opens runs."""
    return replace(PARENT, steps=(PARENT.steps[0], replace(STEP, **changed), PARENT.steps[2]))


@dataclass
class Family:
    """A store, the walls, and workers that carry out whatever is due."""

    parent: Procedure = PARENT
    child: Procedure = PAINT
    walls: Walls = field(default_factory=Walls)
    clock: Clock = field(default_factory=Clock)
    store: Any = None
    told: list[str] = field(default_factory=list)
    root: str = ""
    shared: SharedWriters = none_shared

    def __post_init__(self) -> None:
        self.store = self.store or Ledger(self.clock)

    @contextmanager
    def open(self, run: Run) -> Iterator[FamilyTools]:
        yield FamilyTools(self.walls)

    def find(self, name: str) -> Procedure:
        return self.parent if name == self.parent.name else self.child

    def ask(self, *rooms: str, service: str = "house") -> Family:
        subject, request = Subject("main", service), Painting(rooms)
        origin = {"channel": "C1"}
        self.root = open_run(self.store, self.parent, request, by=OLGA, subject=subject, origin=origin, key="root").id
        return self

    def due(self) -> list[str]:
        runs = [self.store.run(name) for name in self.store.runs(open_only=True)]
        now = self.clock()
        return [run.id for run in runs[::-1] if not isinstance(next_move(self.find(run.procedure), run, now), Wait)]

    def runner(self) -> LeasedRunner:
        told, shared = self.told.append, self.shared
        return LeasedRunner(self.store, self.find, self, "worker", away_seconds=0, enqueue=told, shared=shared)

    def carry(self, run: str) -> str:
        return self.runner().carry_out(run)

    def settle(self) -> None:
        """Carry out whatever is due, until nothing is."""
        for _ in range(100):
            due = self.due()
            if not due:
                return
            for run in due:
                self.carry(run)
        raise AssertionError(f"it never comes to rest: {due}")

    def settle_with_a_kill(self, at: int) -> bool:
        """The same, where a worker is killed at that place; whether it came to it."""
        passed = 0

        def place(_name: str) -> None:
            nonlocal passed
            passed += 1
            if passed == at:
                self.store.dead = True
                raise Killed

        self.store.at_place = place
        try:
            self.settle()
        except Killed:
            self.store.dead, self.store.at_place = False, lambda name: None
            self.clock.advance(LEASE_SECONDS + 1)
            self.settle()
            return True
        return False

    @property
    def run(self) -> Run:
        found: Run = self.store.run(self.root)
        return found

    @property
    def children(self) -> list[Run]:
        """The runs that the parent opened, as they are themselves, the oldest first."""
        runs = [self.store.run(name) for name in self.store.runs()]
        return [run for run in runs[::-1] if run.parent]

    def kinds(self, run: str = "") -> list[Kind]:
        return [entry.kind for entry in self.entries(run)]

    def entries(self, run: str = "") -> list[Entry]:
        found: list[Entry] = self.store.entries(run or self.root)
        assert first_broken(found) is None
        return found

    def busy(self, service: str) -> str:
        """Which run keeps a stranger from a service; empty where none does."""
        try:
            made = open_run(
                self.store,
                self.child,
                Painting((service,)),
                by=OLGA,
                subject=Subject("main", service),
                origin={},
                key=f"stranger {self.clock()} {service}",
            )
        except Busy as busy:
            return busy.run
        return f"none, so {made.id} has it"
