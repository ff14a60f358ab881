"""What an approval of the cut-over covers: the rows that are lost by it, counted while the live server writes on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from actions.engine.facts import volatile
from actions.postgres.server import Server
from actions.settings.site import SiteConfig
from actions.steps.postgres.count_losses import Lost, count_in_wal, rows_in
from actions.steps.postgres.target import Aim
from actions.tools.postgres_files import PostgresFiles
from actions.tools.sql import Sql
from actions.wording import counted

STANDS = timedelta(minutes=15)
"""How long an approval counts until the old server is stopped, and for how long writing is foreseen in it."""


@dataclass(frozen=True)
class ApprovedLoss:
    """Rows that were written after the stopping point. `pace` is how many a second since the plan, `covers` up to how
    many an approval of this figure allows."""

    counted: bool = volatile(default=False)
    rows: int = volatile(default=0)
    commits: int = volatile(default=0)
    pace: float = volatile(default=0.0)
    covers: int = volatile(default=0)
    at: datetime | None = volatile(default=None)

    def says(self) -> str:
        """For example: 1,240 rows in 57 commits so far, about 8 a second."""
        if not self.counted:
            return "not counted in time"
        pace = f", about {self.pace:,.0f} a second" if self.pace >= 1 else ""
        return f"{counted(self.rows, 'row')} in {counted(self.commits, 'commit')} so far{pace}"

    def covered_briefly(self) -> str:
        """The same for the card."""
        limit = f"up to {counted(self.covers, 'row')}" if self.counted else "what is written"
        return f"covers {limit}, within {_minutes(STANDS)} min"

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
    aim: Aim, server: Server, site: SiteConfig, lost: Lost, files: PostgresFiles, sql: Sql, now: datetime
) -> ApprovedLoss:
    """Count the rows anew; since the plan, the live server may have written on."""
    found = count_in_wal(aim, server, files, sql, now)
    if found is None:
        return ApprovedLoss(at=now)
    rows = rows_in(found)
    since = (now - lost.at).total_seconds() if lost.counted and lost.at else 0.0
    pace = max(0, rows - lost.rows) / since if since > 0 else 0.0
    covers = rows + max(site.approval_rows, round(pace * STANDS.total_seconds()))
    return ApprovedLoss(True, rows, found.commits, pace, covers, now)


def loss_rows(loss: ApprovedLoss) -> tuple[tuple[str, str], ...]:
    """What stands on the card."""
    return (("Written after the target", loss.says()), ("An approval covers", loss.covered()))


def _minutes(span: timedelta) -> int:
    return round(span.total_seconds() / 60)
