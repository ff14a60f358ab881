"""The children of a run as its own journal tells them, and what the journal of a child tells its parent.

A child's end is written into the parent's journal in the transaction of the child's last entry. So what the parent does
next is a function of its own journal alone, and no death leaves a parent that waits for a child which has ended.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from actions.engine.child import ChildEnd
from actions.engine.items import Items
from actions.engine.journal import Entry, Kind
from actions.engine.run_parts import Failure


class ChildState(StrEnum):
    """How far a child is, as far as its parent was told."""

    OPEN = "open"
    WAITING = "waiting"  # it has failed or was stopped, and a person decides
    ENDED = "ended"


class Recalled(StrEnum):
    """What an open child was asked for, since its parent is undone."""

    NOT = ""
    STOP = "stop"  # it was at work; once it stands, it is undone
    UNDO = "undo"
    LEFT = "left"  # it can no longer be undone, and goes on to its end


@dataclass(frozen=True)
class ChildRun:
    """One child. `again` says that its parent was retried since, and it is to be as well as soon as it waits."""

    id: str
    step: int
    item: str
    accepts: tuple[str, ...]
    unattended: bool = False
    state: ChildState = ChildState.OPEN
    outcome: str = ""
    words: str = ""
    again: bool = False
    recalled: Recalled = Recalled.NOT

    @property
    def ended(self) -> bool:
        """Whether it has finished."""
        return self.state is ChildState.ENDED

    @property
    def to_recall(self) -> bool:
        """Whether an undo of its parent has something to ask of it now."""
        stands = self.recalled is Recalled.STOP and self.state is ChildState.WAITING
        return not self.ended and (self.recalled is Recalled.NOT or stands)


@dataclass(frozen=True)
class Children:
    """All children that a run opened, the oldest first, and which items wait for which of them to end."""

    all: tuple[ChildRun, ...] = ()
    behind: Mapping[tuple[int, str], str] | None = None

    def of(self, step: int) -> tuple[ChildRun, ...]:
        """Those of one step."""
        return tuple(child for child in self.all if child.step == step)

    def open(self, step: int) -> tuple[ChildRun, ...]:
        """Those of one step that have not ended."""
        return tuple(child for child in self.of(step) if not child.ended)

    def newest(self, step: int, item: str) -> ChildRun | None:
        """The last one that was opened for an item."""
        return next((child for child in reversed(self.of(step)) if child.item == item), None)

    def ends(self, step: int) -> tuple[ChildEnd, ...]:
        """How the last one of each item ended, in the order in which they were opened."""
        newest = {child.item: child for child in self.of(step)}
        return tuple(ChildEnd(c.item, c.id, c.outcome, c.words) for c in newest.values() if c.ended)

    def to_open(self, step: int, items: Items) -> tuple[str, ...]:
        """The items of the wave at hand that have no child at work and wait for none to end."""
        return tuple(item.name for item in items.due if self._free(step, item.name))

    def waits(self, step: int, items: Items) -> bool:
        """Whether a child is still to end that has not failed its item."""
        return any(child.item not in items.failed for child in self.open(step))

    def _free(self, step: int, item: str) -> bool:
        other = (self.behind or {}).get((step, item))
        if any(child.id == other and not child.ended for child in self.all):
            return False
        newest = self.newest(step, item)
        return newest is None or newest.ended or (newest.again and newest.state is ChildState.WAITING)

    # As entries tell it ----------------------------------------------------------------------------

    def begun(self, entry: Entry) -> Children:
        """A child was opened, or goes on again."""
        said, known = entry.data, any(child.id == entry.data["child"] for child in self.all)
        if known:
            return self._with(said["child"], state=ChildState.OPEN, again=False)
        accepts, unattended = tuple(said.get("accepts") or ()), bool(said.get("unattended"))
        made = ChildRun(said["child"], entry.step or 0, str(said.get("item") or ""), accepts, unattended)
        return replace(self, all=(*self.all, made))

    def put_off(self, entry: Entry) -> Children:
        """One is opened only once another has ended."""
        key = (entry.step or 0, str(entry.data.get("item") or ""))
        return replace(self, behind={**(self.behind or {}), key: str(entry.data["behind"])})

    def told(self, entry: Entry) -> Children:
        """Something became of a child."""
        said = entry.data
        state = ChildState.ENDED if said.get("outcome") else ChildState.WAITING
        words = str(said.get("words") or said.get("error") or "")
        told = self._with(said["child"], state=state, outcome=str(said.get("outcome") or ""), words=words)
        # A person's retry was of the stop alone: one that has failed since waits for a person.
        return told if said.get("stopped") else told._with(said["child"], again=False)

    def recalled(self, entry: Entry) -> Children:
        """The undo of the parent asked something of a child."""
        return self._with(entry.data["child"], recalled=Recalled(entry.data["asked"]))

    def retried(self, *, stopped: bool) -> Children:
        """The parent goes on: so do those that wait, and those that its stop has still to reach."""
        halted = (ChildState.WAITING, ChildState.OPEN) if stopped else (ChildState.WAITING,)
        return replace(self, all=tuple(replace(c, again=True) if c.state in halted else c for c in self.all))

    def _with(self, child: str, **changed: Any) -> Children:
        return replace(self, all=tuple(replace(c, **changed) if c.id == child else c for c in self.all))


def settled(items: Items, child: ChildRun) -> Items:
    """The items of a step once something became of one of its children."""
    if child.ended and child.outcome in child.accepts:
        return items.settled(child.item, missed=False)
    if child.ended or (child.unattended and not child.again):
        became = f"ended as '{child.outcome}'" if child.ended else "has failed"
        hint = "Retry goes on with it" if not child.ended else "Retry asks for it anew"
        return items.fell(
            child.item, Failure(child.step, f"Run {child.id} {became}.", child.words, f"{hint}; Undo takes back.")
        )
    return items


def for_parent(first: Entry, kind: Kind, data: Mapping[str, Any]) -> tuple[str, int, dict[str, Any]] | None:
    """What an entry of a child, whose journal begins with `first`, tells its parent: that one's id, the step, the data.

    Its end, and that it waits for a person because it has failed or was stopped; None for everything else.
    """
    origin = first.data.get("origin") or {}
    # That an item has failed is said before its loop is over, and then of the whole run.
    of_item = kind is Kind.FAILED and isinstance(data.get("item"), str)
    if not origin.get("parent") or of_item or kind not in _TELLING:
        return None
    said = {"child": first.run, "item": str(origin.get("item") or ""), "procedure": first.data.get("procedure", "")}
    became = data.get("outcome") or ("stopped" if kind is Kind.STOPPED else "has failed")
    said["title"] = f"run {first.run} for {said['item']}: {became}"
    if kind is Kind.STOPPED:
        said["stopped"] = True
    for name in ("outcome", "words", "error"):
        if data.get(name):
            said[name] = str(data[name])
    return str(origin["parent"]), int(origin.get("step") or 0), said


_TELLING = (Kind.FINISHED, Kind.FAILED, Kind.UNDO_FAILED, Kind.STOPPED)
