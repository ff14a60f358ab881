"""A worker's threads: several runs at a time where they do not exclude each other, and each run by one thread."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from actions.control.requests import Subject, open_run
from actions.engine.due_times import DueTime
from actions.engine.errors import Busy, Refused
from actions.engine.lanes import LANES, THREADS, Lane, lane_named, queue_name
from actions.engine.procedure import Act, Look, Outcome, Procedure
from actions.engine.run import Run
from actions.engine.served import serves, told, unserved
from actions.settings.lanes import LaneSettings
from actions.settings.schedules import ScheduleTable
from actions.settings.services import SiteTable
from actions.settings.settings import Settings
from actions.settings.site import SiteSettings
from actions.store.notes import living_workers, worker_lives
from actions.store.store import Store
from actions.store.tables import leases
from tests.support.bot_world import store_in
from tests.support.waiting import now
from tests.support.worlds.clock import Clock
from tests.support.worlds.family import OLGA, PAINT, PARENT, Painting, Walls
from workers.doctor import worker_checks
from workers.runner.leased_runner import LeasedRunner
from workers.runner.served_sites import chosen_sites, own_sites
from workers.runner.sweep import LanePlace
from workers.runner.worker import Worker, chosen_lanes

NO_REDIS = "redis://127.0.0.1:1/0"
PATIENCE = 30


class Stands:
    """What the steps take: a place where they can be held."""

    def __init__(self) -> None:
        self.amid: Callable[[str], None] = lambda what: None


def stand(rooms: tuple[str, ...], stands: Stands) -> None:
    stands.amid(rooms[0])


def stood(rooms: tuple[str, ...]) -> bool:
    return True


def seen(rooms: tuple[str, ...]) -> tuple[str, ...]:
    return rooms


STAND = replace(PAINT, name="stand", steps=(Look("look", seen, gives="seen"), Act("stand", stand, stood)))
BACKUP = replace(STAND, name="a backup", claims=False, yields=True, lane=Lane.BACKUP)
DRILL = replace(STAND, name="a drill", claims=False, lane=Lane.DRILL)
KNOWN = {procedure.name: procedure for procedure in (STAND, BACKUP, DRILL, PAINT, PARENT)}


@dataclass(frozen=True)
class HallTools:
    """What the steps take."""

    stands: Stands
    walls: Walls


@dataclass
class Hall:
    """A store, a worker without a queue, and what its runs do."""

    folder: Path
    sites: tuple[str, ...] = ("main",)
    stands: Stands = field(default_factory=Stands)
    walls: Walls = field(default_factory=Walls)

    def __post_init__(self) -> None:
        self.store = store_in(self.folder, now)
        self.worker = self.made("w1")

    def made(self, owner: str, **more: Any) -> Worker:
        def runner(site: str, lane: Lane) -> LeasedRunner:
            return LeasedRunner(self.store, self.find, self, f"{owner}:{lane}", site=site)

        worker = Worker(self.store, runner, NO_REDIS, self.find, owner, "test", self.sites, **more)
        worker.sweep.every = 0.02
        return worker

    def find(self, name: str) -> Procedure:
        return KNOWN[name]

    @contextmanager
    def open(self, run: Run) -> Iterator[HallTools]:
        yield HallTools(self.stands, self.walls)

    def ask(self, service: str, site: str = "main", procedure: Procedure = STAND, *rooms: str) -> str:
        request, subject = Painting(rooms or (service,)), Subject(site, service)
        return open_run(self.store, procedure, request, by=OLGA, subject=subject, origin={}, key=f"{site} {service}").id

    def until(self, holds: Callable[[], Any]) -> None:
        for _ in range(PATIENCE * 50):
            if holds():
                return
            threading.Event().wait(0.02)
        raise AssertionError("it never came to that")

    def leave(self) -> None:
        self.worker.leaving.set()


@pytest.fixture
def hall(memory_path: Path) -> Iterator[Hall]:
    made = Hall(memory_path, ("main", "east"))
    yield made
    made.leave()


def test_runs_of_two_services_and_of_two_sites_are_carried_out_at_the_same_time(hall: Hall) -> None:
    together = threading.Barrier(3, timeout=PATIENCE)
    hall.stands.amid = lambda what: together.wait() if what else None  # type: ignore[assignment]
    runs = [hall.ask("redis"), hall.ask("postgres"), hall.ask("postgres", "east")]
    hall.worker.keep_up()
    hall.until(lambda: all(hall.store.run(run).finished is Outcome.DONE for run in runs))


def test_a_run_whose_lease_ran_out_is_taken_by_no_other_thread_of_the_worker_that_is_in_the_middle_of_it(
    hall: Hall,
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def amid(what: str) -> None:
        begun.set()
        assert go_on.wait(PATIENCE)

    hall.stands.amid = amid
    run = hall.ask("redis")
    first = threading.Thread(target=hall.worker.carry_out, args=(run,))
    first.start()
    assert begun.wait(PATIENCE)
    with hall.store.engine.begin() as db:
        db.execute(sa.delete(leases).where(leases.c.run == run))
    assert hall.worker.carry_out(run) == "at hand"
    go_on.set()
    first.join(PATIENCE)


def test_two_of_one_service_exclude_each_other_as_ever(hall: Hall) -> None:
    hall.ask("redis")
    with pytest.raises(Busy):
        open_run(
            hall.store, STAND, Painting(("b",)), by=OLGA, subject=Subject("main", "redis"), origin={}, key="another"
        )


def test_no_run_is_carried_out_by_two_threads_whoever_is_told_of_it_and_how_often(hall: Hall) -> None:
    at_work, most, turn = Counter[str](), list[int](), threading.Lock()

    def amid(what: str) -> None:
        with turn:
            at_work[what] += 1
            most.append(at_work[what])
        threading.Event().wait(0.05)
        with turn:
            at_work[what] -= 1

    hall.stands.amid = amid
    other, runs = hall.made("w2"), [hall.ask(f"s{n}") for n in range(4)]
    told = [
        threading.Thread(target=lambda run=run, worker=worker: worker.carry_out(run), daemon=True)
        for worker in (hall.worker, other)
        for run in runs * 2
    ]
    for worker in (hall.worker, other):
        worker.keep_up()
    for thread in told:
        thread.start()
    for thread in told:
        thread.join(PATIENCE)
    hall.until(lambda: all(hall.store.run(run).finished for run in runs))
    other.leaving.set()
    assert most == [1] * 4


def test_no_lane_waits_for_another(hall: Hall) -> None:
    held, begun = threading.Event(), threading.Semaphore(0)

    def amid(what: str) -> None:
        if what.startswith("slow"):
            begun.release()
            held.wait(PATIENCE)

    hall.stands.amid = amid
    slow = [hall.ask("slow backup", "main", BACKUP), hall.ask("slow drill", "main", DRILL)]
    slow += [hall.ask(f"slow{n}") for n in range(THREADS[Lane.RECOVERY] - 1)]
    hall.worker.keep_up()
    for _ in slow:
        assert begun.acquire(timeout=PATIENCE)
    quick = hall.ask("quick")
    hall.until(lambda: hall.store.run(quick).finished)
    assert not any(hall.store.run(run).finished for run in slow)
    held.set()
    hall.until(lambda: all(hall.store.run(run).finished for run in slow))


def test_a_parent_holds_no_thread_while_its_child_is_carried_out_by_the_only_one(hall: Hall) -> None:
    """One thread for all recoveries: would the parent keep it, none of its children ever began."""
    hall.worker = hall.made("w1", threads={Lane.RECOVERY: 1})
    root = hall.ask("house", "main", PARENT, "hall", "attic")
    hall.worker.keep_up()
    hall.until(lambda: hall.store.run(root).finished)
    assert hall.store.run(root).finished is Outcome.DONE
    assert hall.walls.did[-1] == "admire hall=done attic=done"


def test_two_threads_on_a_real_store_carry_a_parent_and_its_children_to_their_ends(hall: Hall) -> None:
    together = threading.Barrier(2, timeout=PATIENCE)
    hall.worker = hall.made("w1", threads={Lane.RECOVERY: 2})
    paint = hall.walls.does

    def both(what: str, painted: frozenset[str]) -> None:
        if what.startswith("paint"):
            together.wait()
        paint(what, hall.walls.painted | painted)

    hall.walls.does = both  # type: ignore[method-assign]
    root = hall.ask("house", "main", PARENT, "hall", "attic")
    hall.worker.keep_up()
    hall.until(lambda: hall.store.run(root).finished)
    children = [run for run in hall.store.runs() if hall.store.run(run).parent == root]
    assert [hall.store.run(run).finished for run in children] == [Outcome.DONE] * 2
    assert hall.store.claims("main") == []


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_died_is_begun_anew(hall: Hall) -> None:
    died = threading.Event()

    def amid(what: str) -> None:
        if not died.is_set():
            died.set()
            raise SystemExit("out of memory")

    hall.stands.amid = amid
    hall.worker = hall.made("w1", threads={Lane.RECOVERY: 1})
    run = hall.ask("redis")
    hall.worker.keep_up()
    thread = hall.worker._kept.threads["recoveries of main, 1"]
    thread.join(PATIENCE)
    assert died.is_set()
    assert hall.store.run(run).finished is None
    hall.worker.keep_up()
    hall.until(lambda: hall.store.run(run).finished)


def test_a_worker_that_leaves_waits_for_the_end_of_the_step_and_not_for_a_backups(hall: Hall) -> None:
    begun, held = threading.Semaphore(0), threading.Event()

    def amid(what: str) -> None:
        begun.release()
        held.wait(PATIENCE)

    hall.stands.amid = amid
    run, backup = hall.ask("redis"), hall.ask("postgres", "main", BACKUP)
    hall.worker.keep_up()
    assert begun.acquire(timeout=PATIENCE)
    assert begun.acquire(timeout=PATIENCE)
    hall.leave()
    threading.Timer(0.2, held.set).start()
    hall.worker.rest()
    # The act is on the record, and the run is left to the next worker.
    assert hall.store.run(run).done == {0, 1}
    assert hall.store.run(run).finished is None
    held.clear()
    assert [name for name, thread in hall.worker._kept.threads.items() if thread.is_alive() and "recov" in name] == []
    assert backup in hall.store.runs(open_only=True)


def test_a_run_that_comes_to_another_lanes_queue_is_left_to_its_own(hall: Hall) -> None:
    backup = hall.ask("postgres", "main", BACKUP)
    answered = list[str]()
    hall.worker._own.place, hall.worker._own.runner = LanePlace("main", Lane.RECOVERY), None
    answered.append(hall.worker.carry_out(backup))
    assert answered == ["handed over"]
    hall.worker.keep_up()
    hall.until(lambda: hall.store.run(backup).finished)


def test_what_nobody_here_serves_is_left_to_others(hall: Hall) -> None:
    hall.worker.sweep.sites = ("main",)
    hall.ask("redis", "east")
    assert hall.worker.sweep.due() == {}


def test_the_sweep_gives_a_run_to_one_of_those_who_ask(hall: Hall) -> None:
    place, runs = LanePlace("main", Lane.RECOVERY), {hall.ask("a"), hall.ask("b")}
    hall.worker.sweep.every = 3600
    assert {hall.worker.sweep.take(place), hall.worker.sweep.take(place)} == runs
    assert hall.worker.sweep.take(place) == ""
    hall.worker.sweep.soon()
    assert hall.worker.sweep.take(place) in runs


# The table, and who serves what -----------------------------------------------------------------------


def test_the_queues_of_existing_installations_keep_their_names() -> None:
    assert [queue_name("main", lane) for lane in LANES] == [
        "mayday-main",
        "mayday-main-errands",
        "mayday-main-backups",
        "mayday-main-drills",
    ]
    assert LANES.keys() == {*Lane}


def test_settings_say_how_many_runs_at_a_time() -> None:
    assert Settings().lanes.threads() == THREADS
    assert Settings(lanes=LaneSettings(recoveries=5, backups=2)).lanes.threads() == {
        **THREADS,
        Lane.RECOVERY: 5,
        Lane.BACKUP: 2,
    }
    with pytest.raises(ValueError, match="recoveries"):
        LaneSettings(recoveries=0)


def test_lanes_are_named_as_people_name_them() -> None:
    assert chosen_lanes(THREADS, ()) == THREADS
    assert chosen_lanes(THREADS, ["errands", "Backup"]) == {Lane.ERRAND: 1, Lane.BACKUP: 1}
    assert lane_named("nothing") is None
    with pytest.raises(Refused, match="no lane 'nothing'"):
        chosen_lanes(THREADS, ["errands", "nothing"])


def test_a_worker_serves_the_sites_of_its_host_unless_it_is_told_others() -> None:
    sites = (SiteTable(name="lab"), SiteTable(name="twin", docker_host="unix:///x"), SiteTable(name="east"))
    far = replace_site(sites, "east", "tcp://10.0.0.5:2376")
    settings = Settings(site=SiteSettings(docker_host="unix:///x"), sites=far)
    assert own_sites(settings) == chosen_sites(settings, ()) == ("main", "twin")
    assert chosen_sites(settings, ["east", "lab", "east"]) == ("east", "lab")
    with pytest.raises(Refused) as refused:
        chosen_sites(settings, ["est"])
    assert refused.value.hint == "Write --site east"
    with pytest.raises(Refused, match="no site 'west'"):
        chosen_sites(settings, ["west"])


def replace_site(sites: tuple[SiteTable, ...], name: str, docker: str) -> tuple[SiteTable, ...]:
    return tuple(SiteTable(name=s.name, docker_host=docker if s.name == name else s.docker_host) for s in sites)


EVERY = [spec.name for spec in LANES.values()]


def test_what_nobody_serves_is_named() -> None:
    one = {"host": "ops-1", "sites": ["main"], "lanes": ["recoveries", "backups"]}
    assert serves(one, "main")
    assert serves(one, "main", Lane.BACKUP)
    assert not serves(one, "main", Lane.ERRAND)
    assert not serves(one, "east")
    assert unserved([one], ["main", "east"]) == ["errands and drills of site main", "site east"]
    both = {"host": "ops-2", "sites": ["main", "east"], "lanes": EVERY}
    assert unserved([one, both], ["main", "east"]) == []
    # One of an earlier version knows of no drills, and says nothing of lanes.
    assert unserved([{"host": "old", "site": "main"}], ["main"]) == ["drills of site main"]
    assert told(one) == "ops-1 for site main, recoveries and backups alone"
    assert told(both) == "ops-2 for sites main, east"
    assert told({"host": "here"}) == "here"
    # One that names no site takes whichever is asked for.
    assert serves({"host": "here"}, "anywhere", Lane.BACKUP)


def test_a_worker_says_with_each_heartbeat_what_it_serves_and_the_doctor_what_nobody_does(memory_path: Path) -> None:
    store = store_in(memory_path, Clock())
    settings = Settings(sites=(SiteTable(name="east", docker_host="tcp://10.0.0.5:2376"),))
    assert worker_checks.workers(settings, store).seen == "none is alive"
    one = Worker(store, lambda *place: None, NO_REDIS, lambda name: PAINT, "w1", "1.0", ("main",))  # type: ignore[arg-type,return-value]
    assert one.pulse().once()
    [said] = living_workers(store).values()
    assert (said["site"], said["sites"], said["lanes"]) == ("main", ["main"], EVERY)
    found = worker_checks.workers(settings, store)
    assert (found.ok, found.seen.split(";")[0]) == (False, "nobody serves site east")
    assert "mayday worker --site" in found.do
    worker_lives(store, "w2", {"host": "far", "sites": ["east"], "lanes": EVERY, "version": "1.0"})
    assert worker_checks.workers(settings, store).ok


def test_the_doctor_tells_of_chores_and_of_due_times_that_were_passed_over(memory_path: Path) -> None:
    clock = Clock()
    store: Store = store_in(memory_path, clock)
    table = ScheduleTable(name="nightly", cron="0 1 * * *", procedure="postgres base backup")
    settings = Settings(schedules=(table,))
    worker = Worker(store, lambda *place: None, NO_REDIS, lambda name: PAINT, "w1")  # type: ignore[arg-type,return-value]
    assert worker_checks.chores(store).ok
    chore = worker.pulse()
    chore.work = lambda: {}["nothing"]
    for _ in range(3):
        chore.once()
    found = worker_checks.chores(store)
    assert not found.ok
    assert found.seen.startswith("heartbeat of the worker on ")
    assert "3 times in a row, KeyError" in found.seen
    [due] = worker_checks.schedules(settings, store)
    assert due.ok
    assert due.seen.startswith("next ")
    store.pass_over(DueTime("nightly", clock(), "nobody looked"))
    [passed] = worker_checks.schedules(settings, store)
    assert not passed.ok
    assert passed.seen.startswith("passed over 1 in a day")
    assert "nobody looked" in passed.seen
