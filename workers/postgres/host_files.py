"""`PostgresFiles` on a real Docker host: all that is asked of a server's directory, archive and base backups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from actions.postgres.archive import WalFile
from actions.postgres.backups import BackupFiles
from actions.postgres.config_changes import Changes
from actions.postgres.config_files import ConfigTree
from actions.postgres.data_directory import DataDirectory
from actions.postgres.inventory import FILE_NAME
from actions.postgres.server import Server
from actions.postgres.stops import Stop
from actions.tools.folders import Room
from actions.tools.names import Names
from actions.tools.postgres_files import CommitTimes, ServerDirectories, Stretch
from actions.tools.progress import Progress
from workers.docker.helper import HOME, Helper
from workers.docker.text_files import put_text
from workers.postgres import folders, look_at_data
from workers.postgres.base_checks import BaseChecks, checked_name
from workers.postgres.base_combine import BaseCombiner
from workers.postgres.base_copy import BaseCopy
from workers.postgres.base_take import BaseTaker
from workers.postgres.commit_times import moments
from workers.postgres.configuration import ConfigurationReader
from workers.postgres.lay_wal import WalLayer
from workers.postgres.recent import Recent
from workers.postgres.seal_clone import Seal
from workers.postgres.server_access import Accesses
from workers.postgres.server_helper import BASES, ServerHelper
from workers.postgres.server_swap import ServerSwap
from workers.postgres.unwritten import UnwrittenReader
from workers.postgres.wal_copies import Copies
from workers.postgres.wal_reader import WalReader

_SAME_SECONDS = 60.0
"""For so long what was read of some segments is not read anew; what is archived does not change."""


class HostFiles:
    """Files of one Docker host, for one run, through that run's helper container.

    Whoever takes over a run calls `fresh` first: commands of a killed worker end with its helper.
    """

    def __init__(self, client: Any, names: Names, accesses: Accesses | None = None) -> None:
        self._helper = ServerHelper(client, names)
        self._recent = Recent[folders.FolderListings]()
        self._copies = Copies(self._helper, self._folders, self._recent.forget)
        self._moments = Recent[dict[tuple[Stretch, datetime | None], CommitTimes]](_SAME_SECONDS)
        self._wal = WalReader(self._helper, self._copies)
        self._layer = WalLayer(self._helper, client, self._copies)
        self._checks = BaseChecks(self._helper)
        self._copy = BaseCopy(self._helper, client)
        self._taker = BaseTaker(self._helper, client, accesses or Accesses())
        self._combiner = BaseCombiner(self._helper, client, self._checks)
        self._swap = ServerSwap(self._helper, client)
        self._unwritten = UnwrittenReader(self._helper)
        self._configuration = ConfigurationReader(self._helper, client)
        self._seal = Seal(self._helper, client, self._swap, self._copies)

    @property
    def helper(self) -> Helper:
        """The run's helper, for those who work on the same folders."""
        return self._helper.common

    def fresh(self) -> None:
        """Remove what an earlier worker of this run left behind."""
        self._helper.fresh()

    def close(self) -> None:
        """Remove the helper container."""
        self._helper.close()

    def control(self, server: Server, leaf: str) -> str:
        return folders.control(self._helper, server, leaf)

    def data_directory(self, server: Server) -> DataDirectory:
        return look_at_data.look(self._helper, server)

    def wal_headers(self, server: Server) -> Mapping[str, bytes]:
        """The first bytes of each segment in the live server's pg_wal."""
        return folders.wal_headers(self._helper, server)

    def archive(self, server: Server, *, anew: bool = False) -> Sequence[WalFile]:
        if anew:
            self._recent.forget()
        return self._copies.archive(server)

    def histories(self, server: Server) -> Mapping[str, str]:
        return self._copies.histories(server)

    def tail(self, server: Server) -> Sequence[WalFile]:
        return self._copies.own(server)

    def backups(self, server: Server) -> Sequence[BackupFiles]:
        return folders.base_backups(server, self._folders(server).backups, self._copies.backup_ends(server))

    def base_wal(self, server: Server) -> Sequence[WalFile]:
        return [file for one in self._copies.brought(server) for file in one.files]

    def _folders(self, server: Server) -> folders.FolderListings:
        return self._recent.get(lambda: folders.folders(self._helper, server))

    def rooms(self, server: Server) -> Mapping[str, Room]:
        return folders.rooms(self._helper, server)

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
        return self._wal.lines(server, timeline, segments, start, end, rmgrs, limit, only)

    def moments(
        self, server: Server, stretches: Sequence[Stretch], at: datetime | None = None
    ) -> Sequence[CommitTimes]:
        known = self._moments.get(dict)
        asked = [stretch for stretch in stretches if (stretch, at) not in known]
        if asked:
            found = moments(self._helper, self._copies, server, asked, at)
            known.update(zip(((s, at) for s in asked), found, strict=True))
        return [known[stretch, at] for stretch in stretches]

    def losses(self, server: Server, timeline: int, segments: Sequence[str], stop: Stop, *, seconds: float) -> str:
        return self._wal.losses(server, timeline, segments, stop, seconds)

    def save_tail(self, server: Server, names: Names, segments: Sequence[str]) -> None:
        self._recent.forget()
        self._layer.save(server, names, segments)

    def saved_tail(self, server: Server, names: Names) -> Sequence[WalFile]:
        return folders.wal_files(self._helper, server, f"{HOME}/{names.tail_leaf(server.home)}", else_none=True)

    def copy_base(
        self, server: Server, names: Names, backup: str, total: int, progress: Progress, chain: Sequence[str] = ()
    ) -> None:
        self._recent.forget()
        if chain:
            self._combiner.combine(server, names, (*chain, backup), total, progress)
        else:
            self._copy.copy(server, names, backup, total, progress)

    def verify_base(self, server: Server, names: Names) -> str:
        return self._checks.verify_clone(server, names)

    def lay_wal(
        self, server: Server, names: Names, segments: Sequence[str], histories: Sequence[str], progress: Progress
    ) -> None:
        self._recent.forget()
        self._layer.lay(server, names, segments, histories, progress)

    def verify_wal(self, server: Server, names: Names, timeline: int, start: str, end: str) -> str:
        return self._layer.verify(server, names, timeline, start, end)

    def made_tablespaces(self) -> Mapping[int, str]:
        return self._layer.made

    def seal_clone(self, server: Server, names: Names) -> None:
        self._recent.forget()
        self._seal.seal(server, names)

    def configuration(self, server: Server, leaf: str = "", backup: str = "") -> tuple[ConfigTree, ConfigTree]:
        return self._configuration.read(server, leaf, backup)

    def lay_configuration(self, server: Server, names: Names, changes: Changes) -> None:
        self._configuration.lay(server, names, changes)

    def slot_states(self, server: Server) -> Sequence[bytes]:
        return self._unwritten.slots(server)

    def prepared_states(self, server: Server, names: Names) -> Sequence[bytes]:
        return self._unwritten.prepared(server, names)

    def prepared_records(
        self, server: Server, names: Names, stretches: Sequence[tuple[int, str, str]], at: str = ""
    ) -> Sequence[str]:
        return self._unwritten.two_phase(server, names, stretches, at)

    def first_relation(
        self, server: Server, names: Names, stretches: Sequence[tuple[int, str, str]], xid: int
    ) -> Sequence[str]:
        return self._unwritten.of_transaction(server, names, stretches, xid)

    def archive_history(self, server: Server, names: Names, history: str) -> None:
        self._recent.forget()
        self._seal.archive_history(server, names, history)

    def withdraw_archived(self, server: Server, names: Names) -> None:
        self._recent.forget()
        self._seal.withdraw_archived(server, names)

    def leaves(self, server: Server, names: Names) -> ServerDirectories:
        return self._swap.leaves(server, names)

    def swap(self, server: Server, names: Names, label: Mapping[str, str]) -> None:
        self._recent.forget()
        self._swap.swap(server, names, label)

    def swap_back(self, server: Server, names: Names) -> None:
        self._recent.forget()
        self._swap.swap_back(server, names)

    def set_aside(self, server: Server, names: Names, label: Mapping[str, str]) -> None:
        self._recent.forget()
        self._swap.set_aside(server, names, label)

    def take_base(self, server: Server, name: str, total: int, progress: Progress, rate: str = "") -> None:
        self._recent.forget()
        self._taker.take(server, name, total, progress, rate)

    def verify_backup(self, server: Server, name: str) -> str:
        return self._checks.verify(server, name)

    def write_inventory(self, server: Server, name: str, text: str) -> None:
        self._recent.forget()
        put_text(self._helper.inside(server), f"{BASES}/{checked_name(name)}/{FILE_NAME}", text)
