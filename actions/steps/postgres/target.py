"""From a target to the exact place in the WAL where a recovery stops, and the base backup to start from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from actions.clock.times import span_words, spell
from actions.clock.when import Target
from actions.engine.errors import Refused
from actions.engine.facts import volatile
from actions.postgres.backups import HeldTablespace
from actions.postgres.choices import choose_backup
from actions.postgres.lsn import Lsn, format_lsn
from actions.postgres.server import Server
from actions.postgres.stops import Stop
from actions.postgres.timelines import chain_to, segments_needed
from actions.postgres.unreachable import Unreachable
from actions.postgres.windows import Window
from actions.steps.postgres.choose_timeline import branch_of
from actions.steps.postgres.clear_of_removals import EarlierStop, UnfinishedRemoval, clear_of_removals
from actions.steps.postgres.reach import out_of_reach, reachable_instead
from actions.steps.postgres.read_window import WindowInputs, survey
from actions.steps.postgres.search_stop import Search
from actions.steps.postgres.wal_ways import ways
from actions.tools.postgres_files import PostgresFiles
from actions.tools.sql import Sql

_LONG_BEFORE = timedelta(minutes=10)
"""A last commit so long before the target is called out; less is an ordinary pause of a quiet database."""


@dataclass(frozen=True)
class Aim:
    """Where the recovery stops: the timeline to follow, and the place on it.

    `spared` says why it stops earlier than was asked for, `left` what had been removed half-way by then.
    A bare time has two readings: `reading` is the earlier one where it alone can be reached. `not_read` says why the
    one that was not taken cannot be.
    """

    timeline: int
    stop: Stop
    spared: EarlierStop | None = None
    left: tuple[UnfinishedRemoval, ...] = ()
    reading: Target | None = None
    not_read: str = ""

    def meant(self, target: Target) -> Target:
        """The reading of the target that is recovered to."""
        return self.reading or target

    def says(self) -> str:
        """For example: after 0/5A3F2C8 on timeline 1."""
        kept = self.stop.last_commit_at
        last = f"; the last commit kept is of {spell(kept)}" if kept else ""
        return f"{self.stop.text} on timeline {self.timeline}{last}"

    def alerts(self, target: Target) -> tuple[str, ...]:
        """What people must not overlook of it."""
        moved = (self.spared.says(),) if self.spared else ()
        return (*moved, *(one.says() for one in self.left), *_long_before(self, self.meant(target)))


def _long_before(aim: Aim, target: Target) -> tuple[str, ...]:
    kept, at = aim.stop.last_commit_at, target.at
    if at is None or kept is None or aim.spared or at - kept < _LONG_BEFORE:
        return ()
    return (
        f"The last commit that is kept is of {spell(kept)}, {span_words(at - kept)} before the target: as far as "
        f"the WAL of timeline {aim.timeline} shows, nothing was committed in between.",
    )


@dataclass(frozen=True)
class Base:
    """The base backup to start from, and the WAL to lay beside it, oldest segment first.

    An incremental one has the `chain` that it is combined with, the full backup first.
    """

    name: str
    timeline: int
    start_lsn: Lsn
    floor: Lsn
    bytes: int
    stopped_at: datetime | None
    segments: tuple[str, ...]
    histories: tuple[str, ...]
    chain: tuple[str, ...] = ()
    why: str = volatile(default="")
    beyond: tuple[str, ...] = volatile(default=())
    tablespaces: tuple[HeldTablespace, ...] = ()

    @property
    def laid(self) -> tuple[str, ...]:
        """What is laid: the segments, and the one after the stop where it was there when the plan was made."""
        return (*self.segments, *self.beyond)

    def wal_bytes(self, segment_size: int) -> int:
        """Bytes of WAL to lay and replay, at most."""
        return len(self.segments) * segment_size

    def says(self) -> str:
        """Which, and how much WAL follows it."""
        on = f" with {', '.join(self.chain)}" if self.chain else ""
        return f"{self.name}{on}, then {len(self.segments)} WAL segments"


def find_stopping_point(
    target: Target, server: Server, window: Window, files: PostgresFiles, sql: Sql, now: datetime
) -> Aim:
    """Turn the target into a place in the WAL, before anything is shown or touched.

    Of two readings the later one that can be reached is taken.

    Raises:
        Unreachable: with the window and the nearest moment that can be reached.
    """
    around = survey(server, files, sql, now)
    try:
        aim = _place(target, around, server, files)
    except Unreachable as refused:
        return _earlier(target, refused, around, server, files)
    return replace(aim, not_read=out_of_reach(target.other, around, server, files) or target.not_read)


def _earlier(target: Target, refused: Unreachable, around: WindowInputs, server: Server, files: PostgresFiles) -> Aim:
    """The aim of the earlier reading, where the later one cannot be reached.

    Raises:
        Unreachable: neither can.
    """
    if target.other is not None:
        try:
            aim = _place(target.other, around, server, files)
        except Unreachable:
            pass
        else:
            return replace(aim, reading=target.other, not_read=refused.message.rstrip("."))
    refused.instead = reachable_instead(refused, around.window)
    raise refused


def _place(target: Target, around: WindowInputs, server: Server, files: PostgresFiles) -> Aim:
    branch = branch_of(target, around, server, files)
    found = ways(around, chain_to(branch.timeline, around.histories), server, files)
    part = around.window.on(branch.timeline)
    if part is None or not found:
        choose_backup(around.window, timeline=branch.timeline)  # It says why there is none.
        raise Refused(
            "The WAL of the base backups is not there.", code="MD-PG-058", hint="Bring it back into the archive."
        )
    search = Search(target, part, found, branch.segment, branch.whole_until)
    way, stop = search.find()
    stop, spared, left = clear_of_removals(search, way, stop)
    return Aim(branch.timeline, stop, spared, left)


def choose_base(aim: Aim, server: Server, files: PostgresFiles, sql: Sql, now: datetime) -> Base:
    """The newest base backup that ends before the stopping point, with all WAL between."""
    around = survey(server, files, sql, now)
    choice = choose_backup(around.window, lsn=aim.stop.lsn, timeline=aim.timeline)
    chain = chain_to(aim.timeline, around.histories)
    backup = choice.backup
    end = _through(aim.stop, server.segment_size)
    segments = segments_needed(chain, backup.start_lsn, end, server.segment_size)
    have = around.names()
    needed = segments[:-1]
    beyond = tuple(name for name in segments[-1:] if name in have)  # The one after the stop is welcome, not needed.
    lost = [name for name in needed if name not in have]
    if lost:
        raise Refused(
            f"The WAL segment {lost[0]} is missing.",
            code="MD-PG-059",
            detail=f"{len(lost)} of {len(needed)} are not there.",
            hint="Recover to a moment before it, or bring the segment back into the archive.",
        )
    # A promoted clone takes the first free number, so it has to know of every timeline there ever was.
    histories = tuple(f"{number:08X}.history" for number in sorted(around.histories))
    return Base(
        backup.name,
        backup.timeline,
        backup.start_lsn,
        choice.floor,
        backup.bytes,
        backup.stopped_at,
        tuple(needed),
        histories,
        backup.chain,
        choice.why,
        beyond,
        backup.tablespaces,
    )


def _through(stop: Stop, segment_size: int) -> Lsn:
    """WAL is laid through the record at the stop, which the server has to read, also where it goes on in the next."""
    last = max(stop.lsn, stop.through - 1)
    return Lsn((last // segment_size + 1) * segment_size + 1)


def stop_text(aim: Aim) -> str:
    """The stopping point for the plan."""
    return f"{'after' if aim.stop.inclusive else 'before'} {format_lsn(aim.stop.lsn)}, timeline {aim.timeline}"
