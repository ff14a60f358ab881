"""The state of a run in one word, and the buttons that fit it. Slack and the command line say the same."""

from __future__ import annotations

from enum import StrEnum

from actions.engine.run import Run

RETRY, UNDO, STOP = "Retry", "Undo", "Stop"


class RunState(StrEnum):
    """What a run is doing. `waiting` was stopped by a person; `failed` waits for one after a failure."""

    PLANNING = "planning"
    ASKING = "asking"
    RUNNING = "running"
    WAITING = "waiting"
    FAILED = "failed"
    RECOVERED = "recovered"
    DONE = "done"
    UNDONE = "undone"
    DISCARDED = "discarded"
    REFUSED = "refused"


def state_of(run: Run) -> RunState:
    """The state of a run."""
    if run.finished is not None:
        return RunState(run.finished.value)
    if run.failure is not None:
        return RunState.WAITING if run.failure.stopped else RunState.FAILED
    if run.asking:
        return RunState.ASKING
    begun = run.began or run.started_at is not None or run.undoing is not None
    return RunState.RUNNING if begun else RunState.PLANNING


def labels_of(run: Run) -> tuple[str, ...]:
    """The labels of the buttons that can be pressed now."""
    if run.finished is not None:
        return ()
    if run.failure is not None:
        return (RETRY, UNDO)
    if run.asking and run.question is not None:
        return tuple(option["label"] for option in run.question.options)
    return (STOP,)


def rests(run: Run) -> bool:
    """Whether nothing will happen until a person speaks, or ever."""
    return state_of(run) not in (RunState.PLANNING, RunState.RUNNING)
