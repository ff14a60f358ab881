"""The mutants that change nothing anybody could see, each looked at by a person and kept with the reason."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tests.mutants.mutant import Outcome, Result

_FILE = Path(__file__).with_name("equivalent.toml")


@dataclass(frozen=True)
class Equivalent:
    """One, by its lines: a number of a line would be another one after each edit."""

    module: str
    function: str
    was: str
    now: str
    why: str

    def is_of(self, result: Result) -> bool:
        mutant = result.mutant
        return (mutant.module, mutant.function, *mutant.change()) == (self.module, self.function, self.was, self.now)


def listed() -> list[Equivalent]:
    return [Equivalent(**one) for one in tomllib.loads(_FILE.read_text()).get("mutant", [])]


def marked(results: Sequence[Result], known: Sequence[Equivalent]) -> list[Result]:
    """The results, where the survivors that are known to be no faults are told as such."""
    return [
        replace(one, outcome=Outcome.EQUIVALENT)
        if one.outcome is Outcome.SURVIVED and any(equivalent.is_of(one) for equivalent in known)
        else one
        for one in results
    ]


def stale(results: Sequence[Result], known: Sequence[Equivalent]) -> list[Equivalent]:
    """Those in the modules that were looked at, of which no mutant survives any more."""
    modules = {one.mutant.module for one in results}
    alive = [one for one in results if one.outcome is Outcome.SURVIVED]
    return [
        known_one
        for known_one in known
        if known_one.module in modules and not any(known_one.is_of(one) for one in alive)
    ]
