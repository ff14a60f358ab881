"""A DROP DATABASE around the target: what it does outside of its transaction is never replayed alone."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from actions.engine.errors import RecoveryError
from actions.engine.run import Run
from actions.steps.postgres.prepared import LEAVE
from tests.support.own_cluster import KEEP, Cluster, archiving, own_cluster

pytestmark = pytest.mark.whole

_CHECKPOINTER = r"""for p in /proc/[0-9]*; do
    grep -q '^postgres: checkpointer' "$p/cmdline" 2>/dev/null && kill -s "$1" "${p#/proc/}"; done; exit 0"""

_WAITING = "select count(*) from pg_stat_activity where query like 'drop database%' and wait_event like 'Checkpoint%'"


def signal_checkpointer(cluster: Cluster, signal: str) -> None:
    cluster.docker("exec", cluster.name, "sh", "-c", _CHECKPOINTER, "test", signal)


@contextmanager
def dropping(cluster: Cluster, name: str) -> Iterator[None]:
    """DROP DATABASE that waits for its checkpoint, as on a large server, while others commit."""
    signal_checkpointer(cluster, "STOP")
    drop = threading.Thread(target=lambda: cluster.sql(f"drop database {name}"))
    try:
        drop.start()
        cluster.until(lambda: cluster.sql(_WAITING) == "1", 60, "the drop waits")
        yield
    finally:
        signal_checkpointer(cluster, "CONT")
        drop.join(60)


def shop(cluster: Cluster, name: str = "shop") -> None:
    cluster.sql(f"create database {name}")
    cluster.sql("create table orders as select n from generate_series(1, 1000) as n", name)


def note(cluster: Cluster, text: str) -> None:
    cluster.sql(f"insert into notes values ('{text}')")


def notes(cluster: Cluster, container: str) -> list[str]:
    return cluster.sql("select string_agg(text, ' ') from notes", container=container).split()


def records(cluster: Cluster, wanted: str) -> str:
    """Lines of pg_waldump over the newest segments."""
    script = (
        'cd "$PGDATA/pg_wal" && for s in $(ls | grep -E "^[0-9A-F]{24}$"); do pg_waldump "$s" 2>/dev/null; done'
        ' | grep -E "$1" || true'
    )
    return cluster.docker("exec", "-u", "postgres", cluster.name, "sh", "-c", script, "test", wanted)


def restored(cluster: Cluster, when: str) -> Run:
    """The clone of that moment, at its preview."""
    return cluster.preview(when, KEEP)


def orders(cluster: Cluster, run: Run, name: str = "shop") -> str:
    return cluster.sql("select count(*) from orders", name, cluster.clone(run.id))


def test_a_database_whose_drop_is_not_kept_is_whole(tmp_path: Path) -> None:
    with own_cluster(tmp_path, "drops") as cluster:
        cluster.start()
        cluster.sql("create table notes (text text)")
        shop(cluster)
        shop(cluster, "stall")
        cluster.base()
        note(cluster, "one")
        quiet = cluster.now()
        cluster.sql("drop database shop")
        drop = records(cluster, "Database .* DROP ")
        xid = re.findall(r"tx: +(\d+)", drop)[-1]
        first = re.findall(r"lsn: (\S+),", records(cluster, f"tx: +{xid},"))[0]
        with dropping(cluster, "stall"):
            note(cluster, "two")
            note(cluster, "three")
            busy = cluster.now()
            note(cluster, "four")

        # The DROP is the first commit behind the moment; its transaction; its first record with a number.
        for when in (quiet, f"before xid {xid}", f"before lsn {first}"):
            run = restored(cluster, when)
            assert orders(cluster, run) == "1000", when
            assert notes(cluster, cluster.clone(run.id)) == ["one"]
            cluster.answer(run.id, "Discard")

        # While a DROP waited, others committed: they are given up for it, and that is said first.
        plan = cluster.plan(busy)
        said = cluster.said(plan.id)
        assert said.startswith("! 2 commits are not kept"), said
        assert "was removing the database" in said
        run = cluster.answer(plan.id, KEEP)
        assert orders(cluster, run, "stall") == "1000"
        assert notes(cluster, cluster.clone(run.id)) == ["one"]
        cluster.answer(run.id, "Discard")


def segments(cluster: Cluster, count: int) -> None:
    for n in range(count):
        note(cluster, f"segment-{n}")
        cluster.sql("select pg_switch_wal()")


def test_a_drop_that_began_many_segments_before_the_stop(tmp_path: Path) -> None:
    with own_cluster(tmp_path, "longdrop") as cluster:
        cluster.start()
        cluster.sql("create table notes (text text)")
        shop(cluster)
        cluster.base()
        note(cluster, "one")
        with dropping(cluster, "shop"):
            segments(cluster, 3)
            cluster.until(lambda: bool(records(cluster, r"RUNNING_XACTS .* 1 xacts:")), 40, "it is listed as running")
            segments(cluster, 3)
            moment = cluster.now()
            segments(cluster, 3)
        plan = cluster.plan(moment)
        assert cluster.said(plan.id).startswith("! 6 commits are not kept"), cluster.said(plan.id)
        run = cluster.answer(plan.id, KEEP)
        assert orders(cluster, run) == "1000"
        assert notes(cluster, cluster.clone(run.id)) == ["one"]


def test_two_drops_at_once_and_a_base_backup_between_mark_and_removal(tmp_path: Path) -> None:
    with own_cluster(tmp_path, "twodrops") as cluster:
        cluster.start()
        cluster.sql("create table notes (text text)")
        shop(cluster)
        shop(cluster, "stall")
        cluster.base()
        note(cluster, "one")
        with dropping(cluster, "shop"):
            note(cluster, "two")
        note(cluster, "three")
        with dropping(cluster, "stall"):
            note(cluster, "four")
            moment = cluster.now()
            note(cluster, "five")
        run = restored(cluster, moment)
        clone = cluster.clone(run.id)
        assert (
            cluster.sql(
                "select string_agg(datname, ' ') from pg_database where datname in ('shop', 'stall')", container=clone
            )
            == "stall"
        )
        assert orders(cluster, run, "stall") == "1000"
        assert notes(cluster, clone) == ["one", "two", "three"]


def ended_by_the_crash(cluster: Cluster) -> None:
    with pytest.raises((AssertionError, RecoveryError)):
        cluster.sql("drop database shop")


def test_a_drop_that_a_crash_ended_is_said_and_can_be_gone_behind(tmp_path: Path) -> None:
    with own_cluster(tmp_path, "crash") as cluster:
        cluster.start()
        cluster.sql("create table notes (text text)")
        shop(cluster)
        cluster.base()
        note(cluster, "one")
        signal_checkpointer(cluster, "STOP")
        drop = threading.Thread(target=lambda: ended_by_the_crash(cluster))
        drop.start()
        cluster.until(lambda: cluster.sql(_WAITING) == "1", 60, "the drop waits")
        note(cluster, "two")
        cluster.docker("kill", "--signal", "KILL", cluster.name)
        drop.join(60)
        cluster.docker("start", cluster.name)
        cluster.ready()
        note(cluster, "three")
        moment = cluster.now()
        note(cluster, "four")
        plan = cluster.plan(moment)
        said = cluster.said(plan.id)
        found = re.search(r"^! .*did not finish.*before lsn ([0-9A-F/]+)", said, re.MULTILINE)
        assert found, said
        cluster.answer(plan.id, "Cancel")
        run = restored(cluster, f"before lsn {found[1]}")
        assert orders(cluster, run) == "1000"
        assert notes(cluster, cluster.clone(run.id)) == ["one"]


def test_what_else_has_an_effect_of_its_own_moves_no_stop(tmp_path: Path) -> None:
    with own_cluster(tmp_path, "effects") as cluster:
        cluster.start(["postgres", *archiving(), "-c", "max_prepared_transactions=5"])
        cluster.sql("create table notes (text text)")
        shop(cluster)
        cluster.base()
        cluster.sql("begin; insert into notes values ('prepared'); prepare transaction 'a: b'")
        prepared = cluster.now()
        cluster.sql("vacuum full pg_database")
        cluster.sql("alter database shop with allow_connections true")
        cluster.sql("vacuum freeze")
        cluster.sql("commit prepared 'a: b'")
        later = cluster.now()
        note(cluster, "later")
        run = restored(cluster, later)
        assert notes(cluster, cluster.clone(run.id)) == ["prepared"]
        assert "not kept" not in cluster.said(run.id)
        cluster.answer(run.id, "Discard")
        run = cluster.preview(prepared)
        cluster.answer(run.id, LEAVE)
        cluster.cut_over(run.id)
        assert cluster.sql("select string_agg(gid, '') from pg_prepared_xacts") == "a: b"
        assert cluster.sql("select count(*) from orders", "shop") == "1000"
        cluster.sql("commit prepared 'a: b'")
        assert notes(cluster, cluster.name) == ["prepared"]
