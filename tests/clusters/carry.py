"""The recovery, as people go through it: plan, answer, preview, approval; or discarded, or taken back."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from actions.control import answers
from actions.engine.errors import Refused
from actions.engine.journal import Kind
from actions.engine.run import Run
from actions.engine.status import RunState, state_of
from actions.steps.postgres.prepared import LEAVE
from actions.store.store import Store
from tests.clusters.aim import DISCARD, UNDO, Aim
from tests.clusters.case import Case
from tests.support.own_cluster import APPROVER, KEEP, ONCALL
from tests.support.own_cluster import CUT as CUT_OVER

_SWAP = "swap the data directories"


@dataclass(frozen=True)
class Carried:
    """How the recovery ended: its run, its state, all that people were shown, and in which words it failed."""

    run: str
    state: str
    shown: str
    trouble: str = ""
    undo_trouble: str = ""


def carry(case: Case, aim: Aim) -> Carried:
    """Ask and answer until the run has ended. A run that fails is retried once, then taken back."""
    run, shown = case.cluster.plan(aim.when), []
    for _ in range(8):
        if not run.asking:
            break
        shown.append(case.cluster.said(run.id))
        case.did(f"asked: {run.question.title if run.question else ''}")
        run = _answer(case, aim, run)
    state = state_of(run)
    shown.append(case.cluster.said(run.id))
    if state is RunState.WAITING and aim.way == UNDO:
        run = case.cluster.undo(run.id, APPROVER)
        return Carried(run.id, state_of(run), "\n".join(shown), _trouble(case, run))
    if state is RunState.FAILED:
        return _failed(case, run, shown)
    return Carried(run.id, state, "\n".join(shown), _trouble(case, run) if state is RunState.REFUSED else "")


def _answer(case: Case, aim: Aim, run: Run) -> Run:
    assert run.question is not None
    labels = [option["label"] for option in run.question.options]
    if CUT_OVER not in labels:
        return case.cluster.answer(run.id, aim.answer(labels), ONCALL)
    if aim.way == DISCARD:
        return case.cluster.answer(run.id, "Discard", ONCALL)
    stopper = threading.Thread(target=_stop_after_swap, args=(case, run.id), daemon=True)
    if aim.way == UNDO:
        stopper.start()
    return case.cluster.cut_over(run.id)


def previewed(case: Case, when: str) -> Run:
    """A recovery that asks whether to cut over."""
    run = case.cluster.plan(when)
    for label in (KEEP, LEAVE):
        assert run.question is not None, case.cluster.story(run.id)
        labels = [option["label"] for option in run.question.options]
        run = case.cluster.answer(run.id, label) if label in labels else run
    assert run.asking, case.cluster.story(run.id)
    return run


def undone_after_swap(case: Case, when: str) -> Run:
    """A recovery that somebody stops once the directories have been swapped, and takes back."""
    run = previewed(case, when)
    threading.Thread(target=_stop_after_swap, args=(case, run.id), daemon=True).start()
    run = case.cluster.cut_over(run.id)
    assert state_of(run) is RunState.WAITING, case.cluster.story(run.id)
    return case.cluster.undo(run.id, APPROVER)


def _stop_after_swap(case: Case, run: str) -> None:
    """Press Stop, as somebody does who has seen something."""
    store = Store(f"sqlite:///{case.cluster.folder / 'mayday.db'}", lambda: datetime.now(UTC))
    end = time.monotonic() + 120
    while time.monotonic() < end:
        if any(e.kind is Kind.BEGAN and e.data.get("title") == _SWAP for e in store.entries(run)):
            answers.stop(store, run, ONCALL)
            return
        time.sleep(0.05)


def _failed(case: Case, run: Run, shown: list[str]) -> Carried:
    trouble = _trouble(case, run)
    try:
        run = case.cluster.undo(run.id, APPROVER)
    except Refused as refused:
        return Carried(run.id, RunState.FAILED, "\n".join(shown), f"after the cut-over: {trouble}", refused.message)
    state = state_of(run)
    undo_trouble = "" if state in (RunState.UNDONE, RunState.DISCARDED) else _trouble(case, run) or str(state)
    return Carried(run.id, RunState.FAILED, "\n".join(shown), trouble, undo_trouble)


def _trouble(case: Case, run: Run) -> str:
    told = [e.data for e in case.cluster.store.entries(run.id) if e.data.get("error")]
    return " ".join(str(told[-1].get(part) or "") for part in ("error", "detail", "hint")) if told else ""
