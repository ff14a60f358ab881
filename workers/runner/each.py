"""Carrying out a loop: its items wave by wave, those of one wave side by side, each on the record for itself."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from actions.engine.child import Child
from actions.engine.each import Each
from actions.engine.errors import Away, GaveWay, RecoveryError, Stopped
from actions.engine.items import Items
from actions.engine.journal import Kind
from actions.engine.line_up import line_up
from actions.engine.procedure import Act
from actions.engine.run import Run
from actions.store import notes
from workers.runner.piece import Piece, PieceWork, of_act, of_children, of_item
from workers.runner.side_by_side import side_by_side
from workers.runner.step_guard import Guard
from workers.runner.step_work import StepWork

SIDE_BY_SIDE = 4
"""So many items at a time: more would load the host that people wait for, and make a stop take longer."""


def piece_of(work: StepWork, i: int, item: str, run: Run) -> Piece:
    """The act at that place, or the item of that name of the loop there."""
    step = work.procedure.steps[i]
    if isinstance(step, Each):
        return of_item(work.procedure, i, step, run.items[i].named(item))
    if isinstance(step, Child):
        return of_children(i, step, run)
    assert isinstance(step, Act)
    return of_act(i, step)


@dataclass
class LoopProgress:
    """How far a loop is: its items share the one line that people see, so each says its part of it."""

    work: StepWork
    step: int
    run: Run
    done: int
    total: int
    _texts: dict[str, str] = field(default_factory=dict)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def of(self, item: str) -> Callable[[dict[str, Any]], None]:
        """What shows the progress of one item."""

        def show(shown: dict[str, Any]) -> None:
            with self._turn:
                self._texts[item] = ": ".join(part for part in (item, str(shown.get("text") or "")) if part)
                self._tell()

        return show

    def over(self, item: str) -> None:
        """One has come to its end."""
        with self._turn:
            self._texts.pop(item, None)
            self.done += 1
            self._tell()

    def _tell(self) -> None:
        title = self.work.procedure.steps[self.step].title
        shown = {"step": self.step, "title": title, "done": self.done, "total": self.total}
        notes.set_progress(self.work.store, self.run.id, {**shown, "text": " · ".join(self._texts.values())})


@dataclass
class LoopWork:
    """Carries out loops. `halts` says whether the worker leaves, so that nothing more begins."""

    work: StepWork
    guard: Guard
    halts: Callable[[Run], bool]

    def begin(self, i: int, step: Each, run: Run) -> None:
        """Line the items up, and keep them as they are now: so they stay, whatever is found in between."""
        began, lined = self.work.store.clock(), list[dict[str, Any]]()
        trouble = self.guard(step.title, lambda: lined.extend(line_up(step, self.work.scope(i, run)[step.over])))
        if trouble is not None:
            self.work.failed(Kind.FAILED, i, {"title": step.title}, trouble, began)
        elif lined:
            self.work.say(Kind.BEGAN, i, {"title": step.title, "items": lined})
        else:
            nothing = {"title": step.title, "said": "there is nothing to do it for"}
            self.work.say(Kind.DONE, i, {**nothing, "seconds": self.work.since(began)})

    def wave(self, i: int, step: Each, names: Iterable[str], run: Run) -> None:
        """Carry these out. One that fails does not stop its neighbours."""
        wave = _Wave(self, i, step, run, {name: piece_of(self.work, i, name, run) for name in names})
        began = self.work.store.clock()
        # Docker is waited for by all of them together: the tools are taken out anew once nobody uses them.
        trouble = self.guard(step.title, wave.go_on)
        if wave.broke is not None:
            raise wave.broke
        for piece in wave.left.values() if trouble is not None else ():
            PieceWork(self.work, self.guard).settle(piece, trouble, began)
        if wave.gave_way is not None:
            self.work.failed(Kind.STOPPED, i, {"title": step.title}, wave.gave_way, began)

    def fall(self, i: int, title: str, run: Run) -> None:
        """Say of the whole loop that some of its items have failed; the run waits for a person."""
        failed = run.items[i].failed
        if len(failed) == 1:
            ((name, one),) = failed.items()
            said = RecoveryError(f"{name}: {one.message}", code=one.code, detail=one.detail, hint=one.hint)
        else:
            seen = "\n".join(f"{name}: {one.said} {one.detail.partition(chr(10))[0]}" for name, one in failed.items())
            hint = "Retry goes on with these; Undo takes back what was done."
            said = RecoveryError(
                f"{len(failed)} have failed: {', '.join(failed)}.", code="MD-RUN-026", detail=seen, hint=hint
            )
        self.work.say(Kind.FAILED, i, {"title": title, "items": list(failed), **said.as_json()})


class _Wave:
    """Items of one wave on their way. `left` are those of which nothing was written yet that ends them.

    `broke` is what ends the whole execution: the lease is lost, or the store cannot be written.
    """

    def __init__(self, loop: LoopWork, i: int, step: Each, run: Run, pieces: dict[str, Piece]) -> None:
        self._loop, self._i, self._run = loop, i, run
        self._items: Items = run.items[i]
        self._began = set(self._items.began)
        # Each comes back at once where Docker is away; the wave waits.
        self._each = PieceWork(loop.work, replace(loop.guard, away_seconds=0))
        total = len(self._items.all)
        self._shown = LoopProgress(loop.work, i, run, total - len(self._items.left), total)
        self.left = pieces
        self.gave_way: GaveWay | None = None
        self.broke: BaseException | None = None

    def go_on(self) -> None:
        """Carry out those that are left.

        Raises:
            Away: some could not be, because what does the work does not answer.
        """
        came = side_by_side(self._one, list(self.left.values()), SIDE_BY_SIDE)
        self.broke = next((one.error for one in came if one.error is not None), None)
        away = next((one.value for one in came if isinstance(one.value, Away)), None)
        if away is not None and self.broke is None:
            raise away

    def _one(self, piece: Piece) -> RecoveryError | None:
        if self._loop.halts(self._run):
            return None
        began = self._loop.work.store.clock()
        trouble = self._lacks(piece) or self._stopped() or self._carried(piece)
        if isinstance(trouble, GaveWay):
            self.gave_way = trouble
        # What was stopped stands as it is; that it was is said of the whole run.
        if isinstance(trouble, Away) or (isinstance(trouble, Stopped) and not piece.spare):
            return trouble
        self._each.settle(piece, trouble, began)
        self.left.pop(piece.item)
        self._shown.over(piece.item)
        return trouble

    def _carried(self, piece: Piece) -> RecoveryError | None:
        resumed = piece.item in self._began
        self._began.add(piece.item)
        return self._each.carry_out(piece, self._run, resumed=resumed, show=self._shown.of(piece.item))

    def _stopped(self) -> Stopped | None:
        if self._run.stop_asked:
            return Stopped("Stopped by a person.", code="MD-RUN-027")
        try:
            self._loop.work.progress(self._i, self._run).must_go_on()
        except Stopped as stopped:
            return stopped
        return None

    def _lacks(self, piece: Piece) -> RecoveryError | None:
        if lacking := self._items.lacks(self._items.named(piece.item)):
            needed = ", ".join(lacking)
            return RecoveryError(
                f"It needs {needed}, which was not done.",
                code="MD-RUN-028",
                hint=f"Once {needed} is there, do it by hand.",
            )
        return None
