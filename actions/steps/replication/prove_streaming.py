"""The proof: the standby follows this very primary, as both say, and has replayed what the primary had written."""

from __future__ import annotations

from dataclasses import dataclass

from actions.engine.errors import Away, RecoveryError
from actions.engine.facts import volatile
from actions.postgres.following import PrimaryAddress
from actions.postgres.lsn import Lsn, format_lsn
from actions.postgres.replication import REPLICATION_SQL, Replication, StreamingStandby, read_replication
from actions.postgres.server import Server
from actions.tools.docker import Docker
from actions.tools.polling import Polling
from actions.tools.progress import Progress
from actions.tools.registry import SiteTools
from actions.tools.sql import Sql
from actions.wording import exact_size

_SECONDS = 15.0
_MAINTENANCE = "postgres"
_STREAMS_SECONDS = 120.0
_CAUGHT_UP_SECONDS = 3600.0


@dataclass(frozen=True)
class ProvenStandby:
    """A standby that streams. `position` is what the primary had written and the standby has replayed by now.

    `behind` are the bytes that it had not replayed when it was last looked at, `unread` the slots of the primary that
    nobody reads.
    """

    timeline: int
    position: str = volatile()
    behind: int = volatile(default=0)
    unread: tuple[str, ...] = volatile(default=())

    def says(self) -> str:
        """The proof in one line."""
        return f"streams on timeline {self.timeline}, has replayed {self.position}, {exact_size(self.behind)} behind"


def prove_streaming(
    upstream: PrimaryAddress,
    leader: Server,
    server: Server,
    docker: Docker,
    sql: Sql,
    polling: Polling,
    progress: Progress,
    there: SiteTools,
) -> ProvenStandby:
    """See both servers say so, and a position of the primary's WAL arrive.

    Raises:
        RecoveryError: they do not.
    """
    if not polling.until(lambda: _streams(upstream, leader, server, sql, there), seconds=_STREAMS_SECONDS, every=0.3):
        raise RecoveryError(
            f"{server.service} does not stream from {leader.service}.",
            code="MD-REP-028",
            detail=f"{_seen(upstream, leader, server, sql, there)}\n{docker.logs(server.service, 12)}".strip(),
            hint="Its log says why. Retry waits on; Undo brings its old data back.",
        )
    wanted = _asked(leader.service, leader, there.sql).at or Lsn(0)

    def arrived() -> bool:
        at = _asked(server.service, server, sql).at or Lsn(0)
        progress(0, 1, f"{exact_size(max(0, wanted - at))} to replay")
        return at >= wanted

    if not polling.until(arrived, seconds=_CAUGHT_UP_SECONDS, every=0.3):
        raise RecoveryError(
            f"{server.service} streams and does not catch up with {leader.service}.",
            code="MD-REP-029",
            detail=f"It has not replayed {format_lsn(wanted)} within an hour.",
            hint="Look at its disk and its network; Retry waits on.",
        )
    now = _asked(leader.service, leader, there.sql)
    mine = _mine(now, upstream)
    unread = tuple(slot.name for slot in now.slots if not slot.active and slot.name != upstream.slot)
    return ProvenStandby(now.timeline, format_lsn(wanted), (mine.behind or 0) if mine else 0, unread)


def _asked(container: str, server: Server, sql: Sql) -> Replication:
    found = sql.values(container, server, [REPLICATION_SQL], seconds=_SECONDS, database=_MAINTENANCE)
    return read_replication(found[0].must())


def _mine(told: Replication, upstream: PrimaryAddress) -> StreamingStandby | None:
    return next((one for one in told.standbys if one.slot == upstream.slot and one.state == "streaming"), None)


def _streams(upstream: PrimaryAddress, leader: Server, server: Server, sql: Sql, there: SiteTools) -> bool:
    try:
        own, other = _asked(server.service, server, sql), _asked(leader.service, leader, there.sql)
    except Away:
        raise
    except RecoveryError:
        return False
    receives = own.standby and own.upstream is not None and own.upstream.streams and own.upstream.slot == upstream.slot
    return bool(receives and own.system == leader.system_identifier and _mine(other, upstream))


def _seen(upstream: PrimaryAddress, leader: Server, server: Server, sql: Sql, there: SiteTools) -> str:
    """What each of them says, for the error."""
    try:
        own, other = _asked(server.service, server, sql), _asked(leader.service, leader, there.sql)
    except Away:
        raise
    except RecoveryError as silent:
        return silent.detail or silent.message
    receives = own.upstream.status if own.upstream else "receives nothing"
    mine = _mine(other, upstream)
    return f"The standby: {receives}. The primary: {mine.state if mine else 'it does not stream by that slot'}."
