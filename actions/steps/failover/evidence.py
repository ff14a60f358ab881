"""Whether a primary is dead: what Docker says, what it answers itself, and what its standby still hears of it.

No single one of them is proof. A server that does not answer may be busy, and a connection may break between two that
are both well.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from actions.engine.errors import Away, RecoveryError, Refused
from actions.engine.facts import volatile
from actions.postgres.lsn import Lsn, format_lsn
from actions.postgres.replication import REPLICATION_SQL, Replication, Upstream, read_replication
from actions.postgres.server import Server
from actions.steps.failover.old_primary import OldPrimary
from actions.steps.postgres.look_at_replication import look_at_replication
from actions.tools.docker import ALIVE
from actions.tools.registry import SiteTools
from actions.tools.sql import Sql

_ANSWER_SECONDS = 3.0
_CLOCKS_APART = 2.0


class PrimaryHealth(StrEnum):
    """What the signals together say of the old primary."""

    DEAD = "dead"  # Docker says that it does not run, and the standby hears nothing
    SILENT = "does not answer"  # its container is there, and neither a query nor the standby gets anything from it
    WRITES = "takes writes"
    READ_ONLY = "is read-only"  # it answers, in recovery
    UNCLEAR = "unclear"  # the signals contradict each other


@dataclass(frozen=True)
class Evidence:
    """What each signal says now. `health` is part of what is approved; all else moves while people decide.

    `answer` says what the primary answered, `heard` what its standby receives. `written` is how far the primary has
    written by its own word, `received` what the standby has of that, `behind` the bytes between both; None if unknown.
    `ended` is when its container ended, empty while it runs; `streams` whether the standby receives WAL from it.
    """

    health: PrimaryHealth
    container: str = volatile(default="")
    answer: str = volatile(default="")
    heard: str = volatile(default="")
    written: Lsn | None = volatile(default=None)
    received: Lsn | None = volatile(default=None)
    replayed: Lsn | None = volatile(default=None)
    behind: int | None = volatile(default=None)
    ended: str = volatile(default="")
    streams: bool = volatile(default=False)

    def says(self) -> str:
        """For example: the primary is dead."""
        return f"the primary {'is dead' if self.health is PrimaryHealth.DEAD else self.health}"

    def rows(self) -> tuple[tuple[str, str], ...]:
        """Each signal on a line of its own."""
        at = f", received up to {format_lsn(self.received)}" if self.received is not None else ""
        return (("Docker says", self.container), ("It answers", self.answer), ("The standby", f"{self.heard}{at}"))


def collect_evidence(old: OldPrimary, server: Server, sql: Sql, there: SiteTools, now: datetime) -> Evidence:
    """Ask all of them, within a few seconds.

    Raises:
        Refused: the standby cannot be asked, or is none (any more).
    """
    mine = look_at_replication(server, sql)
    _must_be_standby(server, mine)
    found = there.docker.find(old.service)
    state = "gone" if found is None else found.state
    theirs, answer = (None, _mute(state)) if state != "running" else ask_old_primary(old, there)
    ended = found.ended_at if found is not None and state not in ALIVE else ""
    streams = mine.upstream is not None and mine.upstream.streams and not _heard_before(mine.upstream, ended, now)
    received = mine.received or mine.at
    written = theirs.at if theirs is not None and not theirs.standby else None
    known = written is not None and received is not None
    return Evidence(
        health=_health(state, theirs, streams),
        container=_words(state, found.exit_code if found else 0),
        answer=answer,
        heard=_heard(mine, streams),
        written=written,
        received=received,
        replayed=mine.at,
        behind=max(0, written - received) if known else None,  # type: ignore[operator]
        ended=ended,
        streams=streams,
    )


def _mute(state: str) -> str:
    return f"nothing: it is {state}" if state in ALIVE else "nothing: it does not run"


def _must_be_standby(server: Server, mine: Replication) -> None:
    if mine.silent:
        raise Refused(
            f"{server.service} does not answer, so it cannot take over.",
            code="MD-FO-002",
            detail=mine.silent,
            hint=f"See that it runs: docker logs {server.service}. Then ask again.",
        )
    if not mine.standby:
        raise Refused(
            f"{server.service} is no standby: it takes writes already, on timeline {mine.timeline}.",
            code="MD-FO-003",
            detail="It is not in recovery.",
            hint="See who takes writes: /recover postgres replication",
        )


def ask_old_primary(old: OldPrimary, there: SiteTools) -> tuple[Replication | None, str]:
    """What the old primary says of itself within a few seconds, None where it does not; and that in words."""
    if old.server is None:
        return None, f"not asked: {old.unread}"
    try:
        found = there.sql.values(
            old.service, old.server, [REPLICATION_SQL], seconds=_ANSWER_SECONDS, database="postgres"
        )
        told = read_replication(found[0].must())
    except Away:
        raise
    except RecoveryError as silent:
        return None, f"nothing: {(silent.detail or silent.message).splitlines()[0]}"
    does = "in recovery" if told.standby else "takes writes"
    at = f" at {format_lsn(told.at)}" if told.at is not None else ""
    return told, f"{does}, timeline {told.timeline}{at}"


def _health(state: str, theirs: Replication | None, streams: bool) -> PrimaryHealth:
    if theirs is not None:
        return PrimaryHealth.READ_ONLY if theirs.standby else PrimaryHealth.WRITES
    if streams:
        return PrimaryHealth.UNCLEAR
    return PrimaryHealth.SILENT if state in ALIVE else PrimaryHealth.DEAD


def _heard_before(upstream: Upstream, ended: str, now: datetime) -> bool:
    """Whether a standby that calls itself streaming has heard nothing since the primary's container ended.

    A connection to a host that is gone stays open until its time is over (wal_receiver_timeout, 60 s).
    """
    if not ended or upstream.heard is None:
        return False
    # Docker prints nanoseconds and its own host's clock.
    since = (now - datetime.fromisoformat(ended)).total_seconds()
    return upstream.heard >= since - _CLOCKS_APART


def _words(state: str, code: int) -> str:
    return f"exited with code {code}" if state == "exited" else state


def _heard(mine: Replication, streams: bool) -> str:
    one = mine.upstream
    if one is None:
        return "receives nothing from it"
    ago = f", last heard {one.heard:.0f} s ago" if one.heard is not None else ""
    return f"{'receives' if streams else 'receives nothing'} from {one.at or 'it'}{ago}"
