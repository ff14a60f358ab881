"""Oddities of where things lie: the data directory, WAL, tablespaces."""

from __future__ import annotations

import os
from pathlib import Path

from tests.clusters.case import PGDATA, Case
from tests.clusters.kind import Kind

_VOLUMES = "/var/lib/docker/volumes"


def _owned(case: Case, name: str) -> Path:
    """A folder of the host that belongs to the server's user."""
    path = case.cluster.folder / name
    path.mkdir(parents=True, exist_ok=True)
    os.chown(path, case.cluster.uid, case.cluster.uid)
    return path


def _volume(case: Case) -> None:
    name = f"{case.cluster.name}-data"
    case.cluster.make_volume(name)
    case.launch.mount = ["-v", f"{name}:{PGDATA}"]
    _below(case, f"{_VOLUMES}/{name}/_data")


def _driver_volume(case: Case) -> None:
    """compose: driver_opts: {type: none, o: bind, device: …}; Docker mounts it only while a container runs."""
    name = f"{case.cluster.name}-data"
    device = _owned(case, "disk")
    case.cluster.make_volume(name, "-o", "type=none", "-o", "o=bind", "-o", f"device={device}")
    case.launch.mount = ["-v", f"{name}:{PGDATA}"]
    _below(case, "disk")


def _bare_volume(case: Case) -> None:
    name = f"{case.cluster.name}-data"
    case.cluster.make_volume(name)
    case.launch.mount = ["-v", f"{name}:{PGDATA}"]
    # Somebody may have set a folder within it already.
    case.launch.host = f"{_VOLUMES}/{name}/_data{case.launch.pgdata.removeprefix(PGDATA)}"


def _below(case: Case, folder: str) -> None:
    case.launch.host = f"{folder}/pgdata"
    case.launch.pgdata = f"{PGDATA}/pgdata"
    case.launch.env["PGDATA"] = case.launch.pgdata


def _bind_below(case: Case) -> None:
    case.launch.mount = ["-v", f"{_owned(case, 'data')}:{PGDATA}"]
    _below(case, "data")


def _elsewhere(case: Case) -> None:
    case.launch.mount = ["-v", f"{_owned(case, 'data/postgres')}:/srv/pg"]
    case.launch.pgdata = "/srv/pg/db"
    case.launch.host = "data/postgres/db"
    case.launch.env["PGDATA"] = "/srv/pg/db"
    case.launch.arguments += ["-D", "/srv/pg/db"]


def _wal_link(case: Case) -> None:
    case.launch.env["POSTGRES_INITDB_WALDIR"] = "/var/lib/postgresql/wal"
    case.launch.run += ["-v", f"{_owned(case, 'wal')}:/var/lib/postgresql/wal"]


def _mount_tablespaces(case: Case) -> None:
    case.launch.run += ["-v", f"{_owned(case, 'fast')}:/fast"]


def _tablespace(case: Case) -> None:
    case.sql("create tablespace fast location '/fast'", "postgres")
    case.sql(
        "create table far (id int primary key, v text) tablespace fast; "
        "insert into far select g, 'far ' || g from generate_series(1, 400) g"
    )
    case.did("made a tablespace before the base backup")


def _mount_late(case: Case) -> None:
    case.launch.run += ["-v", f"{_owned(case, 'late')}:/late"]


def _late_tablespace(case: Case) -> None:
    case.sql("create tablespace late location '/late'", "postgres")
    case.sql(
        "create table later (id int primary key, v text) tablespace late; "
        "insert into later select g, 'late ' || g from generate_series(1, 400) g"
    )
    case.did("made a tablespace after the base backup")


PLACE = (
    Kind("bind mount", "data", 4),
    Kind("PGDATA below the mount", "data", 2, _bind_below),
    Kind("a named volume", "data", 0.5, _bare_volume),
    Kind("PGDATA below a named volume", "data", 1.5, _volume),
    Kind("PGDATA below a volume with driver_opts", "data", 1, _driver_volume),
    Kind("PGDATA elsewhere", "data", 1, _elsewhere),
    Kind("link for pg_wal", share=0.07, launch=_wal_link),
    Kind("a tablespace before the base", share=0.12, launch=_mount_tablespaces, filled=_tablespace),
    Kind("a tablespace after the base", share=0.1, launch=_mount_late, based=_late_tablespace),
)
