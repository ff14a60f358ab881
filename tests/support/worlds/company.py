"""The company's one host: containers, directories, an archive, a town. Breaking a rule of it cannot go unseen."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from actions.postgres.segments import segment_of
from actions.settings.site import SiteConfig
from actions.stack.stack import Service
from actions.tools.docker import Container
from tests.support.worlds.clock import Clock
from tests.support.worlds.wal import SIZE, Backup, Record, Row, Wal

PARENT, LEAF = "/srv/nself/data", "postgres"
WRITERS = ("nself-functions", "nself-hasura", "nself-auth")
SITE = SiteConfig(
    name="main",
    postgres="nself-postgres",
    database="nself_db",
    user="postgres",
    archive="/backups/postgres/wal",
    bases="/backups/postgres/base",
    writers=WRITERS,
    smoke_url="http://127.0.0.1:3400/smoke",
    newest_table="public.nchat_messages",
)
STEP = 0x200000
"""Every transaction takes two megabytes of WAL, so eight of them fill a segment."""


class Violated(BaseException):
    """A rule of the world was broken. No `except Exception` may hide it."""


class Killed(BaseException):
    """The worker is dead from here on."""


@dataclass(frozen=True)
class Dir:
    """A data directory, told apart by where its content came from (`id`) and not by its name."""

    id: str
    timeline: int
    lsn: int
    checkpoint_timeline: int = 1
    state: str = "in production"
    whole: bool = True
    wal: frozenset[str] = frozenset()
    histories: frozenset[int] = frozenset()
    signal: bool = False
    sealed: str = ""
    promoted: bool = False
    offered: str = ""
    redo: int = 0
    """Where a replay of it begins."""
    config: tuple[tuple[str, str], ...] = ()
    slots: frozenset[str] = frozenset()
    prepared: frozenset[str] = frozenset()


@dataclass
class World:
    """The state of everything, and the one gate (`does`) through which everything is changed."""

    clock: Clock = field(default_factory=Clock)
    wal: Wal = field(default_factory=Wal)
    containers: dict[str, Container] = field(default_factory=dict)
    dirs: dict[str, Dir] = field(default_factory=dict)
    mounted: dict[str, str] = field(default_factory=dict)
    links: dict[int, str] = field(default_factory=dict)
    spaces_of: dict[str, tuple[str, ...]] = field(default_factory=dict)
    archive: dict[str, tuple[int, datetime]] = field(default_factory=dict)
    saved: dict[str, tuple[str, ...]] = field(default_factory=dict)
    backups: dict[str, Backup] = field(default_factory=dict)
    labels: dict[str, Mapping[str, str]] = field(default_factory=dict)
    connected: dict[str, int] = field(default_factory=dict)
    targets: dict[str, tuple[int, int, bool]] = field(default_factory=dict)
    ticks: dict[str, int] = field(default_factory=dict)
    logs: dict[str, str] = field(default_factory=dict)
    epoch: int = 1
    xid: int = 700
    key: int = 0
    dead: bool = False
    free: int = 1 << 40
    damaged: frozenset[str] = frozenset()
    control_damaged: str = ""
    signals: tuple[str, ...] = ()
    recovering: bool = False
    upstream: str = ""
    standbys: tuple[str, ...] = ()
    wal_lost: bool = False
    smoke: int = 200
    prepared: frozenset[str] = frozenset()
    archive_mode: str = "on"
    archiver_fails: str = ""
    refuses: str = ""
    changes: tuple[str, ...] = ()
    born: frozenset[str] = frozenset()
    hold_seconds: float = 0
    """How long the writers wait after a swap."""
    halfway: frozenset[str] = frozenset()
    """Containers that were stopped by a restart and not started yet."""
    services: tuple[Service, ...] = ()
    """What the settings tell of the stack, where that is not the manual's."""
    at_place: Callable[[str], None] = lambda name: None
    turn: Any = field(default_factory=threading.RLock)
    """Held at each place by whoever changes something: that of the store, so that a copy is of one instant."""

    def fork(self) -> World:
        """The same world, free to go another way. Values are never changed in place, so shallow copies do."""
        held = {name: dict(value) if isinstance(value, dict) else value for name, value in vars(self).items()}
        own = {"clock": Clock(self.clock.now), "wal": self.wal.fork(), "turn": threading.RLock()}
        return type(self)(**{**held, **own, "at_place": lambda name: None})

    # Changes -------------------------------------------------------------------------------------

    def does(self, name: str, change: Callable[[], None]) -> None:
        """Everything that anybody changes; a place before it takes hold and one after."""
        with self.turn:
            self.at_place(f"before '{name}'")
            change()
            self.changes = (*self.changes, name)
            self.obey()
            self.at_place(f"after '{name}'")

    def obey(self) -> None:
        """The rules that hold at every instant."""
        folders = [folder for name in self.mounted if self.runs(name) for folder in self.used_by(name)]
        used = [self.dirs[folder].id for folder in folders if folder in self.dirs]
        if len(used) != len(set(used)):
            raise Violated(f"two servers run on one directory: {used}")
        here = {d.id for d in self.dirs.values()}
        if self.born - here:
            raise Violated(f"a directory was deleted: {self.born - here}")
        self.born = self.born | here

    def runs(self, name: str) -> bool:
        found = self.containers.get(name)
        return found is not None and found.state in ("running", "paused", "restarting")

    def at_rest(self, *leaves: str) -> None:
        """Nobody may touch the files of a directory that a server uses."""
        for name in self.mounted:
            if self.runs(name) and (touched := {*leaves} & {*self.used_by(name)}):
                raise Violated(f"the files of {touched} were touched while {name} runs on them")

    def used_by(self, name: str) -> tuple[str, ...]:
        """The data directory and the tablespaces of a server."""
        return (self.mounted[name], *self.spaces_of.get(name, ()))

    def set_container(self, name: str, **changes: Any) -> None:
        self.containers[name] = replace(self.containers[name], **changes)

    def set_dir(self, leaf: str, **changes: Any) -> None:
        self.dirs[leaf] = replace(self.dirs[leaf], **changes)

    def rename(self, old: str, new: str) -> None:
        self.at_rest(old, new)
        if new in self.dirs or old not in self.dirs:
            raise Violated(f"{old} was renamed over {new}")
        self.dirs[new] = self.dirs.pop(old)

    # The live server -----------------------------------------------------------------------------

    @property
    def live(self) -> Dir:
        return self.dirs[LEAF]

    def serves_sql(self) -> bool:
        return self.containers[SITE.postgres].state == "running" and not (self.dead and self.live.id == "live")

    def boot(self) -> None:
        """The live server comes up on whatever its directory is."""
        if LEAF not in self.dirs:
            raise Violated("the server was started without its directory")
        here = self.live
        if here.sealed and not here.promoted:
            raise Violated("a clone that still recovers was put in service")
        for folder in self.spaces_of.get(SITE.postgres, ()):
            if not self.dirs[folder].id.startswith(f"{here.id} at "):
                raise Violated(f"{here.id} was started with the tablespace of another: {self.dirs[folder].id}")
        if self.dead and here.id == "live":
            self.set_container(SITE.postgres, state="restarting")
            return
        self.epoch += 1
        self.set_container(SITE.postgres, state="running")
        self.set_dir(LEAF, state="in production")
        if self.archives and here.offered and here.offered not in self.archive:
            self.archive[here.offered] = (60, self.clock())
        for name in WRITERS:
            if name in self.containers and self.containers[name].state == "running" and name == "nself-functions":
                self.connected[name] = self.epoch

    def pause_survived(self, writer: str) -> bool:
        """Functions reconnects by itself; the others have to be started again once the server was away."""
        return writer == "nself-functions" or self.connected.get(writer) == self.epoch

    def tail(self) -> list[str]:
        """The live pg_wal: what is being written, the one before, and one recycled for later under a future name."""
        here = self.live
        number = here.lsn // SIZE
        return [segment_of(here.timeline, n * SIZE, SIZE) for n in range(max(number - 1, 1), number + 2)]

    # The town ------------------------------------------------------------------------------------

    def commit(self, *rows: Row, committed: bool = True) -> Record:
        """One transaction on the live server, now."""
        if not self.serves_sql():
            raise Violated("somebody wrote while the server was away")
        self.xid += 1
        here = self.live
        record = Record(here.lsn + STEP, self.clock(), self.xid, rows, committed)
        self.wal.write(here.timeline, record)
        self.advance_to(record.end)
        return record

    @property
    def archives(self) -> bool:
        return self.archive_mode != "off" and not self.archiver_fails

    def advance_to(self, lsn: int) -> None:
        """WAL is written up to there; what is full is archived."""
        here = self.live
        for number in range(here.lsn // SIZE, lsn // SIZE) if self.archives else ():
            self.archive.setdefault(segment_of(here.timeline, number * SIZE, SIZE), (SIZE, self.clock()))
        self.set_dir(LEAF, lsn=lsn)

    def says(self, count: int = 1, every: float = 60.0) -> None:
        """People of the town post messages."""
        for _ in range(count):
            self.clock.advance(every)
            self.key += 1
            self.commit(Row("public.nchat_messages", self.key, self.clock()))

    def deletes(self, *keys: int) -> Record:
        """The accident: messages go, in one transaction."""
        self.clock.advance(30)
        return self.commit(*(Row("public.nchat_messages", key, self.clock(), deleted=True) for key in keys))

    def take_backup(self, name: str, took: float = 9.5) -> Backup:
        """A base backup switches to a new segment and waits until all it needs is archived."""
        start = (self.live.lsn // SIZE + 1) * SIZE + 0x28
        began = self.clock()
        self.advance_to(start)
        self.clock.advance(took)
        self.advance_to((start // SIZE + 1) * SIZE + 0x28)
        return Backup(name, self.live.timeline, start, start + 0xD8, began, self.clock())

    # Looking -------------------------------------------------------------------------------------

    def messages(self) -> set[int]:
        """The keys of the messages that the live server holds."""
        return set(self.wal.contents(self.live.timeline, self.live.lsn)["public.nchat_messages"])

    def picture(self) -> dict[str, Any]:
        """All that a person could tell two worlds apart by."""
        return {
            "containers": {n: (c.state, c.restart_policy) for n, c in self.containers.items()},
            "dirs": {
                leaf: (d.id, d.timeline, d.lsn, d.state, d.whole, d.sealed, d.promoted, d.config, d.slots, d.prepared)
                for leaf, d in self.dirs.items()
            },
            "archive": sorted(self.archive),
            "saved": self.saved,
            "labels": self.labels,
            "backups": {n: (b.timeline, b.start, b.whole, b.inventory is not None) for n, b in self.backups.items()},
            "serving": {n: self.pause_survived(n) for n in WRITERS if n in self.containers},
            "histories": sorted(self.wal.histories),
        }
