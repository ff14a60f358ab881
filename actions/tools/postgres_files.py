"""The files of a PostgreSQL server, its archive and its base backups, as steps may ask for them.

Every method that changes something is safe to repeat, and says so where that takes a rule of its own.
All raise RecoveryError with detail and hint; a change on another container than the one that the
`Server` names is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from actions.postgres.archive import WalFile
from actions.postgres.backups import BackupFiles
from actions.postgres.data_directory import DataDirectory
from actions.postgres.server import Server
from actions.postgres.stops import Stop
from actions.tools.folders import Room, RunDirectories
from actions.tools.names import Names
from actions.tools.progress import Progress
from actions.tools.unwritten_files import UnwrittenFiles


@dataclass(frozen=True)
class Stretch:
    """Segments of one timeline, oldest first. `start` is the LSN from which on they count, where that lies in the
    first of them: where the timeline branched off; empty for all that is in them."""

    timeline: int
    segments: tuple[str, ...]
    start: str = ""


@dataclass(frozen=True)
class CommitTimes:
    """When transactions ended in a stretch, as their records say.

    `began` is the time of the record with which a recovery began the timeline, `first` and `last` those of the first
    and last end of a transaction. `segment` is the last one whose first end is at or before the moment that was
    asked for, `newest` the newest end at or before it.
    """

    began: datetime | None = None
    first: datetime | None = None
    last: datetime | None = None
    segment: str = ""
    newest: datetime | None = None


@dataclass(frozen=True)
class ServerDirectories(RunDirectories):
    """The same of a server, whose tablespaces are swapped along.

    `tablespaces` says of each location whose files are live there: `old`, `new` (the clone's), or `between`.
    """

    tablespaces: tuple[str, ...] = ()


class PostgresFiles(UnwrittenFiles, Protocol):
    """Files of a server's host: data directory, archive, base backups. Nothing is ever deleted.

    What is true of the data of any container is asked of `Folders`; a swap of a server takes its tablespaces along.
    """

    def control(self, server: Server, leaf: str) -> str:
        """What pg_controldata says of a data directory."""

    def data_directory(self, server: Server) -> DataDirectory:
        """The live data directory, as much of it as can be read."""

    def wal_headers(self, server: Server) -> Mapping[str, bytes]:
        """The first bytes of each segment in the live server's pg_wal, by name."""

    def archive(self, server: Server, *, anew: bool = False) -> Sequence[WalFile]:
        """The files of the archive. `anew`: as it is now, not a moment ago."""

    def histories(self, server: Server) -> Mapping[str, str]:
        """The timeline history files of the archive and of the live pg_wal, name to text."""

    def tail(self, server: Server) -> Sequence[WalFile]:
        """The segments in the live server's own pg_wal."""

    def backups(self, server: Server) -> Sequence[BackupFiles]: ...
    def base_wal(self, server: Server) -> Sequence[WalFile]:
        """Segments of the base backups' own spans that the archive has no good copy of, as far as those have them."""

    def rooms(self, server: Server) -> Mapping[str, Room]:
        """The file systems of `data` (where the clone will lie), `archive` and `bases`."""

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
        """Lines of pg_waldump (TZ=UTC) over named segments, from the archive or else the live pg_wal.

        `start`/`end` are LSNs; without `start` it begins with the first record of the first segment. Ends at
        the end of valid WAL without an error. `limit` bounds the records read (0: all). `only` is an extended
        regular expression that sifts the lines where they are printed, so that millions of rows do not come here.
        """

    def moments(
        self, server: Server, stretches: Sequence[Stretch], at: datetime | None = None
    ) -> Sequence[CommitTimes]:
        """When transactions ended in each stretch, and up to which segment that was at or before a moment.

        Few segments are opened for it, however many there are.
        """

    def losses(self, server: Server, timeline: int, segments: Sequence[str], stop: Stop, *, seconds: float) -> str:
        """The output of the awk program of `actions.postgres.lost_rows` over these segments, for `parse_losses`.

        Empty where it was not finished within so many seconds.
        """

    def save_tail(self, server: Server, names: Names, segments: Sequence[str]) -> None:
        """Copy segments of the live pg_wal that the archive lacks into the run's own directory."""

    def saved_tail(self, server: Server, names: Names) -> Sequence[WalFile]: ...
    def copy_base(
        self, server: Server, names: Names, backup: str, total: int, progress: Progress, chain: Sequence[str] = ()
    ) -> None:
        """Copy a base backup into the clone's directory, with reflinks; or combine it there with its `chain`."""

    def verify_base(self, server: Server, names: Names) -> str:
        """Empty where the clone's directory is just what the backup's manifest says, else what differs."""

    def lay_wal(
        self, server: Server, names: Names, segments: Sequence[str], histories: Sequence[str], progress: Progress
    ) -> None:
        """Copy WAL (the saved tail, else the best copy) and history files into the clone's pg_wal."""

    def verify_wal(self, server: Server, names: Names, timeline: int, start: str, end: str) -> str:
        """Empty where the clone's pg_wal parses (checksums of records) from `start` to `end`, else what is wrong.

        A segment that does not is replaced there by another copy first, where there is one.
        """

    def made_tablespaces(self) -> Mapping[int, str]:
        """The tablespaces that the WAL makes which `verify_wal` has read: oid to location."""

    def seal_clone(self, server: Server, names: Names) -> None:
        """Strip stale recovery settings, write recovery.signal, and last the mark that the clone is complete."""

    def archive_history(self, server: Server, names: Names, history: str) -> None:
        """Have the archiver of the coming live server archive the new timeline's history file and what it lacks."""

    def withdraw_archived(self, server: Server, names: Names) -> None:
        """Take back from that archiver what the archive holds by now; the old server has ended, the new not begun."""

    def leaves(self, server: Server, names: Names) -> ServerDirectories: ...
    def swap(self, server: Server, names: Names, label: Mapping[str, str]) -> None:
        """As of `Folders`, with the tablespaces first; a clone of another cluster than the plan's is refused."""

    def swap_back(self, server: Server, names: Names) -> None:
        """The reverse of `swap`; finds nothing to do where the old directory is the live one."""

    def set_aside(self, server: Server, names: Names, label: Mapping[str, str]) -> None:
        """The clone's directory and tablespaces out of the way; finds nothing to do where there are none."""

    def take_base(self, server: Server, name: str, total: int, progress: Progress, rate: str = "") -> None:
        """pg_basebackup from the live server into `bases/name`, under a working name until it is whole.

        `rate` is how fast at most, as `--max-rate` takes it; empty for as fast as it can.
        """

    def verify_backup(self, server: Server, name: str) -> str:
        """Empty where `bases/name` is just what its manifest says, else what differs."""

    def write_inventory(self, server: Server, name: str, text: str) -> None:
        """Put the inventory beside a base backup."""
