"""Reading the recovery window: which moments the backups, the archive and the server's own WAL can bring back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile

from actions.engine.errors import RecoveryError
from actions.postgres.archive import ArchivedFile, Tail
from actions.postgres.backups import read_backup
from actions.postgres.lsn import Lsn, parse_lsn
from actions.postgres.segments import parse_wal_name, segment_of, segment_start, segments_between, whole_segments
from actions.postgres.server import Server
from actions.postgres.waldump import transaction_ends
from actions.postgres.windows import Window, recovery_window
from actions.tools import Files, Sql, WalFile


@dataclass(frozen=True)
class Surroundings:
    """Everything that was read to know the window; not a fact, it is read anew where it is needed."""

    window: Window
    archive: tuple[WalFile, ...]
    histories: dict[int, str]
    tail: Tail | None

    def names(self) -> set[str]:
        """Every whole segment that can be had, from the archive or the server's own WAL."""
        return whole_segments(f.name for f in self.archive) | set(self.tail.segments if self.tail else ())

    def began(self, timeline: int) -> datetime | None:
        """When a timeline came to be, as the arrival of its history file tells."""
        name = f"{timeline:08X}.history"
        return next((f.at for f in self.archive if f.name == name), None)


def read_window(server: Server, files: Files, sql: Sql, now: datetime) -> Window:
    """The recovery window on every timeline."""
    return survey(server, files, sql, now).window


def survey(server: Server, files: Files, sql: Sql, now: datetime) -> Surroundings:
    """Read folders and control data, and work the window out."""
    archive = tuple(files.archive(server))
    histories = {int(name[:8], 16): text for name, text in files.histories(server).items()}
    tail = read_tail(server, archive, files, sql, now)
    window = recovery_window(
        [read_backup(found) for found in files.backups(server)],
        [ArchivedFile(f.name, f.size, f.at) for f in archive],
        histories, server.system_identifier, server.timeline, tail, server.segment_size,
    )  # fmt: skip
    return Surroundings(window, archive, histories, tail)


def read_tail(server: Server, archive: tuple[WalFile, ...], files: Files, sql: Sql, now: datetime) -> Tail | None:
    """The WAL that only the server itself holds.

    A running server says where it writes; of a dead one the WAL is read to its end. Segments that lie ready
    for later (recycled ones) carry names beyond that end and old content, so they never count.
    """
    # A copy that was cut short does not make the server's own whole segment superfluous.
    held = whole_segments(f.name for f in archive if f.size == server.segment_size)
    own = {f.name for f in files.tail(server) if _is_segment(f.name, server.timeline)}
    fresh = sorted(own - held)
    if not fresh:
        return None
    end, at = _running_end(server, sql, now) or _dead_end(server, fresh, files, now)
    if end is None:
        return None
    last = segment_of(server.timeline, end, server.segment_size)
    segments = tuple(name for name in fresh if name <= last)
    return Tail(server.timeline, segments, end, at)


def _is_segment(name: str, timeline: int) -> bool:
    file = parse_wal_name(name)
    return file is not None and file.kind == "segment" and file.timeline == timeline


def _running_end(server: Server, sql: Sql, now: datetime) -> tuple[Lsn | None, datetime | None] | None:
    if server.state != "running":
        return None
    try:
        row = sql.rows(server.service, server, "select pg_current_wal_lsn()::text as lsn", seconds=5)[0]
    except RecoveryError:
        return None
    # Every commit that was acknowledged by now lies before this position.
    return parse_lsn(row["lsn"]), now


def _dead_end(server: Server, fresh: list[str], files: Files, now: datetime) -> tuple[Lsn | None, datetime | None]:
    """Read a dead server's own WAL up to its end; nothing can have been committed after that."""
    have = set(fresh)
    run = list(takewhile(have.__contains__, segments_between(fresh[0], fresh[-1], server.segment_size)))
    last = None
    for end in transaction_ends(files.waldump(server, server.timeline, run)):
        last = end
    return (last.lsn, now) if last else (segment_start(run[0], server.segment_size), now)
