"""A loop over items: in waves, side by side, each proven, retried and undone for itself."""

from __future__ import annotations

import random
import threading
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from actions.control import answers
from actions.engine.each import Each
from actions.engine.errors import Away, Refused
from actions.engine.injection import Miswired, check
from actions.engine.journal import Kind, first_broken
from actions.engine.line_up import line_up
from actions.engine.procedure import Look, Outcome
from actions.store.ledger import LEASE_SECONDS
from actions.store.store import Store
from tests.support.worlds import services
from tests.support.worlds.clock import Clock
from tests.support.worlds.planned import ONCALL
from tests.support.worlds.services import LAST, LOOK, RESTART, STACK, START, TOOLS, Host, Room, Service, procedure
from tests.support.worlds.toys import trouble
from workers.runner.each import SIDE_BY_SIDE

TITLE = "start the services"


def room(*stack: Service, **fails: Exception) -> Room:
    """The services of that stack, and what goes wrong with some."""
    return Room(host=Host(stack or STACK, fails={f"start {name}": error for name, error in fails.items()})).ask()


def started(here: Room) -> Counter[str]:
    """How often each service was started."""
    return Counter(what for what in here.host.did if what.startswith("start "))


def test_nothing_is_begun_before_what_it_needs_is_done() -> None:
    here = room()
    assert here.work() == "finished"
    order = [what.removeprefix("start ") for what in here.host.did]
    assert order[-1] == "announce"
    for service in STACK:
        assert all(order.index(need) < order.index(service.name) for need in service.needs)
    assert set(started(here).values()) == {1}


def test_each_item_has_entries_and_a_proof_of_its_own() -> None:
    here = room()
    here.work()
    done = here.told(Kind.DONE)
    assert done[0] == "see the services"
    assert sorted(done[1:-1]) == sorted(f"{TITLE}: {s.name}" for s in STACK)
    assert done[-1] == "announce it"
    assert here.told(Kind.BEGAN)[0] == TITLE


def test_the_items_of_a_wave_are_carried_out_side_by_side() -> None:
    here = room(Service("a"), Service("b"), Service("c"))
    together = threading.Barrier(3, timeout=10)
    here.host.amid = lambda what: together.wait() if what.startswith("start") else None  # type: ignore[assignment]
    assert here.work() == "finished", here.run.failure


def test_no_more_items_are_at_work_at_a_time_than_are_good_for_the_host() -> None:
    here = room(*(Service(f"s{n}") for n in range(12)))
    at_work, most, turn = set[str](), list[int](), threading.Lock()

    def amid(what: str) -> None:
        with turn:
            at_work.add(what)
            most.append(len(at_work))
        threading.Event().wait(0.005)
        with turn:
            at_work.discard(what)

    here.host.amid = amid
    assert here.work() == "finished"
    assert 1 < max(most) <= SIDE_BY_SIDE


def test_a_failed_item_stops_no_neighbour_but_all_that_needs_it_and_a_person_decides() -> None:
    here = room(redis=trouble("It is out of memory."))
    assert here.work() == "failed"
    assert here.host.up == {"postgres"}
    assert here.run.failure is not None
    assert here.run.failure.message == "redis: It is out of memory."
    assert here.run.failure.hint == "Buy a new one."
    here.host.fails.clear()
    answers.retry(here.store, "r1", ONCALL)
    assert here.work() == "finished"
    assert started(here)["start postgres"] == 1
    assert here.host.up == {"announced", *(s.name for s in STACK)}


def test_several_failed_items_are_told_in_one_sentence_and_retried_together() -> None:
    here = room(redis=trouble("Memory."), postgres=trouble("Disk."))
    assert here.work() == "failed"
    failure = here.run.failure
    assert failure is not None
    assert failure.message.startswith("2 have failed: ")
    assert {line.split(":")[0] for line in failure.detail.splitlines()} == {"redis", "postgres"}
    here.host.fails.clear()
    answers.retry(here.store, "r1", ONCALL)
    assert here.work() == "finished"


def test_an_item_without_its_effect_has_failed() -> None:
    blind = replace(START, do=services.stop)
    here = Room(procedure(LOOK, blind)).ask()
    assert here.work() == "failed"
    assert here.run.failure is not None
    assert "cannot be seen" in here.run.failure.detail + here.run.failure.message


def test_undo_takes_back_what_was_begun_newest_first_and_nothing_else() -> None:
    here = room(auth=trouble())
    here.work()
    began = [what.removeprefix(f"{TITLE}: ") for what in here.told(Kind.BEGAN)[1:]]
    answers.undo(here.store, RESTART, "r1", ONCALL)
    assert here.work() == "finished"
    assert here.run.finished is Outcome.UNDONE
    stopped = [what.removeprefix("stop ") for what in here.host.did if what.startswith("stop ")]
    assert stopped == began[::-1]
    assert "web" not in stopped
    assert here.host.up == frozenset()


def test_an_item_that_cannot_be_taken_back_waits_and_the_others_are_taken_back_once() -> None:
    here = room(web=trouble())
    here.work()
    answers.undo(here.store, RESTART, "r1", ONCALL)
    here.host.fails["stop redis"] = trouble("It hangs.")
    assert here.work() == "failed"
    assert here.told(Kind.UNDO_FAILED) == [f"{TITLE}: redis"]
    here.host.fails.clear()
    answers.retry(here.store, "r1", ONCALL)
    assert here.work() == "finished"
    stops = Counter(what for what in here.host.did if what.startswith("stop "))
    assert set(stops.values()) == {1}
    assert here.run.finished is Outcome.UNDONE


def test_stop_takes_hold_between_items_and_retry_goes_on_with_the_rest() -> None:
    here = room()
    here.watch(lambda place: answers.stop(here.store, "r1", ONCALL) if place == "after 'start postgres'" else None)
    assert here.work() == "stopped"
    assert here.host.up <= {"postgres", "redis"}
    assert here.run.failure is not None
    assert here.run.failure.stopped
    here.watch(lambda place: None)
    answers.retry(here.store, "r1", ONCALL)
    assert here.work() == "finished"
    assert set(started(here).values()) == {1}


def test_a_worker_that_leaves_begins_no_more_items_and_the_next_goes_on() -> None:
    here = room()
    leaving = threading.Event()
    here.watch(lambda place: leaving.set() if place == "after 'start postgres'" else None)
    assert here.work(leaving) == "leaving"
    assert here.host.up <= {"postgres", "redis"}
    assert here.work() == "finished"
    assert set(started(here).values()) == {1}


def test_a_run_that_yields_stops_within_a_wave_and_says_to_whom() -> None:
    here = Room(procedure(LOOK, START, yields=True, claims=False))
    here.ask()
    data = {**here.store.entries("r1")[0].data, "service": "stack"}

    def somebody_recovers(place: str) -> None:
        if place == "after the entry 'began' of step 1" and "r2" not in here.store.journals:
            here.store.open_run("r2", data, claims=True, key="r2")

    here.watch(somebody_recovers)
    assert here.work() == "stopped"
    assert here.run.failure is not None
    assert here.host.up == frozenset()
    assert "gave way to run r2" in here.store.entries("r1")[-1].data["error"]


def test_docker_that_is_away_is_waited_for_by_the_whole_wave_and_nothing_is_done_twice() -> None:
    here = room()
    left = {"start postgres": 2, "start redis": 1}
    turn = threading.Lock()

    def amid(what: str) -> None:
        with turn:
            if left.get(what, 0) > 0:
                left[what] -= 1
                raise Away("Docker did not answer.", hint="docker info")

    here.host.amid = amid
    before = here.reopened
    assert here.work() == "finished"
    assert here.reopened > before + 1
    assert set(started(here).values()) == {1}


def test_docker_that_stays_away_fails_what_is_left_and_nothing_else() -> None:
    here = room(redis=Away("Docker did not answer.", hint="docker info"))
    here.away_seconds = 0.02
    assert here.work() == "failed"
    assert here.told(Kind.FAILED) == [f"{TITLE}: redis", TITLE]
    assert here.host.up == {"postgres"}


def test_a_cycle_is_refused_with_its_names_before_anything_is_begun() -> None:
    here = room(Service("a", ("b",)), Service("b", ("a",)), Service("c"))
    assert here.work() == "finished"
    assert here.run.finished is Outcome.REFUSED
    ended = here.store.entries("r1")[-1].data
    assert "some items wait for each other" in ended["error"]
    assert ended["detail"] == "a needs b; b needs a"
    assert here.host.did == ()


def test_what_needs_something_unknown_is_refused_before_anything_is_begun() -> None:
    here = room(Service("a", ("zz",)))
    here.work()
    assert here.run.finished is Outcome.REFUSED
    assert "a needs zz, which is not there" in here.store.entries("r1")[-1].data["error"]
    assert here.run.began == ()


def test_two_items_of_one_name_are_refused() -> None:
    with pytest.raises(Refused, match="the same name"):
        line_up(START, (Service("a"), Service("a")))


def greet(item: str, host: Host) -> None:
    host.does(f"greet {item}", lambda up: up | {item})


def greeted(item: str, host: Host) -> bool:
    return item in host.up


def before_all(item: str) -> tuple[str, ...]:
    return () if item == "first" else ("first",)


GREET = Each("greet them", "only", greet, greeted, needs=before_all)


def test_the_items_may_come_from_the_request_and_be_texts() -> None:
    here = Room(procedure(GREET)).ask("b first a")
    assert here.work() == "finished"
    assert here.host.did[0] == "greet first"
    here = Room(procedure(GREET)).ask("b a")
    assert here.work() == "failed"
    assert here.host.did == ()


def test_no_items_are_nothing_to_do() -> None:
    here = Room(procedure(GREET, LAST)).ask("")
    assert here.work() == "finished"
    assert here.told(Kind.DONE) == ["greet them", "announce it"]


def test_a_spare_item_that_fails_is_told_first_and_what_needs_it_is_left_out() -> None:
    here = room(
        Service("db"), Service("search", spare=True), Service("hints", ("search",), spare=True), search=trouble()
    )
    assert here.work() == "finished"
    assert here.run.finished is Outcome.DONE
    alerts = here.store.entries("r1")[-1].data["report"][0]["alerts"]
    assert alerts[0].startswith("NOT DONE: start the services: search. The brush broke.")
    assert alerts[1].startswith("NOT DONE: start the services: hints. It needs search, which was not done.")
    assert here.host.up == {"db", "announced"}


def test_an_item_is_not_spare_where_another_that_is_not_needs_it() -> None:
    lined = line_up(START, (Service("a", spare=True), Service("b", ("a",), spare=True), Service("c", ("b",))))
    assert [item["spare"] for item in lined] == [False, False, False]
    lined = line_up(START, (Service("a", spare=True), Service("b", ("a",), spare=True), Service("c")))
    assert [item["spare"] for item in lined] == [True, True, False]


def test_stop_leaves_out_items_that_are_spare_anyway() -> None:
    here = room(Service("hints", spare=True), Service("search", spare=True))
    here.watch(
        lambda place: answers.stop(here.store, "r1", ONCALL) if place == "after the entry 'began' of step 1" else None
    )
    assert here.work() == "finished"
    assert here.run.finished is Outcome.DONE
    assert here.run.missed


def test_stop_leaves_out_no_item_that_a_person_is_still_to_be_asked_about() -> None:
    here = room(Service("hints", spare=True), Service("router", spare=True, instruction="Switch it on at the rack."))
    here.watch(
        lambda place: answers.stop(here.store, "r1", ONCALL) if place == "after the entry 'began' of step 1" else None
    )
    assert here.work() == "stopped"
    assert here.run.question is None


def test_a_loop_goes_on_with_the_items_that_it_began_with() -> None:
    here = room(redis=trouble())
    here.work()
    here.host.stack = (*STACK, Service("newcomer"))
    here.host.fails.clear()
    answers.retry(here.store, "r1", ONCALL)
    here.work()
    assert "newcomer" not in here.host.up


def test_what_a_loop_runs_over_is_part_of_the_table() -> None:
    other = replace(START, over="only")
    assert procedure(LOOK, START).table != procedure(LOOK, other).table


# Wiring ------------------------------------------------------------------------------------------


def see_names(host: Host) -> tuple[int, ...]:
    return ()


def see_wrong(host: Host) -> Host:
    return host


def see_by_name(host: Host) -> dict[str, Service]:
    return {}


class Titled:
    """An item whose name is made when it is asked for."""

    @property
    def name(self) -> str:
        return "made"


def see_titled(host: Host) -> tuple[Titled, ...]:
    return (Titled(),)


def takes_text(item: str) -> bool:
    return True


def takes_titled(item: Titled) -> bool:
    return True


def test_a_loop_that_fits_together_is_fine() -> None:
    check(RESTART, TOOLS)
    check(procedure(GREET), TOOLS)
    of_titled = Each("see them", "services", takes_titled, takes_titled)
    check(procedure(replace(LOOK, look=see_titled), of_titled), TOOLS)


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        ((START,), "nobody gives 'services'"),
        ((START, LOOK), "nobody gives 'services' at this point"),
        ((replace(LOOK, look=see_wrong), START), "does not say what it is a sequence of"),
        ((replace(LOOK, look=see_by_name), START), "does not say what it is a sequence of"),
        ((replace(LOOK, look=see_names), START), "neither a text nor has it a name"),
        ((LOOK, replace(START, verify=takes_text)), "'item' is .*Service.*, not .*str"),
        ((LOOK, replace(START, needs=takes_text)), "'item' is .*Service.*, not .*str"),
        ((LOOK, replace(START, spare=takes_text)), "'item' is .*Service.*, not .*str"),
        ((replace(LOOK, gives="others"), START), "nobody gives 'services'"),
    ],
)
def test_a_loop_that_does_not_fit_is_found_at_import(steps: tuple[Look | Each, ...], why: str) -> None:
    with pytest.raises(Miswired, match=why):
        check(procedure(*steps), TOOLS)


# Killed anywhere -----------------------------------------------------------------------------------


def places_of(here: Room) -> list[tuple[str, Room]]:
    """Work, and keep a copy of everything at each place where the worker could die."""
    found: list[tuple[str, Room]] = []
    here.watch(lambda place: found.append((place, here.fork())))
    here.work()
    here.watch(lambda place: None)
    return found


def test_killed_anywhere_each_item_is_done_once_and_the_run_ends_as_if_nothing_had_happened() -> None:
    model = room()
    places = places_of(model)
    assert model.run.finished is Outcome.DONE
    assert len(places) > 35
    for place, here in places:
        here.work()
        assert here.run.finished is Outcome.DONE, place
        assert here.host.up == model.host.up, place
        assert set(Counter(here.host.did).values()) == {1}, place
        assert first_broken(here.store.entries("r1")) is None, place


def test_killed_anywhere_beside_a_failed_item_the_same_items_are_left() -> None:
    model = room(redis=trouble())
    places = places_of(model)
    for place, here in places:
        assert here.work() == "failed", place
        assert here.host.up == {"postgres"}, place
        assert here.run.failure == model.run.failure, place
        here.host.fails.clear()
        answers.retry(here.store, "r1", ONCALL)
        assert here.work() == "finished", place
        assert set(started(here).values()) == {1}, place


def test_killed_anywhere_while_undoing_all_is_taken_back() -> None:
    model = room(web=trouble())
    model.work()
    answers.undo(model.store, RESTART, "r1", ONCALL)
    places = places_of(model)
    assert len(places) > 20
    for place, here in places:
        here.work()
        assert here.run.finished is Outcome.UNDONE, place
        assert here.host.up == frozenset(), place
        assert first_broken(here.store.entries("r1")) is None, place


def test_undone_from_any_place_nothing_is_left() -> None:
    for place, here in places_of(room()):
        if here.run.finished is not None:
            continue
        answers.stop(here.store, "r1", ONCALL)
        here.work()
        if here.run.finished is None:
            answers.undo(here.store, RESTART, "r1", ONCALL)
            here.work()
            assert here.run.finished is Outcome.UNDONE, place
            assert here.host.up <= {"announced"}, place


def test_on_the_real_store_many_items_write_one_unbroken_journal(tmp_path: Path) -> None:
    clock = Clock()
    store = Store(f"sqlite:///{tmp_path}/mayday.db", clock)
    here = Room(host=Host(tuple(Service(f"s{n}") for n in range(20))), clock=clock, store=store).ask()
    assert here.work() == "finished", here.run.failure
    assert len(here.host.up) == 21
    assert set(Counter(here.host.did).values()) == {1}
    assert first_broken(store.entries("r1")) is None
    assert [entry.n for entry in store.entries("r1")] == list(range(1, len(store.entries("r1")) + 1))
    store.dispose()


def test_a_worker_that_lost_its_lease_amid_a_wave_writes_nothing_more_and_the_next_one_goes_on() -> None:
    here = room()

    def taken_over(place: str) -> None:
        if place == "before the entry 'done' of step 1":
            here.watch(lambda place: None)
            here.clock.advance(LEASE_SECONDS + 1)
            assert here.store.acquire("r1", "another") is not None

    here.watch(taken_over)
    assert here.work() == "fenced"
    told = len(here.store.entries("r1"))
    assert here.work() == "finished"
    assert len(here.store.entries("r1")) > told
    assert set(started(here).values()) == {1}
    assert first_broken(here.store.entries("r1")) is None


def test_a_store_that_cannot_be_written_ends_the_execution_and_fails_no_item() -> None:
    here = room()

    def away(place: str) -> None:
        if place == "before the entry 'done' of step 1":
            raise OperationalError("insert", {}, Exception("disk full"))

    here.watch(away)
    with pytest.raises(OperationalError):
        here.work()
    assert Kind.FAILED not in here.kinds()
    here.watch(lambda place: None)
    assert here.work() == "finished"
    assert set(started(here).values()) == {1}


def test_an_item_that_is_stopped_amid_its_work_has_not_failed_and_is_taken_up_again() -> None:
    here = room(Service("a"))

    def at_place(place: str) -> None:
        if place == "after the entry 'began' of step 1" and here.run.items and here.run.items[1].began:
            answers.stop(here.store, "r1", ONCALL)

    here.watch(at_place)
    assert here.work() == "stopped"
    assert here.host.did == ()
    assert Kind.FAILED not in here.kinds()
    here.watch(lambda place: None)
    answers.retry(here.store, "r1", ONCALL)
    assert here.work() == "finished"


def test_each_item_has_the_limit_for_itself() -> None:
    here = Room(procedure(LOOK, replace(START, limit=timedelta(0))), Host((Service("a"), Service("b")))).ask()
    assert here.work() == "failed"
    assert here.run.failure is not None
    assert here.run.failure.detail.count("longer than its limit") == 2


def test_how_far_a_loop_is_counts_its_items_and_names_those_at_work() -> None:
    here = room()
    seen: list[dict[str, Any]] = []
    here.host.amid = lambda what: seen.append(here.store.note("progress", "r1")) if what == "start web" else None
    here.work()
    assert (seen[0]["done"], seen[0]["total"], seen[0]["text"]) == (4, 5, "web: starting")


def test_killed_twice_each_item_is_still_done_once() -> None:
    rng = random.Random(7)
    for place, here in rng.sample(places_of(room()), 20):
        again = [one for one in places_of(here) if one[1].run.finished is None]
        for second, there in rng.sample(again, min(5, len(again))):
            there.work()
            assert there.run.finished is Outcome.DONE, f"{place}, then {second}"
            assert set(Counter(there.host.did).values()) == {1}, f"{place}, then {second}"
