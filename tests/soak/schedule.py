"""Which faults a round has, when each begins and how long it lasts: drawn from the round's dice alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from actions.engine.procedure import Act
from actions.recoveries.postgres_pitr import PROCEDURE
from tests.clusters.dice import Dice

LAST_BEGINS = 100.0
"""Seconds after the request at which the last fault of a timetable begins, at the latest."""
LONGEST = 120.0
_FEWEST, _MOST = 4, 10
# A step is reached a few milliseconds after its entry; much later it has gone on.
_AFTER = (0.0, 0.005, 0.02, 0.1, 0.4, 1.5)
ACTS = tuple(step.title for step in PROCEDURE.steps if isinstance(step, Act))


@dataclass(frozen=True)
class Kind:
    """One kind of fault: how often it is drawn, how long it lasts, and in which variants.

    Of those that share a `place` one is on at a time.
    """

    name: str
    weight: float
    shortest: float
    longest: float
    place: str
    how: tuple[str, ...] = ("",)


KINDS = (
    Kind("worker killed", 4, 0.0, 6, "worker"),
    Kind("bot killed", 3, 0.0, 6, "bot"),
    Kind("both killed", 2, 0.0, 6, "both"),
    Kind("worker suspended", 1.5, 2, 25, "worker"),
    Kind("bot suspended", 1, 2, 25, "bot"),
    Kind("redis", 2, 0.0, 15, "redis", ("restarted", "emptied", "emptied and restarted", "away")),
    Kind("slack", 3, 2, 30, "slack", ("down", "down", "slow", "limited", "errors", "twice")),
    Kind("docker hangs", 3, 1, 40, "docker", ("all", "all", "commands")),
    Kind("clone paused", 2, 1, 20, "clone"),
    Kind("second worker", 2, 4, 60, "worker-2", ("leaves", "is killed")),
    Kind("second bot", 2, 4, 60, "bot-2", ("leaves", "is killed")),
)


@dataclass(frozen=True)
class Fault:
    """One fault. It begins `after` seconds after the request, or after the first entry of the act `step`."""

    kind: str
    how: str
    place: str
    step: str
    after: float
    lasts: float

    def says(self) -> str:
        """In few words."""
        when = f"at '{self.step}' + {self.after:g} s" if self.step else f"at {self.after:.1f} s"
        return f"{self.kind}{f' ({self.how})' if self.how else ''} {when} for {self.lasts:.1f} s"


def draw_faults(dice: Dice) -> tuple[Fault, ...]:
    """The timetable of a round, in the order of the draw."""
    return tuple(_drawn(dice))


def by_itself(container: str) -> Fault:
    """What nobody drew: Docker got stuck over a container that was paused; see `thaw`."""
    return Fault("docker stuck by itself", container, "", "", 0, 0)


def _drawn(dice: Dice) -> Iterator[Fault]:
    for n in range(dice.number("faults", _FEWEST, _MOST)):
        chance = dice.of(f"fault {n}")
        kind = chance.choices(KINDS, [kind.weight for kind in KINDS])[0]
        step, after = _when(chance, kind)
        lasts = kind.shortest + (kind.longest - kind.shortest) * chance.random() ** 2
        if kind.place == "docker" and chance.random() < 0.08:
            lasts = LONGEST  # Longer than the worker waits by itself, so people are told and decide.
        yield Fault(kind.name, chance.choice(kind.how), kind.place, step, after, round(lasts, 2))


def _when(chance: Random, kind: Kind) -> tuple[str, float]:
    """Half of them by the clock, half at the worst instants: just as an act begins."""
    if kind.place == "clone":
        # It runs from the replay to the promotion, and is made some tenths of a second after the step begins.
        return chance.choice(("replay to the target", "promote the clone")), round(chance.uniform(0, 6), 2)
    if chance.random() < 0.5:
        return "", round(chance.uniform(0, LAST_BEGINS) * chance.random(), 2)
    return chance.choice(ACTS), chance.choice(_AFTER)
