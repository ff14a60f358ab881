"""The recovery window: which moments the base backups and the archive can bring back, per timeline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from actions.engine.errors import RecoveryError
from actions.postgres.archive import (
    ArchivedFile,
    BadCopy,
    Gap,
    LiveTail,
    Runs,
    Wal,
    gaps_on,
    name_along,
)
from actions.postgres.backups import BaseBackup
from actions.postgres.lsn import Lsn
from actions.postgres.segments import DEFAULT_SIZE, parse_wal_name, segment_of
from actions.postgres.timelines import Chain, chain_to, lies_on, segments_needed

__all__ = ["ArchivedFile", "Gap", "LiveTail", "Reach", "TimelineWindow", "Unusable", "Window", "recovery_window"]


@dataclass(frozen=True)
class Reach:
    """How far one backup can be rolled forward along one timeline.

    `last` is the newest segment; `until` the newest commit in it, or the moment up to which the server's own WAL is
    known to be whole. `missing` is the segment that ends the way at a gap, `why` what is wrong with the only copy of
    it, if there is one.
    """

    backup: BaseBackup
    timeline: int
    until_lsn: Lsn
    until: datetime | None
    ends_at: Literal["head", "gap"]
    missing: str = ""
    last: str = ""
    why: str = ""

    @property
    def floor(self) -> Lsn:
        """Where the backup becomes consistent: no recovery from it stops before that."""
        return self.backup.stop_lsn or self.backup.start_lsn


@dataclass(frozen=True)
class Unusable:
    """A backup that cannot serve, and why."""

    path: str
    why: str


@dataclass(frozen=True)
class TimelineWindow:
    """What can be reached along one timeline."""

    timeline: int
    reaches: tuple[Reach, ...]
    unusable: tuple[Unusable, ...]
    earliest: datetime | None
    earliest_lsn: Lsn | None
    latest: datetime | None
    latest_lsn: Lsn | None
    gaps: tuple[Gap, ...]
    problem: str = ""

    @property
    def unbroken(self) -> tuple[Reach, ...]:
        """The reaches without those of old base backups of which a clean-up of the archive left nothing but the end."""
        cleaned = {gap.first for gap in self.gaps if gap.old}
        return tuple(reach for reach in self.reaches if reach.missing not in cleaned)

    @property
    def broken(self) -> tuple[Gap, ...]:
        """The gaps that are a fault."""
        return tuple(gap for gap in self.gaps if not gap.old)


@dataclass(frozen=True)
class Window:
    """The whole answer to ``/recover window``."""

    system_identifier: str
    live_timeline: int
    segment_size: int
    timelines: tuple[TimelineWindow, ...]
    bad: tuple[BadCopy, ...] = ()

    def on(self, timeline: int) -> TimelineWindow | None:
        """The window along one timeline."""
        return next((part for part in self.timelines if part.timeline == timeline), None)

    @property
    def live(self) -> TimelineWindow | None:
        """The window along the timeline of the live server."""
        return self.on(self.live_timeline)


def recovery_window(
    backups: Iterable[BaseBackup],
    archive: Sequence[ArchivedFile],
    histories: Mapping[int, str],
    system_identifier: str,
    live_timeline: int,
    tail: LiveTail | None = None,
    segment_size: int = DEFAULT_SIZE,
    brought: Sequence[ArchivedFile] = (),
) -> Window:
    """Work out what can be reached; nothing is read beyond what is given. `brought` is the WAL within base backups."""
    wal = Wal.of(archive, tail, segment_size, brought)
    known = {file.timeline for file in map(parse_wal_name, wal.present) if file is not None}
    every = tuple(backups)
    parts = (
        _timeline(number, every, wal, histories, system_identifier)
        for number in sorted({live_timeline, *known, *histories}, reverse=True)
    )
    return Window(system_identifier, live_timeline, segment_size, tuple(parts), wal.bad)


def _timeline(
    timeline: int, backups: tuple[BaseBackup, ...], wal: Wal, histories: Mapping[int, str], system_identifier: str
) -> TimelineWindow:
    gaps = gaps_on(timeline, wal)
    try:
        chain = chain_to(timeline, histories)
    except RecoveryError as error:
        return TimelineWindow(timeline, (), (), None, None, None, None, gaps, f"{error.said} {error.hint}")
    judged = [(backup, _unusable(backup, chain, wal, system_identifier)) for backup in backups]
    runs = Runs.along(chain, wal)
    reaches = sorted(
        (_reach(backup, chain, wal, runs) for backup, why in judged if not why), key=lambda reach: _order(reach.backup)
    )
    unusable = tuple(Unusable(backup.path, why) for backup, why in judged if why)
    return _summary(timeline, tuple(reaches), unusable, tuple(_judged_gap(gap, reaches, wal.size) for gap in gaps))


def _judged_gap(gap: Gap, reaches: Sequence[Reach], size: int) -> Gap:
    """The same gap, as what a clean-up left only where something to start from lies behind it."""
    behind = any(segment_of(gap.timeline, reach.backup.start_lsn, size) > gap.last for reach in reaches)
    return replace(gap, old=gap.old and behind)


def _order(backup: BaseBackup) -> int:
    return backup.stop_lsn or backup.start_lsn


def _summary(
    timeline: int, reaches: tuple[Reach, ...], unusable: tuple[Unusable, ...], gaps: tuple[Gap, ...]
) -> TimelineWindow:
    if not reaches:
        return TimelineWindow(timeline, (), unusable, None, None, None, None, gaps)
    best = max(reaches, key=lambda reach: reach.until_lsn)
    earliest = next((reach.backup.over_by for reach in reaches if reach.backup.over_by), None)
    return TimelineWindow(
        timeline, reaches, unusable, earliest, reaches[0].backup.stop_lsn, best.until, best.until_lsn, gaps
    )


def _unusable(backup: BaseBackup, chain: Chain, wal: Wal, system_identifier: str) -> str:
    """Why a backup cannot be used along this history, or nothing."""
    if backup.stop_lsn is None or not backup.complete:
        return backup.problem or "it is unfinished"
    if backup.system_identifier not in (None, system_identifier):
        return f"it is of another system ({backup.system_identifier}, not {system_identifier})"
    if not lies_on(chain, backup.timeline, backup.stop_lsn):
        return f"it was taken on timeline {backup.timeline} after timeline {chain.timeline} had branched off"
    own = segments_needed(chain, backup.start_lsn, backup.stop_lsn, wal.size)
    lost = [name for name in own if name not in wal.present]
    return f"the WAL written during the backup is missing ({wal.lacks(lost[0]) or lost[0]})" if lost else ""


def _reach(backup: BaseBackup, chain: Chain, wal: Wal, runs: Runs) -> Reach:
    """Follow the segments from the backup's start until one is missing."""
    last = runs.end_of[backup.start_lsn // wal.size]
    following = name_along(chain, last + 1, wal.size)
    # A copy that cannot be used is a gap as well where nothing lies behind it.
    at_gap, end = runs.highest > last or bool(wal.lacks(following)), Lsn((last + 1) * wal.size)
    # The server's last segment is only begun: its true end is what the tail says, not the size of the file.
    tail = wal.tail if wal.tail and not at_gap and wal.tail.timeline == chain.timeline else None
    if tail is not None:
        end = Lsn(min(tail.end_lsn, end))
    return Reach(
        backup,
        chain.timeline,
        end,
        tail.at if tail else None,
        "gap" if at_gap else "head",
        following if at_gap else "",
        name_along(chain, last, wal.size),
        wal.lacks(following) if at_gap else "",
    )


def open_ends(window: Window) -> tuple[str, ...]:
    """The newest segments of which the WAL itself has to say up to when they go."""
    reaches = (reach for part in window.timelines for reach in part.reaches)
    return tuple(sorted({reach.last for reach in reaches if reach.until is None}))


def with_moments(window: Window, last: Mapping[str, datetime | None]) -> Window:
    """The window with what the WAL said: the newest commit in or before each of the `open_ends`."""
    return replace(window, timelines=tuple(_told(part, last) for part in window.timelines))


def _told(part: TimelineWindow, last: Mapping[str, datetime | None]) -> TimelineWindow:
    reaches = tuple(r if r.until is not None else replace(r, until=last.get(r.last)) for r in part.reaches)
    best = max(reaches, key=lambda reach: reach.until_lsn, default=None)
    return replace(part, reaches=reaches, latest=best.until if best else None)
