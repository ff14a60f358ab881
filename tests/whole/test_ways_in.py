"""Servers that are reached in other ways than by the usual socket: recovered all the same."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.own_cluster import Cluster, archiving, own_cluster

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


def test_a_server_that_is_down_and_whose_wrapper_names_its_directory_is_recovered(tmp_path: Path) -> None:
    wrapped = 'export PGDATA=/var/lib/postgresql/data/inner; exec docker-entrypoint.sh "$@"'
    with own_cluster(tmp_path, "inner") as cluster:
        cluster.start(["sh", "-c", wrapped, "sh", "postgres", *archiving()])
        when = lose_rows(cluster)
        cluster.docker("stop", cluster.name)
        cluster.recover(when)
        assert cluster.sql("select count(*) from t") == "150"


def test_of_several_directories_of_a_server_that_is_down_none_is_guessed(tmp_path: Path) -> None:
    with own_cluster(tmp_path, "both") as cluster:
        cluster.start(
            [
                "sh",
                "-c",
                'export PGDATA=/var/lib/postgresql/data/one; exec docker-entrypoint.sh "$@"',
                "sh",
                "postgres",
                *archiving(),
            ]
        )
        when = lose_rows(cluster)
        cluster.docker("stop", cluster.name)
        shutil.copytree(cluster.data / "one", cluster.data / "two")
        told = cluster.trouble(cluster.plan(when).id)
        assert "cannot be known while the server is down" in told
        assert "two" in told
        assert "site.data_directory" in told
