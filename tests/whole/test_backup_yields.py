"""A base backup that is being taken gives way to a recovery, and can be taken up again after it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from actions.engine.errors import Busy
from actions.engine.journal import Kind
from actions.engine.status import state_of
from tests.support.own_cluster import BASE, Cluster, own_cluster

pytestmark = pytest.mark.whole


def test_a_recovery_stops_the_base_backup_that_is_being_taken(tmp_path: Path) -> None:
    with own_cluster(tmp_path, "yields") as cluster:
        cluster.start()
        cluster.sql("create table t as select 1 as n")
        cluster.base()
        cluster.sql("insert into t values (2)")
        when = cluster.now()
        # Enough to copy that the recovery comes in the midst of it.
        cluster.sql("create table big as select repeat(md5(n::text), 60) from generate_series(1, 400000) as n")
        backup, taking = beginning_a_backup(cluster)
        plan = cluster.plan(when)
        taking.join(60)
        stopped = [e.data for e in cluster.store.entries(backup) if e.kind is Kind.STOPPED]
        assert [said["error"] for said in stopped] == [f"It gave way to run {plan.id}."]
        assert plan.question is not None, cluster.story(plan.id)
        with pytest.raises(Busy):
            cluster.ask(BASE)
        assert state_of(cluster.answer(plan.id, "Cancel")) == "discarded"
        assert state_of(cluster.retry(backup)) == "done"
        assert f"base_{backup}" in {path.name for path in cluster.bases.iterdir()}


def beginning_a_backup(cluster: Cluster) -> tuple[str, threading.Thread]:
    """Have a base backup taken by another thread; its run, once bytes arrive."""
    taking = threading.Thread(target=cluster.ask, args=(BASE,), daemon=True)
    before = set(cluster.store.runs())
    taking.start()
    cluster.until(lambda: bool(set(cluster.store.runs()) - before), 10, "the run is asked for")
    run = (set(cluster.store.runs()) - before).pop()
    cluster.until(lambda: any(cluster.bases.glob(f".base_{run}.partial/base")), 30, "the backup is being taken")
    return run, taking
