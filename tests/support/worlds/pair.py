"""A primary and its standby on one Docker host, each a company of its own, in one network: what a failover meets.

The writers are the primary's. They serve where the name of their database leads to a server that takes writes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from actions.control.requests import Subject
from actions.engine.rights import Speaker
from actions.engine.run import Run
from actions.recoveries.failover_parts import FailOver
from actions.settings.site import SiteConfig
from actions.tools.names import Names
from actions.tools.networks import Attachment
from actions.tools.registry import SiteTools
from tests.support.worlds.clock import Clock, FakePolling
from tests.support.worlds.company import LEAF, SITE, WRITERS, Violated, World
from tests.support.worlds.files import WorldFiles
from tests.support.worlds.folders import WorldFolders
from tests.support.worlds.founding import company
from tests.support.worlds.pair_tools import PairDocker, PairNetworks, PairServers, PairSql, PairWeb
from tests.support.worlds.planned import ONCALL, Company, NoClusters, NoStandbys, NoThroughput, PrivateLines

PRIMARY = SITE.postgres
STANDBY = "standby"
NET = Attachment("nself-net", "n1", (PRIMARY, "postgres"), address="10.0.0.2")
OWN = Attachment("nself-net", "n1", (STANDBY,), address="10.0.0.3")


@dataclass
class Pair:
    """Both sides and the network. `there` is the primary's company, `here` the standby's."""

    there: World
    here: World
    lan: dict[str, tuple[Attachment, ...]]
    hangs: bool = False
    """Whether the old primary's container does not stop."""
    laid: dict[str, int] = field(default_factory=dict)
    """Segments in the standby's pg_wal that were laid there, and up to where they go."""
    promoted_at: int = 0
    unreadable: bool = False
    """Whether the WAL of the old primary cannot be read any more."""
    crashes: bool = False
    """Whether the primary ends without its shutdown checkpoint."""
    in_flight: int = 0
    """Transactions that a hung primary commits once it goes on for its stop."""
    third: int = 0
    """How far another standby has received."""
    stuck: bool = False
    """Whether the standby receives nothing any more."""

    @property
    def clock(self) -> Clock:
        """One for both."""
        return self.here.clock

    @property
    def changes(self) -> tuple[str, ...]:
        """What was done to both, each in its own order."""
        return (*(f"primary: {one}" for one in self.there.changes), *(f"standby: {one}" for one in self.here.changes))

    @property
    def at_place(self) -> Callable[[str], None]:
        """Called where a worker may be killed."""
        return self.here.at_place

    @at_place.setter
    def at_place(self, called: Callable[[str], None]) -> None:
        self.here.at_place = self.there.at_place = called

    @property
    def turn(self) -> Any:
        """The lock of both."""
        return self.here.turn

    @turn.setter
    def turn(self, lock: Any) -> None:
        self.here.turn = self.there.turn = lock

    def fork(self) -> Pair:
        """The same, free to go another way."""
        here, there = self.here.fork(), self.there.fork()
        there.clock = here.clock
        there.turn = here.turn = threading.RLock()
        there.wal = here.wal
        return replace(self, there=there, here=here, lan=dict(self.lan), laid=dict(self.laid))

    def picture(self) -> dict[str, Any]:
        """All that a person could tell two worlds apart by."""
        sides = {"primary": self.there, "standby": self.here}
        own = {
            f"{name} {what}": value
            for name, side in sides.items()
            for what, value in {**side.picture(), "recovering": side.recovering, "signals": side.signals}.items()
        }
        leads = self.leads_to(PRIMARY)
        serving = leads is not None and not leads.recovering
        return {**own, "network": self.lan, "primary serving": serving, "standby serving": None}

    def does(self, side: World, what: str, change: Callable[[], None]) -> None:
        """A change of one side; none may make a second server take writes."""
        before = len(self.writable())
        side.does(what, change)
        if len(self.writable()) > max(1, before):
            raise Violated(f"two primaries: {self.writable()} after '{what}'")

    @property
    def replayed(self) -> int:
        """How far the standby has replayed, or had when it was promoted."""
        return self.promoted_at or self.here.live.lsn

    def writable(self) -> list[str]:
        """Servers that take writes."""
        sides = {PRIMARY: self.there, STANDBY: self.here}
        return [name for name, side in sides.items() if side.serves_sql() and not side.recovering]

    def leads_to(self, name: str) -> World | None:
        """The server to which a name leads in the network; None where it leads to none that runs."""
        for container, side in ((PRIMARY, self.there), (STANDBY, self.here)):
            if any(name in one.names for one in self.lan.get(container, ())) and side.serves_sql():
                return side
        return None

    def kill_primary(self, unreceived: int = 0) -> None:
        """Its container dies; the standby has not received so many of the last commits."""
        for _ in range(unreceived):
            self.there.says()
        self.there.set_container(PRIMARY, state="exited", exit_code=137, ended_at="2026-02-09T14:30:00Z")


def pair() -> Pair:
    """Both up, the standby with all that the primary has committed."""
    there = company()
    here = there.fork()
    there.clock, there.wal = here.clock, here.wal
    here.turn = there.turn
    here.containers = {PRIMARY: replace(here.containers[PRIMARY], id="standby-0123456789ab")}
    here.recovering, here.signals = True, ("standby.signal",)
    here.changes = there.changes = ()
    return Pair(there, here, {PRIMARY: (NET,), STANDBY: (OWN,), **dict.fromkeys(WRITERS, ())})


@dataclass
class PairToolbox:
    """The tools of the standby's side for a run, those of the primary's side as its second ones."""

    world: Pair
    site: SiteConfig = field(default_factory=lambda: SITE)

    @contextmanager
    def open(self, run: Run) -> Iterator[SiteTools]:
        mine = run.site != ""
        side = self.world.here if mine else self.world.there
        yield SiteTools(
            docker=PairDocker(self.world, side),
            networks=PairNetworks(self.world, side),
            folders=WorldFolders(side),
            files=WorldFiles(side),
            standbys=NoStandbys(),
            servers=PairServers(self.world, side),
            sql=PairSql(self.world, side),
            web=PairWeb(self.world),
            throughput=NoThroughput(),
            polling=FakePolling(self.world.clock),
            site=replace(self.site, hold_seconds=0),
            private=PrivateLines(),
            clusters=NoClusters(),
            names=Names(run.id, "" if mine else "main"),
        )


def returned(pair: Pair) -> None:
    """The standby was promoted, and somebody has started the old primary, in its network."""
    here = pair.here
    here.wal.branch(2, 1, here.live.lsn, here.clock())
    here.set_dir(LEAF, timeline=2, checkpoint_timeline=2)
    here.recovering, here.signals = False, ()
    pair.lan = {
        **pair.lan,
        PRIMARY: (replace(NET, names=("stray",)),),
        STANDBY: (replace(OWN, names=(STANDBY, PRIMARY)),),
    }


def founded(
    change: Callable[[Pair], object] = Pair.kill_primary,
    by: Speaker = ONCALL,
    asked: str = "postgres failover",
    others: tuple[str, ...] = (),
) -> Company:
    """A pair to which something has happened, in which a failover was asked for."""
    world = pair()
    change(world)
    here = Company(world, toolbox=PairToolbox)
    procedure = here.find(asked)
    here.begin(procedure, FailOver(PRIMARY, PRIMARY, SITE.name, others), Subject(SITE.name, PRIMARY), by=by)
    return here
