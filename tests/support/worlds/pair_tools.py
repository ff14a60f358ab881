"""The tools of one side of a pair, where they meet the other side or know of a promotion."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from actions.engine.errors import RecoveryError
from actions.postgres.lsn import format_lsn
from actions.postgres.segments import segment_of
from actions.postgres.server import Server
from actions.tools.networks import Attachment
from actions.tools.sql import QueryResult
from tests.support.worlds.company import LEAF, SITE, WRITERS, Dir, Violated, World
from tests.support.worlds.docker import WorldDocker
from tests.support.worlds.postgres_servers import WorldServers
from tests.support.worlds.sql import WorldSql
from tests.support.worlds.wal import SIZE

if TYPE_CHECKING:
    from tests.support.worlds.pair import Pair

_CHECKPOINT_RECORD = 0x78
STANDBY_SIGNAL = "standby.signal"


def held_by(pair: Pair, side: World, name: str) -> str:
    """How the network knows a container of a side."""
    return "standby" if side is pair.here and name == SITE.postgres else name


class PairDocker(WorldDocker):
    """Docker of both sides. A writer serves where its database's name leads to a server that takes writes."""

    def __init__(self, pair: Pair, side: World) -> None:
        super().__init__(side)
        self.pair = pair

    def stop(self, name: str, id: str, seconds: int = 120) -> None:
        if self.pair.hangs and name == SITE.postgres and self.world.runs(name):
            self.confirmed(name, id)
            self.set_restart(name, id, "no")
            raise RecoveryError(f"{name} does not stop.", hint="Stop it by hand.")
        super().stop(name, id, seconds)

    def stopped(self, name: str) -> None:
        if name == SITE.postgres and self.world is self.pair.there and self.pair.in_flight:
            self.world.set_container(name, state="running")
            self.world.says(self.pair.in_flight)
            self.pair.in_flight = 0
            self.pair.stuck = True
        super().stopped(name)
        if name != SITE.postgres or self.world is not self.pair.there:
            return
        if self.pair.crashes:
            self.world.set_dir(LEAF, state="in production")
        elif self.pair.here.recovering and self.pair.lan[SITE.postgres] and not self.pair.stuck:
            # Its shutdown checkpoint is a record, the last one, and a standby that streams receives it.
            self.pair.here.set_dir(LEAF, lsn=self.world.live.lsn + _CHECKPOINT_RECORD)

    def _does(self, what: str, name: str, change: Callable[[], None]) -> None:
        self.pair.does(self.world, f"{what} {name}", change)

    def _started(self, name: str) -> None:
        super()._started(name)
        if name == SITE.postgres:
            self.world.recovering = STANDBY_SIGNAL in self.world.signals

    def serves(self, name: str, id: str) -> bool:
        if self.confirmed(name, id).state != "running":
            return False
        if name not in WRITERS:
            return self.world.serves_sql()
        leads = self.pair.leads_to(SITE.postgres)
        return leads is not None and not leads.recovering


class PairNetworks:
    """The one network in which both are."""

    def __init__(self, pair: Pair, side: World) -> None:
        self.pair, self.side, self.docker = pair, side, WorldDocker(side)

    def of(self, name: str, id: str) -> tuple[Attachment, ...]:
        self.docker.confirmed(name, id)
        return self.pair.lan.get(held_by(self.pair, self.side, name), ())

    def detach(self, name: str, id: str, network: str) -> None:
        left = tuple(one for one in self.of(name, id) if one.id != network)
        if left != self.of(name, id):
            self._set(name, left, "disconnect")

    def attach(self, name: str, id: str, place: Attachment) -> None:
        there = next((one for one in self.of(name, id) if one.id == place.id), None)
        if there is not None and set(place.names) <= set(there.names):
            return
        if there is not None:
            self.detach(name, id, place.id)
        address = "10.0.0.3" if self.side is self.pair.here else "10.0.0.2"
        self._set(name, (*self.of(name, id), replace(place, address=address)), "connect")

    def _set(self, name: str, places: tuple[Attachment, ...], what: str) -> None:
        key = held_by(self.pair, self.side, name)

        def change() -> None:
            self.pair.lan = {**self.pair.lan, key: places}

        self.pair.does(self.side, f"{what} {key}", change)

    def resolved(self, name: str, id: str, host: str) -> str:
        self.docker.confirmed(name, id)
        found = [one.address for places in self.pair.lan.values() for one in places if host in one.names]
        if len(found) > 1:
            raise Violated(f"{host} leads to {found}")
        return found[0] if found else ""


class PairServers(WorldServers):
    """The mark of a fenced server."""

    def __init__(self, pair: Pair, side: World) -> None:
        super().__init__(side)
        self.pair = pair

    def mark_standby(self, server: Server) -> None:
        self.docker.confirmed(server.service, server.container)
        if self.world.runs(server.service):
            raise Violated("a running server was marked")
        if not self.is_marked(server):
            self._marked((*self.world.signals, STANDBY_SIGNAL), "mark")

    def is_marked(self, server: Server) -> bool:
        return STANDBY_SIGNAL in self.world.signals

    def unmark_standby(self, server: Server) -> None:
        if self.is_marked(server):
            self._marked(tuple(one for one in self.world.signals if one != STANDBY_SIGNAL), "unmark")

    def read_segment(self, server: Server, name: str) -> bytes:
        if self.pair.unreadable or name not in {*self.world.tail(), *self.world.archive}:
            raise RecoveryError(f"There is no {name}.", hint="See pg_wal.")
        return str(self.world.live.lsn).encode()

    def lay_segment(self, server: Server, name: str, data: bytes) -> None:
        if not self.world.recovering:
            raise Violated("WAL was laid into a server that takes writes")
        self.pair.does(self.world, f"lay {name}", lambda: self.pair.laid.update({name: int(data)}))

    def segment_digest(self, server: Server, name: str) -> str:
        return sha256(str(self.pair.laid.get(name, "")).encode()).hexdigest()

    def _marked(self, signals: tuple[str, ...], what: str) -> None:
        self.pair.does(self.world, f"{what} {SITE.postgres}", lambda: setattr(self.world, "signals", signals))


class PairSql(WorldSql):
    """A server that may be a standby, and be promoted."""

    def __init__(self, pair: Pair, side: World) -> None:
        super().__init__(side)
        self.pair = pair

    def _answers(self, container: str, here: Dir) -> dict[str, Callable[[], list[dict[str, Any]]]]:
        own = {
            "pg_promote": self._promoted,
            "pg_is_in_recovery() as recovering, current_setting": lambda: [self._writable(here)],
            "select pg_is_in_recovery() as recovering": lambda: [{"recovering": self.world.recovering}],
            "pg_last_wal_replay_lsn": lambda: [{"lsn": format_lsn(self.pair.replayed)}],
            "timeline_id as timeline": lambda: [{"timeline": self.world.live.checkpoint_timeline}],
        }
        return {
            **own,
            **{words: answer for words, answer in super()._answers(container, here).items() if words not in own},
        }

    def _promoted(self) -> list[dict[str, Any]]:
        self.world.set_dir(LEAF, lsn=self._laid_up_to())
        here = self.world.live

        def change() -> None:
            self.world.wal.branch(here.timeline + 1, here.timeline, here.lsn, self.world.clock())
            self.pair.promoted_at = here.lsn
            self.world.set_dir(LEAF, timeline=here.timeline + 1, histories=here.histories | {here.timeline + 1})
            self.world.archive[f"{here.timeline + 1:08X}.history"] = (60, self.world.clock())
            self.world.recovering, self.world.signals = False, ()

        self.pair.does(self.world, "promote", change)
        return [{"promoted": True}]

    def _laid_up_to(self) -> int:
        """How far it can replay: the last segment that it needs has to be there with all between."""
        reach, laid = self.world.live.lsn, self.pair.laid
        while (name := segment_of(1, reach, SIZE)) in laid and reach < laid[name]:
            reach = min(laid[name], (reach // SIZE + 1) * SIZE)
        return reach

    def values(
        self, container: str, server: Server, queries: Sequence[str], *, seconds: float = 300, database: str = ""
    ) -> Sequence[QueryResult]:
        if container != "third":
            return super().values(container, server, queries, seconds=seconds, database=database)
        told = {**WorldSql._replication(self), "recovering": True, "received": format_lsn(self.pair.third)}
        return [QueryResult(told)]

    def _writable(self, here: Dir) -> dict[str, Any]:
        return {**super()._writable(here), "recovering": self.world.recovering}

    def _replication(self) -> dict[str, Any]:
        told = super()._replication()
        if not self.world.recovering:
            return told
        other = self.pair.there
        streams = other.serves_sql() and bool(self.pair.lan[SITE.postgres])
        upstream = {"at": "nself-postgres:5432", "status": "streaming", "slot": "", "end": None, "heard": 0.1}
        return {**told, "received": format_lsn(self.world.live.lsn), "upstream": upstream if streams else None}


class PairWeb:
    """The smoke test: through the writers, into whatever the name of the database leads to."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair

    def get(self, url: str, *, seconds: float = 10) -> tuple[int, str]:
        leads = self.pair.leads_to(SITE.postgres)
        return (200, "ok") if leads is not None and not leads.recovering else (503, "no database")
