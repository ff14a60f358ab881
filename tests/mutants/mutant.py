"""The mutants of a module, and what came out for each."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code

from tests.mutants.guards import Source, read
from tests.mutants.operators import operators

ROOT = Path(__file__).parents[2]


class Outcome(StrEnum):
    """What came of a mutant."""

    KILLED = "killed"
    TIMED_OUT = "timed out"
    SURVIVED = "survived"
    EQUIVALENT = "equivalent"


@dataclass(frozen=True)
class Mutant:
    """A fault at one place: `operator`, applied for the `occurrence`th time in the module."""

    module: str
    operator: str
    occurrence: int
    line: int
    function: str
    guard: bool
    lines: tuple[int, ...]

    def source(self) -> str:
        """The whole module with the fault in it."""
        made = mutate_code(text(self.module), operators()[self.operator], self.occurrence)
        assert made is not None, self
        return str(made)

    def change(self) -> tuple[str, str]:
        """What it was and what it is, without indentation."""
        told = list(difflib.ndiff(text(self.module).splitlines(), self.source().splitlines()))
        was, now = ([line[2:].strip() for line in told if line.startswith(sign)] for sign in "-+")
        return " ".join(was), " ".join(now)


@dataclass(frozen=True)
class Result:
    """A mutant, what came of it, and how long that took. `by` is the test that noticed it."""

    mutant: Mutant
    outcome: Outcome
    by: str = ""
    seconds: float = 0.0


@cache
def text(module: str) -> str:
    return (ROOT / module).read_text()


@cache
def source(module: str) -> Source:
    return read(text(module))


def mutants(module: str, every: bool) -> Iterator[Mutant]:
    """Those in guard clauses, or all but what only runs at an import."""
    about, nodes = source(module), list(ast_nodes(get_ast(text(module))))
    for name, operator in operators().items():
        places = (place for node in nodes for place, _ in operator.mutation_positions(node))
        for occurrence, place in enumerate(places):
            function, guard = about.function(place), about.in_guard(place)
            if function and (guard or every):
                yield Mutant(module, name, occurrence, place[0], function, guard, tuple(about.lines(place)))
