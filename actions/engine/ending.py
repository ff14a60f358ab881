"""The words for a run's end, where its procedure has its own: nobody reads of a swap after a restart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from actions.engine import injection
from actions.engine.procedure import Outcome, Procedure
from actions.engine.run import Run


def words_for(procedure: Procedure, run: Run, outcome: Outcome, scope: Mapping[str, Any]) -> str:
    """What the procedure says of that end; empty where it leaves that to the views.

    A function is asked only of the end that the procedure promises: its facts may not all be there otherwise.
    """
    says = procedure.says
    if callable(says):
        return str(injection.call(says, scope)) if outcome is procedure.ends else ""
    return (says or {}).get(outcome, "").replace("{service}", run.service)
