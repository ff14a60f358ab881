"""Finding the data directory of a server: what is taken for it, what is not, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from actions.engine.errors import Refused
from actions.postgres.data_directory import DataDirectory
from actions.postgres.server import Server
from actions.steps.postgres.find_data import find_data
from actions.tools.docker import Container, Mount
from actions.tools.postgres_servers import Process
from tests.support.worlds.company import SITE
from tests.support.worlds.founding import container

NONE = DataDirectory("", control_error="no pg_control")
EMPTY = replace(NONE, empty=True)
DATA = DataDirectory("", version="15")


class Disk:
    """Data directories by their path within the container; whatever else is asked for is an empty folder."""

    def __init__(self, **there: DataDirectory) -> None:
        self.there = {f"/{name.replace('_', '/')}": found for name, found in there.items()}

    def data_directory(self, server: Server) -> DataDirectory:
        return self.there.get(server.home.inside, EMPTY)


class Processes:
    """Docker, which sees the server's main process or none."""

    def __init__(self, process: Process | None = None) -> None:
        self.seen = process

    def process(self, name: str, id: str) -> Process | None:
        return self.seen


def box(
    state: str = "exited", command: tuple[str, ...] = ("postgres",), pgdata: str = "/data/db", **env: str
) -> Container:
    mounts = (Mount("bind", "/srv/data", "/data"), Mount("bind", "/srv/backups", "/backups"))
    return container(SITE.postgres, state=state, command=command, mounts=mounts, env={"PGDATA": pgdata, **env})


def found(box: Container, disk: Disk, process: Process | None = None) -> Server:
    docker: Any = Processes(process)
    files: Any = disk
    return find_data(box, SITE, docker, files)[0]


def test_a_server_of_whose_backups_nothing_is_told_is_refused() -> None:
    servers: Any = Processes()
    files: Any = Disk(data_db=DATA)
    with pytest.raises(Refused, match=f"where the backups of {SITE.postgres} lie"):
        find_data(box(), replace(SITE, archive=""), servers, files)


@pytest.mark.parametrize(
    "there", [DATA, DataDirectory("", version="15", control_error="damaged"), DataDirectory("sound")]
)
def test_a_directory_with_a_version_or_a_control_file_is_one(there: DataDirectory) -> None:
    disk = Disk(data_db=there, var_lib_postgresql_data=DATA)
    images = Mount("bind", "/srv/default", "/var/lib/postgresql/data")
    both = replace(box(), mounts=(*box().mounts, images))
    assert found(both, disk).home.inside == "/data/db"
    disk.there["/data/db"] = NONE
    assert found(both, disk).home.inside == "/var/lib/postgresql/data"


@pytest.mark.parametrize("nothing", [EMPTY, replace(NONE, empty=True)])
def test_an_empty_folder_or_none_is_refused_and_one_with_files_is_looked_at_further(nothing: DataDirectory) -> None:
    with pytest.raises(Refused, match="was not found") as refused:
        found(box(), Disk(data_db=nothing))
    assert refused.value.detail == "Looked in /data/db and where images keep it."
    assert found(box(), Disk(data_db=NONE)).home.inside == "/data/db"


def test_what_is_on_no_mount_is_refused_for_that_reason() -> None:
    with pytest.raises(Refused, match="is not on a mount"):
        found(box(pgdata="/elsewhere"), Disk())


def test_one_data_directory_below_is_taken_and_of_several_none() -> None:
    leaves = ("main", "main_clone_r0209-abcd", "main_before_r0208-wxyz", "main_discarded_r0207-2345")
    disk = Disk(data_db=replace(NONE, below=leaves), data_db_main=DATA)
    assert found(box(), disk).home.inside == "/data/db/main"
    disk.there["/data/db"] = replace(NONE, below=("main", "main_before_x", "other"))
    with pytest.raises(Refused, match="cannot be known while the server is down") as refused:
        found(box(), disk)
    assert refused.value.detail == "/data/db is none itself, and holds: main, main_before_x, other."


def test_a_server_that_runs_elsewhere_is_asked_itself() -> None:
    disk = Disk(data_db=DATA, data_main=replace(DATA, pid_file="1\n"))
    process = Process("/data/main", ("postgres", "-D", "/data/main"))
    seen = found(box("running"), disk, process)
    assert (seen.home.inside, seen.command) == ("/data/main", process.command)
    assert found(box("running"), disk).home.inside == "/data/db"


@pytest.mark.parametrize(
    ("command", "inside"),
    [
        (("postgres", "-D", "/data/main"), "/data/main"),
        (("/usr/lib/postgresql/15/bin/postgres", "-D/data/main"), "/data/main"),
        (("-c", "data_directory=/data/main"), "/data/main"),
        ((), "/data/db"),
        (("wrapper", "-D", "/data/main"), "/data/db"),
    ],
)
def test_only_a_command_of_the_server_itself_names_its_data(command: tuple[str, ...], inside: str) -> None:
    disk = Disk(data_db=replace(DATA, opts_file='postgres "-c" "a=1"'), data_main=DATA)
    seen = found(box(command=command), disk)
    assert seen.home.inside == inside
    assert (seen.command == command) is (command[:1] != ("wrapper",))


def test_wal_behind_a_link_has_to_lie_on_a_mount() -> None:
    assert found(box(), Disk(data_db=replace(DATA, wal="/data/wal"))).wal == "/srv/data/wal"
    with pytest.raises(Refused, match="is a link to /wal, which is on no mount"):
        found(box(), Disk(data_db=replace(DATA, wal="/wal")))
