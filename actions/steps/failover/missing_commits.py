"""What the old primary has committed and its standby has not received: what a failover loses.

It is counted in the old primary's own WAL where that can be read, so the figure is exact once it has stopped.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from actions.clock.times import spell
from actions.engine.errors import Away, RecoveryError
from actions.engine.facts import volatile
from actions.postgres.lsn import Lsn, end_of_record, format_lsn
from actions.postgres.segments import next_segment, parse_wal_name, segment_of
from actions.postgres.server import Server
from actions.postgres.waldump import TransactionEnd, transaction_ends
from actions.steps.failover.evidence import Evidence, PrimaryHealth, collect_evidence
from actions.steps.failover.old_primary import OldPrimary
from actions.steps.failover.promotion import replayed
from actions.tools.postgres_files import PostgresFiles
from actions.tools.registry import SiteTools
from actions.tools.sql import Sql
from actions.wording import counted as many
from actions.wording import exact_size

LIMIT_BYTES = 16 * 1024**2
"""More than a segment is no lag of the moment: that is lost only where people choose to lose it."""


@dataclass(frozen=True)
class MissingCommits:
    """Commits that only the old primary has. `why` says why they were not `counted`.

    `behind` are the bytes of WAL between both, None where not known; `ended` is when the old primary had stopped for
    which this was counted. It is `final` once nothing more can be committed there; `until` is when that was.
    """

    counted: bool = volatile()
    commits: int = volatile(default=0)
    first_at: datetime | None = volatile(default=None)
    last_at: datetime | None = volatile(default=None)
    behind: int | None = volatile(default=None)
    up_to: Lsn | None = volatile(default=None)
    ended: str = volatile(default="")
    until: datetime | None = volatile(default=None)
    why: str = volatile(default="")
    final: bool = volatile(default=False)

    @property
    def too_much(self) -> bool:
        """Whether it is more than is lost without being chosen."""
        return (self.behind or 0) > LIMIT_BYTES

    def says(self) -> str:
        """For example: 3 commits, 14:30:01 to 14:30:02, 1.2 kB of WAL."""
        if not self.counted:
            size = f"; {exact_size(self.behind)} of WAL are not received now" if self.behind else ""
            return f"not counted ({self.why}){size}"
        if not self.commits:
            return "nothing: the standby has every commit of the old primary"
        span = f", {spell(self.first_at)} to {spell(self.last_at)}" if self.first_at and self.last_at else ""
        size = f", {exact_size(self.behind)} of WAL" if self.behind else ""
        return f"{many(self.commits, 'commit')}{span}{size}"


def count_missing(evidence: Evidence, old: OldPrimary, there: SiteTools, now: datetime) -> MissingCommits:
    """Count them while people decide."""
    known = MissingCommits(counted=False, behind=evidence.behind, ended=evidence.ended, until=now)
    runs = evidence.container in ("running", "restarting")
    if evidence.health is PrimaryHealth.WRITES or (evidence.health is PrimaryHealth.UNCLEAR and runs):
        return replace(known, why="the old primary still takes writes; those until it is stopped are lost")
    if old.server is None:
        return replace(known, why=f"its files cannot be read: {old.unread}")
    return _counted(known, evidence, old.server, there.files)


def compare_once_more(
    missing: MissingCommits, old: OldPrimary, server: Server, sql: Sql, there: SiteTools, now: datetime
) -> MissingCommits:
    """Compare both behind the fence, when nothing more can be committed; what was counted of this end stands."""
    after = collect_evidence(old, server, sql, there, now)
    if missing.counted and missing.ended and missing.ended == after.ended:
        return missing
    return count_missing(after, old, there, now)


def count_lost(
    behind: MissingCommits, old: OldPrimary, server: Server, sql: Sql, there: SiteTools, now: datetime
) -> MissingCommits:
    """What was lost in the end: commits beyond the position at which the standby was promoted."""
    if old.server is None or not behind.counted:
        return replace(behind, until=now, final=True)
    at = replayed(server, sql)
    known = MissingCommits(counted=False, ended=behind.ended, until=now, final=True)
    if behind.up_to is None or at >= behind.up_to:
        return replace(known, counted=True, behind=0, up_to=at)
    seen = Evidence(PrimaryHealth.DEAD, received=at, replayed=at)
    return _counted(known, seen, old.server, there.files)


def _counted(known: MissingCommits, evidence: Evidence, old: Server, files: PostgresFiles) -> MissingCommits:
    stopped = replace(old, state="exited")
    received = max(evidence.received or 0, evidence.replayed or 0)
    start = evidence.replayed or evidence.received
    if start is None:
        return replace(known, why="the standby does not say what it has received")
    try:
        ends = [one for one in _ends(stopped, Lsn(start), files) if _end(one, old) > received]
    except Away:
        raise
    except (RecoveryError, ValueError) as trouble:
        return replace(known, why=f"its WAL could not be read: {getattr(trouble, 'message', trouble)}".rstrip("."))
    commits = [one for one in ends if one.committed]
    up_to = max((_end(one, old) for one in commits), default=Lsn(received))
    return replace(
        known,
        counted=True,
        commits=len(commits),
        first_at=min((one.at for one in commits), default=None),
        last_at=max((one.at for one in commits), default=None),
        behind=up_to - received,
        up_to=up_to,
    )


def _ends(old: Server, start: Lsn, files: PostgresFiles) -> list[TransactionEnd]:
    """The ends of transactions from a position on, in the old primary's archive and its own pg_wal."""
    names = _segments_from(old, segment_of(old.timeline, start, old.segment_size), files)
    return list(transaction_ends(files.waldump(old, old.timeline, names, start=format_lsn(start))))


def _segments_from(old: Server, first: str, files: PostgresFiles) -> list[str]:
    """Those that lie there without a hole; a hole ends what can be read.

    Raises:
        RecoveryError: not even the first one is there.
    """
    # Segments that lie ready for later carry names beyond the end and old content.
    whole = (file.name for file in (*files.tail(old), *files.archive(old, anew=True)) if not file.wrong)
    listed = (parse_wal_name(name) for name in whole)
    held = {one.segment_name for one in listed if one is not None and one.kind == "segment"}
    if first not in held:
        raise RecoveryError(
            f"The old primary has no segment {first}, at which the standby stands.",
            code="MD-FO-007",
            detail=f"It was looked for in its pg_wal and in {old.archive}.",
            hint="See whether the archive is mounted. What is lost is not counted otherwise.",
        )
    names = [first]
    while (following := next_segment(names[-1], old.segment_size)) in held:
        names.append(following)
    return names


def _end(one: TransactionEnd, old: Server) -> Lsn:
    return end_of_record(one.lsn, one.size, old.segment_size)
