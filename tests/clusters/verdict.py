"""What came out for one cluster, in one word, with all that somebody needs to look into it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from tests.clusters.picture import Difference


class Outcome(StrEnum):
    """The classes in which clusters are counted; `FINE` are those with which a run of the test passes."""

    RIGHT = "right"
    REFUSED_AS_KNOWN = "refused as known"
    REFUSED = "refused without need"
    FAILED = "failed, live data kept"
    WRONG_AND_SAID = "wrong and said so"
    WRONG = "WRONG AND CALLED RIGHT"
    HARMED = "LIVE DATA HARMED"
    HUNG = "HUNG"
    NOT_SET_UP = "not set up"


FINE = (Outcome.RIGHT, Outcome.REFUSED_AS_KNOWN)


@dataclass(frozen=True)
class Verdict:
    """One cluster. `kinds` are those that are not the ordinary ones of their group."""

    index: int
    outcome: Outcome
    kinds: tuple[str, ...]
    target: str = ""
    way: str = ""
    why: tuple[str, ...] = ()
    story: tuple[str, ...] = ()
    seconds: float = 0.0

    def line(self) -> str:
        """One line while the test runs."""
        why = f": {self.why[0]:.220}" if self.why and self.outcome is not Outcome.RIGHT else ""
        return f"{self.index:4} {self.outcome:<24} {self.seconds:5.0f} s  {self.target}, {self.way}{why}"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of_json(cls, told: dict[str, Any]) -> Verdict:
        lists = {name: tuple(told[name]) for name in ("kinds", "why", "story")}
        return cls(**{**told, **lists, "outcome": Outcome(told["outcome"])})


def judge(found: Sequence[Difference], shown: str) -> Outcome:
    """What a recovery that ended well is worth: nothing may differ that was not said to."""
    if not found:
        return Outcome.RIGHT
    warned = [line for line in shown.splitlines() if line.startswith(("! ", "needs attention"))]
    return Outcome.WRONG_AND_SAID if all(_was_said(one, warned) for one in found) else Outcome.WRONG


def _was_said(difference: Difference, warned: Sequence[str]) -> bool:
    name = difference.name.split()[-1].rpartition(".")[2].strip('"')
    return any(name in line for line in warned)
