"""A small real PostgreSQL in a container with an archive and base backups, for tests of the adapters."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import docker

from actions.engine.errors import Away
from actions.postgres.controldata import parse_controldata
from actions.postgres.server import Server
from actions.postgres.waldump import TransactionEnd, transaction_ends
from actions.tools.folders import DataHome
from actions.tools.names import Names
from lab.services import PROGRAMS
from tests.support.waiting import within
from workers.docker.containers import DockerHost
from workers.docker.exec import Inside
from workers.postgres.container_sql import ContainerSql
from workers.postgres.host_files import HostFiles
from workers.postgres.host_servers import HostServers

IMAGE = "postgres:15-bookworm"
MOUNT = "/var/lib/postgresql/data"
eventually = within(30, every=0.1)
# Each look costs a tenth of a second of a core, which the server that is being made could use.
awaits = within(30, every=0.5)
_ARCHIVE = "test ! -f /backups/wal/%f && cp %p /backups/wal/%f || cmp -s %p /backups/wal/%f"
FLAGS = ("-c", "archive_mode=on", "-c", f"archive_command={_ARCHIVE}", "-c", "fsync=off", "-c", "max_wal_size=1GB")


@dataclass
class SmallServer:
    """A server of one layout, and the adapters to move it with."""

    client: Any
    root: Path
    name: str
    layout: str
    server: Server
    names: Names
    docker: DockerHost
    files: HostFiles
    servers: HostServers
    sql: ContainerSql

    @property
    def parent(self) -> Path:
        return Path(self.server.home.parent)

    def psql(self, *commands: str) -> str:
        parts = [part for command in commands for part in ("-c", command)]
        asked = ["psql", "-XqAtv", "ON_ERROR_STOP=1", "-d", "town", *parts]
        done = Inside(self.client.api, self.name, "postgres").run(asked, seconds=120)
        assert done.code == 0, f"{commands}: {done.said()}"
        return done.out.strip()

    def archived(self) -> list[str]:
        return sorted(path.name for path in (self.root / "backups/wal").iterdir() if len(path.name) == 24)

    def switch(self) -> None:
        """Finish a segment and wait until it is archived."""
        name = self.psql("select pg_walfile_name(pg_current_wal_lsn())", "select pg_switch_wal()").splitlines()[0]
        eventually(lambda: name in self.archived())

    def start_again(self) -> None:
        self.docker.start(self.name, self.server.container)
        awaits(self.answers)

    def answers(self) -> bool:
        asked = ["pg_isready", "-q", "-h", "127.0.0.1"]
        try:
            return Inside(self.client.api, self.name).run(asked, seconds=20).code == 0
        except Away:  # It restarts just now.
            return False


@contextmanager
def small_server(layout: str = "bind", parent: Path | None = None) -> Iterator[SmallServer]:
    """Start one, and remove all that it made. `parent` is where the data directory is to lie (layout bind)."""
    client = docker.from_env()
    name = f"mayday-test-{uuid.uuid4().hex[:8]}"
    root = Path(tempfile.mkdtemp(prefix="mayday-test-"))
    try:
        yield _built(client, name, root, layout, parent or root / "data")
    finally:
        _cleared(client, name, root)
        shutil.rmtree(root, ignore_errors=True)


def _built(client: Any, name: str, root: Path, layout: str, parent: Path) -> SmallServer:
    for folder in (root / "backups/wal", root / "backups/base", parent / "postgres"):
        folder.mkdir(parents=True, exist_ok=True)
        shutil.chown(folder, 999, 999)
    inside = f"{MOUNT}/pgdata" if layout == "subdir" else MOUNT
    source = str(parent / "postgres") if layout == "bind" else name
    client.containers.run(
        IMAGE,
        list(FLAGS),
        name=name,
        detach=True,
        network_mode="none",
        environment={"POSTGRES_PASSWORD": "not-secret", "POSTGRES_DB": "town", "PGDATA": inside},
        volumes={source: {"bind": MOUNT}, str(root / "backups"): {"bind": "/backups"}},
        healthcheck={
            "test": ["CMD-SHELL", f"{PROGRAMS}/pg_isready -q -h 127.0.0.1"],
            "interval": 3 * 10**9,
            "timeout": 3 * 10**9,
        },
        restart_policy={"Name": "unless-stopped"},
    )
    host, names = DockerHost(client), Names(uuid.uuid4().hex[:8])
    files = HostFiles(client, names)
    made = SmallServer(
        client,
        root,
        name,
        layout,
        _server(host, name, root, inside),
        names,
        host,
        files,
        HostServers(client, names),
        ContainerSql(client),
    )
    awaits(made.answers, 60)
    control = parse_controldata(files.control(made.server, made.server.home.leaf))
    made.server = replace(
        made.server,
        system_identifier=control.system_identifier,
        timeline=control.timeline,
        segment_size=control.segment_size,
    )
    return made


def _server(host: DockerHost, name: str, root: Path, inside: str) -> Server:
    found = host.find(name)
    assert found is not None
    mount = next(mount for mount in found.mounts if mount.target == MOUNT)
    home = PurePosixPath(mount.source) / PurePosixPath(inside).relative_to(MOUNT)
    return Server(
        service=name,
        host=found.host,
        container=found.id,
        image=found.image,
        image_id=found.image_id,
        command=found.command,
        restart_policy=found.restart_policy,
        home=DataHome(str(home.parent), home.name, inside),
        archive=str(root / "backups/wal"),
        bases=str(root / "backups/base"),
        inside_archive="/backups/wal",
        inside_bases="/backups/base",
        user="postgres",
        database="town",
        version=15,
        system_identifier="",
        timeline=0,
        segment_size=0,
        state="running",
        owner="999:999",
    )


def _cleared(client: Any, name: str, root: Path) -> None:
    for container in client.containers.list(all=True, filters={"name": name}):
        container.remove(force=True, v=True)
    # What a test that failed left of its run.
    for container in client.containers.list(all=True, filters={"label": "mayday.run"}, ignore_removed=True):
        if any(str(root) in str(mount.get("Source")) for mount in container.attrs["Mounts"]):
            container.remove(force=True, v=True)
    for volume in client.volumes.list(filters={"name": name}):
        # Siblings that a swap made within the volume's own folder go with it.
        shutil.rmtree(Path(volume.attrs["Mountpoint"]).parent, ignore_errors=True)
        Path(volume.attrs["Mountpoint"]).mkdir(parents=True, exist_ok=True)
        volume.remove(force=True)


def quiet(done: float, total: float, text: str = "") -> None:
    """Nobody watches."""


def tidy(world: SmallServer) -> None:
    world.files.close()
    world.servers.remove_clone(world.names)


def with_history(world: SmallServer) -> TransactionEnd:
    """A base backup, one row that is to be kept, a mass delete, a row in the tail; returns the commit to keep."""
    world.psql(
        "create table t(id serial primary key, x text)",
        "insert into t(x) select md5(i::text) from generate_series(1,2000) i",
    )
    world.files.take_base(world.server, "b1", 1, quiet)
    world.psql("insert into t(x) values('kept')")
    world.switch()
    last = list(transaction_ends(world.files.waldump(world.server, 1, world.archived())))[-1]
    world.psql("delete from t where id <= 1500")
    world.switch()
    world.psql("insert into t(x) values('tail')")
    return last


def processes(world: SmallServer) -> str:
    return subprocess.run(["docker", "top", world.names.helper], capture_output=True, text=True, check=False).stdout
