"""Reading the recovery window: which moments the backups, the archive and the server's own WAL can bring back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import takewhile

from actions.engine.errors import RecoveryError
from actions.postgres.archive import ArchivedFile, LiveTail, WalFile
from actions.postgres.backups import BaseBackup, read_backup
from actions.postgres.chains import with_chains
from actions.postgres.lsn import Lsn, format_lsn, parse_lsn
from actions.postgres.segments import parse_wal_name, segment_of, segment_start, segments_between, whole_segments
from actions.postgres.server import Server
from actions.postgres.timelines import chain_to
from actions.postgres.waldump import transaction_ends
from actions.postgres.windows import Window, open_ends, recovery_window, with_moments
from actions.tools.postgres_files import PostgresFiles, Stretch
from actions.tools.sql import LoginRefused, NotServing, Sql, SqlTimeout

_LOOKED_THROUGH = 16
"""Segments in a row that are searched for a commit."""


@dataclass(frozen=True)
class WindowInputs:
    """Everything that was read to know the window; not a fact, it is read anew where it is needed."""

    window: Window
    archive: tuple[WalFile, ...]
    histories: dict[int, str]
    tail: LiveTail | None
    archived_at: datetime | None = None
    """The newest commit that the archive holds on the way to the live timeline, and in which segment it ends."""
    archived: str = ""
    brought: tuple[WalFile, ...] = ()
    """What base backups hold of the WAL that was written during them, where the archive lacks it."""

    def names(self) -> set[str]:
        """Every whole segment that can be had, from the archive, a base backup or the server's own WAL."""
        return _usable((*self.archive, *self.brought)) | set(self.tail.segments if self.tail else ())


def read_window(server: Server, files: PostgresFiles, sql: Sql, now: datetime) -> Window:
    """The recovery window on every timeline."""
    return survey(server, files, sql, now).window


def survey(server: Server, files: PostgresFiles, sql: Sql, now: datetime) -> WindowInputs:
    """Read folders and control data, and work the window out."""
    archive = tuple(files.archive(server))
    histories = {int(name[:8], 16): text for name, text in files.histories(server).items()}
    brought = tuple(files.base_wal(server))
    tail = read_tail(server, archive, files, sql, now)
    there = _usable((*archive, *brought))
    backups = with_chains(read_backup(found) for found in files.backups(server))
    window = recovery_window(
        _with_ends(backups, there, server, files),
        _told(archive),
        histories,
        server.system_identifier,
        server.timeline,
        tail,
        server.segment_size,
        _told(brought),
    )
    newest = _newest(archive, histories, server)
    ends = sorted({*open_ends(window), *([newest] if newest else [])})
    last = dict(zip(ends, files.moments(server, [_up_to(name, there, server) for name in ends]), strict=True))
    window = with_moments(window, {name: found.last for name, found in last.items()})
    return WindowInputs(window, archive, histories, tail, last[newest].last if newest else None, newest, brought)


def _told(files: Sequence[WalFile]) -> list[ArchivedFile]:
    return [ArchivedFile(f.name, f.size, f.wrong) for f in files]


def _with_ends(backups: list[BaseBackup], there: Set[str], server: Server, files: PostgresFiles) -> list[BaseBackup]:
    """Where nothing beside a backup says when it ended, it was over by the first commit behind its end."""
    open_ = [b for b in backups if b.complete and b.stopped_at is None and b.stop_lsn is not None]
    asked = [_behind(b, there, server) for b in open_]
    first = dict(zip((b.path for b in open_), files.moments(server, asked) if asked else (), strict=True))
    return [replace(b, stopped_at=first[b.path].first) if b.path in first else b for b in backups]


def _behind(backup: BaseBackup, there: Set[str], server: Server) -> Stretch:
    at = backup.stop_lsn or backup.start_lsn
    name = segment_of(backup.timeline, at, server.segment_size)
    behind = sorted(n for n in there if n[:8] == name[:8] and n >= name)
    return Stretch(backup.timeline, tuple(behind[:_LOOKED_THROUGH]), format_lsn(at) if name in behind else "")


def _newest(archive: Sequence[WalFile], histories: Mapping[int, str], server: Server) -> str:
    """The newest archived segment on the way to the live timeline."""
    try:
        chain = chain_to(server.timeline, histories)
    except RecoveryError:
        return ""
    names = (n for n in _usable(archive) if chain.span(int(n[:8], 16)) is not None)
    return max(names, key=lambda name: (name[8:], name[:8]), default="")


def _up_to(name: str, there: Set[str], server: Server) -> Stretch:
    """A segment and some before it, for one in which nothing was committed."""
    before = sorted(n for n in there if n[:8] == name[:8] and n <= name)
    return Stretch(int(name[:8], 16), tuple(before[-_LOOKED_THROUGH:]) or (name,))


def _usable(files: Sequence[WalFile]) -> set[str]:
    return whole_segments(f.name for f in files if not f.wrong)


def read_tail(
    server: Server, archive: tuple[WalFile, ...], files: PostgresFiles, sql: Sql, now: datetime
) -> LiveTail | None:
    """The WAL that only the server itself holds.

    A running server says where it writes; of a dead one the WAL is read to its end. Segments that lie ready
    for later (recycled ones) carry names beyond that end and old content, so they never count.
    """
    if server.standby:
        # What it holds is its primary's, which archives it.
        return None
    # A copy that was cut short does not make the server's own whole segment superfluous.
    held = _usable(archive)
    own = [f for f in files.tail(server) if _is_segment(f.name, server.timeline) and f.name not in held]
    running = _running_end(server, sql, now)
    # A running server may have written a segment a moment after it was listed; a dead one writes no more.
    fresh = sorted(f.name for f in own if running or not f.wrong)
    if not fresh:
        # All is archived, and nothing was written since the last switch to a new segment.
        return LiveTail(server.timeline, (), *running) if running and _at_a_switch(running[0], server) else None
    end, at = running or _dead_end(server, fresh, held, files, now)
    last = segment_of(server.timeline, end, server.segment_size)
    nothing_in_it = {last} if end == segment_start(last, server.segment_size) else set()
    segments = tuple(name for name in fresh if name <= last and name not in nothing_in_it)
    return LiveTail(server.timeline, segments, end, at)


def _at_a_switch(end: Lsn, server: Server) -> bool:
    return end % server.segment_size == 0


def _is_segment(name: str, timeline: int) -> bool:
    file = parse_wal_name(name)
    return file is not None and file.kind == "segment" and file.timeline == timeline


def _running_end(server: Server, sql: Sql, now: datetime) -> tuple[Lsn, datetime] | None:
    if server.state != "running":
        return None
    try:
        row = sql.rows(server.service, server, "select pg_current_wal_lsn()::text as lsn", seconds=5)[0]
    except (NotServing, LoginRefused, SqlTimeout):
        # Nobody who could say it. Any other error is one, and not the word of a server that is down.
        return None
    # Every commit that was acknowledged by now lies before this position.
    return parse_lsn(row["lsn"]), now


def _dead_end(
    server: Server, fresh: list[str], held: set[str], files: PostgresFiles, now: datetime
) -> tuple[Lsn, datetime]:
    """Read a dead server's own WAL up to its end; nothing can have been committed after that.

    Where the archive's copy of one segment is bad, it holds those between that one and the last.
    """
    have = {*fresh, *held}
    run = list(takewhile(have.__contains__, segments_between(fresh[0], fresh[-1], server.segment_size)))
    last = None
    for end in transaction_ends(files.waldump(server, server.timeline, run)):
        last = end
    return (last.lsn, now) if last else (segment_start(run[0], server.segment_size), now)
