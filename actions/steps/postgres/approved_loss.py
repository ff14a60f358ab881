"""What an approval of the cut-over covers: the rows that are lost by it, counted while the live server writes on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from actions.engine.facts import volatile
from actions.engine.procedure import Answer
from actions.postgres.server import Server
from actions.settings.site import SiteConfig
from actions.steps.postgres.count_losses import Lost, count_in_wal, rows_in
from actions.steps.postgres.target import Aim
from actions.steps.postgres.write_rate import rate_words
from actions.steps.writers import PAUSE_AND_RESTORE
from actions.tools.postgres_files import PostgresFiles
from actions.tools.sql import Sql
from actions.wording import counted

STANDS = timedelta(minutes=15)
"""How long an approval counts until the old server is stopped, and for how long writing is foreseen in it."""


@dataclass(frozen=True)
class ApprovedLoss:
    """Rows that were written after the stopping point. `pace` is how many a second since the plan, None where that was
    not counted; `covers` up to how many an approval of this figure allows. `paused` says that no writer goes on."""

    counted: bool = volatile(default=False)
    rows: int = volatile(default=0)
    commits: int = volatile(default=0)
    pace: float | None = volatile(default=0.0)
    covers: int = volatile(default=0)
    at: datetime | None = volatile(default=None)
    paused: bool = volatile(default=False)

    def says(self) -> str:
        """For example: 1,240 rows in 57 commits so far, about 8 a second."""
        if not self.counted:
            return "not counted in time"
        return f"{counted(self.rows, 'row')} in {counted(self.commits, 'commit')} so far"

    def until(self) -> str:
        """What is to be added to that until the writers stop; empty where they have."""
        if self.paused:
            return ""
        if self.pace is None:
            return "and what is written until the writers stop; how much is not known"
        wrote = f"that was about {rate_words(self.pace, 'row')}" if self.pace else "nothing was written"
        return f"and what is written until the writers stop; since the plan {wrote}"

    def covered_briefly(self) -> str:
        """The same for the card."""
        rows = f"up to {counted(self.covers, 'row')} added, changed or deleted"
        return f"covers {rows if self.counted else 'what is written'}, within {_minutes(STANDS)} min"

    def covered(self) -> str:
        """Up to where an approval reaches."""
        limit = f"up to {counted(self.covers, 'row')}, for" if self.counted else "what is written within"
        return f"{limit} {_minutes(STANDS)} min; beyond that, and after a stop or a failure, it is asked again"

    def exceeds(self, shown: ApprovedLoss) -> str:
        """Why this is more than an approval of what was shown covers; empty where it is not."""
        if self.counted and shown.counted:
            more = f"{counted(self.rows, 'row')} would be lost by now, {shown.rows:,} were shown"
            return f"{more} and an approval covered up to {shown.covers:,}" if self.rows > shown.covers else ""
        ago = self.at - shown.at if self.at and shown.at else timedelta(0)
        return f"what is lost cannot be counted, and was shown {_minutes(ago)} min ago" if ago > STANDS else ""


def count_again(
    aim: Aim,
    server: Server,
    site: SiteConfig,
    lost: Lost,
    mode: Answer,
    files: PostgresFiles,
    sql: Sql,
    now: datetime,
) -> ApprovedLoss:
    """Count the rows anew; since the plan, the live server may have written on."""
    found = count_in_wal(aim, server, files, sql, now)
    paused = mode.option == PAUSE_AND_RESTORE or server.state != "running"
    if found is None:
        return ApprovedLoss(pace=None, at=now, paused=paused)
    rows = rows_in(found)
    since = (now - lost.at).total_seconds() if lost.counted and lost.at else 0.0
    pace = max(0, rows - lost.rows) / since if since > 0 else None
    foreseen = 0 if paused else round((pace or 0.0) * STANDS.total_seconds())
    return ApprovedLoss(True, rows, found.commits, pace, rows + max(site.approval_rows, foreseen), now, paused)


def loss_rows(loss: ApprovedLoss) -> tuple[tuple[str, str], ...]:
    """What stands on the card."""
    more = (("Until the writers stop", loss.until()),) if loss.until() else ()
    return (("Written after the target", loss.says()), *more, ("An approval covers", loss.covered()))


def _minutes(span: timedelta) -> int:
    return round(span.total_seconds() / 60)
