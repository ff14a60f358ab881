"""A point-in-time recovery is killed at every effect and every entry, also with what only this one has to settle."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from actions.catalog import find
from actions.engine.journal import first_broken
from actions.engine.procedure import Act, Outcome
from tests.support.kill_ways import each_undo
from tests.support.kills import KillCase, Places, carry_on, in_peace, places_of, report
from tests.support.worlds.company import SITE, WRITERS, Killed
from tests.support.worlds.founding import company
from tests.support.worlds.planned import APPROVER, DBA, Company
from tests.support.worlds.tablespaces import live_folders, with_tablespaces

TARGET = "2026-02-09 08:30:30"


def after_the_accident() -> Company:
    """Messages were deleted after 08:40; the recovery is to shortly before that. There are tablespaces too."""
    here = Company(with_tablespaces(company()))
    here.world.deletes(*range(5, 30))
    here.world.says(2)
    here.world.changes = ()
    return here


def asked() -> Company:
    here = after_the_accident()
    here.ask("postgres pitr", TARGET)
    return here


def old_world(before: Company, here: Company, after: Company) -> list[str]:
    """What of the old world is missing or changed; the run's own directories may lie beside it."""
    old, now = before.world.picture(), here.world.picture()
    found = [f"{name}: {now[name]}" for name in ("containers", "serving", "backups") if now[name] != old[name]]
    if not set(old["archive"]) <= set(now["archive"]):
        found.append("the archive lost something")
    live = here.world.dirs.get("postgres")
    if live is None or live.id != "live" or here.world.messages() != before.world.messages():
        found.append(f"the live directory is {live}")
    if live_folders(here.world) != live_folders(before.world):
        found.append(f"the tablespaces are {live_folders(here.world)}")
    if any("_before_" in leaf for leaf in (*here.world.dirs, *here.world.labels)):
        found.append(f"left behind: {[*here.world.dirs, *here.world.labels]}")
    return found


def asked_where_writers_wait() -> Company:
    here = asked()
    here.world.hold_seconds = 30
    return here


def taken_back(here: Company, title: str) -> list[str]:
    """What the undo of an act left to the undo of another one, which may come much later or fail."""
    containers, live = here.world.containers, here.world.dirs.get("postgres")
    if title.startswith("pause the writers"):
        return [f"{name} is still paused" for name in WRITERS if containers[name].state == "paused"]
    if title == "stop the old server":
        state = containers[SITE.postgres].state
        return [] if state == "running" else [f"the old server is {state}"]
    if title == "swap the data directories":
        return [] if live is not None and live.id == "live" else [f"what is live is {live}"]
    if title == "copy the base backup":
        return [f"{leaf} is still there" for leaf in here.world.dirs if "_clone_" in leaf]
    return []


CASES = (KillCase("postgres pitr", asked_where_writers_wait, old_world, taken_back, large=True),)


def recovered_in_peace() -> tuple[Company, Places]:
    return in_peace(CASES[0])


def at_the_preview(mode: str = "Pause writers and restore", asked: Callable[[], Company] = asked) -> Company:
    here = asked()
    here.work()
    here.answer(mode)
    here.work()
    assert here.run().asking
    return here


def failed_between_swap_and_resume(here: Company | None = None) -> Company:
    here = here or at_the_preview()
    here.answer("Cut over", APPROVER, SITE.postgres)
    here.world.refuses = "pg_current_xact_id"
    here.work()
    here.world.refuses = ""
    failure = here.run().failure
    assert failure is not None
    assert here.run().finished is None
    return here


def test_a_recovery_has_many_places_to_be_killed_at_and_ends_with_the_messages_of_its_target() -> None:
    model, places = recovered_in_peace()
    assert model.run().finished is Outcome.RECOVERED
    assert model.world.messages() == set(range(1, 31))
    assert set(live_folders(model.world).values()) == {f"clone of r1 at {at}" for at in ("/fast", "/gone", "/late")}
    assert len(places) > 75
    assert len(model.world.changes) > 25


@pytest.mark.deep
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


@pytest.mark.deep
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


def undone_after_the_swap(broken: str, mode: str) -> list[str]:
    """What is seen of an undo after the swap, where that of one act does nothing."""
    whole = find("postgres pitr")
    steps = tuple(
        replace(step, undo=leave) if isinstance(step, Act) and step.title == broken else step for step in whole.steps
    )
    procedure = replace(whole, steps=steps)

    def asked_of_it() -> Company:
        here = after_the_accident()
        here.find = lambda name: procedure
        here.ask("postgres pitr", TARGET)
        return here

    here, seen = failed_between_swap_and_resume(at_the_preview(mode, asked_of_it)), list[str]()
    here.undo(DBA)
    here.watch(each_undo(CASES[0], here, seen))
    here.work()
    return seen


def leave() -> None:
    """An undo that does nothing."""


@pytest.mark.parametrize("mode", ["Pause writers and restore", "Restore, keep serving"])
def test_an_undo_that_does_nothing_is_seen_at_once_though_another_one_mends_it(mode: str) -> None:
    assert undone_after_the_swap("", mode) == []
    cut_over = "pause the writers for the cut-over"
    assert undone_after_the_swap(cut_over, mode) == [
        f"once '{cut_over}' was undone: {writer} is still paused" for writer in WRITERS
    ]
    for broken in ("stop the old server", "swap the data directories", "copy the base backup"):
        assert any(text.startswith(f"once '{broken}' was undone") for text in undone_after_the_swap(broken, mode)), (
            broken
        )


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
