"""What people do between the base backup and the recovery: they write, and somebody makes mistakes."""

from __future__ import annotations

import time

from tests.clusters.blows import BLOWS, Blow
from tests.clusters.case import FIRST, Case
from tests.clusters.truth import take_mark
from tests.clusters.writers import Writers


def work(case: Case) -> Writers:
    """Some blows with moments between them; the writers, who may still be at it."""
    dice, writers = case.dice, Writers(case)
    if not case.has("nobody writes"):
        case.written_to = {name for name in (FIRST, "second") if name in case.databases()}
        case.sessions = 1 if case.has("one writer") else dice.number("writers", 2, 3)
        writers.start(sorted(case.written_to), case.sessions, dice.one("pause", (0.02, 0.1, 0.5)))
        time.sleep(0.5)
    steps = dice.number("blows", 2, 5)
    marked = dice.number("the step with a mark", 0, steps - 1)
    for step in range(steps):
        blow = _possible(case, step)
        _between(case, step)
        if step == marked or dice.chance(f"mark {step}", 0.25):
            _mark(case, step, blow)
        elif blow is not None:
            blow.strike(case)
    return writers


def _mark(case: Case, step: int, blow: Blow | None) -> None:
    """A moment, then the blow: at once, as the first commit after it, or a little later."""
    # Who writes into a database that is dropped cannot be held until then: the one that holds them has to leave it.
    held = blow is not None and blow.first and blow.drops not in case.written_to
    if blow is not None and held and case.dice.chance(f"at once {step}", 0.5):
        take_mark(case, lambda: blow.strike(case), blow.drops)
        return
    take_mark(case)
    if blow is not None:
        blow.strike(case)


def _possible(case: Case, step: int) -> Blow | None:
    """The first blow of a shuffled list that this cluster can have now."""
    blows = list(BLOWS)
    case.dice.of(f"blow {step}").shuffle(blows)
    return next((blow for blow in blows if blow.needs(case)), None)


def _between(case: Case, step: int) -> None:
    """Life goes on: segments end, checkpoints come, time passes."""
    dice = case.dice
    time.sleep(dice.one(f"wait {step}", (0, 0.3, 1.0)))
    for n in range(dice.one(f"switches {step}", (0, 0, 1, 3))):
        case.sql(
            f"insert into notes values ('segment', {n}); select pg_switch_wal()"
            if _has_notes(case)
            else "select pg_switch_wal()"
        )
    if dice.chance(f"checkpoint {step}", 0.3):
        case.sql("checkpoint", "postgres")
    if dice.chance(f"sweep {step}", 0.4):
        case.sweep()


def _has_notes(case: Case) -> bool:
    return case.sql("select count(*) from pg_attribute where attrelid = to_regclass('notes') and attnum > 0") == "2"
