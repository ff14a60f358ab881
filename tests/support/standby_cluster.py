"""A standby of a cluster of a test's own, streaming from it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.images import POSTGRES
from tests.support.own_cluster import Cluster, archiving, own_cluster


@contextmanager
def following(root: Path, primary: Cluster, name: str, slot: str = "") -> Iterator[Cluster]:
    """A standby of a primary, in its network, with its archive mounted; with a slot of that name, which is made."""
    with own_cluster(root, name) as standby:
        standby.make_folders()
        primary.docker(
            "run",
            "--rm",
            "--network",
            f"container:{primary.name}",
            "-u",
            "postgres",
            "-v",
            f"{standby.data}:/pgd",
            "--entrypoint",
            "pg_basebackup",
            POSTGRES,
            "-h",
            "127.0.0.1",
            "-U",
            "postgres",
            "-D",
            "/pgd",
            "-R",
            "-X",
            "stream",
            "-c",
            "fast",
            *(["-C", "-S", slot] if slot else []),
        )
        standby.docker(
            "run",
            "-d",
            "--name",
            standby.name,
            "--network",
            f"container:{primary.name}",
            "-v",
            f"{standby.data}:/var/lib/postgresql/data",
            "-v",
            f"{primary.folder}/backups:/backups",
            POSTGRES,
            "postgres",
            "-p",
            "5434",
            *archiving(),
        )
        standby.started.append(standby.name)
        standby.psql = ("-p", "5434")
        standby.ready()
        yield standby
