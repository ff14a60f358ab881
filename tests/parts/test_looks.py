"""Looking at servers that are set up in odd ways, with real containers: where the data lies, how it is reached."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker
import pytest

from actions.engine.errors import Refused
from actions.postgres.live_server import Live
from actions.postgres.server import Server
from actions.steps.postgres.ask_live import ask_primary
from actions.steps.postgres.data_place import must_be_swappable
from actions.steps.postgres.look_at_server import look_at_server
from actions.tools.names import Names
from tests.support.own_cluster import Cluster, archiving, own_cluster
from workers.docker.containers import DockerHost
from workers.docker.host_folders import HostFolders
from workers.postgres.container_sql import ContainerSql
from workers.postgres.host_files import HostFiles
from workers.postgres.host_servers import HostServers

pytestmark = pytest.mark.parts
MOUNT = "/var/lib/postgresql/data"
WRAPPED = 'export PGDATA={}; exec docker-entrypoint.sh postgres "$@"'


class Looks:
    """What the plan's first looks find of one cluster."""

    def __init__(self, cluster: Cluster, client: Any, names: Names) -> None:
        self.cluster, self.names = cluster, names
        self.docker, self.files, self.sql = DockerHost(client), HostFiles(client, names), ContainerSql(client)
        self.servers, self.folders = HostServers(client, names), HostFolders(client, names, self.files.helper)

    def server(self) -> Server:
        return look_at_server(self.cluster.name, self.cluster.site, self.docker, self.files, self.servers)

    def live(self) -> Live:
        return ask_primary(self.server(), self.sql)

    def path(self) -> str:
        return must_be_swappable(self.server(), self.names, self.folders).path

    def refusal(self) -> str:
        with pytest.raises(Refused) as refused:
            self.path()
        return f"{refused.value.message} {refused.value.detail} {refused.value.hint}"


@contextmanager
def looking(root: Path, name: str, **site: Any) -> Iterator[Looks]:
    with own_cluster(root, name, **site) as cluster:
        client = docker.from_env()
        looks = Looks(cluster, client, Names(f"look-{cluster.name}"))
        try:
            yield looks
        finally:
            looks.files.close()
            client.close()


@contextmanager
def volume(name: str, *options: str) -> Iterator[str]:
    made = [part for option in options for part in ("-o", option)]
    subprocess.run(["docker", "volume", "create", *made, name], check=True, capture_output=True)
    try:
        yield name
    finally:
        subprocess.run(["docker", "volume", "rm", "-f", name], check=False, capture_output=True)


def test_the_usual_server_is_found_asked_and_can_be_swapped(tmp_path: Path) -> None:
    with looking(tmp_path, "usual") as looks:
        looks.cluster.start()
        before = sorted(os.listdir(looks.cluster.data.parent))
        assert looks.path() == str(looks.cluster.data)
        live = looks.live()
        assert (live.silent, live.recovering, live.superuser, live.no_replication) == ("", False, True, "")
        assert sorted(os.listdir(looks.cluster.data.parent)) == before, "the probe is gone"
        server = looks.server()
        assert (server.owner, server.standby, server.wal) == ("999:999", False, "")
        # Another container that may write there is in the way; one that only reads is not.
        other, mount = f"{looks.cluster.name}-other", f"{looks.cluster.data}:/x"
        looks.cluster.started.append(other)
        looks.cluster.docker(
            "run",
            "-d",
            "--name",
            other,
            "--network",
            "none",
            "-v",
            f"{mount}:ro",
            "--entrypoint",
            "tail",
            server.image,
            "-f",
            "/dev/null",
        )
        assert looks.path() == str(looks.cluster.data)
        looks.cluster.docker("rm", "-f", "-v", other)
        looks.cluster.docker(
            "run",
            "-d",
            "--name",
            other,
            "--network",
            "none",
            "-v",
            mount,
            "--entrypoint",
            "tail",
            server.image,
            "-f",
            "/dev/null",
        )
        assert f"{other} has the data directory" in looks.refusal()


def test_a_volume_that_binds_a_folder_lies_in_that_folder_also_while_its_server_is_stopped(tmp_path: Path) -> None:
    device = tmp_path / "disk"
    device.mkdir()
    with (
        looking(tmp_path, "dopts") as looks,
        volume(f"{looks.cluster.name}-v", "type=none", "o=bind", f"device={device}") as name,
    ):
        looks.cluster.start(data=["-v", f"{name}:{MOUNT}"])
        assert looks.path() == str(device)
        assert looks.live().silent == ""
        looks.cluster.docker("stop", looks.cluster.name)
        assert looks.path() == str(device)
        assert "exited" in looks.live().silent
        looks.cluster.docker("rm", "-f", "-v", looks.cluster.name)


def test_data_in_memory_is_refused(tmp_path: Path) -> None:
    with looking(tmp_path, "tmpfs") as looks, volume(f"{looks.cluster.name}-v", "type=tmpfs", "device=tmpfs") as name:
        looks.cluster.start(data=["-v", f"{name}:{MOUNT}"])
        assert "lies in memory" in looks.refusal()
        looks.cluster.docker("rm", "-f", "-v", looks.cluster.name)


def test_a_wrapper_that_sets_the_data_directory_is_seen_through_also_when_it_is_stopped(tmp_path: Path) -> None:
    with looking(tmp_path, "wrap") as looks:
        cluster = looks.cluster
        cluster.start(
            ["sh", "-c", WRAPPED.format("/srv/pg/main"), "w", *archiving(), "-c", "port=5444"],
            data=["-v", f"{cluster.data.parent}:/srv/pg"],
            ready=False,
        )
        cluster.psql = ("-p", "5444")
        cluster.ready()
        home = cluster.data.parent / "main"
        assert looks.path() == str(home)
        server = looks.server()
        assert (server.home.inside, server.version) == ("/srv/pg/main", 15)
        assert server.command[-2:] == ("-c", "port=5444")
        assert looks.live().silent == ""
        cluster.docker("stop", cluster.name)
        assert "Set `site.data_directory`" in looks.refusal()
        looks.cluster.site = type(cluster.site)(**{**vars(cluster.site), "data_directory": "/srv/pg/main"})
        assert looks.path() == str(home)
        assert looks.server().command[-2:] == ("-c", "port=5444")


def test_links_in_the_place_of_the_data_directory_are_followed(tmp_path: Path) -> None:
    with looking(tmp_path, "link") as looks:
        cluster = looks.cluster
        cluster.make_folders()
        (cluster.folder / "link").symlink_to(cluster.data)
        cluster.start(data=["-v", f"{cluster.folder / 'link'}:{MOUNT}"])
        assert looks.path() == str(cluster.data)
        cluster.docker("stop", cluster.name)
        assert looks.path() == str(cluster.data)


def test_wal_that_lies_apart_is_read_where_the_link_leads(tmp_path: Path) -> None:
    with looking(tmp_path, "waldir") as looks:
        cluster = looks.cluster
        wal = cluster.folder / "wal"
        wal.mkdir(parents=True)
        os.chown(wal, 999, 999)
        cluster.start(env={"POSTGRES_INITDB_WALDIR": "/wal/here"}, run=["-v", f"{wal}:/wal"])
        server = looks.server()
        assert server.wal == str(wal / "here")
        assert looks.files.tail(server), "its segments are seen"
        assert looks.files.wal_headers(server)


def test_wal_on_a_mount_within_the_data_directory_is_refused(tmp_path: Path) -> None:
    with looking(tmp_path, "walmnt") as looks, volume(f"{looks.cluster.name}-v") as name:
        looks.cluster.make_folders()
        looks.cluster.docker(
            "create",
            "--name",
            looks.cluster.name,
            "--network",
            "none",
            "-v",
            f"{looks.cluster.data}:{MOUNT}",
            "-v",
            f"{name}:{MOUNT}/pg_wal",
            "-v",
            f"{looks.cluster.folder / 'backups'}:/backups",
            "postgres:15-bookworm",
        )
        looks.cluster.started.append(looks.cluster.name)
        assert "pg_wal in the data directory" in looks.refusal()
        looks.cluster.docker("rm", "-f", "-v", looks.cluster.name)


WAYS = {
    "elsewhere": ["-c", "unix_socket_directories=/tmp"],
    "none": ["-c", "unix_socket_directories=", "-c", "listen_addresses=127.0.0.1"],
    "relative": ["-c", "unix_socket_directories=."],
    "several": ["-c", "unix_socket_directories=/tmp,/var/run/postgresql", "-p", "6543"],
}


@pytest.mark.parametrize("way", WAYS)
def test_a_server_is_reached_wherever_it_listens(tmp_path: Path, way: str) -> None:
    with looking(tmp_path, f"way-{way}") as looks:
        looks.cluster.psql = {
            "elsewhere": ("-h", "/tmp"),
            "none": ("-h", "127.0.0.1"),
            "relative": ("-h", MOUNT),
            "several": ("-h", "/tmp", "-p", "6543"),
        }[way]
        # The image's own first start needs its usual socket.
        psql, looks.cluster.psql = looks.cluster.psql, ()
        looks.cluster.start()
        looks.cluster.docker("rm", "-f", "-v", looks.cluster.name)
        looks.cluster.psql = psql
        looks.cluster.start(["postgres", *archiving(), *WAYS[way]])
        live = looks.live()
        assert (live.silent, live.no_replication) == ("", "")


def test_whoever_may_not_come_in_is_told_what_to_set(tmp_path: Path) -> None:
    with looking(tmp_path, "hba", user="admin") as looks:
        cluster = looks.cluster
        cluster.start(env={"POSTGRES_USER": "admin"})
        hba = cluster.data / "pg_hba.conf"
        usual = hba.read_text()

        def rule(text: str) -> None:
            hba.write_text(text)
            cluster.docker("exec", "-u", "postgres", cluster.name, "sh", "-c", "kill -HUP 1; sleep 2")

        # No line for the socket: its address is used. No line for replication: said, not refused.
        rule("local all all reject\nhost all all 127.0.0.1/32 trust\n")
        live = looks.live()
        assert live.silent == ""
        assert "replication" in live.no_replication
        # A password: the container's own environment has it.
        looks.sql = ContainerSql(docker.from_env())
        rule("local all all scram-sha-256\nlocal replication all scram-sha-256\n")
        live = looks.live()
        assert (live.silent, live.no_replication) == ("", "")
        # The user of the settings is none of the server's, is no superuser, or nobody may come in at all.
        rule(usual)
        cluster.sql("create role app login")
        for user, words in (("nobody", "does not let Mayday in as nobody"), ("app", "no superuser")):
            cluster.site = type(cluster.site)(**{**vars(cluster.site), "user": user})
            with pytest.raises(Refused) as refused:
                looks.live()
            assert words in refused.value.message
        cluster.site = type(cluster.site)(**{**vars(cluster.site), "user": "admin", "database": "lost"})
        assert looks.live().missing == "lost"
        rule("local all all reject\n")
        with pytest.raises(Refused, match="does not let Mayday in"):
            looks.live()


def test_settings_of_roles_do_not_reach_the_answers(tmp_path: Path) -> None:
    with looking(tmp_path, "role") as looks:
        looks.cluster.start(
            env={"PGPORT": "5433", "PGTZ": "Asia/Kolkata", "PGHOST": "/nowhere", "PGDATABASE": "x"}, ready=False
        )
        looks.cluster.psql = ("-h", "/var/run/postgresql")
        looks.cluster.ready()
        given = (
            "search_path = 'pg_catalog'",
            "datestyle = 'German'",
            "statement_timeout = '1ms'",
            "role = 'pg_monitor'",
        )
        # At once: the next session has a millisecond for each statement.
        settings = "; ".join(f"alter role postgres set {one}" for one in given)
        looks.cluster.sql(f"begin read write; {settings}; commit")
        before = time.time()
        live = looks.live()
        assert live == Live(xid=live.xid, at=live.at)
        assert live.xid.isdecimal()
        assert before <= live.at <= time.time()
        asked = "select current_user::text as who, pg_sleep(0.05) is null as slept, now()::date::text as day"
        row = looks.sql.rows(looks.cluster.name, looks.server(), asked)[0]
        assert (row["who"], row["day"][4]) == ("postgres", "-")
