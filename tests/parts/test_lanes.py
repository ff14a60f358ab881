"""The two lanes of a worker on a real Redis: an errand is done at once while a recovery takes its time."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from actions.catalog import find as find_errand
from actions.engine.lanes import Lane
from actions.engine.procedure import Procedure
from actions.engine.run import Run
from actions.incidents import open_errands
from actions.incidents.alert_grouping import Rules
from actions.incidents.incident_actions import known
from actions.incidents.kept_events import keep_event
from actions.incidents.open_errands import open_errand
from actions.incidents.take_in_events import take_in
from actions.store.store import Store
from tests.core.incidents.test_errands import OLGA
from tests.support.bot_world import store_in
from tests.support.own_redis import own_redis
from tests.support.practice_bot import eventually
from tests.support.waiting import now
from tests.support.worlds.pagerduty import PagerDutyWorld, WorldErrands
from tests.support.worlds.pages import body, event
from tests.support.worlds.toys import PAINT, House, YardTools
from workers.runner.leased_runner import LeasedRunner
from workers.runner.queue import enqueue
from workers.runner.worker import Worker

pytestmark = [
    pytest.mark.parts,
    pytest.mark.skipif(shutil.which("redis-server") is None, reason="no Redis on this machine"),
]


@pytest.fixture
def redis() -> Iterator[str]:
    with own_redis() as address:
        yield address


class SlowHouse:
    """A recovery that stands still in its first look until it is let go."""

    def __init__(self) -> None:
        self.begun, self.go = threading.Event(), threading.Event()

    @contextmanager
    def open(self, run: Run) -> Iterator[YardTools]:
        self.begun.set()
        self.go.wait(20)
        yield YardTools(House())


def find(name: str) -> Procedure:
    return PAINT if name == PAINT.name else find_errand(name)


def request() -> dict[str, Any]:
    return {
        "procedure": PAINT.name,
        "table": PAINT.table,
        "service": "wall",
        "site": "main",
        "by": "U1",
        "name": "Olga",
        "request": {"service": "wall", "colour": "red"},
        "origin": {},
    }


def acknowledge(store: Store, key: str) -> str:
    incident = known(store, store.incidents()[0])
    return open_errand(store, open_errands.to_acknowledge(incident), incident, OLGA, site="main", key=key)[0]


def test_a_recovery_waits_for_no_backup_that_runs(redis: str, tmp_path: Path) -> None:
    """The backup stands still, as one does on a slow disk; the recovery comes to its question beside it."""
    backup = replace(PAINT, name="a backup", claims=False, yields=True, lane=Lane.BACKUP)
    store, begun, go = store_in(tmp_path, now), threading.Event(), threading.Event()

    class Toolbox:
        @contextmanager
        def open(self, run: Run) -> Iterator[YardTools]:
            if run.id == "r1":
                begun.set()
                go.wait(20)
            yield YardTools(House())

    def find_either(name: str) -> Procedure:
        return backup if name == backup.name else PAINT

    worker = Worker(store, lambda site, of: LeasedRunner(store, find_either, Toolbox(), "w1"), redis, find_either, "w1")
    worker.keep_up()
    try:
        store.open_run("r1", {**request(), "procedure": backup.name}, claims=False, yields=True, key="r1")
        enqueue(redis, "main", "r1")
        assert begun.wait(10)
        store.open_run("r2", request(), claims=True, key="r2")
        enqueue(redis, "main", "r2")
        eventually(lambda: store.run("r2").asking, 10)
        assert store.run("r1").last == 1
    finally:
        go.set()
        worker.leaving.set()


def test_errands_are_done_at_once_while_a_recovery_runs(redis: str, tmp_path: Path) -> None:
    store, slow = store_in(tmp_path, now), SlowHouse()
    world = PagerDutyWorld(store.clock)
    world.opens("P0")
    keep_event(store, body(event("triggered", "P0")))
    take_in(store, Rules())
    lane = LeasedRunner(store, find, WorldErrands(world), "errands", away_seconds=1)
    recoveries = LeasedRunner(store, find, slow, "w1")
    worker = Worker(store, lambda site, of: lane if of is Lane.ERRAND else recoveries, redis, find, "w1")
    worker.keep_up()
    store.open_run("r1", request(), claims=True, key="r1")
    enqueue(redis, "main", "r1")
    assert slow.begun.wait(10)
    for n in range(3):
        run = acknowledge(store, f"k{n}")
        assert enqueue(redis, "main", run)
        eventually(lambda run=run: store.run(run).finished, 5)
    assert store.run("r1").question is None
    slow.go.set()
    eventually(lambda: store.run("r1").asking, 5)
    worker.leaving.set()
