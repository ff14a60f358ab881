"""The point of no return: whether a run has passed it, and whether it may stand still on its way there."""

from __future__ import annotations

from actions.engine.procedure import Ask, OptionEffect, Procedure
from actions.engine.run import Run


def passed_no_return(procedure: Procedure, run: Run) -> bool:
    """Whether an act that cannot be taken back has begun."""
    # Begun is enough: whoever was let go may have written before the act had its end.
    return any(getattr(procedure.steps[i], "point_of_no_return", False) for i in run.began)


def may_rest(procedure: Procedure, run: Run) -> bool:
    """Whether a run may stand still between two steps until another worker comes.

    It may not from the last answer to the point of no return: the service is out of use there, and soon back. A
    countdown on the way is no such answer: it goes on by itself.
    """
    steps = list(enumerate(procedure.steps))
    asks = [i for i, step in steps if isinstance(step, Ask) and step.silence is OptionEffect.BACK]
    binds = any(getattr(step, "point_of_no_return", False) for _, step in steps)
    if not binds or not asks or asks[-1] not in run.done:
        return True
    return run.undoing is None and passed_no_return(procedure, run)
