"""The next move of a run: a pure function of its procedure, its journal and the time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from actions.engine.child import Child
from actions.engine.each import Each
from actions.engine.items import Items
from actions.engine.procedure import Act, Ask, Look, OptionEffect, Outcome, Procedure
from actions.engine.run import Run


@dataclass(frozen=True)
class Do:
    """Carry out a look, or an act for the first time; line up the items of a loop."""

    step: int


@dataclass(frozen=True)
class Resume:
    """An act had begun: see whether it holds already, carry it out only if not."""

    step: int


@dataclass(frozen=True)
class Wave:
    """Carry out these items of a loop side by side; of those that had begun, see first whether they hold."""

    step: int
    items: tuple[str, ...]


@dataclass(frozen=True)
class OpenChildren:
    """Open the children of these items; where one waits since its parent was stopped, have it go on."""

    step: int
    items: tuple[str, ...]


@dataclass(frozen=True)
class Gather:
    """All children have ended: keep how as a fact."""

    step: int


@dataclass(frozen=True)
class Recall:
    """The run is undone: ask these children of it to stop, or to undo what they did."""

    step: int
    children: tuple[str, ...]


@dataclass(frozen=True)
class Fall:
    """A wave is over, and some of its items have failed: say so and wait."""

    step: int


@dataclass(frozen=True)
class Put:
    """Put the question, or the instruction of what is done by hand (of an item, where the step is a loop)."""

    step: int
    item: str = ""


@dataclass(frozen=True)
class Heed:
    """Somebody has answered an instruction: see whether what they did holds."""

    step: int
    item: str = ""


@dataclass(frozen=True)
class Expire:
    """Nobody answered in time: it leads back, or on with the first option."""

    step: int
    leads: OptionEffect = OptionEffect.BACK


@dataclass(frozen=True)
class Recheck:
    """Somebody answered: look again at what the answer was based on."""

    step: int


@dataclass(frozen=True)
class Renew:
    """An answer no longer stands: void it, and put its question again."""

    step: int
    why: str


@dataclass(frozen=True)
class Undo:
    """Take an act back, or one item of a loop; it may find nothing to take back."""

    step: int
    item: str = ""


@dataclass(frozen=True)
class Halt:
    """A person asked to stop: say so and wait."""

    step: int


@dataclass(frozen=True)
class Wait:
    """Nothing to do until a person speaks, or a child tells of itself."""

    why: str


@dataclass(frozen=True)
class Finish:
    """Nothing is left to do."""

    outcome: Outcome


OfChildren = OpenChildren | Gather | Recall
OfQuestions = Put | Heed | Expire | Recheck | Renew
Move = Do | Resume | Wave | Fall | OfChildren | OfQuestions | Undo | Halt | Wait | Finish


def next_move(procedure: Procedure, run: Run, now: datetime) -> Move:
    """What to do next. Total: every state of a run has exactly one answer."""
    if run.finished is not None:
        return Wait("finished")
    if run.failure is not None:
        return Wait("stopped" if run.failure.stopped else "failed")
    if run.undoing is not None:
        return _backwards(procedure, run, run.undoing)
    at = next((i for i in range(len(procedure.steps)) if i not in run.done), None)
    if at is None:
        return Finish(procedure.ends)
    if run.stop_asked and not _may_be_left_out(procedure, run, at):
        return Halt(at)
    return _outdated(procedure, run, now) or _forwards(procedure, run, at, now)


def _may_be_left_out(procedure: Procedure, run: Run, at: int) -> bool:
    """Whether whoever presses Stop now means only what is spare anyway."""
    step = procedure.steps[at]
    if isinstance(step, Each):
        return at in run.items and all(item.spare and not item.by_hand for item in run.items[at].left)
    return isinstance(step, Act) and step.spare


def _outdated(procedure: Procedure, run: Run, now: datetime) -> Renew | None:
    """The first answer that is too old, or older than a retry, while what it allowed is still to be done."""
    for i, agreed in sorted(run.agreed.items()):
        ask, at = procedure.steps[i], agreed.at
        if not isinstance(ask, Ask) or ask.stands is None or procedure.titled(ask.until) in run.done:
            continue
        if at is None:
            return Renew(i, "the run was retried since")
        if now - at > ask.stands:
            return Renew(i, f"it was given {(now - at).total_seconds() / 60:.0f} min ago")
        if at - now > ask.stands:
            # A clock was set back, or two clocks differ: how old the answer is cannot be said.
            return Renew(
                i, f"it bears a time that is {(at - now).total_seconds() / 60:.0f} min ahead of the clock here"
            )
    return None


def _forwards(procedure: Procedure, run: Run, at: int, now: datetime) -> Move:
    match procedure.steps[at]:
        case Look():
            return Do(at)
        case Act(by_hand=None):
            return Resume(at) if at in run.began else Do(at)
        case Act():
            return _by_hand(run, at)
        case Each():
            return _in_waves(run, at, run.items[at]) if at in run.items else Do(at)
        case Child():
            return _with_children(run, at, run.items[at]) if at in run.items else Do(at)
        case Ask():
            return _asking(run, at, now)


def _in_waves(run: Run, at: int, items: Items) -> Move:
    """What is done by machine first: a question to a person holds it up for as long as that person likes."""
    due = items.due
    by_machine = tuple(item.name for item in due if not item.by_hand or items.lacks(item))
    if by_machine:
        return Wave(at, by_machine)
    return _by_hand(run, at, due[0].name) if due else Fall(at)


def _with_children(run: Run, at: int, items: Items) -> Move:
    """Those that have failed are told of once nothing else is under way: a retry then finds all of them."""
    if to_open := run.children.to_open(at, items):
        return OpenChildren(at, to_open)
    if run.children.waits(at, items):
        return Wait("children")
    return Fall(at) if items.left else Gather(at)


def _by_hand(run: Run, at: int, item: str = "") -> Move:
    asked = run.question
    if asked is None or (asked.step, asked.item) != (at, item):
        return Put(at, item)
    return Heed(at, item) if run.answered is not None else Wait("asking")


def _asking(run: Run, at: int, now: datetime) -> Move:
    if run.question is None or run.question.step != at:
        return Put(at)
    # Before the expiry: an answer in time counts, though no worker came to it in time.
    if run.recheck is not None:
        return Recheck(at)
    if run.question.expires_at is None or now < run.question.expires_at:
        return Wait("asking")
    return Expire(at, OptionEffect.ON if run.question.on_silence is not None else OptionEffect.BACK)


def _backwards(procedure: Procedure, run: Run, outcome: Outcome) -> Move:
    began = [(i, step) for i in reversed(run.began) if isinstance(step := procedure.steps[i], (Act, Each, Child))]
    # What cannot be tidied up must not keep the service from people: it waits while that fails.
    for tidying in (False, True):
        for i, step in began:
            if recall := [child.id for child in run.children.of(i) if child.to_recall]:
                return Recall(i, tuple(recall))
            if run.children.open(i):
                return Wait("children")
            if step.undo is None or getattr(step, "tidies", False) is not tidying or i in run.undone:
                continue
            if not isinstance(step, Each):
                return Undo(i)
            if i in run.items and (item := run.items[i].to_undo):
                return Undo(i, item)
    return Finish(outcome)
