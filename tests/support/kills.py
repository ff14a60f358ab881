"""Killing the worker of any procedure everywhere: what has to hold at the end, whatever it recovers.

At each place the world and its store are copied as they are in that instant, which is what a SIGKILL leaves behind: no
`finally` has run and the dead worker still holds the lease. New workers then go on from the copy. A place is before and
after each effect and each entry, and whatever the world has in between.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from actions.engine.errors import RecoveryError
from actions.engine.journal import Kind, first_broken
from actions.engine.next_move import passed_no_return
from actions.engine.procedure import OptionEffect, Outcome
from actions.engine.store import Store
from tests.support.worlds.company import Killed
from tests.support.worlds.planned import APPROVER, DBA, ONCALL, Company

Places = list[tuple[str, Company]]
_PATIENCE = 12
"""So many times people look again; a run that has not ended by then never does."""


def old_or_new(before: Company, here: Company, after: Company) -> list[str]:
    """What is neither as it was before the run nor as it is after one that was left in peace."""
    now, old, new = here.world.picture(), before.world.picture(), after.world.picture()
    return [f"{name}: {now[name]}" for name in now if now[name] not in (old[name], new[name])]


@dataclass(frozen=True)
class KillCase:
    """How a procedure is asked for in a world that carries it, so that its worker can be killed everywhere.

    `asked` gives a new world each time, in which the run `r1` was asked for. `undone` says what is wrong with a world
    in which it was undone: from the world before the run, this one, and the one after a run in peace. Of a `large` one
    what takes seconds is left to `make deep`.
    """

    procedure: str
    asked: Callable[[], Company]
    undone: Callable[[Company, Company, Company], list[str]] = old_or_new
    large: bool = False


def places_of(here: Company, work: Callable[[], object]) -> Places:
    """Do something, and keep a copy of everything at each place where a worker could die.

    Before an effect or an entry all is as it was after the one before it, so one copy serves for the two.
    """
    found: Places = [("at the beginning", here.fork())]

    def keep(place: str) -> None:
        if place.startswith("before"):
            found[-1] = (f"{found[-1][0]}, {place}", found[-1][1])
        else:
            found.append((place, here.fork()))

    here.watch(keep)
    work()
    here.watch(lambda place: None)
    return found


def agree(here: Company) -> None:
    """Whoever may gives the first answer that leads on, and types what has to be typed."""
    run = here.run()
    assert run.question is not None
    chosen = next(option for option in run.question.options if option["leads"] == OptionEffect.ON)
    typed = {"service": run.service, "note": "as it was said"}.get(chosen["types"], "")
    here.answer(chosen["label"], APPROVER if "second" in chosen["who"] else ONCALL, typed)


def carry_on(here: Company, answer: Callable[[Company], None] = agree) -> None:
    """New workers and patient people, until the run has ended or failed."""
    for _ in range(_PATIENCE):
        here.lease_runs_out()
        here.work()
        run = here.run()
        if run.finished or run.failure:
            return
        if run.asking:
            answer(here)
    raise AssertionError(f"the run does not end: {here.said()[-4:]}")


def differences(here: Company, model: Company) -> list[str]:
    """How an interrupted run ended otherwise than the one that was left in peace."""
    ours, theirs = here.world.picture(), model.world.picture()
    found = [f"{name}: {ours[name]} instead of {theirs[name]}" for name in ours if ours[name] != theirs[name]]
    if here.run().finished is not model.run().finished:
        found.append(f"it ended {here.run().finished}, {here.run().failure}")
    if sorted(here.world.changes) != sorted(model.world.changes):
        more, less = (Counter(a.world.changes) - Counter(b.world.changes) for a, b in ((here, model), (model, here)))
        found.append(f"done again: {[*more]}, never done: {[*less]}")
    return found + left_over(here)


def left_over(here: Company) -> list[str]:
    """What no run may leave, however it ended: a broken chain, an entry twice, a claim, a lease."""
    told = here.store.entries("r1")
    found = [f"the journal: {broken}"] if (broken := first_broken(told)) else []
    done = Counter((e.step, e.data.get("item")) for e in told if e.kind is Kind.DONE)
    acts = {i for i, step in enumerate(here.find(told[0].data["procedure"]).steps) if hasattr(step, "verify")}
    found += [f"step {step} is done {n} times" for (step, _), n in done.items() if step in acts and n > 1]
    found += [f"{claim} is still held" for claim in here.store.claims(told[0].data["site"]) if claim.run == "r1"]
    return found + (["the lease is still held"] if "r1" in here.store.leased() else [])


def wrongs(places: Places, model: Company, go_on: Callable[[Company], object]) -> list[str]:
    """Go on from every place; name every place from which it went wrong."""
    found = []
    for place, here in places:
        go_on(here)
        found += [f"killed {place}: {text}" for text in differences(here, model)]
    return found


def report(places: Places, model: Company, go_on: Callable[[Company], object]) -> None:
    """The same, as an assertion."""
    found = wrongs(places, model, go_on)
    assert not found, "\n".join(found[:12])


def in_peace(case: KillCase) -> tuple[Company, Places]:
    """The run as it goes when nobody is killed, and its places."""
    here = case.asked()
    places = places_of(here, lambda: carry_on(here))
    ended, ends = here.run(), here.find(case.procedure).ends
    assert ended.finished is ends, f"left in peace it ends {ended.finished}: {ended.failure}"
    return here, places


# The ways. Each gives what went wrong, in sentences. ----------------------------------------------------


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
    """Stop is pressed at the next worker's first move, wherever that is, and Retry after it: nothing is different."""
    model, places = in_peace(case)
    found = []
    for place, here in places:
        _press_stop(here)
        here.retry(DBA) if here.run().failure else None
        carry_on(here)
        # A spare act is left out by Stop, and the report says so.
        wrong = left_over(here) if here.run().missed else differences(here, model)
        found += [f"stopped {place}, then retried: {text}" for text in wrong]
    return found


def _press_stop(here: Company) -> None:
    """Press Stop in the middle of the next worker's first move."""

    def press(place: str) -> None:
        here.watch(lambda place: None)
        with suppress(RecoveryError):  # It has ended, or asks: there is nothing to stop.
            here.stop(DBA)

    here.lease_runs_out()
    here.watch(press)
    here.work()
    here.watch(lambda place: None)


def stopped_and_undone(case: KillCase, folder: Path) -> list[str]:
    """Stop is pressed at any move, and Undo after it: the old world comes back, as long as it may."""
    found = []
    for place, before, here, after in _undoing(case):
        carry_on(here)
        found += [f"undone {place}: {text}" for text in _not_undone(case, before, here, after)]
    return found


def undo_killed_anywhere(case: KillCase, folder: Path) -> list[str]:
    """Undone after any number of acts, and killed anywhere meanwhile: the same world comes back."""
    found, acts = [], 0
    for place, before, here, after in _undoing(case):
        if len(here.run().began) <= acts:
            continue  # Nothing more is to be taken back than from the place before.
        acts = len(here.run().began)
        in_between = places_of(here, here.work)
        found += [f"undone {place}: {text}" for text in _not_undone(case, before, here, after)]
        found += [f"undone {place}, {text}" for text in wrongs(in_between, here, carry_on)]
    return found


def _undoing(case: KillCase) -> Iterator[tuple[str, Company, Company, Company]]:
    """From each place from which it may be undone: the world before, the run to be undone, the new world."""
    before = case.asked()
    after, places = in_peace(case)
    for place, here in places:
        _press_stop(here)
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


WAYS: tuple[Callable[[KillCase, Path], list[str]], ...] = (
    killed_anywhere,
    killed_twice_at_one_place,
    lease_taken_by_another,
    stopped_and_retried,
    stopped_and_undone,
    undo_killed_anywhere,
    killed_on_the_real_store,
)
"""All that is done to a procedure; `folder` is an empty one for whatever needs files."""

LONG = (killed_twice_at_one_place, lease_taken_by_another, stopped_and_retried)
"""What takes seconds where there are many places."""
