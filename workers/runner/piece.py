"""A piece of work: an act, or one item of a loop. Both are carried out, proven, done by hand and undone alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from actions.engine import facts as facts_of
from actions.engine import injection, put_question
from actions.engine.child import Child, ChildEnd
from actions.engine.each import Each
from actions.engine.errors import Away, RecoveryError
from actions.engine.items import Item
from actions.engine.journal import Kind
from actions.engine.procedure import Act, OptionEffect, Procedure
from actions.engine.run import Run
from workers.runner.progress import Show
from workers.runner.step_guard import Guard
from workers.runner.step_work import StepWork

log = structlog.get_logger("mayday.loop")

Call = Callable[[Callable[..., Any]], Any]
"""Calls a function of the piece with what it names."""


def missed(title: str, trouble: RecoveryError) -> str:
    """What a report says first of a spare act that could not be done."""
    parts = (f"NOT DONE: {title}.", trouble.said, trouble.detail.partition("\n")[0], trouble.hint)
    return " ".join(part for part in parts if part)


@dataclass(frozen=True)
class Piece:
    """What is to be done at step `step`; of a loop, for the item of that name, from the JSON `value` of that `kind`.

    `says` names it in its entries.
    """

    step: int
    says: dict[str, Any]
    do: Callable[..., None] | None
    verify: Callable[..., bool]
    undo: Callable[..., None] | None
    limit: timedelta
    spare: bool
    by_hand: Callable[..., str] | str | None = None
    item: str = ""
    kind: Any = None
    value: Any = None
    children: tuple[ChildEnd, ...] | None = None

    @property
    def title(self) -> str:
        """What people read."""
        return str(self.says["title"])


def of_act(i: int, act: Act) -> Piece:
    """An act."""
    return Piece(i, {"title": act.title}, act.do, act.verify, act.undo, act.limit, act.spare, act.by_hand)


def of_item(procedure: Procedure, i: int, step: Each, item: Item) -> Piece:
    """One item, with the value that it had when its loop began."""
    kind = injection.item_type(procedure, step)
    says = {"title": f"{step.title}: {item.name}", "item": item.name}
    return Piece(
        i,
        says,
        step.do,
        step.verify,
        step.undo,
        step.limit,
        item.spare,
        item.by_hand or None,
        item.name,
        kind,
        item.value,
    )


def of_children(i: int, step: Child, run: Run) -> Piece:
    """What takes back the effect of the children that have ended; their own work they do in runs of their own."""
    ends, title = run.children.ends(i), {"title": step.title}
    return Piece(i, title, None, lambda: True, step.undo, step.limit, False, children=ends)


@dataclass(frozen=True)
class PieceWork:
    """Carries pieces out, each on the record before and after."""

    work: StepWork
    guard: Guard

    def carry_out(self, piece: Piece, run: Run, *, resumed: bool, show: Show | None = None) -> RecoveryError | None:
        """Begin it and do it; the trouble, if any. What came of it is for `settle` to write."""
        self.work.say(Kind.BEGAN, piece.step, {**piece.says, "resumed": resumed})
        # After an absence the work may have had its effect, so that is looked at before it is done again.
        return self.guard(
            piece.title,
            lambda: self._carry(piece, run, self._caller(piece, run, show), resumed=resumed),
            again=lambda: self._carry(piece, run, self._caller(piece, run, show), resumed=True),
        )

    def settle(self, piece: Piece, trouble: RecoveryError | None, began: datetime, **more: Any) -> None:
        """Write that it is done, was missed, has failed or was stopped."""
        done = {**piece.says, "seconds": self.work.since(began), **more}
        if trouble is None:
            self.work.say(Kind.DONE, piece.step, done)
        elif piece.spare:
            left_out = {"said": f"NOT DONE: {trouble.said}", "missed": missed(piece.title, trouble)}
            self.work.say(Kind.DONE, piece.step, {**done, **left_out})
        else:
            self.work.failed(Kind.FAILED, piece.step, piece.says, trouble, began)

    def instruct(self, piece: Piece, run: Run) -> None:
        """Tell a person what is to be done by hand. It counts as begun: they may begin as soon as they have read it."""
        began, told = self.work.store.clock(), list[put_question.Told]()
        self.work.say(Kind.BEGAN, piece.step, {**piece.says, "resumed": False})
        trouble = self.guard(piece.title, lambda: told.append(self._instruction(piece, run)))
        if trouble is not None:
            return self.settle(piece, trouble, began)
        kind, said = told[0]
        return self.work.say(kind, piece.step, {**said, **piece.says})

    def heed(self, piece: Piece, run: Run) -> None:
        """Somebody says that it is done, or cannot be. Their word is noted; what they did has to hold all the same."""
        began, said = self.work.store.clock(), run.answered or {}
        who, note = str(said.get("name") or said.get("by") or ""), str(said.get("text") or "")
        if said.get("leads") == OptionEffect.FAIL:
            hint = "Retry puts the instruction again; Undo takes back what was done."
            return self.settle(
                piece, RecoveryError(f"{who} says that it cannot be done: {note}", code="MD-RUN-031", hint=hint), began
            )
        trouble = self.guard(piece.title, lambda: _must_hold(piece, self._caller(piece, run)))
        return self.settle(piece, trouble, began, **({} if trouble else {"said": f"by hand, {who}: {note}"}))

    def undo(self, piece: Piece, run: Run) -> None:
        """Take it back."""
        undo, began = piece.undo, self.work.store.clock()
        assert undo is not None
        self.work.say(Kind.UNDO_BEGAN, piece.step, piece.says)
        trouble = self.guard(piece.title, lambda: self._caller(piece, run)(undo))
        if trouble is None:
            self.work.say(Kind.UNDONE, piece.step, {**piece.says, "seconds": self.work.since(began)})
        else:
            self.work.failed(Kind.UNDO_FAILED, piece.step, piece.says, trouble, began)

    def _caller(self, piece: Piece, run: Run, show: Show | None = None) -> Call:
        """Calls functions of the piece, each under its limit."""

        def call(function: Callable[..., Any]) -> Any:
            progress = self.work.progress(piece.step, run, piece.limit, show)
            progress.at_work(piece.title)
            scope = self.work.scope(piece.step, run, progress)
            if piece.item:
                scope["item"] = facts_of.from_json(piece.kind, piece.value)
            if piece.children is not None:
                scope["children"] = piece.children
            return injection.call(function, scope)

        return call

    def _instruction(self, piece: Piece, run: Run) -> put_question.Told:
        given = piece.by_hand
        text = self._caller(piece, run)(given) if callable(given) else str(given)
        scope = self.work.scope(piece.step, run)
        return put_question.instruct(self.work.procedure, piece.title, text, scope, run.facts)

    def _carry(self, piece: Piece, run: Run, call: Call, *, resumed: bool) -> None:
        """Work that holds already is not repeated; work that was done must be seen to hold."""
        if resumed and self._holds(piece, run, call):
            return
        assert piece.do is not None
        call(piece.do)
        _must_hold(piece, call)

    def _holds(self, piece: Piece, run: Run, call: Call) -> bool:
        try:
            return bool(call(piece.verify))
        except Away:
            # Nobody can see then whether it holds, and to believe that it does not could do it twice.
            raise
        except RecoveryError as trouble:
            log.info("not verified on resume", run=run.id, step=piece.title, detail=trouble.said)
            return False


def _must_hold(piece: Piece, call: Call) -> None:
    if not call(piece.verify):
        raise RecoveryError(
            f"'{piece.title}' was done, but its effect cannot be seen.",
            code="MD-RUN-032",
            hint="Look at the services, then press Retry or Undo.",
        )
