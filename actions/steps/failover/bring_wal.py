"""Bringing over WAL that only the old primary has, before its standby is promoted: what need not be lost is not lost.

Segments are laid into the standby's pg_wal under their own names, from where it replays them by itself: "you can also
manually copy files to pg_wal at any time to have them replayed" (PostgreSQL manual, Log-Shipping Standby Servers,
Standby Server Operation).
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from actions.engine.errors import Away, RecoveryError
from actions.postgres.lsn import Lsn
from actions.postgres.segments import segment_of, segments_between
from actions.postgres.server import Server
from actions.steps.failover.missing_commits import MissingCommits
from actions.steps.failover.old_primary import OldPrimary
from actions.steps.failover.promotion import replayed
from actions.tools.postgres_servers import PostgresServers
from actions.tools.progress import Progress
from actions.tools.registry import SiteTools
from actions.tools.sql import Sql
from actions.wording import counted

MOST_BYTES = 1 << 30
"""More is left: to carry it over would take longer than people wait for a database."""


def nothing_to_bring(behind: MissingCommits, old: OldPrimary) -> str:
    """Why no WAL is brought over; empty where some is."""
    if old.server is None or not behind.counted:
        return f"left out: {behind.why or 'what the standby lacks is not known'}"
    if not behind.commits:
        return "left out: the standby has every commit of the old primary"
    size = len(_segments(behind, old.server)) * old.server.segment_size
    return f"left out: {size / (1 << 30):.1f} GB are too much" if size > MOST_BYTES else ""


def bring(
    behind: MissingCommits,
    old: OldPrimary,
    server: Server,
    servers: PostgresServers,
    there: SiteTools,
    progress: Progress,
) -> None:
    """Copy the segments. The promotion replays them: a standby may believe for a minute that it still streams."""
    source = old.server
    if source is None or behind.up_to is None:
        return
    names = _segments(behind, source)
    for n, name in enumerate(names):
        progress(n, len(names), f"bringing {name} over")
        servers.lay_segment(server, name, there.servers.read_segment(source, name))


def is_brought(
    behind: MissingCommits, old: OldPrimary, server: Server, servers: PostgresServers, sql: Sql, there: SiteTools
) -> bool:
    """Whether the standby has replayed the old primary's last commit, or has every segment up to it as it is there."""
    source = old.server
    if source is None or behind.up_to is None:
        return False
    if replayed(server, sql) >= behind.up_to:
        return True
    names = _segments(behind, source)
    return all(
        servers.segment_digest(server, name) == sha256(there.servers.read_segment(source, name)).hexdigest()
        for name in names
    )


@dataclass(frozen=True)
class WithinBound:
    """That the promotion loses no more than was approved."""

    text: str

    def says(self) -> str:
        """In which way."""
        return self.text


def must_be_within_bound(
    missing: MissingCommits,
    behind: MissingCommits,
    old: OldPrimary,
    server: Server,
    servers: PostgresServers,
    sql: Sql,
    there: SiteTools,
) -> WithinBound:
    """See that what the standby lacks is what was approved, or was brought over: a hung primary may go on for a moment.

    Raises:
        RecoveryError: it lacks more.
    """
    if not (missing.counted and behind.counted) or behind.commits <= missing.commits:
        return WithinBound("no more than was approved")
    why = ""
    try:
        if is_brought(behind, old, server, servers, sql, there):
            return WithinBound(f"{counted(behind.commits, 'commit')} were brought over")
    except Away:
        raise
    except RecoveryError as unread:
        why = f" {unread.said}"
    raise RecoveryError(
        f"More would be lost than was approved: {counted(behind.commits, 'commit')}, not {missing.commits}.",
        code="MD-FO-006",
        detail=f"The old primary ran again meanwhile: {behind.says()}. That WAL could not be brought over.{why}",
        hint="Undo lets it be the primary again; or ask for a new plan after that.",
    )


def _segments(behind: MissingCommits, source: Server) -> list[str]:
    """Those from where the standby stands to the last commit that it lacks."""
    last = behind.up_to or Lsn(0)
    first = Lsn(last - (behind.behind or 0))
    size, timeline = source.segment_size, source.timeline
    return list(segments_between(segment_of(timeline, first, size), segment_of(timeline, Lsn(last - 1), size), size))
