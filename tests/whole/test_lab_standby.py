"""The practice company with a standby: it streams, the servers themselves tell how they stand, nothing is left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab import stack
from lab.containers import find, ours
from lab.database import connected
from lab.engine import connect
from lab.home import STANDBY, Lab
from lab.replication import replication
from tests.support.waiting import within

pytestmark = pytest.mark.whole
eventually = within(30, every=0.2)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    made = Lab(tmp_path / "lab", "mtsb-", "mtsb", lean=True, standby=True)
    try:
        stack.up(made, town=False)
        yield made
    finally:
        stack.down(made, purge=True)
        assert not ours(connect(), made)
        assert not made.root.exists()


def nodes(lab: Lab) -> tuple[dict[str, Any], dict[str, Any]]:
    primary, standby = replication(lab)["nodes"]
    return primary, standby


def test_the_standby_follows_stops_starts_again_and_a_second_primary_is_seen(lab: Lab) -> None:
    with connected(lab) as db:
        db.execute("create table t (id int primary key)")
        db.execute("insert into t select generate_series(1, 10000)")
    eventually(lambda: nodes(lab)[1]["streaming"] and nodes(lab)[1]["lag_bytes"] == 0)
    primary, standby = nodes(lab)
    assert (primary["name"], primary["site"], primary["role"]) == ("mtsb-postgres", "mtsb", "primary")
    assert (standby["name"], standby["site"], standby["role"]) == ("mtsb-postgres-standby", "mtsb-standby", "standby")
    assert (standby["timeline"], standby["state"]) == (primary["timeline"], "running")
    assert replication(lab)["takes_writes"] == ["mtsb-postgres"]

    container = find(connect(), lab.container(STANDBY))
    assert container is not None
    container.stop(timeout=10)
    away = nodes(lab)[1]
    assert (away["state"], away["role"], away["lag_bytes"], away["streaming"]) == ("exited", None, None, False)
    with connected(lab) as db:
        db.execute("insert into t select generate_series(10001, 20000)")
    container.start()
    eventually(lambda: nodes(lab)[1]["streaming"] and nodes(lab)[1]["lag_bytes"] == 0)
    with connected(lab, STANDBY) as db:
        assert db.execute("select count(*) from t").fetchone() == (20000,)
        db.execute("select pg_promote(true, 30)")
    eventually(lambda: replication(lab)["takes_writes"] == ["mtsb-postgres", "mtsb-postgres-standby"])
    assert nodes(lab)[1]["timeline"] == 2
