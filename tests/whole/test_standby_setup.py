"""A standby is built of a container with a cluster of its own, and of an old primary that has diverged."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from actions.engine.status import state_of
from actions.steps.replication import put_in_service
from lab.images import POSTGRES
from tests.support.own_cluster import APPROVER, Cluster, archiving, lines_of, own_cluster
from workers.runner.toolbox import DockerToolbox

pytestmark = pytest.mark.whole
SETUP = "postgres replication setup"


@contextmanager
def network() -> Iterator[str]:
    name = f"mtrs-{secrets.token_hex(3)}"
    subprocess.run(["docker", "network", "create", name], check=True, capture_output=True)
    try:
        yield name
    finally:
        subprocess.run(["docker", "network", "rm", name], check=False, capture_output=True)


def follow(standby: Cluster, primary: Cluster) -> None:
    """Both on one site: the standby's requests name the primary, and its tools know that one too."""
    there = replace(primary.site, name=standby.site.name)
    standby.follows = (primary.name, standby.site.name)
    standby.toolbox = DockerToolbox(standby.store, standby.site, others=(there,))


@contextmanager
def pair(root: Path, *flags: str) -> Iterator[tuple[Cluster, Cluster]]:
    """A primary with rows, and a container beside it with a cluster of its own."""
    with network() as net, own_cluster(root, "rsp") as primary, own_cluster(root, "rss") as standby:
        # A limit that no file tells of: a copy would have the default of 100, and stop.
        primary.start(["postgres", *archiving(), "-c", "max_connections=130"], network=net)
        primary.sql("create table t (id int primary key); insert into t select generate_series(1, 5000)")
        standby.start(["postgres", *archiving(), *flags], network=net)
        follow(standby, primary)
        yield primary, standby
        for one in (primary, standby):
            one.docker("rm", "-f", "-v", one.name)


def built(standby: Cluster, label: str) -> str:
    run = standby.ask(SETUP)
    assert run.question is not None, standby.story(run.id)
    done = standby.answer(run.id, label, APPROVER, standby.name)
    assert state_of(done) == "done", standby.story(run.id) + "\n" + str(standby.store.entries(run.id)[-1].data)
    return run.id


def test_a_new_cluster_becomes_a_standby_and_an_old_primary_comes_back_as_one(tmp_path: Path) -> None:
    with pair(tmp_path) as (primary, standby):
        own = standby.sql("select system_identifier from pg_control_system()")
        run = built(standby, "Build the standby")
        primary.sql("insert into t values (5001)")
        standby.until(lambda: standby.sql("select count(*) from t") == "5001", 20, "the row arrives")
        assert standby.sql("select pg_is_in_recovery()") == "t"
        told = primary.sql("select state, application_name from pg_stat_replication")
        assert told == f"streaming|{standby.name}"
        assert standby.sql("show max_connections") == "130"
        assert standby.sql("show wal_retrieve_retry_interval") == "100ms"
        kept = standby.data.with_name(f"postgres_before_{run}")
        assert (kept / "PG_VERSION").exists()
        assert kept.with_name(f"{kept.name}.mayday.json").exists()
        assert own != standby.sql("select system_identifier from pg_control_system()")
        passfile = standby.data / "mayday.pgpass"
        assert passfile.stat().st_mode & 0o777 == 0o600
        password = passfile.read_text().strip().rpartition(":")[2]
        journal = str([entry.data for entry in standby.store.entries(run)])
        assert password not in journal
        assert password not in primary.docker("logs", primary.name)
        assert int(primary.sql("select setting from pg_settings where name = 'max_slot_wal_keep_size'")) > 0
        assert "streams from its primary already" in standby.trouble(standby.ask(SETUP).id)
        # Built anew, with what stands there already left as it is.
        rules = primary.sql("select count(*) from pg_hba_file_rules")
        standby.docker("stop", standby.name)
        built(standby, "Replace its data")
        assert primary.sql("select count(*) from pg_hba_file_rules") == rules
        assert password in passfile.read_text()
        # Both write after the promotion, so the old primary has what no other has, and comes back as a standby.
        standby.sql("select pg_promote(true, 30)")
        primary.sql("insert into t values (6001)")
        standby.sql("insert into t values (7001)")
        assert "it was promoted after it" in standby.trouble(standby.ask(SETUP).id)
        primary.docker("stop", primary.name)
        follow(primary, standby)
        run = built(primary, "Replace its data")
        assert primary.sql("select max(id) from t") == "7001"
        standby.sql("insert into t values (7002)")
        primary.until(lambda: primary.sql("select max(id) from t") == "7002", 20, "the row arrives")
        assert (primary.data.with_name(f"postgres_before_{run}") / "PG_VERSION").exists()
        said = [line for sheet in primary.sheets(run) for line in lines_of(sheet)]
        assert any("kept for 14 days" in line for line in said), said


def test_a_container_that_was_never_started_and_whose_folder_is_empty_becomes_a_standby(tmp_path: Path) -> None:
    with network() as net, own_cluster(tmp_path, "rsp") as primary, own_cluster(tmp_path, "rse") as standby:
        primary.start(network=net)
        primary.sql("create table t as select generate_series(1, 100) as id")
        standby.make_folders()
        # As Docker makes a folder that is missing.
        os.chown(standby.data, 0, 0)
        data, backups = f"{standby.data}:/var/lib/postgresql/data", f"{standby.folder / 'backups'}:/backups"
        where = ["--network", net, "-v", data, "-v", backups, "-e", "POSTGRES_PASSWORD=x"]
        standby.docker("create", "--name", standby.name, *where, POSTGRES)
        standby.started.append(standby.name)
        follow(standby, primary)
        built(standby, "Build the standby")
        assert standby.sql("select pg_is_in_recovery(), count(*) from t") == "t|100"
        for one in (primary, standby):
            one.docker("rm", "-f", "-v", one.name)


def test_what_was_done_is_taken_back_where_the_standby_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(put_in_service, "_READY_SECONDS", 2.0)
    with pair(tmp_path, "-c", "hot_standby=off") as (primary, standby):
        rules = primary.sql("select count(*) from pg_hba_file_rules")
        own = standby.sql("select system_identifier from pg_control_system()")
        run = standby.asks(SETUP)
        # As of a worker that was killed: its copy is begun anew.
        torn = standby.data.with_name(f"postgres_clone_{run}")
        torn.mkdir()
        (torn / "PG_VERSION").write_text("15\n")
        standby.work(run)
        failed = standby.answer(run, "Build the standby", APPROVER, standby.name)
        assert failed.failure is not None
        assert "does not say that it is a standby" in standby.trouble(run), standby.story(run)
        assert primary.sql("select count(*) from pg_replication_slots") == "1"
        assert state_of(standby.undo(run, APPROVER)) == "undone", standby.story(run)
        standby.ready()
        assert standby.sql("select system_identifier from pg_control_system()") == own
        assert primary.sql("select count(*) from pg_replication_slots") == "0"
        assert primary.sql("select count(*) from pg_roles where rolname like 'mayday%'") == "0"
        assert primary.sql("select count(*) from pg_hba_file_rules") == rules
        assert primary.sql("show max_slot_wal_keep_size") == "-1"
        assert not list(standby.data.parent.glob("*passfile*"))
        left = standby.data.with_name(f"postgres_discarded_{run}")
        assert left.with_name(f"{left.name}.mayday.json").exists()
