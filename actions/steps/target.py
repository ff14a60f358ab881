"""From a target to the exact place in the WAL where a recovery stops, and the base backup to start from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from actions.engine.errors import Refused
from actions.engine.facts import volatile
from actions.postgres.choices import Choice, choose_backup
from actions.postgres.lsn import Lsn, format_lsn, parse_lsn
from actions.postgres.segments import segment_of
from actions.postgres.server import Server
from actions.postgres.stops import Stop, find_stop, is_past
from actions.postgres.timelines import Chain, chain_to, segments_needed
from actions.postgres.times import spell
from actions.postgres.waldump import TransactionEnd, transaction_ends
from actions.postgres.when import Target
from actions.postgres.windows import Window
from actions.steps.window import Surroundings, survey
from actions.tools import Files, Sql


@dataclass(frozen=True)
class Aim:
    """Where the recovery stops: the timeline to follow, and the place on it."""

    timeline: int
    stop: Stop

    def says(self) -> str:
        """For example: before 0/5A3F2C8 on timeline 1."""
        kept = self.stop.last_commit_at
        last = f"; the last commit kept is of {spell(kept)}" if kept else ""
        return f"{self.stop.text} on timeline {self.timeline}{last}"


@dataclass(frozen=True)
class Base:
    """The base backup to start from, and the WAL to lay beside it, oldest segment first."""

    name: str
    timeline: int
    start_lsn: Lsn
    floor: Lsn
    bytes: int
    stopped_at: datetime | None
    segments: tuple[str, ...]
    histories: tuple[str, ...]
    why: str = volatile(default="")
    beyond: tuple[str, ...] = volatile(default=())

    @property
    def laid(self) -> tuple[str, ...]:
        """What is laid: the segments, and the one after the stop where it was there when the plan was made."""
        return (*self.segments, *self.beyond)

    def wal_bytes(self, segment_size: int) -> int:
        """Bytes of WAL to lay and replay, at most."""
        return len(self.segments) * segment_size

    def says(self) -> str:
        """Which, and how much WAL follows it."""
        return f"{self.name}, then {len(self.segments)} WAL segments"


def find_stopping_point(target: Target, server: Server, window: Window, files: Files, sql: Sql, now: datetime) -> Aim:
    """Turn the target into a place in the WAL, before anything is shown or touched.

    Raises:
        Unreachable: with the window and the nearest moment that can be reached.
    """
    around = survey(server, files, sql, now)
    timeline = _timeline(target, around)
    chain = chain_to(timeline, around.histories)
    choice = _choice(target, around.window, timeline)
    ends = _ends(target, server, around, chain, choice, files)
    return Aim(timeline, find_stop(ends, target, floor=choice.floor, whole=choice.whole,
                                    segment_size=server.segment_size))  # fmt: skip


def choose_base(aim: Aim, server: Server, files: Files, sql: Sql, now: datetime) -> Base:
    """The newest base backup that ends before the stopping point, with all WAL between."""
    around = survey(server, files, sql, now)
    choice = choose_backup(around.window, lsn=aim.stop.lsn, timeline=aim.timeline)
    chain = chain_to(aim.timeline, around.histories)
    backup = choice.backup
    end = _through(aim.stop, server.segment_size)
    segments = segments_needed(chain, backup.start_lsn, end, server.segment_size)
    have = around.names()
    needed, beyond = segments[:-1], segments[-1:]  # The one after the stop is welcome, not needed.
    lost = [name for name in needed if name not in have]
    if lost:
        raise Refused(f"The WAL segment {lost[0]} is missing.", detail=f"{len(lost)} of {len(needed)} are not there.",
                      hint="Recover to a moment before it, or bring the segment back into the archive.")  # fmt: skip
    # A promoted clone takes the first free number, so it has to know of every timeline there ever was.
    histories = tuple(f"{number:08X}.history" for number in sorted(around.histories))
    return Base(backup.name, backup.timeline, backup.start_lsn, choice.floor, backup.bytes, backup.stopped_at,
                tuple(needed), histories, choice.why, tuple(name for name in beyond if name in have))  # fmt: skip


def _through(stop: Stop, segment_size: int) -> Lsn:
    """WAL is laid through the record at the stop, which the server has to read, also where it goes on in the next."""
    last = max(stop.lsn, stop.through - 1)
    return Lsn((last // segment_size + 1) * segment_size + 1)


def _timeline(target: Target, around: Surroundings) -> int:
    """The timeline that was in service at a time: after a recovery, times before it mean the old branch."""
    live = around.window.live_timeline
    if target.kind != "time" or target.at is None:
        return live
    known = sorted({part.timeline for part in around.window.timelines})
    began = {number: around.began(number) for number in known}
    in_service = [n for n in known if n <= live and (n == known[0] or (b := began[n]) is None or b <= target.at)]
    # A timeline that was tried and undone had begun by then too; its WAL ends before the target.
    parts = ((n, around.window.on(n)) for n in in_service)
    reaching = [n for n, part in parts if part and part.latest and part.latest >= target.at]
    return max(reaching or in_service, default=live)


def _choice(target: Target, window: Window, timeline: int) -> Choice:
    """A first choice: where the WAL is read from. A transaction may lie anywhere, so all of it is read for one."""
    if target.kind == "xid":
        part = window.on(timeline)
        if part is not None and part.reaches:
            first = min(part.reaches, key=lambda reach: reach.backup.start_lsn)
            return choose_backup(window, lsn=first.backup.stop_lsn, timeline=timeline)
    lsn = parse_lsn(target.lsn) if target.kind == "lsn" and target.lsn else None
    return choose_backup(window, at=target.at, lsn=lsn, timeline=timeline)


def _ends(
    target: Target, server: Server, around: Surroundings, chain: Chain, choice: Choice, files: Files
) -> Iterator[TransactionEnd]:
    """The ends of transactions from shortly before the target on, up to the first commit after it.

    Which segments can be passed over is told by when they arrived in the archive: a segment that was there
    before the target holds nothing later than it. Where that leaves no commit before the target, older
    segments are read too, twice as many each time.
    """
    have = around.names()
    size = server.segment_size
    names = [n for n in segments_needed(chain, choice.floor, _head(choice, around, size), size) if n in have]
    first = _first_interesting(target, names, around, choice, size)
    older, past = 1, is_past(target)
    while True:
        found = list(_scan(names[first:], chain, server, files, target))
        kept = [end for end in found if not past(end)]
        # The end before the last one that is kept belongs to the proof.
        if first == 0 or (len(kept) > 1 and any(end.committed or end.prepared for end in kept[1:])):
            return iter(found)
        first, older = max(0, first - older), older * 2


def _head(choice: Choice, around: Surroundings, size: int) -> Lsn:
    tail = around.tail
    if tail is not None and tail.timeline == choice.timeline and tail.end_lsn is not None and choice.whole:
        return Lsn(max(choice.until_lsn, tail.end_lsn + 1))
    return choice.until_lsn


def _first_interesting(target: Target, names: list[str], around: Surroundings, choice: Choice, size: int) -> int:
    if target.kind == "latest":
        return max(0, len(names) - 2)
    if target.kind == "lsn" and target.lsn:
        wanted = segment_of(choice.timeline, parse_lsn(target.lsn), size)[8:]
        return next((i for i, name in enumerate(names) if name[8:] >= wanted), max(0, len(names) - 1))
    if target.kind == "time" and target.at is not None:
        arrived = {f.name: f.at for f in around.archive}
        at = target.at
        return next((i for i, name in enumerate(names) if name not in arrived or arrived[name] >= at), len(names) - 1)
    return 0


def _scan(names: list[str], chain: Chain, server: Server, files: Files, target: Target) -> Iterator[TransactionEnd]:
    """Read segment by segment along the timelines, through the first commit that is past the target."""
    past = is_past(target)
    for timeline, run in _by_timeline(names):
        span = chain.span(timeline)
        for end in transaction_ends(files.waldump(server, timeline, run), prepares=True):
            # Behind the fork the old timeline's file goes on with the branch that was left.
            if span is not None and span.end is not None and end.lsn >= span.end:
                break
            yield end
            if end.committed and past(end):
                return


def _by_timeline(names: list[str]) -> Iterator[tuple[int, list[str]]]:
    run: list[str] = []
    for name in names:
        if run and name[:8] != run[0][:8]:
            yield int(run[0][:8], 16), run
            run = []
        run.append(name)
    if run:
        yield int(run[0][:8], 16), run


def stop_text(aim: Aim) -> str:
    """The stopping point for the plan."""
    return f"{'after' if aim.stop.inclusive else 'before'} {format_lsn(aim.stop.lsn)}, timeline {aim.timeline}"
