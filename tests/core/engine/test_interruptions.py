"""The worker is killed at every effect and every journal write, forwards and while undoing; another one carries on.

At each place the world and its store are copied as they are in that instant, which is what a SIGKILL leaves
behind: no `finally` has run and the dead worker still holds the lease. A new worker then goes on from the copy.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from actions.engine.journal import first_broken
from actions.engine.no_return import passed_no_return
from actions.engine.procedure import Outcome
from actions.engine.store import Store
from tests.support.worlds.company import SITE, Killed
from tests.support.worlds.founding import company
from tests.support.worlds.planned import APPROVER, DBA, Company
from tests.support.worlds.tablespaces import live_folders, with_tablespaces

TARGET = "2026-02-09 08:30:30"
Places = list[tuple[str, Company]]


def after_the_accident() -> Company:
    """Messages were deleted after 08:40; the recovery is to shortly before that. There are tablespaces too."""
    here = Company(with_tablespaces(company()))
    here.world.deletes(*range(5, 30))
    here.world.says(2)
    here.world.changes = ()
    return here


def places_of(here: Company, work: Callable[[], object]) -> Places:
    """Do something, and keep a copy of everything at each place where a worker could die.

    Before an effect or an entry all is as it was after the one before it, so one copy serves for the two.
    """
    found: Places = [("at the beginning", here.fork())]

    def keep(place: str) -> None:
        if place.startswith("after"):
            found.append((place, here.fork()))
        else:
            found[-1] = (f"{found[-1][0]}, {place}", found[-1][1])

    here.watch(keep)
    work()
    here.watch(lambda place: None)
    return found


def carry_on(here: Company, cut_over: str = "Cut over") -> None:
    """New workers and patient people, until the run has ended or failed."""
    for _ in range(12):
        here.lease_runs_out()
        here.work()
        run = here.run()
        if run.finished or run.failure:
            return
        if run.asking and run.question is not None:
            offered = {o["label"] for o in run.question.options}
            first = offered & {"Pause writers and restore", "Commit them"}
            here.answer(first.pop()) if first else here.answer(cut_over, APPROVER, SITE.postgres)
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
    if broken := first_broken(here.store.entries("r1")):
        found.append(f"the journal: {broken}")
    return found


def report(places: Places, model: Company, go_on: Callable[[Company], None]) -> None:
    """Go on from every place; name every place from which it went wrong."""
    wrong = []
    for place, here in places:
        go_on(here)
        wrong += [f"killed {place}: {text}" for text in differences(here, model)]
    assert not wrong, "\n".join(wrong[:12])


def recovered_in_peace() -> tuple[Company, Places]:
    here = after_the_accident()
    here.ask("postgres pitr", TARGET)
    return here, places_of(here, lambda: carry_on(here))


def at_the_preview(mode: str = "Pause writers and restore") -> Company:
    here = after_the_accident()
    here.ask("postgres pitr", TARGET)
    here.work()
    here.answer(mode)
    here.work()
    assert here.run().asking
    return here


def failed_between_swap_and_resume() -> Company:
    here = at_the_preview()
    here.answer("Cut over", APPROVER, SITE.postgres)
    here.world.refuses = "pg_current_xact_id"
    here.work()
    here.world.refuses = ""
    failure = here.run().failure
    assert failure is not None
    assert here.run().finished is None
    return here


def test_killed_anywhere_a_recovery_ends_as_if_nothing_had_happened() -> None:
    model, places = recovered_in_peace()
    assert model.run().finished is Outcome.RECOVERED
    assert model.world.messages() == set(range(1, 31))
    assert set(live_folders(model.world).values()) == {f"clone of r1 at {at}" for at in ("/fast", "/gone", "/late")}
    assert len(places) > 75
    report(places, model, carry_on)


def test_killed_twice_it_still_ends_as_if_nothing_had_happened() -> None:
    model, places = recovered_in_peace()
    rng = random.Random(7)

    def killed_again(here: Company) -> None:
        left = rng.randrange(1, 12)

        def die(place: str) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                here.store.dead = True
            if left <= 0:
                raise Killed(place)

        here.watch(die)
        try:
            here.lease_runs_out()
            here.work()
        except Killed:
            pass
        here.store.dead = False
        here.watch(lambda place: None)
        carry_on(here)

    report(rng.sample(places, 30), model, killed_again)


def test_killed_anywhere_with_prepared_transactions_each_is_ended_once() -> None:
    here = after_the_accident()
    here.world.prepared = frozenset({"xfer-1", "xfer-2"})
    here.ask("postgres pitr", TARGET)
    places = places_of(here, lambda: carry_on(here))
    assert here.run().finished is Outcome.RECOVERED
    assert [c for c in here.world.changes if " prepared " in c] == [
        "commit prepared 'xfer-1'",
        "commit prepared 'xfer-2'",
    ]
    report(places[len(places) // 2 :], here, carry_on)


def test_the_configuration_is_that_of_the_answer_and_slots_are_made_again() -> None:
    for answer, setting in (("Cut over", "64MB"), ("Cut over, configuration from the backup", "4MB")):
        here = at_the_preview()
        here.answer(answer, APPROVER, SITE.postgres)
        here.work()
        assert here.run().finished is Outcome.RECOVERED
        assert f"work_mem = '{setting}'" in dict(here.world.live.config)["postgresql.auto.conf"]
        assert here.world.live.slots == {"standby1"}


def test_configuration_that_changed_since_it_was_shown_voids_the_answer() -> None:
    here = at_the_preview()
    here.world.set_dir("postgres", config=(("pg_hba.conf", "local all all peer\n"),))
    here.answer("Cut over", APPROVER, SITE.postgres)
    here.work()
    assert here.run().asking
    here.answer("Cut over", APPROVER, SITE.postgres)
    here.work()
    assert dict(here.world.live.config)["pg_hba.conf"] == "local all all peer\n"


def test_killed_anywhere_while_discarding_the_old_world_comes_back() -> None:
    model = at_the_preview()
    model.answer("Discard")
    places = places_of(model, model.work)
    assert model.run().finished is Outcome.DISCARDED
    assert len(places) > 8
    report(places, model, carry_on)


def test_killed_anywhere_while_undoing_after_the_swap_the_old_world_comes_back() -> None:
    model = failed_between_swap_and_resume()
    model.undo(DBA)
    places = places_of(model, model.work)
    assert model.run().finished is Outcome.UNDONE
    assert len(places) > 20
    report(places, model, carry_on)


def test_stopped_and_undone_from_any_place_before_new_writes_the_old_world_comes_back() -> None:
    before = after_the_accident().world
    _, places = recovered_in_peace()
    wrong = []
    for place, here in [p for p in places if p[1].run().began and not may_no_longer_be_undone(p[1])]:
        here.lease_runs_out()
        if not here.run().asking:
            here.stop()
            here.work()
        if not may_no_longer_be_undone(here):
            here.undo()
            carry_on(here)
            wrong += old_world(place, here, before)
    assert not wrong, "\n".join(wrong[:12])


def may_no_longer_be_undone(here: Company) -> bool:
    return passed_no_return(here.find(here.run().procedure), here.run())


def old_world(place: str, here: Company, before: object) -> list[str]:
    """What of the old world is missing or changed; the run's own directories may lie beside it."""
    from_before, now = before.picture(), here.world.picture()  # type: ignore[attr-defined]
    found = [] if here.run().finished is Outcome.UNDONE else [f"it ended {here.run().finished}: {here.run().failure}"]
    found += [f"{name}: {now[name]}" for name in ("containers", "serving", "backups") if now[name] != from_before[name]]
    if not set(from_before["archive"]) <= set(now["archive"]):
        found.append("the archive lost something")
    live = here.world.dirs.get("postgres")
    if live is None or live.id != "live" or here.world.messages() != before.messages():  # type: ignore[attr-defined]
        found.append(f"the live directory is {live}")
    if live_folders(here.world) != live_folders(before):  # type: ignore[arg-type]
        found.append(f"the tablespaces are {live_folders(here.world)}")
    if any("_before_" in leaf for leaf in (*here.world.dirs, *here.world.labels)):
        found.append(f"left behind: {[*here.world.dirs, *here.world.labels]}")
    return [f"undone from {place}: {text}" for text in found]


@pytest.mark.parametrize(
    ("command", "outcome"),
    [("postgres base backup", Outcome.DONE), ("postgres verify", Outcome.DONE), ("postgres window", Outcome.DONE)],
)
def test_killed_anywhere_the_small_procedures_end_as_if_nothing_had_happened(command: str, outcome: Outcome) -> None:
    model = after_the_accident()
    model.ask(command)
    places = places_of(model, model.work)
    assert model.run().finished is outcome
    report(places, model, carry_on)


def test_a_worker_that_slept_through_its_lease_is_fenced_when_it_wakes_up() -> None:
    here = at_the_preview()
    here.answer("Cut over", APPROVER, SITE.postgres)

    def sleep(place: str) -> None:
        if place.startswith("before the entry 'done'"):
            here.watch(lambda place: None)
            carry_on(here)

    here.watch(sleep)
    assert here.work() == "fenced"
    assert here.run().finished is Outcome.RECOVERED
    assert here.world.changes.count("promote") == 1
    assert first_broken(here.store.entries("r1")) is None


def test_on_the_real_store_a_worker_killed_after_each_effect_in_turn_recovers_with_each_done_once(
    memory_path: Path,
) -> None:
    world = company()
    here = Company(world, Store(f"sqlite:///{memory_path}/mayday.db", world.clock))
    here.ask("postgres pitr", "2026-02-09 08:30:30")
    killed: set[str] = set()

    def die_once(place: str) -> None:
        if place.startswith("after") and place not in killed:
            killed.add(place)
            raise Killed(place)

    world.at_place = die_once
    while here.run().finished is None and here.run().failure is None:
        with suppress(Killed):
            carry_on(here)
    here.store.dispose()
    assert here.run().finished is Outcome.RECOVERED
    assert len(killed) == len(world.changes) > 25
    assert world.messages() == set(range(1, 31))
    assert first_broken(here.store.entries("r1")) is None
