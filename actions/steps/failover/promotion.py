"""The promotion: the standby replays what it has received and becomes the primary, on a timeline of its own."""

from __future__ import annotations

from actions.engine.errors import RecoveryError
from actions.postgres.lsn import Lsn, parse_lsn
from actions.postgres.server import Server
from actions.tools.progress import Progress
from actions.tools.sql import Sql

_WAIT_SECONDS = 60
_RECOVERING = "select pg_is_in_recovery() as recovering"
# It replays all that it has before it ends its recovery: WaitForWALToBecomeAvailable in xlogrecovery.c looks at the
# trigger only once neither the archive nor pg_wal has more. A paused replay is ended by it.
_PROMOTE = f"select pg_promote(true, {_WAIT_SECONDS}) as promoted"
_CHECKPOINT_SECONDS = 600.0
_REPLAYED = "select coalesce(pg_last_wal_replay_lsn(), '0/0')::text as lsn"


def replayed(server: Server, sql: Sql) -> Lsn:
    """How far a standby has replayed: the end of the last record. Of one that was promoted, how far it had."""
    return parse_lsn(sql.rows(server.service, server, _REPLAYED, seconds=20)[0]["lsn"])


def promote(server: Server, sql: Sql, progress: Progress) -> None:
    """Promote it and wait until it takes writes; one that is promoted already is left as it is.

    Raises:
        RecoveryError: it still replays after a minute. It goes on by itself, so a retry waits on.
    """
    progress(0, 1, f"promoting {server.service}")
    if is_promoted(server, sql):
        return
    row = sql.rows(server.service, server, _PROMOTE, seconds=_WAIT_SECONDS + 10)[0]
    if not row["promoted"]:
        raise RecoveryError(
            f"{server.service} was told to take over and still replays.",
            code="MD-FO-011",
            detail=f"pg_promote has waited {_WAIT_SECONDS} s.",
            hint=f"It goes on by itself: look at docker logs {server.service}, then Retry, which waits for it.",
        )


def is_promoted(server: Server, sql: Sql) -> bool:
    """Whether it has ended its recovery."""
    return not sql.rows(server.service, server, _RECOVERING, seconds=20)[0]["recovering"]


def checkpoint(server: Server, sql: Sql) -> None:
    """Have the new timeline noted in the control file: pg_rewind of the old primary reads it there."""
    sql.rows(server.service, server, "checkpoint", seconds=_CHECKPOINT_SECONDS)


def is_noted(server: Server, sql: Sql) -> bool:
    """Whether the control file names a newer timeline than before the promotion."""
    row = sql.rows(server.service, server, "select timeline_id as timeline from pg_control_checkpoint()", seconds=20)[0]
    return int(row["timeline"]) > server.timeline
