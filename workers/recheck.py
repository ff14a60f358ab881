"""Whether an answer still stands on what it was given for, and what to look up anew where it does not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from actions.engine import facts as facts_of
from actions.engine import wiring
from actions.engine.procedure import Ask, Look, Procedure
from actions.engine.run import Run


def changed_since(procedure: Procedure, i: int, run: Run, scope: Mapping[str, Any]) -> dict[str, str]:
    """The facts behind the answer to question `i` that are no longer so, with why where a word is needed."""
    ask, changed = procedure.steps[i], dict[str, str]()
    assert isinstance(ask, Ask)
    for name in ask.still if _begun_behind(i, run) else ask.recheck:
        step = procedure.steps[procedure.giving(name)]
        assert isinstance(step, Look)
        seen, shown = wiring.call(step.look, scope), scope[name]
        if facts_of.steady(seen) != facts_of.steady(shown):
            changed[name] = ""
        elif why := facts_of.exceeds(seen, shown):
            changed[name] = why
    return changed


def voided(procedure: Procedure, i: int, run: Run, names: Iterable[str], why: str) -> dict[str, Any]:
    """What the journal keeps: the question is put again after the looks that it stands on, as far as these can be made.

    Once an act behind it has begun, its clone may be gone; then only the facts named are looked up.
    """
    found = [*names]
    redo = {i, *map(procedure.giving, found)}
    if not _begun_behind(i, run):
        redo.update(_looks_before(procedure, i))
    return {"changed": found, "why": why, "redo": sorted(redo)}


def _begun_behind(i: int, run: Run) -> bool:
    return any(step > i for step in run.began)


def _looks_before(procedure: Procedure, i: int) -> list[int]:
    looks = []
    while i > 0 and isinstance(procedure.steps[i - 1], Look):
        i -= 1
        looks.append(i)
    return looks
