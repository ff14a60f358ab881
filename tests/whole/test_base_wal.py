"""Recoveries that take WAL out of the base backup itself, because the archive lost it or holds bad copies of it."""

from __future__ import annotations

import io
import shutil
import tarfile
from collections.abc import Iterator, Sequence

import pytest

from actions.engine.status import state_of
from tests.support.own_cluster import BASE, Cluster, lines_of, own_cluster

pytestmark = pytest.mark.whole

FILLER = "create table filler as select g, repeat('x', 500) v from generate_series(1, 60000) g"
MADE = [
    ("plain", ["-X", "stream"]),
    ("tar-gz", ["-F", "t", "-z", "-X", "stream"]),
    ("tar", ["-F", "t", "-X", "stream"]),
    ("tar-fetch", ["-F", "t", "-X", "fetch"]),
]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with own_cluster(tmp_path_factory.mktemp("base_wal"), "basewal") as made:
        made.start()
        made.sql("create table t (id bigint primary key, v text)")
        yield made


def by_hand(cluster: Cluster, name: str, arguments: Sequence[str]) -> list[str]:
    """A base backup during which segments are written, by pg_basebackup; the names of those."""
    cluster.sql("drop table if exists filler")
    cluster.switch()
    # Slowly, so that others write meanwhile; what begins on its own ends with the container.
    into = f"/backups/postgres/base/{name}"
    cluster.docker(
        "exec", "-d", "-u", "postgres", cluster.name, "pg_basebackup", "-D", into, "-c", "fast", "-r", "8M", *arguments
    )
    cluster.until(lambda: (cluster.bases / name).exists(), 20, "it began")
    cluster.until(
        lambda: (
            cluster.sql("select count(*) from pg_stat_progress_basebackup where phase = 'streaming database files'")
            == "1"
        ),
        20,
        "it copies",
    )
    cluster.sql(FILLER)
    cluster.until((cluster.bases / name / "backup_manifest").exists, 60, "it is whole")
    first, last = span(cluster, name)
    cluster.until(lambda: any(cluster.archive.glob(f"{last}*")), 30, "its end is archived")
    return sorted(p.name for p in cluster.archive.iterdir() if len(p.name) == 24 and first <= p.name <= last)


def span(cluster: Cluster, name: str) -> tuple[str, str]:
    """The first and the last segment that a backup needs, as the archive's own .backup file says."""
    told = max(cluster.archive.glob("*.backup"), key=lambda path: path.stat().st_mtime).read_text()
    lines = dict(line.split(": ", 1) for line in told.splitlines())
    return lines["START WAL LOCATION"][-25:-1], lines["STOP WAL LOCATION"][-25:-1]


def lose(cluster: Cluster, segments: Sequence[str], *, short: Sequence[str] = ()) -> None:
    """Remove segments from archive and server; of those in `short` the archive keeps the first third."""
    cluster.sql("checkpoint")
    for name in segments:
        whole = (cluster.archive / name).read_bytes()
        (cluster.archive / name).unlink()
        (cluster.data / "pg_wal" / name).unlink(missing_ok=True)
        if name in short:
            (cluster.archive / name).write_bytes(whole[: len(whole) // 3])


@pytest.mark.parametrize(("name", "arguments"), MADE, ids=[name for name, _ in MADE])
def test_a_base_backup_whose_wal_the_archive_lost_is_recovered_from_with_its_own(
    cluster: Cluster, name: str, arguments: list[str]
) -> None:
    segments = by_hand(cluster, name, arguments)
    assert len(segments) > 1, segments
    cluster.sql("insert into t select coalesce(max(id), 0) + 1, 'kept' from t")
    rows, when = cluster.sql("select count(*) from t"), cluster.now()
    cluster.sql("delete from t")
    cluster.switch()
    lose(cluster, segments, short=segments[1:2])
    live = "\n".join(lines_of(cluster.sheets(cluster.ask("postgres window").id)[0]))
    assert f"{name}: not usable" not in live
    assert f"missing {segments[0]}" not in live
    run = cluster.preview(when)
    assert cluster.store.run(run.id).facts["base"]["name"] == name
    assert cluster.sql("select count(*) from t", container=cluster.clone(run.id)) == rows
    if name != "tar-gz":
        cluster.answer(run.id, "Discard")
        return
    run = cluster.cut_over(run.id)
    assert state_of(run) == "recovered", cluster.story(run.id)
    assert cluster.sql("select count(*) from t") == rows
    bad = next(line for line in cluster.said(run.id).splitlines() if line.startswith("Bad in the archive: "))
    assert segments[1] in bad


def test_a_damaged_copy_in_the_base_backup_gives_way_to_a_good_one_and_is_told_where_there_is_none(
    cluster: Cluster,
) -> None:
    segments = by_hand(cluster, "damaged", ["-X", "stream"])
    packed(cluster, "damaged", "cut")
    cluster.sql("insert into t select coalesce(max(id), 0) + 1, 'kept' from t")
    rows, when = cluster.sql("select count(*) from t"), cluster.now()
    cluster.sql("delete from t")
    cluster.switch()
    # Whole in size and beginning, zeros from there on: only reading it tells.
    own = cluster.bases / "damaged" / "pg_wal" / segments[0]
    own.write_bytes(own.read_bytes()[:1_000_000].ljust(own.stat().st_size, b"\0"))
    # The same of the archive's copy of the next one, of which the backup has a good one.
    kept = cluster.archive / segments[1]
    kept.write_bytes(kept.read_bytes()[:1_000_000].ljust(kept.stat().st_size, b"\0"))
    cluster.sql("checkpoint")
    (cluster.data / "pg_wal" / segments[1]).unlink(missing_ok=True)
    run = cluster.preview(when)
    assert cluster.store.run(run.id).facts["base"]["name"] in ("damaged", "cut")
    assert cluster.sql("select count(*) from t", container=cluster.clone(run.id)) == rows
    cluster.answer(run.id, "Discard")

    lost = [(name, (cluster.archive / name).read_bytes()) for name in segments]
    lose(cluster, segments)
    told = cluster.said(cluster.ask("postgres window").id)
    for name in ("cut", "damaged"):
        assert f"{name}: not usable: the WAL written during the backup is missing ({segments[0]}: it " in told
    said = next(line for line in told.splitlines() if line.startswith("damaged: not usable: "))
    assert f"{segments[0]}: it is cut short: " in said
    assert f"{segments[0]}: it cannot be read to its end: " in said
    assert said.endswith("(in damaged))")
    for name, data in lost:
        (cluster.archive / name).write_bytes(data)
    run = cluster.ask(BASE)
    assert state_of(run) == "done", cluster.story(run.id)


def packed(cluster: Cluster, name: str, to: str) -> None:
    """The same base backup in tar form, the archive of its WAL cut off within the first segment."""
    folder, made = cluster.bases / name, cluster.bases / to
    made.mkdir()
    shutil.copy(folder / "backup_manifest", made)
    with tarfile.open(made / "base.tar", "w") as tar:
        tar.add(folder / "backup_label", "backup_label")
        for path in sorted(folder.rglob("*")):
            within = str(path.relative_to(folder))
            inside = within.startswith("pg_wal/") and path.is_file()
            if within not in ("backup_label", "backup_manifest") and not inside:
                tar.add(path, within, recursive=False)
    wal = io.BytesIO()
    with tarfile.open(fileobj=wal, mode="w") as tar:
        for path in sorted((folder / "pg_wal").glob("0*")):
            tar.add(path, path.name)
    (made / "pg_wal.tar").write_bytes(wal.getvalue()[: 5 << 20])
