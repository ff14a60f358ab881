"""Killing the worker of any procedure everywhere: what has to hold at the end, whatever it recovers.

At each place the world and its store are copied as they are in that instant, which is what a SIGKILL leaves behind: no
`finally` has run and the dead worker still holds the lease. New workers then go on from the copy. A place is before and
after each effect and each entry, and whatever the world has in between.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from actions.engine.journal import Kind, first_broken
from actions.engine.procedure import OptionEffect
from tests.support.worlds.planned import APPROVER, ONCALL, Company

Places = list[tuple[str, Company]]
_PATIENCE = 12
"""So many times people look again; a run that has not ended by then never does."""


def old_or_new(before: Company, here: Company, after: Company) -> list[str]:
    """What is neither as it was before the run nor as it is after one that was left in peace."""
    now, old, new = here.world.picture(), before.world.picture(), after.world.picture()
    return [f"{name}: {now[name]}" for name in now if now[name] not in (old[name], new[name])]


def nothing_more(here: Company, title: str) -> list[str]:
    """Where only the end of an undo is looked at."""
    return []


@dataclass(frozen=True)
class KillCase:
    """How a procedure is asked for in a world that carries it, so that its worker can be killed everywhere.

    `asked` gives a new world each time, in which the run `r1` was asked for. `undone` says what is wrong with a world
    in which it was undone: from the world before the run, this one, and the one after a run in peace. `taken_back` says
    what is wrong at the moment in which the journal says of an act, by its title, that it was undone: what another undo
    would mend later. Of a `large` one
    what takes seconds is left to `make deep`.
    """

    procedure: str
    asked: Callable[[], Company]
    undone: Callable[[Company, Company, Company], list[str]] = old_or_new
    taken_back: Callable[[Company, str], list[str]] = nothing_more
    large: bool = False
    every: int = 1
    """Of the places where it is killed, each so many-th alone: a sample, where all are tried elsewhere."""


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
    return here, places[:: case.every]
