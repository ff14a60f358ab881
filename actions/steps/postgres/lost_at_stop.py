"""What was really lost: counted once the old server has stopped, when nothing more can be committed on it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from actions.clock.times import span_rounded_up
from actions.engine.errors import Away, RecoveryError
from actions.engine.facts import volatile
from actions.postgres.controldata import ControlData, is_damaged, parse_controldata
from actions.postgres.lost_rows import Losses
from actions.postgres.lsn import Lsn
from actions.postgres.segments import segment_name
from actions.postgres.server import Server
from actions.postgres.timelines import chain_to
from actions.steps.postgres.approved_loss import ApprovedLoss
from actions.steps.postgres.count_losses import count_from, parting, rows_in
from actions.steps.postgres.read_window import WindowInputs, survey
from actions.steps.postgres.target import Aim
from actions.tools.postgres_files import PostgresFiles
from actions.tools.sql import Sql
from actions.wording import counted

NOT_IN_GOOD_ORDER = "as far as its WAL can be read: the old server had not ended in good order"


@dataclass(frozen=True)
class LostAtStop:
    """What was committed after the stopping point until the old server had stopped.

    `until` is when it had: where nothing was `counted`, `why` says so, and no more was lost than from the last commit
    kept to then. `approved` is up to how many rows the approval covered, None where it named no figure.
    """

    counted: bool = volatile()
    until: datetime = volatile()
    commits: int = volatile(default=0)
    rows: int = volatile(default=0)
    first_at: datetime | None = volatile(default=None)
    last_at: datetime | None = volatile(default=None)
    kept_at: datetime | None = volatile(default=None)
    approved: int | None = volatile(default=None)
    in_good_order: bool = volatile(default=True)
    why: str = volatile(default="")
    final: bool = volatile(default=True)

    def says(self) -> str:
        """For example: 2,611 rows added, changed or deleted, in 520 commits, 5 min 23 s of writes.

        Rows that the recovery brings back are among the deleted ones.
        """
        span = self._span()
        if not self.counted:
            most = f"; at most {span_rounded_up(span)} of writes, until the old server had stopped" if span else ""
            return f"not counted ({self.why}){most}"
        if not self.commits:
            said = "nothing: no commit came after the one that is kept"
        else:
            of = f", {span_rounded_up(span)} of writes" if span else ""
            rows = f"{counted(self.rows, 'row')} added, changed or deleted"
            said = f"{rows}, in {counted(self.commits, 'commit')}{of}"
        return said if self.in_good_order else f"{said}, {NOT_IN_GOOD_ORDER}"

    def alerts(self) -> tuple[str, ...]:
        """That more was lost than was approved."""
        if self.approved is None or self.rows <= self.approved:
            return ()
        return (
            f"More was lost than was approved: {counted(self.rows, 'row')}, and the approval covered up to "
            f"{self.approved:,}.",
        )

    def _span(self) -> timedelta | None:
        end = self.last_at if self.counted else self.until
        return max(end - self.kept_at, timedelta(0)) if self.kept_at and end else None


def count_lost(
    aim: Aim, server: Server, loss: ApprovedLoss, files: PostgresFiles, sql: Sql, now: datetime
) -> LostAtStop:
    """Count what was lost, to the end of the old server's WAL. What cannot be counted holds nothing up."""
    known = LostAtStop(
        counted=False,
        until=now,
        kept_at=aim.stop.last_commit_at,
        approved=loss.covers if loss.counted else None,
    )
    ended = replace(server, state="exited")
    try:
        files.archive(ended, anew=True)
        control = _control(ended, files)
        around = survey(ended, files, sql, now)
        if lacking := _lacking(around, aim, ended, control, files):
            return replace(known, why=f"its WAL segment {lacking} is missing")
        losses = count_from(around, aim, ended, files)
    except Away:
        raise
    except (RecoveryError, ValueError) as trouble:
        return replace(known, why=f"its WAL could not be read: {getattr(trouble, 'message', trouble)}".rstrip("."))
    if losses is None:
        return replace(known, why="there is too much WAL to count it now")
    return _counted(known, losses, control)


def _counted(known: LostAtStop, losses: Losses, control: ControlData | None) -> LostAtStop:
    return replace(
        known,
        counted=True,
        commits=losses.commits,
        rows=rows_in(losses),
        first_at=losses.first_at,
        last_at=losses.last_at,
        in_good_order=control is not None and control.cleanly_stopped,
    )


def _control(server: Server, files: PostgresFiles) -> ControlData | None:
    """What the control file says now that nobody writes it any more; None where it is damaged."""
    text = files.control(server, server.home.leaf)
    return None if is_damaged(text) else parse_controldata(text)


def _lacking(around: WindowInputs, aim: Aim, server: Server, control: ControlData | None, files: PostgresFiles) -> str:
    """The first segment between the stopping point and the end of the WAL that nobody holds; empty where none is."""
    live = chain_to(around.window.live_timeline, around.histories)
    own = (file.name for file in files.tail(server) if not file.wrong)
    held = {name[8:] for name in (*around.names(), *own) if live.span(int(name[:8], 16)) is not None}
    size, first = server.segment_size, parting(aim, live).lsn // server.segment_size
    known = control.checkpoint_lsn if control is not None else Lsn(0)
    last = max(known, around.tail.end_lsn if around.tail else Lsn(0)) // size
    names = (segment_name(live.timeline, number, size) for number in range(first, last))
    return next((name for name in names if name[8:] not in held), "")
