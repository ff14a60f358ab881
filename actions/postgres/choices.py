"""Which base backup to use for a target, and why; a target out of the window is refused with the window."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

from actions.clock.times import span_words, spell
from actions.postgres.backups import BaseBackup
from actions.postgres.lsn import Lsn, format_lsn
from actions.postgres.segments import segment_of
from actions.postgres.unreachable import Unreachable
from actions.postgres.windows import Reach, TimelineWindow, Window

__all__ = ["Choice", "Unreachable", "choose_backup", "too_early", "too_late", "window_words"]


@dataclass(frozen=True)
class Choice:
    """The backup, the WAL that can follow it, and the reason in one sentence.

    ``whole`` says that the WAL runs on to the newest record; otherwise it ends at a gap, and only a later
    commit that is seen before the gap proves a time target (give it to ``find_stop``).
    """

    backup: BaseBackup
    timeline: int
    floor: Lsn
    first_segment: str
    until_lsn: Lsn
    until: datetime | None
    whole: bool
    why: str


def choose_backup(
    window: Window, *, at: datetime | None = None, lsn: Lsn | None = None, timeline: int | None = None
) -> Choice:
    """The newest backup that ends before the target and reaches it; for neither, the newest that reaches furthest.

    A position decides where it is given; a time then is what people asked for, and is only spoken of.
    """
    number = window.live_timeline if timeline is None else timeline
    part = window.on(number)
    if part is None or not part.reaches:
        _refuse_empty(part, number)
    fitting = [reach for reach in part.reaches if _ends_before(reach.backup, at, lsn)]
    if not fitting:
        raise too_early(part, at, lsn)
    reaching = [reach for reach in fitting if _covers(reach, at, lsn)]
    if not reaching:
        furthest = max(fitting, key=lambda reach: reach.until_lsn)
        raise too_late(part, furthest.missing, furthest.until, furthest.until_lsn, at, lsn)
    best = max(reaching, key=lambda reach: (_distance(reach, at, lsn), reach.floor))
    return _choice(window, best, part, at, lsn)


def _ends_before(backup: BaseBackup, at: datetime | None, lsn: Lsn | None) -> bool:
    if lsn is not None:
        return backup.stop_lsn is not None and backup.stop_lsn <= lsn
    return at is None or (backup.over_by is not None and backup.over_by <= at)


def _covers(reach: Reach, at: datetime | None, lsn: Lsn | None) -> bool:
    if lsn is not None:
        return lsn <= reach.until_lsn
    return at is None or reach.until is None or at <= reach.until


def _distance(reach: Reach, at: datetime | None, lsn: Lsn | None) -> int:
    """Only “latest” prefers the backup that reaches furthest; a stated target takes the newest backup."""
    return 0 if at is not None or lsn is not None else reach.until_lsn


def _choice(window: Window, reach: Reach, part: TimelineWindow, at: datetime | None, lsn: Lsn | None) -> Choice:
    backup = reach.backup
    first = segment_of(backup.timeline, backup.start_lsn, window.segment_size)
    return Choice(
        backup,
        reach.timeline,
        reach.floor,
        first,
        reach.until_lsn,
        reach.until,
        reach.ends_at == "head",
        _why(reach, part, at, lsn),
    )


def _why(reach: Reach, part: TimelineWindow, at: datetime | None, lsn: Lsn | None) -> str:
    count = len(part.reaches)
    rank = "the only usable base backup" if count == 1 else f"the newest of {count} usable base backups"
    stopped = reach.backup.stopped_at
    if at is not None and stopped is not None:
        return (
            f"{reach.backup.name} is {rank} that ends before the target: it ended {span_words(at - stopped)} earlier."
        )
    ended = f"it ended at {format_lsn(reach.floor)}"
    return f"{reach.backup.name} is {rank}{' that ends before the target' if lsn is not None else ''}: {ended}."


def window_words(part: TimelineWindow) -> str:
    """The window in one sentence, for refusals and answers."""
    earliest = spell(part.earliest) if part.earliest else format_lsn(part.earliest_lsn or 0)
    latest = spell(part.latest) if part.latest else format_lsn(part.latest_lsn or 0)
    gaps = "".join(
        f"; missing {gap.first}"
        + (f" to {gap.last}" if gap.segments > 1 else "")
        + (f" ({gap.why})" if gap.why else "")
        for gap in part.gaps
    )
    return f"The window of timeline {part.timeline} is {earliest} to {latest}{gaps}."


def _refuse_empty(part: TimelineWindow | None, timeline: int) -> NoReturn:
    reasons = "; ".join(f"{backup.path}: {backup.why}" for backup in part.unusable) if part else ""
    problem = part.problem if part and part.problem else reasons or "No base backup was found."
    raise Unreachable(
        f"Nothing can be recovered along timeline {timeline}.",
        code="MD-PG-001",
        detail=problem,
        hint="Make a base backup now; until then only a dump can be restored, by hand: /backup run base",
    )


def too_early(part: TimelineWindow, at: datetime | None, lsn: Lsn | None) -> Unreachable:
    """The refusal of a target before which no base backup ends."""
    wanted = spell(at) if at else f"WAL position {format_lsn(lsn or 0)}"
    return Unreachable(
        f"{wanted} lies before the end of the oldest usable base backup.",
        code="MD-PG-002",
        detail=window_words(part),
        hint=_hint(part.earliest, part.earliest_lsn),
        nearest=part.earliest,
        nearest_lsn=part.earliest_lsn,
    )


def too_late(
    part: TimelineWindow, missing: str, until: datetime | None, until_lsn: Lsn, at: datetime | None, lsn: Lsn | None
) -> Unreachable:
    """The refusal of a target behind the end of the WAL that a backup can follow: at a hole, or at its very end."""
    wanted = spell(at) if at else f"WAL position {format_lsn(lsn or 0)}"
    fault = next((f" ({reach.why})" for reach in part.reaches if reach.why and reach.missing == missing), "")
    why = f"the segment {missing} is missing{fault}" if missing else "the WAL that was saved ends before it"
    return Unreachable(
        f"{wanted} cannot be reached: {why}.",
        code="MD-PG-003",
        detail=window_words(part),
        hint=_hint(until, until_lsn),
        nearest=until,
        nearest_lsn=until_lsn,
    )


def _hint(nearest: datetime | None, lsn: Lsn | None) -> str:
    if nearest is not None:
        return f"The nearest reachable moment is {spell(nearest)}."
    return f"The nearest reachable position is {format_lsn(lsn or 0)}."
