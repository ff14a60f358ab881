"""What is done to the worker of a procedure, everywhere. Each way gives what went wrong, in sentences."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from actions.engine.errors import RecoveryError
from actions.engine.no_return import passed_no_return
from actions.engine.procedure import Outcome
from actions.store.store import Store
from tests.support.kills import KillCase, carry_on, differences, in_peace, left_over, places_of, wrongs
from tests.support.worlds.company import Killed
from tests.support.worlds.planned import DBA, Company

Way = Callable[[KillCase, Path], list[str]]
"""`folder` is an empty one for whatever needs files."""

Halt = Callable[[Company], None]
"""Lets a worker go on until something has brought the run to a halt, or it rests."""


def killed_anywhere(case: KillCase, folder: Path) -> list[str]:
    """Killed once, anywhere: it ends as if nothing had happened."""
    model, places = in_peace(case)
    return wrongs(places, model, carry_on)


def killed_twice_at_one_place(case: KillCase, folder: Path) -> list[str]:
    """The next worker dies where the first one did, or where it comes to its end if it does not come there again."""
    model, places = in_peace(case)
    return wrongs([(f"twice {place}", _once_more(place, here)) for place, here in places], model, carry_on)


def _once_more(place: str, here: Company) -> Company:
    here.lease_runs_out()
    again = places_of(here, here.work)
    return next((copy for name, copy in again if set(name.split(", ")) & set(place.split(", "))), again[-1][1])


def lease_taken_by_another(case: KillCase, folder: Path) -> list[str]:
    """The next worker sleeps before it writes, until others have brought the run to its end: it may write nothing."""
    model, places = in_peace(case)
    found = []
    for place, here in places:
        slept: list[str] = []

        def sleep(now: str, here: Company = here, slept: list[str] = slept) -> None:
            if now.startswith("before the entry"):
                here.watch(lambda place: None)
                slept.append(now)
                carry_on(here)

        here.lease_runs_out()
        here.watch(sleep)
        why = here.work()
        if slept and why != "fenced":
            found.append(f"asleep {slept[0]}, after one was killed {place}: it was not fenced, but {why}")
        if not slept:
            carry_on(here)
        found += [f"asleep {slept}, after one was killed {place}: {text}" for text in differences(here, model)]
    return found


def stopped_and_retried(case: KillCase, folder: Path) -> list[str]:
    """Stop is pressed at any move, or while nobody works, and Retry after it: nothing is different."""
    return _retried(case, press_stop, "stopped") + _retried(case, stop_the_dead, "stopped after a kill")


def failed_and_retried(case: KillCase, folder: Path) -> list[str]:
    """Any effect fails once, before it took hold or after, and Retry is pressed: nothing is different."""
    return _retried(case, fail_before, "failed before an effect") + _retried(case, fail_after, "failed after an effect")


def _retried(case: KillCase, halt: Halt, how: str) -> list[str]:
    model, places = in_peace(case)
    found = []
    for place, here in places:
        halt(here)
        here.retry(DBA) if here.run().failure else None
        carry_on(here)
        # A spare act is left out by Stop and by a failure, and the report says so.
        wrong = left_over(here) if here.run().missed else differences(here, model)
        found += [f"{how} {place}, then retried: {text}" for text in wrong]
    return found


def press_stop(here: Company) -> None:
    """Press Stop in the middle of the next worker's first move."""

    def press(place: str) -> None:
        here.watch(lambda place: None)
        _stop(here)

    _watched(here, press)


def stop_the_dead(here: Company) -> None:
    """Press Stop while the worker is dead: the next one finds an act that was begun and not finished."""
    _stop(here)
    _watched(here, lambda place: None)


def _stop(here: Company) -> None:
    with suppress(RecoveryError):  # It has ended, or asks: there is nothing to stop.
        here.stop(DBA)


def fail_before(here: Company) -> None:
    """The next effect of the next worker does not come about."""
    _watched(here, _failing(here, "before '"))


def fail_after(here: Company) -> None:
    """The next effect of the next worker comes about, and is said to have failed."""
    _watched(here, _failing(here, "after '"))


def _failing(here: Company, when: str) -> Callable[[str], None]:
    def fail(place: str) -> None:
        if place.startswith(when):
            here.watch(lambda place: None)
            raise RecoveryError(f"It failed {place}.", hint="Retry, or Undo.")

    return fail


def _watched(here: Company, at_place: Callable[[str], None]) -> None:
    here.lease_runs_out()
    here.watch(at_place)
    here.work()
    here.watch(lambda place: None)


def stopped_and_undone(case: KillCase, folder: Path) -> list[str]:
    """Stop is pressed at any move, or while nobody works, and Undo after it: the old world comes back, while it may."""
    return _undone(case, press_stop, "stopped") + _undone(case, stop_the_dead, "stopped after a kill")


def failed_and_undone(case: KillCase, folder: Path) -> list[str]:
    """Any effect fails, before it took hold or after, and Undo is pressed: the old world comes back, while it may."""
    return _undone(case, fail_before, "failed before an effect") + _undone(case, fail_after, "failed after an effect")


def _undone(case: KillCase, halt: Halt, how: str) -> list[str]:
    found = []
    for place, before, here, after in _undoing(case, halt):
        later: list[str] = []
        here.watch(each_undo(case, here, later))
        carry_on(here)
        here.watch(lambda place: None)
        found += [f"{how} {place}, undone: {text}" for text in (*later, *_not_undone(case, before, here, after))]
    return found


def each_undo(case: KillCase, here: Company, later: list[str]) -> Callable[[str], None]:
    """Looks at the world as soon as the journal says of an act that it was undone."""
    steps = here.find(case.procedure).steps

    def look(place: str) -> None:
        if said := re.fullmatch(r"after the entry 'undone' of step (\d+)", place):
            title = steps[int(said[1])].title
            later.extend(f"once '{title}' was undone: {text}" for text in case.taken_back(here, title))

    return look


def undo_killed_anywhere(case: KillCase, folder: Path) -> list[str]:
    """Undone after any number of acts, and killed anywhere meanwhile: the same world comes back."""
    found, acts = [], 0
    for place, before, here, after in _undoing(case, fail_after):
        if len(here.run().began) <= acts:
            continue  # Nothing more is to be taken back than from the place before.
        acts = len(here.run().began)
        in_between = places_of(here, here.work)
        found += [f"failed {place}, undone: {text}" for text in _not_undone(case, before, here, after)]
        found += [f"failed {place}, undone, {text}" for text in wrongs(in_between, here, carry_on)]
    return found


def _undoing(case: KillCase, halt: Halt) -> Iterator[tuple[str, Company, Company, Company]]:
    """From each place from which it may be undone: the world before, the run to be undone, the new world."""
    before = case.asked()
    after, places = in_peace(case)
    for place, here in places:
        halt(here)
        still = here.run().finished is None and (here.run().failure or here.run().asking)
        if still and not passed_no_return(here.find(case.procedure), here.run()):
            here.undo(DBA)
            yield place, before, here, after


def _not_undone(case: KillCase, before: Company, here: Company, after: Company) -> list[str]:
    ended = here.run().finished
    found = [] if ended is Outcome.UNDONE else [f"it ended {ended}: {here.run().failure}"]
    return found + case.undone(before, here, after) + left_over(here)


def killed_on_the_real_store(case: KillCase, folder: Path) -> list[str]:
    """On a store of SQLite the worker is killed after each effect in turn, in one run; each effect is there once."""
    model = case.asked()
    carry_on(model)
    here = on_a_real_store(case.asked(), folder)
    killed: set[str] = set()

    def die_once(place: str) -> None:
        if place.startswith("after") and place not in killed:
            killed.add(place)
            raise Killed(place)

    here.world.at_place = die_once
    while here.run().finished is None and here.run().failure is None:
        with suppress(Killed):
            carry_on(here)
    here.store.dispose()
    found = [] if len(killed) == len(set(model.world.changes)) else [f"it was killed only {sorted(killed)}"]
    return found + [f"killed after each effect: {text}" for text in differences(here, model)]


def on_a_real_store(here: Company, folder: Path) -> Company:
    """The same world and request, with the journal in a store of SQLite."""
    store = Store(f"sqlite:///{folder}/mayday.db", here.world.clock)
    real = Company(here.world, store, here.find, here.toolbox)
    first, procedure = here.store.entries("r1")[0].data, here.find(here.run().procedure)
    store.open_run("r1", {**first, "claims": []}, claims=procedure.claims, key="r1", yields=procedure.yields)
    return real


WAYS: tuple[Way, ...] = (
    killed_anywhere,
    killed_twice_at_one_place,
    lease_taken_by_another,
    stopped_and_retried,
    failed_and_retried,
    stopped_and_undone,
    failed_and_undone,
    undo_killed_anywhere,
    killed_on_the_real_store,
)
"""All that is done to a procedure."""

SHORT = (killed_anywhere, stopped_and_undone)
"""What `make core` does to a large procedure, at a sample of its places; the rest is done by `make deep`."""
