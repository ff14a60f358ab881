"""What a recovery changes besides rows: said before, kept where it can be, made again, or left to people by name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from actions.control import answers
from actions.engine.journal import Kind
from tests.support.own_cluster import APPROVER, Cluster, archiving, own_cluster

pytestmark = pytest.mark.whole
WITH_BACKUPS = "Cut over, configuration from the backup"
FLAGS = ["postgres", *archiving(), "-c", "wal_level=logical", "-c", "max_prepared_transactions=10"]
COMMIT, LEAVE, KEEP = "Commit them", "Leave them open", "Restore, keep serving"
CONFIGS = ("postgresql.conf", "postgresql.auto.conf", "pg_hba.conf")


def append(cluster: Cluster, name: str, line: str) -> None:
    with (cluster.data / name).open("a") as file:
        file.write(f"{line}\n")


def settings(cluster: Cluster) -> list[str]:
    names = ("work_mem", "max_connections", "log_min_duration_statement")
    return [cluster.sql(f"show {name}") for name in names]


def prepare(cluster: Cluster, gid: str, statement: str) -> None:
    cluster.docker(
        "exec",
        "-u",
        "postgres",
        cluster.name,
        "psql",
        "-d",
        cluster.site.database,
        "-XqAt",
        "-v",
        "ON_ERROR_STOP=1",
        "-c",
        "begin",
        "-c",
        statement,
        "-c",
        f"prepare transaction '{gid}'",
    )


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """A base backup, and after it all that no base backup and no WAL brings back."""
    with own_cluster(tmp_path, "beside") as made:
        made.start(FLAGS)
        made.sql(
            "create table t (id bigserial primary key, v text);"
            "insert into t (v) select 'x' from generate_series(1, 100);"
            "create table acct (id int primary key, bal int); insert into acct values (1, 100);"
            "create unlogged table sessions (id int primary key);"
            "insert into sessions select generate_series(1, 500)"
        )
        made.base()
        made.sql("alter system set work_mem = '64MB'")
        made.sql("alter system set max_connections = 300")
        append(made, "pg_hba.conf", "host app app 10.0.0.0/8 scram-sha-256")
        append(made, "postgresql.conf", "log_min_duration_statement = 250")
        made.sql("select pg_create_physical_replication_slot('standby1')")
        made.sql("select pg_create_logical_replication_slot('debezium', 'pgoutput')")
        prepare(made, "xfer-1", "update acct set bal = bal - 50")
        yield made


def holds(said: str, *texts: str) -> None:
    missing = [text for text in texts if text not in said]
    assert not missing, f"{missing}\nnot in\n{said}"


def test_all_of_it_is_said_before_kept_or_made_again_and_named_at_the_end(cluster: Cluster) -> None:
    when = cluster.now()
    cluster.sql("commit prepared 'xfer-1'")
    prepare(cluster, "later", "insert into acct values (2, 1)")
    cluster.sql("delete from t; select nextval('t_id_seq')")
    run = cluster.plan(when)
    holds(
        cluster.said(run.id),
        "max_connections: 300 (in the backup: 100)",
        "work_mem: 64MB (in the backup: not set)",
        "log_min_duration_statement: 250 (in the backup: not set)",
        "pg_hba.conf: added since: host app app 10.0.0.0/8 scram-sha-256",
        "Physical slots: standby1: made again",
        "debezium (database appdb, pgoutput; nobody reads it now): is lost; from ",
        "! The logical slots are lost",
        "! Unlogged tables will be empty: public.sessions of appdb (500 rows",
        "later (database appdb)",
        "Statistics: counters",
    )
    run = cluster.answer(run.id, KEEP)
    assert run.question is not None, cluster.story(run.id)
    assert run.question.title == "What shall become of the prepared transactions?"
    assert "xfer-1: database appdb, prepared " in cluster.said(run.id)
    run = cluster.answer(run.id, COMMIT)
    holds(
        cluster.said(run.id),
        "xfer-1 (database appdb, prepared ",
        "will be committed, as U-ONCALL chose",
        "Prepared after the stop: later (database appdb): vanish",
        "public.t_id_seq of appdb from 101 to 100",
        "Unlogged tables: public.sessions of appdb (500 rows",
    )
    run = cluster.cut_over(run.id)
    assert cluster.sql("select count(*) from t") == "100"
    assert settings(cluster) == ["64MB", "300", "250ms"]
    assert "10.0.0.0/8" in (cluster.data / "pg_hba.conf").read_text()
    assert "10.0.0.0/8" not in (cluster.data / f"pg_hba.conf.before_{run.id}").read_text()
    assert cluster.sql("select slot_name, restart_lsn is not null from pg_replication_slots") == "standby1|t"
    assert (cluster.sql("select bal from acct"), cluster.sql("select gid from pg_prepared_xacts")) == ("50", "")
    assert cluster.sql("select count(*) from sessions") == "0"
    holds(
        cluster.said(run.id),
        "Configuration: kept from the live server",
        "Slots made again: standby1",
        "Prepared transactions: xfer-1: commit them, chosen by U-ONCALL",
        "! Create the logical slot debezium (database appdb, pgoutput; nobody reads it now) anew",
    )


def test_with_the_live_server_down_the_backups_configuration_is_the_way_out(cluster: Cluster) -> None:
    when = cluster.now()
    cluster.sql("delete from t")
    append(cluster, "postgresql.conf", "max_connectoins = 3")
    cluster.docker("restart", cluster.name)
    run = cluster.plan(when)
    holds(
        cluster.said(run.id),
        "! The live server's configuration does not load: LOG:  unrecognized configuration parameter",
        "Physical slots: standby1",
        "debezium",
        "Not known: what is unlogged, prepared or ahead on the live server: it is restarting",
    )
    cluster.answer(run.id, KEEP)
    run = cluster.answer(run.id, LEAVE)
    assert run.question is not None, cluster.story(run.id)
    assert [option["label"] for option in run.question.options] == [WITH_BACKUPS, "Another time", "Discard"]
    assert "Unlogged tables: public.sessions of appdb" in cluster.said(run.id)
    run = cluster.answer(run.id, WITH_BACKUPS, APPROVER, cluster.name)
    assert settings(cluster) == ["4MB", "100", "-1"]
    holds(
        cluster.said(run.id),
        "Configuration: of the backup, as U-APPROVER chose",
        "! End the prepared transaction xfer-1 in database appdb",
    )
    assert cluster.sql("select slot_name from pg_replication_slots") == "standby1"
    assert cluster.sql("select count(*) from t") == "100"


def test_undone_the_old_server_has_all_that_it_had(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {name: (cluster.data / name).read_bytes() for name in CONFIGS}
    when = cluster.now()
    cluster.sql("delete from t where id > 50")
    run = cluster.plan(when)
    cluster.answer(run.id, KEEP)
    cluster.answer(run.id, COMMIT)
    append_entry = cluster.store.append

    def and_stop(lease: Any, kind: Kind, step: Any, data: dict[str, Any]) -> Any:
        done = append_entry(lease, kind, step, data)
        if kind is Kind.DONE and data["title"] == "start the server":
            answers.stop(cluster.store, run.id, APPROVER)
        return done

    monkeypatch.setattr(cluster.store, "append", and_stop)
    cluster.answer(run.id, "Cut over", APPROVER, cluster.name)
    assert cluster.sql("select count(*) from t") == "100"
    assert settings(cluster) == ["64MB", "300", "250ms"]
    cluster.undo(run.id, APPROVER)
    assert cluster.sql("select count(*) from t") == "50"
    assert cluster.sql("select slot_name from pg_replication_slots order by 1") == "debezium\nstandby1"
    assert cluster.sql("select gid from pg_prepared_xacts") == "xfer-1"
    assert cluster.sql("select count(*) from sessions") == "500"
    assert {name: (cluster.data / name).read_bytes() for name in CONFIGS} == before
