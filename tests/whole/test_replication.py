"""Replication of a real primary with a real standby, seen from both, on good days and bad ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.own_cluster import Cluster, own_cluster
from tests.support.standby_cluster import following

pytestmark = pytest.mark.whole
ASKED = "postgres replication"


def said(cluster: Cluster) -> str:
    run = cluster.ask(ASKED)
    assert run.finished is not None, cluster.story(run.id)
    return cluster.said(run.id)


def test_both_sides_tell_how_replication_stands(tmp_path: Path) -> None:
    with own_cluster(tmp_path, "repp") as primary:
        primary.start()
        assert "State: no standby" in said(primary)
        with following(tmp_path, primary, "reps", slot="east") as standby:
            primary.sql("create table t (id bigint primary key); insert into t select generate_series(1, 1000)")
            primary.until(lambda: "State: ready" in said(primary), 30, "the standby streams")
            told = said(primary)
            assert "walreceiver at 127.0.0.1: streaming, asynchronous" in told
            assert "Slot east: physical, read now" in told
            followed = said(standby)
            assert "Role: standby, timeline 1" in followed
            assert "Receives from: 127.0.0.1:5432, streaming" in followed
            standby.sql("select pg_wal_replay_pause()")
            primary.sql("insert into t select generate_series(1001, 200000)")
            assert "Its replay is paused" in said(standby)
            assert "MB behind" in said(primary)
            standby.docker("stop", "--time", "10", standby.name)
            primary.until(lambda: "Nobody reads the slot east" in said(primary), 30, "the primary misses its standby")
            assert "State: degraded" in said(primary)
            assert "its container is exited" in said(standby)
