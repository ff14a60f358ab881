"""Servers that are reached in other ways than by the usual socket: recovered all the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.own_cluster import Cluster, archiving, own_cluster

pytestmark = pytest.mark.whole


def lose_rows(cluster: Cluster) -> str:
    """A base backup by Mayday, rows to keep, a moment, and their deletion; returns the moment."""
    cluster.sql("create table t (id bigint primary key); insert into t select generate_series(1, 100)")
    cluster.base()
    cluster.sql("insert into t select generate_series(101, 150)")
    when = cluster.now()
    cluster.sql("delete from t")
    return when


def test_a_server_on_another_port_is_recovered(tmp_path: Path) -> None:
    with own_cluster(tmp_path, "port") as cluster:
        cluster.psql = ("-p", "5433")
        cluster.start(["postgres", "-p", "5433", *archiving()])
        run = cluster.recover(lose_rows(cluster))
        assert cluster.sql("select count(*) from t") == "150"
        assert "Healthy" in cluster.said(run.id)
