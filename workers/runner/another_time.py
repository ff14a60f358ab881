"""Whether another time can be reached, looked at before a run and its clone are given up for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from actions.engine import facts as facts_of
from actions.engine import injection
from actions.engine.errors import RecoveryError, Refused
from actions.engine.journal import Kind
from actions.engine.procedure import Ask, Look, Procedure
from actions.engine.run import Run


def look_ahead(
    procedure: Procedure, i: int, run: Run, scope_of: Callable[[Look, Run], Mapping[str, Any]]
) -> tuple[Kind, dict[str, Any]]:
    """What the journal keeps of the answer to question `i` that wants another time, once that was found in reach.

    Raises:
        RecoveryError: it is not, in the words of the look that a new run would have been refused by.
    """
    ask, wanted = procedure.steps[i], run
    assert isinstance(ask, Ask)
    assert run.again is not None
    wanted = replace(run, request=run.again["request"])
    for name in ask.reaches:
        step = procedure.steps[procedure.giving(name)]
        assert isinstance(step, Look)
        found = injection.call(step.look, scope_of(step, wanted))
        wanted = replace(wanted, facts={**wanted.facts, name: facts_of.to_json(found)})
    return Kind.RECHECKED, {"title": "look whether the other time can be reached", "seen": {}, "said": "it can"}


def not_reached(i: int, run: Run, trouble: RecoveryError) -> dict[str, Any]:
    """What the journal keeps where it is not: the question is put again as it was, on the same clone."""
    typed = (run.again or {}).get("text") or "that time"
    said = " ".join(trouble.words().splitlines())
    # What is away says nothing of that time.
    seen = "cannot be reached" if isinstance(trouble, Refused) else "could not be looked for"
    why = f"'{typed}' {seen}, and nothing was given up for it. {said}"
    return {"changed": [], "why": why.rstrip("."), "redo": [], "code": trouble.code, "unreached": True}
