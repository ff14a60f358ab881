"""Tablespaces come back with the data directory, each beside its live files, and go back with it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from actions.engine.errors import RecoveryError
from actions.engine.status import state_of
from actions.postgres.server import Server
from tests.support.own_cluster import Cluster, own_cluster
from workers.postgres.container_sql import ContainerSql

pytestmark = pytest.mark.whole
LEAF = "PG_15_202209061"


def folder(cluster: Cluster, name: str) -> Path:
    """A folder that the server's user may use."""
    made = cluster.folder / name
    made.mkdir(parents=True)
    os.chown(made, 999, 999)
    return made


def table(cluster: Cluster, name: str, rows: int) -> None:
    """A tablespace and a table of the same name in it."""
    cluster.sql(f"create tablespace {name} location '/{name}'")
    cluster.sql(f"create table {name}_t (id int primary key using index tablespace {name}) tablespace {name}")
    cluster.sql(f"insert into {name}_t select generate_series(1, {rows})")


def counts(cluster: Cluster, container: str = "") -> list[str]:
    return [cluster.sql(f"select count(*) from {name}_t", container=container) for name in ("old", "new")]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """`old` is a mount and was made before the base backup; `new` lies below a mount and was made after it."""
    with own_cluster(tmp_path_factory.mktemp("own"), "tblspc") as made:
        old, disk = folder(made, "old"), folder(made, "disk")
        (old / "lost+found").mkdir()
        folder(made, "disk/new")
        folder(made, "disk/brief")
        made.start(run=["-v", f"{old}:/old", "-v", f"{disk}:/disk"])
        table(made, "old", 500)
        made.base()
        made.sql("create tablespace new location '/disk/new'")
        made.sql("create table new_t (id int primary key) tablespace new; insert into new_t values (1), (2)")
        yield made


def test_tablespaces_made_before_and_after_the_base_backup_are_recovered_and_undone(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.sql("insert into old_t select generate_series(501, 600)")
    cluster.sql("create tablespace brief location '/disk/brief'")
    cluster.sql("create table brief_t (id int) tablespace brief; insert into brief_t values (1); drop table brief_t")
    cluster.sql("drop tablespace brief")
    when = cluster.now()
    cluster.sql("delete from old_t where id > 100; delete from new_t; create table later (id int) tablespace new")
    before = tree(cluster)
    preview = cluster.preview(when)
    plan = str(cluster.store.run(preview.id).facts["tablespaces"])
    assert "/old" in plan
    assert "/disk/new" in plan
    assert "/disk/brief" in plan, "only the WAL tells of it"
    assert counts(cluster, cluster.clone(preview.id)) == ["600", "2"]
    assert counts(cluster) == ["100", "0"]
    assert tree(cluster) >= before, "live files were touched"
    failed = preview.id
    stopped_after_the_swap(cluster, failed, monkeypatch)
    assert counts(cluster) == ["600", "2"]
    assert sorted(kept(cluster, failed)) == [f"{LEAF}_before_{failed}"] * 2
    cluster.undo(failed)
    assert state_of(cluster.store.run(failed)) == "undone", cluster.story(failed)
    assert counts(cluster) == ["100", "0"]
    assert cluster.sql("select count(*) from later") == "0"
    assert kept(cluster, failed) == [f"{LEAF}_discarded_{failed}"] * 2

    run = cluster.recover(when)
    assert counts(cluster) == ["600", "2"]
    assert kept(cluster, run.id) == [f"{LEAF}_before_{run.id}"] * 2
    told = json.loads((cluster.folder / "old" / f"{LEAF}_before_{run.id}.mayday.json").read_text())
    assert told["run"] == run.id
    assert told["kept_until"]
    assert f"{cluster.folder}/old/{LEAF}_before_{run.id}" in cluster.said(run.id)
    assert (cluster.folder / "old" / "lost+found").is_dir()


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        (
            "by_hand",
            [
                "-Fp",
                "-T",
                "/old=/backups/postgres/base/by_hand_old",
                "-T",
                "/disk/new=/backups/postgres/base/by_hand_new",
            ],
        ),
        ("packed", ["-Ft", "-z"]),
    ],
)
def test_base_backups_made_by_hand_are_used_also_after_their_tablespaces_were_dropped(
    cluster: Cluster, name: str, arguments: list[str]
) -> None:
    cluster.docker(
        "exec",
        "-u",
        "postgres",
        cluster.name,
        "pg_basebackup",
        "-D",
        f"/backups/postgres/base/{name}",
        "-c",
        "fast",
        *arguments,
    )
    cluster.sql("insert into old_t select max(id) + 1 from old_t")
    rows, when = counts(cluster), cluster.now()
    cluster.sql("delete from old_t")
    if name == "packed":
        cluster.sql("drop table old_t")
        cluster.sql("drop tablespace old")
    run = cluster.recover(when)
    assert cluster.store.run(run.id).facts["base"]["name"] == name
    assert counts(cluster) == rows


def test_the_window_says_what_is_wrong_with_archives(cluster: Cluster) -> None:
    packed = cluster.bases / "packed"
    for name in ("cut", "unwhole", "lost", "strange"):
        shutil.copytree(packed, cluster.bases / name)
    whole = (packed / "base.tar.gz").read_bytes()
    (cluster.bases / "cut" / "base.tar.gz").write_bytes(whole[: len(whole) // 2])
    (cluster.bases / "unwhole" / "backup_manifest").unlink()
    oid = next(path.name for path in packed.glob("[0-9]*.tar.gz"))
    (cluster.bases / "lost" / oid).unlink()
    (cluster.bases / "strange" / "base.tar.gz").rename(cluster.bases / "strange" / "base.tar.zst")
    told = cluster.said(cluster.ask("postgres window").id)
    assert "cut: not usable: its base.tar.gz is cut off" in told
    assert "unwhole: not usable: it has no manifest" in told
    assert f"lost: not usable: its archive {oid.partition('.')[0]}.tar is missing" in told
    assert "strange: not usable: its base.tar.zst cannot be unpacked: the server's image has no zstd" in told
    assert "packed: " in told
    assert "by_hand_old" not in told, "the folder of a tablespace is no base backup"


def tree(cluster: Cluster) -> set[Path]:
    """The files of the live tablespaces."""
    return {path for live in live_folders(cluster) for path in live.rglob("*")}


def live_folders(cluster: Cluster) -> list[Path]:
    return [cluster.folder / "old" / LEAF, cluster.folder / "disk" / "new" / LEAF]


def kept(cluster: Cluster, run: str) -> list[str]:
    """What a run left beside the live files."""
    beside = [path.parent for path in live_folders(cluster)]
    return [p.name for place in beside for p in place.iterdir() if p.name.endswith(run) and "_wal_" not in p.name]


def stopped_after_the_swap(cluster: Cluster, run: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut over, while the recovered server cannot be proven writable: the run fails, swapped and not yet in service."""
    asked = ContainerSql.rows

    def refused(self: ContainerSql, container: str, server: Server, query: str, **more: Any) -> Any:
        if "pg_current_xact_id" in query:
            raise RecoveryError("It refuses.")
        return asked(self, container, server, query, **more)

    with monkeypatch.context() as patched:
        patched.setattr(ContainerSql, "rows", refused)
        cluster.cut_over(run)
    assert "It refuses." in cluster.trouble(run), cluster.story(run)
