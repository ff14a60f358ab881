"""Finding a fact by what it is to those who tell of a run, whatever its procedure calls it."""

from __future__ import annotations

from typing import Any

from actions.engine.procedure import FactRole, Look, Procedure
from actions.engine.run import Run


def role_of(procedure: Procedure | None, fact: str) -> FactRole | None:
    """The role of the fact of that name; None where it has none, or where this version does not know the procedure."""
    looks = (step for step in procedure.steps if isinstance(step, Look)) if procedure is not None else ()
    return next((look.role for look in looks if look.gives == fact), None)


def fact_with(procedure: Procedure | None, run: Run, role: FactRole) -> dict[str, Any]:
    """The JSON of a run's fact with that role, of the last look that has found one; empty where none has yet."""
    looks = [step for step in procedure.steps if isinstance(step, Look)] if procedure is not None else []
    found = (run.facts[look.gives] for look in reversed(looks) if look.role is role and look.gives in run.facts)
    fact = next(found, None)
    return fact if isinstance(fact, dict) else {}
