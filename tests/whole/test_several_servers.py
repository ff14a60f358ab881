"""Two PostgreSQL servers of one site, each with its own archive and base backups, and a server of another site."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from actions.settings.services import ServiceTable
from actions.settings.settings import Settings
from actions.settings.site import SiteSettings
from actions.store.store import Store
from actions.watch import row_counts
from actions.watch.service_condition import conditions
from lab.engine import connect
from tests.support.own_cluster import BASE, KEEP, Cluster, archiving, own_cluster
from tests.support.paths import ROOT
from workers.doctor.site_checks import site_findings
from workers.runner.toolbox import docker_toolbox
from workers.watch.condition_keeper import ConditionKeeper

pytestmark = pytest.mark.whole
UID = 999


@dataclass
class Both:
    """The site's own server and that of its billing, their settings, and the one store."""

    shop: Cluster
    billing: Cluster
    settings: Settings

    @property
    def store(self) -> Store:
        return self.shop.store

    def ends(self) -> Iterator[tuple[str, str]]:
        """Since when the shop's container and server run."""
        container = connect().api.inspect_container(self.shop.name)
        yield container["Id"], container["State"]["StartedAt"]
        rows = self.shop.sql("select array_agg(id order by id) from t")
        yield self.shop.sql("select pg_postmaster_start_time()"), rows


def folder(shared: Path, name: str) -> list[str]:
    """Make archive and base folders below one that both servers mount; the flags of the server that archives there."""
    for part in ("wal", "base"):
        made = shared / name / part
        made.mkdir(parents=True)
        os.chown(made, UID, UID)
    wal = f"/shared/{name}/wal"
    return archiving(f"test ! -f {wal}/%f && cp %p {wal}/%f || cmp -s %p {wal}/%f")


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    root = tmp_path_factory.mktemp("several")
    with own_cluster(root, "shop") as shop, own_cluster(root, "billing", database="billing") as billing:
        billing.store = shop.store
        for cluster, name in ((shop, "shop"), (billing, "billing")):
            flags = folder(root / "shared", name)
            cluster.start(["postgres", *flags], run=["-v", f"{root / 'shared'}:/shared"])
        settings = Settings(
            site=SiteSettings(
                name="town",
                postgres=shop.name,
                database="appdb",
                archive="/shared/shop/wal",
                bases="/shared/shop/base",
                dumps=(),
                hold_seconds=0,
            ),
            services=(
                ServiceTable(name=shop.name, kind="postgres"),
                ServiceTable(
                    name=billing.name,
                    kind="postgres",
                    database="billing",
                    archive="/shared/billing/wal",
                    bases="/shared/billing/base",
                ),
            ),
        )
        for cluster in (shop, billing):
            told = settings.server(cluster.name, "town")
            assert told is not None
            cluster.site, cluster.toolbox = told, docker_toolbox(settings, shop.store)
            cluster.sql("create table t (id bigint primary key); insert into t select generate_series(1, 100)")
        yield Both(shop, billing, settings)


def test_the_second_server_is_recovered_to_before_its_loss_and_the_first_is_not_touched(both: Both) -> None:
    shop, billing = both.shop, both.billing
    bases = {shop.name: shop.base(), billing.name: billing.base()}
    billing.sql("insert into t select generate_series(101, 150)")
    when = billing.now()
    billing.sql("delete from t where id > 20")
    shop.sql("insert into t values (1001)")
    before = list(both.ends())

    run = billing.recover(when)

    assert billing.sql("select count(*) from t") == "150"
    assert "Healthy" in billing.said(run.id)
    assert (run.facts["server"]["service"], run.facts["server"]["database"]) == (billing.name, "billing")
    assert list(both.ends()) == before
    plan = shop.plan(shop.now())
    assert plan.question is not None, shop.story(plan.id)
    server, other = plan.facts["server"], run.facts["server"]
    assert server["system_identifier"] != other["system_identifier"]
    assert (server["inside_archive"], server["inside_bases"]) == ("/shared/shop/wal", "/shared/shop/base")
    assert plan.facts["base"]["name"] == bases[shop.name]
    shop.answer(plan.id, KEEP)
    shop.settle()
    assert list(both.ends()) == before


def test_the_doctor_and_the_worker_look_at_each_by_its_name(both: Both) -> None:
    found = {finding.name: finding for finding in site_findings(both.settings, both.store)}
    for cluster in (both.shop, both.billing):
        assert found[f"{cluster.name}: Postgres"].ok
        assert found[f"{cluster.name}: WAL archive"].ok, found
        assert found[f"{cluster.name}: Postgres lets Mayday in"].ok
        assert f"{cluster.name}: own folders" not in found
    toolbox, servers = docker_toolbox(both.settings, both.store), both.settings.servers("town")
    keeper = ConditionKeeper(both.store, toolbox, "town", servers, both.settings.stack()[0].services, every=0.0)
    # A server that has just begun counts from nothing.
    both.billing.sql("analyze t")
    rows = "select coalesce(max(n_live_tup), 0) >= 100 from pg_stat_user_tables"
    both.billing.until(lambda: both.billing.sql(rows) == "t", 60, "the rows show in the statistics")
    keeper.look()
    both.billing.sql("truncate t")
    both.billing.until(lambda: _lost(both, keeper), 60, "the loss shows in the statistics")
    seen = conditions(both.store, "town")
    for cluster in (both.shop, both.billing):
        reachable = seen[cluster.name].reachable
        assert reachable is not None, seen[cluster.name].problem
        assert reachable.archiving.state == "well"
    assert [loss.table for loss in row_counts.lost(both.store, "town", [both.billing.name])] == ["public.t"]
    assert row_counts.lost(both.store, "town", [both.shop.name]) == []
    assert not connect().containers.list(all=True, filters={"name": "mayday-helper-condition-town"})


def _lost(both: Both, keeper: ConditionKeeper) -> bool:
    keeper.look()
    return bool(row_counts.lost(both.store, "town", [both.billing.name]))


def test_a_run_of_another_site_is_carried_out_on_the_docker_host_of_that_site(tmp_path: Path) -> None:
    with own_cluster(tmp_path, "east") as cluster:
        cluster.site = replace(cluster.site, name="east")
        cluster.start()
        cluster.sql("create table t (id bigint primary key); insert into t select generate_series(1, 100)")
        # A second address of the same daemon; where the default site's Docker is said to be nobody answers.
        (tmp_path / "east.sock").symlink_to("/var/run/docker.sock")
        (tmp_path / "mayday.toml").write_text(
            f"""
            store = "sqlite:///{cluster.folder / "mayday.db"}"
            [site]
            name = "west"
            docker_host = "tcp://127.0.0.1:9"
            [[sites]]
            name = "east"
            docker_host = "unix://{tmp_path / "east.sock"}"
            postgres = {json.dumps(cluster.name)}
            database = "appdb"
            writers = []
            """
        )
        run = cluster.asks(BASE)
        said = subprocess.run(
            [sys.executable, str(ROOT / "mayday.py"), "carry-out", run, "--config", str(tmp_path / "mayday.toml")],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (said.returncode, cluster.store.run(run).finished) == (0, "done"), said.stderr
        assert [path.name for path in cluster.bases.iterdir()] == [f"base_{run}"]
