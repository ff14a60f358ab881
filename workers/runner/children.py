"""Carrying out a step that opens runs: opens them, has them go on, stops and undoes them with their parent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from actions.control.requests import ChildPlace, Subject, open_child
from actions.engine import facts as facts_of
from actions.engine import injection
from actions.engine.child import Child, ChildRequest
from actions.engine.children import ChildRun, Recalled
from actions.engine.errors import Busy
from actions.engine.items import Item
from actions.engine.journal import Kind
from actions.engine.line_up import line_up
from actions.engine.no_return import passed_no_return
from actions.engine.procedure import Procedure
from actions.engine.run import Run
from actions.store import notes
from actions.store.transaction import Draft
from workers.runner.step_guard import Guard
from workers.runner.step_work import StepWork

Enqueue = Callable[[str], object]
"""Tells the queue of a run. One that is lost is found by the sweep."""


SharedWriters = Callable[[str, str], Sequence[str]]
"""Of a service of a site, who writes into it and into another server too: who recovers it has them for itself."""


def nobody_told(_run: str) -> None:
    """Where there is no queue, the sweep finds what wants to go on."""


def none_shared(_service: str, _site: str) -> Sequence[str]:
    """Where no server has writers in common with another."""
    return ()


@dataclass(frozen=True)
class ChildWork:
    """Does what the steps of one run need that open others."""

    work: StepWork
    guard: Guard
    find: Callable[[str], Procedure]
    enqueue: Enqueue = nobody_told
    shared: SharedWriters = none_shared

    def begin(self, i: int, step: Child, run: Run) -> None:
        """Keep for what children are opened, as it is now; a step without a sequence opens one."""
        began, lined = self.work.store.clock(), list[dict[str, Any]]()
        trouble = self.guard(step.title, lambda: lined.extend(self._lined(i, step, run)))
        if trouble is not None:
            self.work.failed(Kind.FAILED, i, {"title": step.title}, trouble, began)
        elif lined:
            self.work.say(Kind.BEGAN, i, {"title": step.title, "items": lined})
        else:
            self._over(i, step, run, "there is nothing to open")

    def open(self, i: int, step: Child, names: Iterable[str], run: Run) -> None:
        """Open what these items need, or have their children go on. One that fails does not stop its neighbours."""
        for name in names:
            began, known = self.work.store.clock(), run.children.newest(i, name)
            says = {"title": f"{step.title}: {name}" if step.over else step.title, "item": name}
            if known is not None and known.again:
                self._go_on(i, known, says)
                continue
            trouble = self.guard(says["title"], partial(self._open, i, step, name, run, says))
            if isinstance(trouble, Busy) and self._is_child(trouble.run):
                self.work.say(Kind.PUT_OFF, i, {**says, "behind": trouble.run})
            elif trouble is not None:
                self.work.failed(Kind.FAILED, i, says, trouble, began)
        self._show(i, step)

    def _show(self, i: int, step: Child) -> None:
        run = self.work.store.run(self.work.lease.run)
        text = ", ".join(f"run {child.id} for {child.item}" for child in run.children.open(i))
        items = run.items[i]
        shown = {"step": i, "title": step.title, "done": len(items.done), "total": len(items.all)}
        notes.set_progress(self.work.store, run.id, {**shown, "text": f"waits for {text}" if text else ""})

    def gather(self, i: int, step: Child, run: Run) -> None:
        """Keep how all have ended."""
        self._over(i, step, run, "; ".join(f"{end.item}: {end.outcome}, run {end.run}" for end in run.children.ends(i)))

    def stop(self, i: int, run: Run) -> None:
        """Stop the children with their parent, at their next safe places."""
        for child in run.children.open(i):
            self._say_to(child, lambda state: None if _stands(state) else self._draft(Kind.STOP_ASKED, run))

    def recall(self, i: int, step: Child, children: Iterable[str], run: Run) -> None:
        """Have these undo what they did: at once, or once they stand, or not any more."""
        for child in (one for one in run.children.open(i) if one.id in children):
            asked = list[Recalled]()
            self._say_to(child, partial(self._recalled, run=run, asked=asked))
            says = {"title": step.title, "item": child.item, "child": child.id, "asked": str(asked[-1])}
            self.work.say(Kind.UNDO_BEGAN, i, says)

    def _recalled(self, state: Run, run: Run, asked: list[Recalled]) -> Draft | None:
        if state.finished is not None or passed_no_return(self.find(state.procedure), state):
            asked.append(Recalled.LEFT)
            return None
        if state.failure is None and not state.asking and state.undoing is None:
            asked.append(Recalled.STOP)
            return None if state.stop_asked else self._draft(Kind.STOP_ASKED, run)
        asked.append(Recalled.UNDO)
        under_way = state.undoing is not None and state.failure is None
        return None if under_way else self._draft(Kind.UNDO_ASKED, run)

    def _go_on(self, i: int, child: ChildRun, says: dict[str, Any]) -> None:
        self._say_to(child, lambda state: None if state.finished is not None else self._draft(Kind.RETRIED))
        self.work.say(Kind.BEGAN, i, {**says, "child": child.id, "resumed": True})

    def _say_to(self, child: ChildRun, judge: Callable[[Run], Draft | None]) -> None:
        self.work.heartbeat.must_hold()
        self.work.store.speak(child.id, judge)
        self.enqueue(child.id)

    def _draft(self, kind: Kind, run: Run | None = None) -> Draft:
        parent = self.work.lease.run
        return kind, None, {"by": (run.stop_asked if run is not None else "") or parent, "name": f"run {parent}"}

    def _open(self, i: int, step: Child, name: str, run: Run, says: dict[str, Any]) -> None:
        scope = self.work.scope(i, run)
        if step.over:
            kind = injection.item_type(self.work.procedure, step)
            scope["item"] = facts_of.from_json(kind, run.items[i].named(name).value)
        wanted: ChildRequest = injection.call(step.opens, scope)
        before = sum(child.item == name for child in run.children.of(i))
        told = {**says, "accepts": list(map(str, step.accepts)), "unattended": step.unattended}
        place = ChildPlace(run, self.work.lease, i, name, before, told)
        subject = Subject(wanted.site or run.site, wanted.service)
        procedure, beside = self.find(wanted.procedure), self.shared(subject.service, subject.site)
        opened = open_child(self.work.store, procedure, wanted.request, subject=subject, place=place, beside=beside)
        self.enqueue(opened.id)

    def _lined(self, i: int, step: Child, run: Run) -> list[dict[str, Any]]:
        if step.over:
            return line_up(step.lined(), self.work.scope(i, run)[step.over])
        one = Item(step.title, 1)
        return [{"name": one.name, "wave": one.wave}]

    def _is_child(self, run: str) -> bool:
        # Looked up anew: it may have been opened a moment ago.
        return any(child.id == run for child in self.work.store.run(self.work.lease.run).children.all)

    def _over(self, i: int, step: Child, run: Run, said: str) -> None:
        ends = facts_of.to_json(run.children.ends(i))
        self.work.say(Kind.DONE, i, {"title": step.title, "gives": step.gives, "fact": ends, "said": said})


def _stands(state: Run) -> bool:
    return state.finished is not None or state.failure is not None or bool(state.stop_asked)
