"""The host's files: directories beside the live one, archive, base backups. It never deletes nor overwrites."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from actions.engine.errors import RecoveryError
from actions.postgres.archive import WalFile
from actions.postgres.backups import BackupFiles
from actions.postgres.data_directory import DataDirectory
from actions.postgres.lsn import parse_lsn
from actions.postgres.segments import segment_of, segments_between
from actions.postgres.server import Server
from actions.postgres.stops import Stop
from actions.postgres.tablespaces import map_text
from actions.tools.folders import Room
from actions.tools.names import Names
from actions.tools.postgres_files import CommitTimes, ServerDirectories, Stretch
from actions.tools.progress import Progress
from tests.support.worlds.company import LEAF, Dir, Violated, World
from tests.support.worlds.config import OF_THE_BACKUP, WorldConfiguration
from tests.support.worlds.folders import WorldFolders
from tests.support.worlds.tablespaces import LATE, WorldTablespaces
from tests.support.worlds.unwritten import UnwrittenFiles
from tests.support.worlds.wal import DAMAGED_CONTROL, SIZE, control_text, wal_header


class WorldFiles(WorldConfiguration, UnwrittenFiles, WorldTablespaces):
    """The files of the world, for one run."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.folders = WorldFolders(world)

    # Looking -------------------------------------------------------------------------------------

    def control(self, server: Server, leaf: str) -> str:
        here = self.world.dirs.get(leaf)
        if here is None:
            raise RecoveryError(f"There is no {leaf}.", hint="Look at the directory.")
        damaged = here.id == self.world.control_damaged
        return DAMAGED_CONTROL if damaged else control_text(here.checkpoint_timeline, here.state, here.lsn)

    def data_directory(self, server: Server) -> DataDirectory:
        return DataDirectory(
            self.control(server, LEAF),
            owner="999:999",
            signals=self.world.signals,
            version="15",
            pid_file="1\n",
            tablespaces=self.world.links,
        )

    def wal_headers(self, server: Server) -> Mapping[str, bytes]:
        *written, recycled = self.world.tail()
        here = {name: wal_header(name) for name in written} | {recycled: wal_header(written[0])}
        return {} if self.world.wal_lost else here

    def archive(self, server: Server, *, anew: bool = False) -> Sequence[WalFile]:
        return [WalFile(name, size, at) for name, (size, at) in sorted(self.world.archive.items())]

    def histories(self, server: Server) -> Mapping[str, str]:
        known = {f"{n:08X}.history": text for n, text in self.world.wal.histories.items()}
        own = {
            f"{n:08X}.history"
            for n in (*self.world.live.histories, *([self.world.live.timeline] if self.world.live.timeline > 1 else []))
        }
        return {name: text for name, text in known.items() if name in self.world.archive or name in own}

    def tail(self, server: Server) -> Sequence[WalFile]:
        return [WalFile(name, SIZE, self.world.clock()) for name in self.world.tail()]

    def backups(self, server: Server) -> Sequence[BackupFiles]:
        return [
            BackupFiles(
                f"{server.bases}/{b.name}",
                b.label(),
                b.manifest(),
                b.ended_label(),
                b.inventory,
                50_000_000,
                tablespace_map=map_text(b.tablespaces),
                pieces=dict.fromkeys(b.tablespaces, "within"),
            )
            for b in self.world.backups.values()
            if b.whole
        ]

    def base_wal(self, server: Server) -> Sequence[WalFile]:
        return []

    def rooms(self, server: Server) -> Mapping[str, Room]:
        locations = (space.location for space in server.tablespaces)
        return {where: Room("disk", self.world.free) for where in ("data", "archive", "bases", *locations)}

    def waldump(
        self,
        server: Server,
        timeline: int,
        segments: Sequence[str],
        *,
        start: str = "",
        end: str = "",
        rmgrs: Sequence[str] = ("Transaction",),
        limit: int = 0,
        only: str = "",
    ) -> Iterator[str]:
        lines = self.world.wal.lines(timeline, segments, self._written(timeline), rmgrs)
        return iter([line for line in lines if re.search(only, line)])

    def _written(self, timeline: int) -> int:
        here = self.world.live
        return here.lsn if here.timeline == timeline else 1 << 62

    def moments(
        self, server: Server, stretches: Sequence[Stretch], at: datetime | None = None
    ) -> Sequence[CommitTimes]:
        return [self.world.wal.moments(one, self._written(one.timeline), at) for one in stretches]

    def losses(self, server: Server, timeline: int, segments: Sequence[str], stop: Stop, *, seconds: float) -> str:
        lines = list(self.waldump(server, timeline, segments, rmgrs=("Heap", "Heap2", "Transaction")))
        return self.world.wal.losses_text(lines, stop)

    def saved_tail(self, server: Server, names: Names) -> Sequence[WalFile]:
        return [WalFile(name, SIZE, self.world.clock()) for name in self.world.saved.get(names.run, ())]

    # Restoring beside ----------------------------------------------------------------------------

    def _own(self, server: Server, names: Names) -> str:
        leaf = names.clone_leaf(server.home)
        self.world.at_rest(leaf)
        if leaf == LEAF:
            raise Violated("somebody writes into the live directory")
        return leaf

    def save_tail(self, server: Server, names: Names, segments: Sequence[str]) -> None:
        own = {*self.world.tail(), *self.histories(server)}
        for name in segments:
            if name not in own:
                raise RecoveryError(f"The server no longer has {name}.", hint="Ask for a new plan.")
            if name not in self.world.saved.get(names.run, ()):
                self.world.does(f"save {name}", lambda name=name: self._saved(names, name))  # type: ignore[misc]

    def _saved(self, names: Names, name: str) -> None:
        self.world.saved[names.run] = (*self.world.saved.get(names.run, ()), name)

    def copy_base(
        self, server: Server, names: Names, backup: str, total: int, progress: Progress, chain: Sequence[str] = ()
    ) -> None:
        leaf, found = self._own(server, names), self.world.backups[backup]
        if leaf in self.world.dirs and self.world.dirs[leaf].sealed:
            raise Violated("a base backup was copied over a sealed clone")
        if leaf not in self.world.dirs:
            began = Dir(
                f"clone of {names.run}",
                found.timeline,
                found.start,
                found.timeline,
                whole=False,
                redo=found.start,
                config=OF_THE_BACKUP,
            )
            self.world.does("begin the copy", lambda: self.world.dirs.__setitem__(leaf, began))
        self.copy_spaces(server, names)
        progress(total / 2, total, "half")
        if not self.world.dirs[leaf].whole:
            self.world.does("finish the copy", lambda: self.world.set_dir(leaf, whole=True))

    def verify_base(self, server: Server, names: Names) -> str:
        here = self.world.dirs.get(names.clone_leaf(server.home))
        return "" if here is not None and here.whole else 'pg_verifybackup: error: "base/16384/16412" is missing'

    def lay_wal(
        self, server: Server, names: Names, segments: Sequence[str], histories: Sequence[str], progress: Progress
    ) -> None:
        leaf = self._own(server, names)
        held = {*self.world.archive, *self.world.saved.get(names.run, ())}
        for name in (*histories, *segments):
            if name not in held:
                raise RecoveryError(f"Neither the archive nor the saved WAL holds {name}.", hint="Ask for a new plan.")
        half = len(segments) // 2
        for part in (segments[:half], segments[half:]):
            if not set(part) <= self.world.dirs[leaf].wal:
                self.world.does(f"lay {part[0]} and on", lambda part=part: self._laid(leaf, part, histories))  # type: ignore[misc]
            progress(1, 2, "laid")

    def _laid(self, leaf: str, part: Sequence[str], histories: Sequence[str]) -> None:
        here = self.world.dirs[leaf]
        self.world.set_dir(
            leaf, wal=here.wal | set(part), histories=here.histories | {int(name[:8], 16) for name in histories}
        )

    def verify_wal(self, server: Server, names: Names, timeline: int, start: str, end: str) -> str:
        first, last = (segment_of(timeline, parse_lsn(place), SIZE) for place in (start, end))
        here = self.world.dirs.get(names.clone_leaf(server.home))
        wrong = [
            name
            for name in segments_between(first, last, SIZE)
            if here is None or name not in here.wal or name in self.world.damaged
        ]
        wrong = [name for name in wrong if not self._inherited(here, name)]
        return f"pg_waldump: error: {wrong[0]}" if wrong else ""

    def made_tablespaces(self) -> Mapping[int, str]:
        return {oid: location for oid, location in self.world.links.items() if (oid, location) == LATE}

    def _inherited(self, here: Dir | None, name: str) -> bool:
        """Where a branch begins in the middle of a segment, the new timeline's file holds the part before."""
        return (
            here is not None
            and any(other[8:] == name[8:] and other > name for other in here.wal)
            and name not in self.world.damaged
        )

    def seal_clone(self, server: Server, names: Names) -> None:
        leaf = self._own(server, names)
        if not self.world.dirs[leaf].whole:
            raise Violated("a clone was sealed that is not whole")
        if not self.world.dirs[leaf].signal:
            self.world.does("order the recovery", lambda: self.world.set_dir(leaf, signal=True))
        if not self.world.dirs[leaf].sealed:
            self.world.does("mark the clone complete", lambda: self.world.set_dir(leaf, sealed=names.run))

    def archive_history(self, server: Server, names: Names, history: str) -> None:
        seen = self.leaves(server, names)
        leaf = names.clone_leaf(server.home) if seen.clone_complete else LEAF
        self.world.at_rest(leaf)
        if self.world.dirs[leaf].offered != history:
            self.world.does("offer the history", lambda: self.world.set_dir(leaf, offered=history))

    def withdraw_archived(self, server: Server, names: Names) -> None:
        self.world.at_rest(LEAF, names.clone_leaf(server.home))

    # The swap ------------------------------------------------------------------------------------

    def leaves(self, server: Server, names: Names) -> ServerDirectories:
        seen = self.folders.leaves(server.data, names)
        return ServerDirectories(**vars(seen), tablespaces=self.space_states(server, names))

    def swap(self, server: Server, names: Names, label: Mapping[str, str]) -> None:
        self.folders.swap(server.data, names, label, lambda: self.swap_spaces(server, names, label))

    def swap_back(self, server: Server, names: Names) -> None:
        self.folders.swap_back(server.data, names, lambda: self.swap_spaces_back(server, names))

    def set_aside(self, server: Server, names: Names, label: Mapping[str, str]) -> None:
        self.folders.set_aside(server.data, names, label, lambda: self.set_spaces_aside(server, names, label))

    # Base backups --------------------------------------------------------------------------------

    def take_base(self, server: Server, name: str, total: int, progress: Progress, rate: str = "") -> None:
        if name in self.world.backups and self.world.backups[name].whole:
            return
        if not self.world.serves_sql():
            raise RecoveryError("The server does not answer.", hint="Start it.")
        if name not in self.world.backups:
            self.world.does(f"begin {name}", lambda: self._begun(name))
        progress(total / 2, total, "half")
        self.world.does(f"finish {name}", lambda: self._finished(name))

    def _begun(self, name: str) -> None:
        self.world.backups[name] = replace(self.world.take_backup(name), whole=False)

    def _finished(self, name: str) -> None:
        self.world.backups[name] = replace(self.world.backups[name], whole=True)

    def verify_backup(self, server: Server, name: str) -> str:
        return "" if self.world.backups[name].whole else "it is not whole"

    def write_inventory(self, server: Server, name: str, text: str) -> None:
        self.world.does(
            f"write the inventory of {name}",
            lambda: self.world.backups.__setitem__(name, self.world.backups[name].kept(text)),
        )
