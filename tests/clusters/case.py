"""One cluster that was drawn: how it is started, what was done to it, what was noted of it."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.clusters.dice import Dice
from tests.clusters.kind import Kind
from tests.support.own_cluster import ARCHIVE_COMMAND, Cluster

if TYPE_CHECKING:
    from tests.clusters.session import Session
    from tests.clusters.truth import Mark

PGDATA = "/var/lib/postgresql/data"
FIRST = "appdb"


@dataclass
class Launch:
    """How the container is started: kinds put it together before there is one.

    `settings` are the server's, given in `place`. `wrapper` are lines of shell that run before the entrypoint.
    """

    settings: dict[str, str] = field(
        default_factory=lambda: {
            "archive_mode": "on",
            "archive_command": ARCHIVE_COMMAND,
            "archive_timeout": "60",
            "fsync": "off",
        }
    )
    place: str = "command line"
    arguments: list[str] = field(default_factory=list)
    wrapper: list[str] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=dict)
    run: list[str] = field(default_factory=list)
    initdb: list[str] = field(default_factory=list)
    mount: list[str] | None = None
    pgdata: str = PGDATA
    host: str = ""
    """Where PGDATA lies on this host, below the cluster's folder or absolute; empty where that is the usual place."""

    def command(self) -> list[str]:
        """The container's command."""
        given = self.settings if self.place == "command line" else {}
        flags = [part for name, value in given.items() for part in ("-c", f"{name}={value}")]
        argv = ["postgres", *self.arguments, *flags]
        if not self.wrapper:
            return argv
        return ["sh", "-c", "\n".join([*self.wrapper, "exec docker-entrypoint.sh " + shlex.join(argv)])]


@dataclass
class Case:
    """One cluster and its story."""

    dice: Dice
    kinds: tuple[Kind, ...]
    cluster: Cluster
    launch: Launch = field(default_factory=Launch)
    sweeps: list[Callable[[], None]] = field(default_factory=list)
    """What goes on beside the server, each time that WAL was archived."""
    marks: list[Mark] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    story: list[str] = field(default_factory=list)
    last_things: list[Session] = field(default_factory=list)
    """Sessions that are left open until everything is over."""
    unlogged: list[str] = field(default_factory=list)
    written_to: set[str] = field(default_factory=set)
    """Databases in which writers are at work."""
    sessions: int = 0
    """How many write to each of these."""
    down: bool = False
    repairs: list[Callable[[], object]] = field(default_factory=list)
    """What takes damage back, for a look at what lies there."""

    def has(self, kind: str) -> bool:
        return any(one.name == kind for one in self.kinds)

    def did(self, what: str) -> None:
        """Note what was done, for whoever reads about a failure."""
        self.story.append(f"{time.monotonic() - self.began:4.0f} s  {what}")

    def sql(self, query: str, database: str = "") -> str:
        return self.cluster.sql(query, database)

    def databases(self) -> list[str]:
        """Every database that one can connect to, but the template, which nobody works in."""
        listed = (
            "select datname from pg_database where datallowconn and datconnlimit <> -2 "
            "and datname <> 'template1' order by oid"
        )
        return self.sql(listed, "postgres").splitlines()

    def inside(self, script: str, *arguments: str) -> str:
        """What a shell script prints that runs in the container as the server's user."""
        user = str(self.cluster.uid)
        return self.cluster.docker("exec", "-u", user, self.cluster.name, "sh", "-c", script, "sh", *arguments)

    def host_pgdata(self) -> Path:
        return self.cluster.folder / self.launch.host if self.launch.host else self.cluster.data

    def restart(self) -> None:
        self.cluster.docker("restart", "-t", "30", self.cluster.name)
        self.cluster.ready()

    def sweep(self) -> None:
        """What people do to their archive from time to time."""
        for one in self.sweeps:
            one()


def ident(name: str) -> str:
    """A name as SQL wants it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A string as SQL wants it."""
    return "'" + text.replace("'", "''") + "'"
