"""Which timeline a target means, and the segment in which its moment lies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from actions.clock.when import Target
from actions.postgres.eras import TimelineLife, in_service
from actions.postgres.lsn import Lsn, format_lsn
from actions.postgres.segments import segment_number, segment_of
from actions.postgres.server import Server
from actions.postgres.timelines import parse_history
from actions.steps.postgres.read_window import WindowInputs
from actions.tools.postgres_files import CommitTimes, PostgresFiles, Stretch


@dataclass(frozen=True)
class Branch:
    """A timeline; the last segment of it that began before the target's time; up to when its WAL is known to be whole.

    `whole_until` is None where the WAL does not tell.
    """

    timeline: int
    segment: str = ""
    whole_until: datetime | None = None


def branch_of(target: Target, around: WindowInputs, server: Server, files: PostgresFiles) -> Branch:
    """The timeline that was in service at a time, else the live one.

    After a recovery, times before it mean the branch that was left.
    """
    live = around.window.live_timeline
    tail = around.tail
    known = tail.at if tail is not None and tail.timeline == live else None
    if target.kind != "time" or target.at is None:
        return Branch(live, whole_until=known)
    own = {number: _own(number, around, server) for number in {part.timeline for part in around.window.timelines}}
    asked = {number: stretch for number, stretch in sorted(own.items()) if stretch.segments}
    found = dict(zip(asked, files.moments(server, tuple(asked.values()), target.at), strict=True))
    lives = {number: _life(moments, bool(own[number].start)) for number, moments in found.items()}
    chosen = in_service(target.at, live, lives or {live: TimelineLife()})
    segment = (found[chosen].segment if chosen in found else "") or _fork_segment(own[chosen], server)
    return Branch(chosen, segment, known if chosen == live else _left_at(chosen, own[chosen], lives, around, server))


def _left_at(
    number: int, own: Stretch, lives: Mapping[int, TimelineLife], around: WindowInputs, server: Server
) -> datetime | None:
    """When the timeline began that goes on where the WAL of this one ends, as after the promotion of a standby."""
    size = server.segment_size
    newest = max((segment_number(name, size) for name in own.segments), default=0)
    nexts = [(other, parse_history(text)[-1:]) for other, text in around.histories.items()]
    began = [
        lives[other].began
        for other, fork in nexts
        if other in lives and fork and fork[0].parent == number and fork[0].lsn // size >= newest
    ]
    return max((at for at in began if at is not None), default=None)


def _own(number: int, around: WindowInputs, server: Server) -> Stretch:
    """A timeline's own segments, from where it branched off."""
    size = server.segment_size
    forks = parse_history(around.histories.get(number, ""))
    fork = forks[-1].lsn if forks else Lsn(0)
    names = sorted(name for name in around.names() if int(name[:8], 16) == number)
    mine = tuple(name for name in names if segment_number(name, size) >= fork // size)
    begins = bool(forks and mine) and mine[0] == segment_of(number, fork, size)
    return Stretch(number, mine, format_lsn(fork) if begins else "")


def _life(moments: CommitTimes, begins: bool) -> TimelineLife:
    return TimelineLife((moments.began or moments.first) if begins else moments.first, moments.newest, moments.last)


def _fork_segment(stretch: Stretch, server: Server) -> str:
    """Nothing was committed on the timeline itself by then, so the place is where it begins."""
    return stretch.segments[0] if stretch.segments else ""
