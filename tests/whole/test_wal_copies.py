"""Recoveries from archives in which copies of WAL are cut short, packed, broken or foreign."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable, Iterator
from pathlib import Path

import lz4.frame
import pytest
import zstandard

from actions.engine.status import state_of
from tests.support.own_cluster import KEEP, Cluster, archiving, own_cluster

pytestmark = pytest.mark.whole

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "xz": lzma.compress,
    "bz2": bz2.compress,
    "zst": zstandard.compress,
    "lz4": lz4.frame.compress,
}
# As the manual of PostgreSQL gives it: it never overwrites, so a copy that was cut short stops it for ever.
MANUAL = "test ! -f /backups/postgres/wal/%f && cp %p /backups/postgres/wal/%f"


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with own_cluster(tmp_path, "copies") as made:
        yield made


def begun(cluster: Cluster, command: str = MANUAL) -> None:
    cluster.start(command=["postgres", *archiving(command)])
    cluster.sql("create table t (id bigint primary key, v text)")
    cluster.sql("insert into t select g, 'a' from generate_series(1, 100) g")
    cluster.base()


def cut_short(cluster: Cluster, segment: str, size: int = 5 << 20) -> None:
    """What an interrupted cp leaves under the final name."""
    (cluster.archive / segment).write_bytes((cluster.data / "pg_wal" / segment).read_bytes()[:size])


def test_with_a_copy_cut_short_in_the_archive_the_servers_own_segment_is_taken(cluster: Cluster) -> None:
    begun(cluster)
    cluster.sql("create table filler as select g, repeat('x', 500) v from generate_series(1, 14000) g")
    cluster.sql("insert into t select g, 'b' from generate_series(101, 150) g")
    segment = cluster.sql("select pg_walfile_name(pg_current_wal_lsn())")
    when = cluster.now()
    cluster.sql("delete from t")
    cut_short(cluster, segment)
    for _ in range(2):
        cluster.sql("select pg_switch_wal()")
        cluster.sql("insert into t values (9000 + (select count(*) from t), 'c')")
    run = cluster.preview(when)
    cluster.answer(run.id, "Discard")
    # The same of a server that is down: what only its own pg_wal holds still counts.
    cluster.docker("stop", cluster.name)
    run = cluster.plan(when)
    assert run.question is not None, cluster.story(run.id)
    cluster.settle()
    cluster.docker("start", cluster.name)
    cluster.ready()
    run = cluster.recover(when)
    assert cluster.sql("select count(*) from t") == "150"
    # The bad copy is not offered again, so the archiver goes on; a person is told of it.
    assert "WAL arrives in the archive" in cluster.said(run.id)
    assert f"Bad in the archive: {segment}; move" in cluster.said(run.id)


def test_a_copy_cut_short_without_another_ends_the_window_and_the_plan_says_which(cluster: Cluster) -> None:
    begun(cluster, "test -f /backups/postgres/wal/%f || cp %p /backups/postgres/wal/%f")
    before = cluster.now()
    cluster.sql("insert into t values (500, 'b')")
    lost = cluster.switch()
    cluster.sql("insert into t values (501, 'c')")
    when = cluster.now()
    cluster.sql("insert into t values (502, 'd')")
    cluster.switch()
    (cluster.archive / lost).write_bytes((cluster.archive / lost).read_bytes()[: 5 << 20])
    (cluster.data / "pg_wal" / lost).unlink()
    window = cluster.ask("postgres window")
    assert f"missing {lost} ({lost}: it is cut short: 5 MB of 16 MB)" in cluster.said(window.id)
    run = cluster.plan(when)
    assert run.question is None
    assert f"{lost}: it is cut short: 5 MB of 16 MB" in cluster.trouble(run.id)
    assert state_of(cluster.plan(before)) == "refused"


def test_packed_wal_is_recovered_whatever_programs_the_image_has(cluster: Cluster) -> None:
    begun(cluster)
    names = []
    for n in range(len(PACKERS)):
        cluster.sql(f"insert into t values ({200 + n}, 'b')")
        names.append(cluster.switch())
    when = cluster.now()
    cluster.sql("delete from t")
    cluster.switch()
    # One of each form; of xz, bzip2, zstd and lz4 the image has no program.
    for name, (form, pack) in zip(names, PACKERS.items(), strict=True):
        (cluster.archive / f"{name}.{form}").write_bytes(pack((cluster.archive / name).read_bytes()))
        (cluster.archive / name).unlink()
        (cluster.data / "pg_wal" / name).unlink(missing_ok=True)
    cluster.recover(when)
    assert cluster.sql("select count(*) from t") == str(100 + len(PACKERS))


def test_a_copy_whose_fault_shows_only_when_it_is_read_gives_way_to_another(cluster: Cluster) -> None:
    begun(cluster)
    cluster.sql("insert into t select g, 'b' from generate_series(101, 150) g")
    first = cluster.switch()
    cluster.sql("insert into t select g, 'c' from generate_series(151, 170) g")
    second = cluster.switch()
    when = cluster.now()
    cluster.sql("delete from t")
    cluster.switch()
    # Whole in size and beginning, but zeros from the first megabyte on; and a stream broken in its middle.
    good = (cluster.archive / first).read_bytes()
    (cluster.archive / first).write_bytes(good[:8192].ljust(len(good), b"\0"))
    (cluster.archive / f"{first}.gz").write_bytes(gzip.compress(good))
    other = (cluster.archive / second).read_bytes()
    stream = bytearray(gzip.compress(other))
    stream[200:260] = bytes(60)
    (cluster.archive / f"{second}.gz").write_bytes(bytes(stream))
    (cluster.archive / second).unlink()
    assert (cluster.data / "pg_wal" / second).exists()
    cluster.recover(when, KEEP)
    assert cluster.sql("select count(*) from t") == "170"
