"""Toy procedures, small enough to see every rule of the engine alone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from actions.control import answers
from actions.engine.errors import RecoveryError, Refused
from actions.engine.facts import to_json, volatile
from actions.engine.journal import Entry, Kind
from actions.engine.procedure import Act, Ask, Look, MayAnswer, Option, OptionEffect, Outcome, Procedure, Risk, Sheet
from actions.engine.reading import Asker, Words
from actions.engine.rights import Speaker
from actions.engine.run import Run
from actions.tools.progress import Progress
from tests.support.worlds.clock import Clock
from tests.support.worlds.ledger import Ledger
from workers.runner.leased_runner import LeasedRunner


@dataclass(frozen=True)
class Paint:
    """What is asked for."""

    service: str
    colour: str


@dataclass(frozen=True)
class Wall:
    """A fact: the wall is approved, the weather is only shown."""

    bricks: int
    weather: str = volatile(default="")


@dataclass
class House:
    """The world of the toys: everything by name."""

    bricks: int = 100
    weather: str = "dry"
    paint: str = "white"
    scaffold: bool = False
    did: list[str] = field(default_factory=list)
    fails: dict[str, Exception] = field(default_factory=dict)

    def does(self, name: str) -> None:
        self.did.append(name)
        if name in self.fails:
            raise self.fails[name]


def see_wall(house: House) -> Wall:
    house.does("look")
    if house.bricks == 0:
        raise Refused("There is no wall.", hint="Build one.")
    return Wall(house.bricks, house.weather)


def put_scaffold(house: House) -> None:
    house.does("scaffold up")
    house.scaffold = True


def scaffold_stands(house: House) -> bool:
    return house.scaffold


def take_scaffold(house: House) -> None:
    house.does("scaffold down")
    house.scaffold = False


def paint(colour: str, house: House, progress: Progress) -> None:
    progress(0, 1, "stirring")
    house.does("paint")
    house.paint = colour
    progress(1, 1, "painted")


def painted(colour: str, house: House) -> bool:
    return house.paint == colour


def wash(house: House) -> None:
    house.does("wash")
    house.paint = "white"


def nothing(house: House) -> None:
    house.does("varnish")


def always(house: House) -> bool:
    return "varnish" in house.did


def wall_sheet(wall: Wall, now: datetime) -> tuple[Sheet, ...]:
    return (Sheet("Wall", (("Bricks", str(wall.bricks)), ("Weather", wall.weather))),)


def read(text: str, asker: Asker) -> Paint:
    return Paint(asker.service, text or "red")


PAINT = Procedure(
    name="paint",
    summary="Paint {service} {colour}.",
    words=Words("paint", "<colour>", ("red",), read),
    request=Paint,
    risk=Risk.DESTRUCTIVE,
    ends=Outcome.RECOVERED,
    steps=(
        Look("see the wall", see_wall, gives="wall"),
        Ask(
            "Paint it?",
            options=(Option("Yes"), Option("No", leads=OptionEffect.BACK)),
            gives="first",
            sheets=wall_sheet,
            recheck=("wall",),
        ),
        Act("put up the scaffold", put_scaffold, scaffold_stands, undo=take_scaffold),
        Act("paint", paint, painted, undo=wash, limit=timedelta(hours=1)),
        Look("see the wall again", see_wall, gives="seen"),
        Ask(
            "Varnish it?",
            options=(
                Option("Varnish", who=MayAnswer.SECOND, types="service", danger=True),
                Option("Another colour", leads=OptionEffect.AGAIN, types="when"),
                Option("Back", leads=OptionEffect.BACK),
            ),
            gives="second",
            recheck=("wall",),
        ),
        Act("varnish", nothing, always, point_of_no_return=True),
        Act("take the scaffold away", take_scaffold, lambda house: not house.scaffold),
    ),
)
PAINT.steps[7].verify.__annotations__ = {"house": House, "return": bool}  # type: ignore[union-attr]
TOOLS = {"house": House, "progress": Progress, "now": datetime}


@dataclass(frozen=True)
class YardTools:
    """What the steps of `paint` take."""

    house: House


@dataclass
class Yard:
    """A house, its journal, and the people around it."""

    procedure: Procedure = PAINT
    house: House = field(default_factory=House)
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.store: Any = Ledger(self.clock)

    @contextmanager
    def open(self, run: Run) -> Iterator[YardTools]:
        yield YardTools(self.house)

    def ask(self, text: str = "red", run: str = "r1", by: str = "U-ONCALL") -> str:
        asker = Asker(self.clock(), "UTC", None, "wall")
        data = {
            "procedure": self.procedure.name,
            "table": self.procedure.table,
            "service": "wall",
            "site": "main",
            "by": by,
            "name": "oncall",
            "request": to_json(self.procedure.words.read(text, asker)),
            "origin": {},
        }
        return str(self.store.open_run(run, data, claims=self.procedure.claims, key=run)[0])

    def work(self, find: Callable[[str], Procedure] | None = None, leaving: threading.Event | None = None) -> str:
        return LeasedRunner(self.store, find or (lambda name: self.procedure), self, "worker").carry_out("r1", leaving)

    def answer(self, label: str, by: Speaker, text: str = "", question: int = 0) -> Entry | None:
        asked = self.run.question
        return answers.answer(self.store, "r1", question or (asked.n if asked else 0), label, by, text)

    @property
    def run(self) -> Run:
        found: Run = self.store.run("r1")
        return found

    def kinds(self) -> list[Kind]:
        return [e.kind for e in self.store.entries("r1")]


def trouble(message: str = "The brush broke.") -> RecoveryError:
    return RecoveryError(message, detail="bristles everywhere", hint="Buy a new one.")
