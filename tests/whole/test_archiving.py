"""Whether WAL arrives in the archive: after a recovery, after a base backup, and as the doctor sees it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from actions.engine.status import state_of
from actions.settings.settings import Settings
from actions.settings.site import SiteSettings
from tests.support.own_cluster import KEEP, Cluster, archiving, own_cluster
from workers.doctor.site_checks import site_findings

pytestmark = pytest.mark.whole

W = "/backups/postgres/wal"
# Refuses to overwrite, as the manual of PostgreSQL asks for, and is slow like an archive over a WAN.
SLOW = f"test ! -f {W}/%f.gz && sleep 6 && gzip -c %p > {W}/.%f.tmp && mv {W}/.%f.tmp {W}/%f.gz"


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with own_cluster(tmp_path, "archiving") as made:
        yield made


def begun(cluster: Cluster, *flags: str) -> None:
    cluster.start(command=["postgres", *(flags or archiving())])
    cluster.sql("create table t (id bigint primary key); insert into t select generate_series(1, 100)")


def doctor(cluster: Cluster) -> dict[str, tuple[bool, str]]:
    """What the doctor finds of this cluster, by name."""
    of = cluster.site
    site = SiteSettings(name=of.name, postgres=of.postgres, database=of.database, user=of.user, writers=())
    settings = Settings(site=site)
    return {finding.name: (finding.ok, finding.seen) for finding in site_findings(settings, cluster.store)}


def test_what_arrives_between_the_plan_and_the_cut_over_does_not_stop_the_archiver_afterwards(cluster: Cluster) -> None:
    begun(cluster, *archiving(SLOW))
    cluster.base()
    for n in range(3):
        cluster.sql(f"insert into t values ({200 + n})")
        cluster.sql("select pg_switch_wal()")
    cluster.sql("insert into t values (300)")
    when = cluster.now()
    cluster.sql("delete from t")
    run = cluster.preview(when, KEEP)
    time.sleep(15)
    run = cluster.cut_over(run.id)
    assert state_of(run) == "recovered", cluster.story(run.id)
    assert cluster.sql("select count(*) from t") == "104"
    assert not [line for line in cluster.said(run.id).splitlines() if line.startswith("!")]
    assert "WAL arrives in the archive" in cluster.said(run.id)
    assert list(cluster.archive.glob("00000002.history.gz"))
    assert cluster.sql("select failed_count from pg_stat_archiver") == "0"
    assert doctor(cluster)["WAL archive"][0]


def test_a_new_timeline_is_followed_where_the_old_pg_wal_was_a_link_and_its_history_arrives_late(
    cluster: Cluster,
) -> None:
    wal = cluster.folder / "wal"
    wal.mkdir(parents=True)
    os.chown(wal, 999, 999)
    cluster.start(
        command=["postgres", *archiving(SLOW)], env={"POSTGRES_INITDB_WALDIR": "/wal/here"}, run=["-v", f"{wal}:/wal"]
    )
    cluster.sql("create table t (id bigint primary key); insert into t select generate_series(1, 100)")
    cluster.base()
    cluster.docker("stop", cluster.name)
    run = cluster.cut_over(cluster.preview("latest", KEEP).id)
    assert state_of(run) == "recovered", cluster.story(run.id)
    assert cluster.sql("select count(*) from t") == "100"
    assert "WAL arrives in the archive" in cluster.said(run.id)


def test_an_archive_that_takes_nothing_after_the_cut_over_is_what_the_report_says_first(cluster: Cluster) -> None:
    begun(cluster)
    cluster.base()
    cluster.sql("insert into t values (200)")
    when = cluster.now()
    cluster.sql("delete from t")
    run = cluster.preview(when, KEEP)
    os.chown(cluster.archive, 0, 0)
    cluster.archive.chmod(0o555)
    run = cluster.cut_over(run.id)
    assert state_of(run) == "recovered", cluster.story(run.id)
    assert cluster.sql("select count(*) from t") == "101"
    first = cluster.said(run.id).splitlines()[0]
    assert first.startswith("! Nothing that is written since the cut-over can be recovered"), first
    assert "archiving 0000000" in first
    assert "Permission denied" in first
    assert "archive command failed" in first
    assert not doctor(cluster)["WAL archive"][0]
    os.chown(cluster.archive, 999, 999)
    cluster.archive.chmod(0o755)
    cluster.until(lambda: any(len(f.name) == 24 for f in cluster.archive.glob("00000002*")), 90, "it is tried again")
    assert doctor(cluster)["WAL archive"][0]


@pytest.mark.parametrize(("command", "words"), [("/bin/true", "it is not there"), ("", "archive_command is empty")])
def test_a_base_backup_says_that_nothing_after_it_can_be_had(cluster: Cluster, command: str, words: str) -> None:
    begun(cluster, *archiving(command))
    run = cluster.ask("postgres base backup")
    assert state_of(run) == "done", cluster.story(run.id)
    assert cluster.said(run.id).startswith("! No moment after this base backup can be recovered from the archive: ")
    assert words in cluster.said(run.id)
    ok, seen = doctor(cluster)["WAL archive"]
    assert not ok
    assert words in seen
    cluster.sql("insert into t values (200)")
    window = cluster.ask("postgres window")
    assert cluster.said(window.id).startswith("! WAL does not arrive in the archive")


def test_doctors_that_look_at_the_same_time_are_not_in_each_others_way(tmp_path: Path) -> None:
    with own_cluster(tmp_path, "doctors") as cluster:
        cluster.start()
        cluster.base()
        with ThreadPoolExecutor(3) as several:
            found = list(several.map(doctor, [cluster] * 3))
        assert [sorted(one) for one in found] == [sorted(found[0])] * 3
        assert not [one for one in found if "host" in one]
        assert cluster.docker("ps", "-aq", "--filter", "name=mayday-helper-doctor") == ""
