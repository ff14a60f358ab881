"""Whether an answer still stands on what it was given for, and what to look up anew where it does not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from actions.engine import facts as facts_of
from actions.engine import injection
from actions.engine.journal import Kind
from actions.engine.procedure import Ask, Look, Procedure
from actions.engine.run import Run


def look_again(
    procedure: Procedure, i: int, run: Run, scope_of: Callable[[Look], Mapping[str, Any]]
) -> tuple[Kind, dict[str, Any]]:
    """What the journal keeps of an answer to question `i`: that it is void, or that it stands, with what was seen.

    Facts that come after the first one that is no longer so are not looked up: they would be, by what is no longer so.
    The fact that was shown stays the measure for whoever looks again later, so that no approval creeps along with it;
    what was seen stands beside the answer. `scope_of` gives what a look can take, as it begins.
    """
    facts, said = dict[str, Any](), list[str]()
    for name in _behind(procedure, i, run):
        step = procedure.steps[procedure.giving(name)]
        assert isinstance(step, Look)
        scope = scope_of(step)
        seen, shown = injection.call(step.look, scope), scope[name]
        if facts_of.steady(seen) != facts_of.steady(shown):
            return Kind.VOIDED, voided(procedure, i, run, name, "")
        if why := facts_of.exceeds(seen, shown):
            return Kind.VOIDED, voided(procedure, i, run, name, why)
        facts[name] = facts_of.to_json(seen)
        if seen != shown and hasattr(seen, "says"):
            said.append(seen.says())
    title = f"look again before '{procedure.steps[i].title}'"
    return Kind.RECHECKED, {"title": title, "seen": facts, "said": "; ".join(said)}


def voided(procedure: Procedure, i: int, run: Run, changed: str, why: str) -> dict[str, Any]:
    """What the journal keeps: the question is put again after the looks that it stands on, as far as these can be made.

    Once an act behind it has begun, its clone may be gone; then only what can still be looked up is.
    """
    redo = {i, *map(procedure.giving, _behind(procedure, i, run))}
    if not _begun_behind(i, run):
        redo.update(_looks_before(procedure, i))
    return {"changed": [changed] if changed else [], "why": why, "redo": sorted(redo)}


def _behind(procedure: Procedure, i: int, run: Run) -> tuple[str, ...]:
    ask = procedure.steps[i]
    assert isinstance(ask, Ask)
    return ask.still if _begun_behind(i, run) else ask.recheck


def _begun_behind(i: int, run: Run) -> bool:
    return any(step > i for step in run.began)


def _looks_before(procedure: Procedure, i: int) -> list[int]:
    looks = []
    while i > 0 and isinstance(procedure.steps[i - 1], Look):
        i -= 1
        looks.append(i)
    return looks
