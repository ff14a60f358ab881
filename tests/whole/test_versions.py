"""Whole recoveries on every version of PostgreSQL, on images laid out like the official ones: `make versions`."""

from __future__ import annotations

import os
import secrets
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from actions.control import answers
from actions.engine.journal import Kind
from actions.engine.status import state_of
from lab.images import POSTGRES
from lab.versions import VERSIONS, Version, chosen
from tests.support.own_cluster import APPROVER, CUT, KEEP, PAUSE, Cluster, archiving, own_cluster
from tests.support.versions_table import ABOVE, FORWARDS, INCREMENTAL, VOLUME

pytestmark = pytest.mark.versions

_ALL = """select md5(coalesce(string_agg(all_rows.r, ',' order by all_rows.r), ''))
          from (select t::text as r from t union all select parts::text from parts) all_rows"""


@dataclass(frozen=True)
class Built:
    """An image to recover: of which version, and who built it."""

    version: Version
    image: str
    by: str


BUILT = [Built(version, version.tag, version.source) for version in chosen(os.environ.get("ONLY", ""))]
if any(one.version.major == 15 for one in BUILT):
    fifteen = next(version for version in VERSIONS if version.major == 15)
    BUILT.append(Built(fifteen, POSTGRES, "Debian's package (bookworm)"))


def _id(built: Built) -> str:
    return f"{built.version.major} of {built.by}"


@pytest.fixture(params=BUILT, ids=_id)
def built(request: pytest.FixtureRequest) -> Built:
    return request.param  # type: ignore[no-any-return]


Proves = Callable[[str], None]


@pytest.fixture
def proves(built: Built, record_property: Callable[[str, object], None]) -> Proves:
    """Notes for the table which server it is, by what its programs say, and what is done with it."""
    asked = ["docker", "run", "--rm", "--network=none", "--entrypoint=postgres", built.image, "--version"]
    number = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()[2]

    def note(scenario: str) -> None:
        record_property("server", f"{number}, {built.by}")
        record_property("scenario", scenario)

    return note


@contextmanager
def server(root: Path, built: Built, data: list[str] | None = None, **more: object) -> Iterator[Cluster]:
    """A server that archives, with two tables of 1,000 rows each and a base backup. `data` mounts PGDATA."""
    with own_cluster(root, f"v{built.version.major}") as cluster:
        mount = ["-v", f"{cluster.data}:{built.version.data}"] if data is None else data
        cluster.start(image=built.image, data=mount, **more)  # type: ignore[arg-type]
        cluster.sql("create table t (id bigint generated always as identity primary key, what jsonb not null)")
        cluster.sql("""create table parts (id int, at date) partition by range (at);
                       create table parts_1 partition of parts for values from ('2026-01-01') to ('2026-07-01');
                       create table parts_2 partition of parts default""")
        add(cluster, 1000)
        cluster.base()
        yield cluster


def add(cluster: Cluster, rows: int) -> None:
    cluster.sql(f"""insert into t (what) select json_build_object('n', g, 'text', repeat(md5(g::text), g % 200))::jsonb
                                         from generate_series(1, {rows}) g;
                    insert into parts select g, date '2026-01-01' + g % 365 from generate_series(1, {rows}) g""")


def moment(cluster: Cluster) -> tuple[str, str]:
    """The time, and what all rows come to then."""
    rows = cluster.sql(_ALL)
    return cluster.now(), rows


def damage(cluster: Cluster) -> None:
    cluster.sql("delete from t where id % 3 = 0; update t set what = '{}' where id % 3 = 1; truncate parts_2")


def timeline(cluster: Cluster) -> int:
    return int(cluster.sql("select timeline_id from pg_control_checkpoint()"))


def recovered(cluster: Cluster, when: str, rows: str, mode: str = KEEP) -> None:
    """A whole recovery that brings just these rows back."""
    run = cluster.recover(when, mode)
    said = cluster.said(run.id)
    assert cluster.sql(_ALL) == rows, said
    assert "Integrity: Healthy" in said
    assert "After the cut-over: Healthy" in said


def stopped_before_writers_go_on(cluster: Cluster, when: str) -> str:
    """A run that cut over and was then stopped by a person, while it can still be undone."""
    run = cluster.preview(when, PAUSE).id

    def stop() -> None:
        cluster.until(
            lambda: any(
                e.kind is Kind.BEGAN and e.data["title"] == "start the server" for e in cluster.store.entries(run)
            ),
            120,
            "the server is started",
        )
        answers.stop(cluster.store, run, APPROVER)

    person = threading.Thread(target=stop)
    person.start()
    state = cluster.cut_over(run)
    person.join()
    assert state.failure is not None, cluster.story(run)
    assert state.failure.stopped, cluster.story(run)
    return run


def test_a_recovery_a_second_one_to_before_it_and_an_undo(built: Built, proves: Proves, tmp_path: Path) -> None:
    proves(FORWARDS)
    with server(tmp_path, built) as cluster:
        early, early_rows = moment(cluster)
        add(cluster, 500)
        late, late_rows = moment(cluster)
        damage(cluster)
        recovered(cluster, late, late_rows)
        assert timeline(cluster) == 2
        add(cluster, 100)
        recovered(cluster, early, early_rows)
        assert timeline(cluster) == 3
        assert cluster.sql("select count(*) from t") == "1000"

        add(cluster, 10)
        good, good_rows = moment(cluster)
        damage(cluster)
        _, bad_rows = moment(cluster)
        assert bad_rows != good_rows
        run = stopped_before_writers_go_on(cluster, good)
        assert cluster.sql(_ALL) == good_rows
        assert state_of(cluster.undo(run, APPROVER)) == "undone", cluster.story(run)
        cluster.ready()
        assert cluster.sql(_ALL) == bad_rows
        assert timeline(cluster) == 3
        add(cluster, 1)
        recovered(cluster, good, good_rows, PAUSE)
        assert timeline(cluster) > 3


def short(cluster: Cluster) -> None:
    """One recovery of a damage, with the old data kept beside."""
    when, rows = moment(cluster)
    damage(cluster)
    recovered(cluster, when, rows)


@contextmanager
def named_volume() -> Iterator[str]:
    name = f"mt-v-{secrets.token_hex(4)}"
    subprocess.run(["docker", "volume", "create", name], check=True, capture_output=True)
    try:
        yield name
    finally:
        subprocess.run(["docker", "volume", "rm", "-f", name], check=False, capture_output=True)


def below(version: Version) -> str:
    """PGDATA below the mount: where the official image has it from 18 on, where its page advises it before."""
    return version.data if version.mount != version.data else f"{version.mount}/pgdata"


def test_a_recovery_where_a_named_volume_is_mounted_at_pgdata(built: Built, proves: Proves, tmp_path: Path) -> None:
    proves(VOLUME)
    with named_volume() as name, server(tmp_path, built, ["-v", f"{name}:{built.version.data}"]) as cluster:
        short(cluster)


@pytest.mark.parametrize("kind", ["folder", "volume"])
def test_a_recovery_where_pgdata_lies_below_the_mount(built: Built, kind: str, proves: Proves, tmp_path: Path) -> None:
    proves(ABOVE[kind])
    with ExitStack() as ends:
        source = ends.enter_context(named_volume()) if kind == "volume" else str(tmp_path / "above")
        where = {"data": ["-v", f"{source}:{built.version.mount}"], "env": {"PGDATA": below(built.version)}}
        short(ends.enter_context(server(tmp_path, built, **where)))


def increment(cluster: Cluster, name: str, parent: str) -> str:
    """An incremental base backup, taken as people take them, after some more rows."""
    add(cluster, 200)
    folder = "/backups/postgres/base"
    cluster.docker(
        "exec",
        "-u",
        "postgres",
        cluster.name,
        "pg_basebackup",
        "-D",
        f"{folder}/{name}",
        "-c",
        "fast",
        f"--incremental={folder}/{parent}/backup_manifest",
    )
    return name


def flip(file: Path) -> None:
    """Change one byte in the middle; a second time gives it back."""
    with file.open("r+b") as it:
        it.seek(file.stat().st_size // 2)
        byte = it.read(1)[0]
        it.seek(-1, os.SEEK_CUR)
        it.write(bytes([byte ^ 0xFF]))


@pytest.mark.parametrize("built", [one for one in BUILT if one.version.major >= 17], ids=_id, indirect=True)
def test_a_recovery_from_an_incremental_base_backup(built: Built, proves: Proves, tmp_path: Path) -> None:
    proves(INCREMENTAL)
    with server(tmp_path, built, command=["postgres", *archiving(), "-c", "summarize_wal=on"]) as cluster:
        (full,) = (path.name for path in cluster.bases.iterdir())
        last = increment(cluster, "second", increment(cluster, "first", full))
        when, rows = moment(cluster)
        damage(cluster)
        run = cluster.plan(when)
        assert f"Base backup: {last}, incremental: combined with {full}, first" in cluster.said(run.id)

        table = cluster.bases / full / cluster.sql("select pg_relation_filepath('t')")
        flip(table)
        cluster.answer(run.id, KEEP)
        assert f"The base backup {full} is not what its manifest says." in cluster.trouble(run.id)
        flip(table)
        assert cluster.retry(run.id).question is not None, cluster.story(run.id)
        assert state_of(cluster.cut_over(run.id, CUT)) == "recovered", cluster.story(run.id)
        assert cluster.sql(_ALL) == rows
        assert "Healthy" in cluster.said(run.id)

        (cluster.bases / full).rename(cluster.folder / full)
        said = cluster.said(cluster.ask("postgres window").id)
        assert "first: not usable: it is incremental, and the backup that it builds on is missing" in said
        assert "second: not usable: it is incremental, and the backup that first builds on is missing" in said
