"""A standby is not the primary: it is refused before anything is touched, whether it runs or not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.own_cluster import own_cluster
from tests.support.standby_cluster import following

pytestmark = pytest.mark.whole


def test_a_standby_is_refused_and_the_primarys_plan_names_it(tmp_path: Path) -> None:
    with own_cluster(tmp_path, "prim") as primary:
        primary.start()
        primary.sql("create table t (id bigint primary key); insert into t select generate_series(1, 100)")
        primary.base()
        when = primary.now()
        with following(tmp_path, primary, "stby") as standby:
            run = standby.plan(when)
            told = standby.trouble(run.id)
            assert "standby, not the primary" in told
            assert "127.0.0.1:5432" in told
            assert "standby" in standby.trouble(standby.ask("postgres base backup").id)
            plan = primary.plan(when)
            assert "walreceiver" in primary.said(plan.id)
            assert "1 standby streams from this server" in primary.said(plan.id)
            standby.docker("stop", standby.name)
            assert "its files are those of a standby" in standby.trouble(standby.plan(when).id)
            standby.docker("start", standby.name)
            standby.ready()
            assert standby.sql("select pg_is_in_recovery()") == "t"
            assert not list(primary.archive.glob("00000002*")), "nobody was promoted"
            # Once somebody has promoted it, it is a primary as any other.
            standby.sql("select pg_promote()")
            run = standby.plan(when)
            assert run.question is not None, standby.story(run.id)
