"""What a recovery changes besides rows: said before, kept where it can be, made again, or left to people by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.own_cluster import Cluster, own_cluster

pytestmark = pytest.mark.whole
WITH_BACKUPS = "Cut over, configuration from the backup"


def append(cluster: Cluster, name: str, line: str) -> None:
    with (cluster.data / name).open("a") as file:
        file.write(f"{line}\n")


def in_force(cluster: Cluster) -> list[str]:
    names = ("work_mem", "max_connections", "log_min_duration_statement")
    return [cluster.sql(f"show {name}") for name in names]


def test_the_live_servers_configuration_is_kept(tmp_path: Path) -> None:
    with own_cluster(tmp_path, "conf") as cluster:
        cluster.start()
        cluster.sql("create table t (id bigint primary key); insert into t select generate_series(1, 100)")
        cluster.base()
        cluster.sql("alter system set work_mem = '64MB'")
        cluster.sql("alter system set max_connections = 300")
        append(cluster, "pg_hba.conf", "host app app 10.0.0.0/8 scram-sha-256")
        append(cluster, "postgresql.conf", "log_min_duration_statement = 250")
        when = cluster.now()
        cluster.sql("delete from t")
        run = cluster.preview(when)
        said = cluster.said(run.id)
        assert "max_connections: 300 (in the backup: 100)" in said
        assert "work_mem: 64MB (in the backup: not set)" in said
        run = cluster.cut_over(run.id)
        assert cluster.sql("select count(*) from t") == "100"
        assert in_force(cluster) == ["64MB", "300", "250ms"]
        assert "10.0.0.0/8" in (cluster.data / "pg_hba.conf").read_text()
        assert "10.0.0.0/8" not in (cluster.data / f"pg_hba.conf.before_{run.id}").read_text()
        assert "Configuration: kept from the live server" in cluster.said(run.id)
