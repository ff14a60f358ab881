"""The guard: a primary that our own run replaced is fenced once each time that it takes writes again, and no other."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from actions.catalog import CATALOG, find
from actions.control.requests import Subject, open_run
from actions.engine.journal import Kind
from actions.incidents.open_errands import ITSELF
from actions.incidents.primary_guard import PrimaryGuard
from actions.postgres.replication import Replication
from actions.recoveries.failover_parts import FailOver
from actions.settings.settings import Settings
from actions.store.store import Store
from actions.watch.cluster_status import ClusterStatus, members_of
from actions.watch.replication_health import ClusterState, judge
from actions.watch.server_probe import ProbeAnswer, ServerProbe, ServerRecord
from tests.support.worlds.clock import Clock

STACK = Settings.model_validate(
    tomllib.loads(
        """
[[services]]
name = "db"
kind = "postgres"
[[services]]
name = "db-2"
kind = "postgres"
site = "east"
follows = "db @ main"
[[sites]]
name = "east"
"""
    )
).stack()
OLD, NEW = Subject("main", "db"), Subject("east", "db-2")


class Watched:
    """A store, a clock, the guard, and the runs that it enqueued."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.store = Store(f"sqlite:///{folder}/mayday.db", self.clock)
        self.enqueued: list[str] = []
        self.guard = PrimaryGuard(self.store, STACK, CATALOG, enqueue=self.enqueued.append)

    def status(self, *writing: Subject, run: str = "", since: float = 60) -> ClusterStatus:
        [members] = members_of(STACK)
        records = {who: self._record(who, who in writing, since) for who in members.all}
        return ClusterStatus(members, records, judge(members, records, self.clock(), 10, run))

    def _record(self, who: Subject, writes: bool, since: float) -> ServerRecord:
        told = Replication(standby=not writes, system="7", timeline=1 if who == OLD else 2)
        probe = ServerProbe(who.site, who.service, self.clock(), "running", ProbeAnswer.RIGHT, replication=told)
        began = self.clock() - timedelta(seconds=since) if writes else None
        return ServerRecord(probe, writes_since=began)

    def moved(self, *, proven: bool = True) -> str:
        """A failover by our own run, which the guard has seen at work."""
        procedure = find("postgres failover")
        request = FailOver(NEW.service, OLD.service, OLD.site)
        opened = open_run(self.store, procedure, request, by=ITSELF, subject=NEW, origin={"sink": "watch"}, key="k")
        lease = self.store.acquire(opened.id, "w")
        assert lease is not None
        if proven:
            fact = {"gives": "proof", "fact": {"timeline": 2, "transaction": "1"}, "title": "prove it", "said": ""}
            self.store.append(lease, Kind.DONE, procedure.giving("proof"), fact)
        self.guard.tell(self.status(NEW, run=opened.id))
        self.store.append(lease, Kind.FINISHED, None, {"outcome": "recovered"})
        self.store.release(lease)
        return opened.id

    def opened(self, run: str) -> dict[str, Any]:
        first: dict[str, Any] = self.store.entries(run)[0].data
        return first


@pytest.fixture
def watched(memory_path: Path) -> Iterator[Watched]:
    made = Watched(memory_path)
    yield made
    made.store.dispose()


def test_a_replaced_primary_that_takes_writes_again_is_fenced_once_each_time(watched: Watched) -> None:
    watched.moved()
    assert watched.guard.tell(watched.status(NEW)) == ""
    run = watched.guard.tell(watched.status(NEW, OLD))
    assert watched.enqueued == [run]
    said = watched.opened(run)
    assert (said["procedure"], said["site"], said["service"]) == ("postgres fence", "east", "db-2")
    assert said["request"]["primary"] == "db"
    assert watched.guard.tell(watched.status(NEW, OLD)) == run
    assert watched.enqueued == [run]


def test_it_is_fenced_too_while_the_failover_still_takes_its_base_backup(watched: Watched) -> None:
    run = watched.moved()
    status = watched.status(NEW, OLD, run=run)
    assert status.verdict.state is ClusterState.SPLIT
    assert watched.guard.tell(status)


def test_where_no_run_of_ours_has_replaced_it_nothing_is_done(watched: Watched) -> None:
    status = watched.status(NEW, OLD)
    assert status.verdict.state is ClusterState.SPLIT
    assert watched.guard.tell(status) == ""
    assert watched.store.runs() == []


def test_a_failover_that_never_proved_its_primary_replaced_nobody(watched: Watched) -> None:
    watched.moved(proven=False)
    assert watched.guard.tell(watched.status(NEW, OLD)) == ""


def test_the_old_one_reading_along_is_left_alone(watched: Watched) -> None:
    watched.moved()
    status = watched.status(NEW)
    held = replace(status.records[OLD], writes_since=None)
    assert watched.guard.tell(replace(status, records={**status.records, OLD: held})) == ""
    assert watched.enqueued == []
