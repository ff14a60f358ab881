"""A company with a second server that is to become its standby: roles, rules, slots, a passfile, who follows whom."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from actions.control.requests import Subject
from actions.engine.run import Run
from actions.recoveries.postgres_standby import SetUpReplication
from actions.stack.stack import Service, ServiceKind
from actions.tools.docker import Mount
from actions.tools.names import Names
from actions.tools.registry import SiteTools
from tests.support.worlds.clock import FakePolling
from tests.support.worlds.company import PARENT, SITE, Dir, World
from tests.support.worlds.docker import WorldDocker
from tests.support.worlds.folders import WorldFolders
from tests.support.worlds.founding import container, founded
from tests.support.worlds.networks import WorldNetworks
from tests.support.worlds.planned import Company, NoClusters, NoThroughput, PrivateLines, WorldWeb
from tests.support.worlds.postgres_servers import WorldServers
from tests.support.worlds.standby_side import OTHER_SYSTEM, PairFiles, PairStandbys
from tests.support.worlds.standby_sql import PairSql

STANDBY, FOLDER = "nself-postgres-2", "standby"
SLOT = "nself_postgres_2_main"


@dataclass
class PairWorld(World):
    """The world of a primary (the company's server) and of the container that is to follow it.

    `systems` are the system identifiers of directories that hold another cluster, by their `Dir.id`; `tables` says that
    such a one has tables of somebody. `rules` are the runs' own lines of pg_hba.conf, by run.
    """

    roles: dict[str, str] = field(default_factory=dict)
    verifiers: dict[str, str] = field(default_factory=dict)
    rules: dict[str, str] = field(default_factory=dict)
    slots: frozenset[str] = frozenset()
    keep: int = -1
    passfiles: dict[str, str] = field(default_factory=dict)
    own_passfile: str = ""
    unread: tuple[str, ...] = ()
    systems: dict[str, str] = field(default_factory=dict)
    tables: bool = False
    sessions: int = 0
    reached: str = ""
    major: int = 15
    said: dict[str, Any] = field(default_factory=dict)
    """What the primary says otherwise than usual, by the names of its answer."""

    def picture(self) -> dict[str, Any]:
        return {
            **super().picture(),
            "roles": self.roles,
            "rules": self.rules,
            "slots": self.slots,
            "keep": self.keep,
            "passfiles": {where: bool(line) for where, line in self.passfiles.items()},
        }


@dataclass
class PairToolbox:
    """The tools for a run on the one site of both."""

    world: PairWorld

    @contextmanager
    def open(self, run: Run) -> Iterator[SiteTools]:
        yield SiteTools(
            docker=WorldDocker(self.world),
            networks=WorldNetworks(self.world),
            folders=WorldFolders(self.world),
            files=PairFiles(self.world),
            servers=WorldServers(self.world),
            standbys=PairStandbys(self.world),
            sql=PairSql(self.world),
            web=WorldWeb(self.world),
            throughput=NoThroughput(),
            polling=FakePolling(self.world.clock),
            site=replace(SITE, postgres=run.service),
            private=PrivateLines(),
            clusters=NoClusters(),
            names=Names(run.id, SITE.name if run.site != SITE.name else ""),
        )


def pair(*, old_primary: bool = False, empty: bool = False) -> PairWorld:
    """A primary, and a container with a cluster of its own, or an older state of the primary's, or with nothing."""
    world = founded(PairWorld())
    mounts = (
        Mount("bind", f"{PARENT}/{FOLDER}", "/var/lib/postgresql/data"),
        Mount("bind", "/srv/nself/backups/postgres", "/backups/postgres"),
    )
    world.containers[STANDBY] = container(STANDBY, mounts=mounts, state="exited" if old_primary else "running")
    world.mounted[STANDBY] = FOLDER
    what = "old primary" if old_primary else "nothing" if empty else "own"
    world.dirs[FOLDER] = Dir(what, 1, world.live.lsn, state="shut down")
    if not old_primary:
        world.systems = {what: "" if empty else OTHER_SYSTEM}
    world.services = (
        Service(SITE.postgres, ServiceKind.POSTGRES),
        Service(STANDBY, ServiceKind.POSTGRES, follows=SITE.postgres),
    )
    world.obey()
    world.changes = ()
    return world


def asked(world: PairWorld | None = None) -> Company:
    """Somebody asks for the standby."""
    here = Company(world or pair(), toolbox=PairToolbox)
    request = SetUpReplication(STANDBY, SITE.postgres, SITE.name)
    here.begin(here.find("postgres replication setup"), request, Subject(SITE.name, STANDBY))
    return here
