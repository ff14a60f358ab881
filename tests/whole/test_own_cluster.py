"""A recovery of a cluster that is no practice company's, from its plan to its report."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.own_cluster import own_cluster

pytestmark = pytest.mark.whole


def test_rows_that_were_deleted_come_back(tmp_path: Path) -> None:
    with own_cluster(tmp_path, "rows") as cluster:
        cluster.start()
        cluster.sql("create table t (id bigint primary key); insert into t select generate_series(1, 100)")
        cluster.base()
        cluster.sql("insert into t select generate_series(101, 150)")
        when = cluster.now()
        cluster.sql("delete from t")
        run = cluster.recover(when)
        assert cluster.sql("select count(*) from t") == "150"
        assert "Healthy" in cluster.said(run.id)
