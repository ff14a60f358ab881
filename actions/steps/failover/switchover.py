"""The planned switch: the primary ends in good order, and its standby is promoted only with the last record of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from actions.engine.errors import RecoveryError, Refused
from actions.engine.facts import volatile
from actions.postgres.controldata import parse_controldata
from actions.postgres.lsn import Lsn, format_lsn
from actions.postgres.server import Server
from actions.steps import writers as writing
from actions.steps.failover.evidence import Evidence, PrimaryHealth
from actions.steps.failover.missing_commits import LIMIT_BYTES
from actions.steps.failover.old_primary import OldPrimary
from actions.steps.failover.promotion import replayed
from actions.steps.postgres.look_at_server import Writers
from actions.tools.polling import Polling
from actions.tools.progress import Progress
from actions.tools.registry import SiteTools
from actions.tools.sql import Sql
from actions.wording import exact_size

STOP_SECONDS = 120
"""What a primary gets to write its shutdown checkpoint, and to send the rest of its WAL."""

_RECEIVED_SECONDS = 15.0


@dataclass(frozen=True)
class Readiness:
    """That a planned switch can lose nothing: the primary takes writes, and the standby streams close behind it."""

    behind: int | None = volatile(default=None)

    def says(self) -> str:
        """For example: the standby streams, 616 B behind."""
        return f"the standby streams{f', {exact_size(self.behind)} behind' if self.behind is not None else ''}"


def must_be_ready(evidence: Evidence, old: OldPrimary, server: Server) -> Readiness:
    """See that nothing would be lost, as far as can be known before.

    Raises:
        Refused: the primary does not take writes, its files cannot be read, or the standby is not close behind.
    """
    why = _unready(evidence, old)
    if why:
        raise Refused(
            f"A planned switch from {old.name} to {server.service} could lose something: {why}.",
            code="MD-FO-017",
            detail="; ".join(f"{label}: {text}" for label, text in evidence.rows()),
            hint="Mend that: /recover postgres replication. Where the primary is gone: /recover postgres failover",
        )
    return Readiness(evidence.behind)


def _unready(evidence: Evidence, old: OldPrimary) -> str:
    if evidence.health is not PrimaryHealth.WRITES:
        return f"the primary {'is dead' if evidence.health is PrimaryHealth.DEAD else evidence.health}"
    if old.server is None:
        return f"the files of the primary cannot be read: {old.unread}"
    if not evidence.streams:
        return "the standby does not receive from it"
    if evidence.behind is None or evidence.behind > LIMIT_BYTES:
        return f"the standby is {exact_size(evidence.behind) if evidence.behind else 'an unknown distance'} behind"
    return ""


def pause_writers(writers: Writers, there: SiteTools) -> None:
    """Nobody writes any more."""
    writing.pause(writers, there.docker)


def are_paused(writers: Writers, there: SiteTools) -> bool:
    """Whether nobody who writes runs."""
    return writing.paused(writers, there.docker)


def let_writers_on(writers: Writers, there: SiteTools, polling: Polling) -> None:
    """Take the pause back."""
    writing.let_go_on(writers, there.docker, polling)


def stop_primary(old: OldPrimary, there: SiteTools, progress: Progress) -> None:
    """Stop it in good order: it sends its standby all that it has, and ends with a checkpoint."""
    progress(0, 1, f"stopping {old.name} in good order")
    there.docker.set_restart(old.name, old.container, "no")
    there.docker.stop(old.name, old.container, STOP_SECONDS)


def is_stopped(old: OldPrimary, there: SiteTools) -> bool:
    """Whether it has ended."""
    found = there.docker.find(old.service)
    return found is not None and found.id == old.container and not found.alive


def start_primary(old: OldPrimary, there: SiteTools, polling: Polling) -> None:
    """Start it again, with its restart policy: nothing was promoted, so it is the primary as before."""
    there.docker.start(old.name, old.container)
    there.docker.set_restart(old.name, old.container, old.restart_policy)
    if not polling.until(partial(there.docker.serves, old.name, old.container), seconds=90):
        raise RecoveryError(
            f"{old.name} was started again and does not serve.",
            code="MD-FO-018",
            detail=there.docker.logs(old.name, 15),
            hint=f"Look at docker logs {old.name}; nothing was promoted. Then Retry.",
        )


@dataclass(frozen=True)
class HandedOver:
    """That the standby has replayed the shutdown checkpoint, which is the last record of the primary."""

    checkpoint: Lsn
    replayed: Lsn

    def says(self) -> str:
        """Both positions."""
        return (
            f"it has replayed {format_lsn(self.replayed)}, beyond the shutdown checkpoint {format_lsn(self.checkpoint)}"
        )


def prove_handed_over(old: OldPrimary, server: Server, sql: Sql, there: SiteTools, polling: Polling) -> HandedOver:
    """See that the primary ended in good order, and that its standby has the last record of it.

    Raises:
        RecoveryError: one of both does not hold. Undo starts the primary again, and nothing was lost.
    """
    source = old.server
    control = parse_controldata(there.files.control(source, source.home.leaf)) if source is not None else None
    if control is None or not control.cleanly_stopped:
        raise RecoveryError(
            f"{old.name} has not ended in good order, so nothing is promoted.",
            code="MD-FO-019",
            detail=f"Its control file says: {control.state if control else 'nothing'}.",
            hint="Undo starts it again as the primary.",
        )
    last = control.checkpoint_lsn

    if not polling.until(lambda: replayed(server, sql) > last, seconds=_RECEIVED_SECONDS, every=0.1):
        raise RecoveryError(
            f"{server.service} has not received the last record of {old.name}, so nothing is promoted.",
            code="MD-FO-020",
            detail=f"It stands at {format_lsn(replayed(server, sql))}, the shutdown checkpoint at {format_lsn(last)}.",
            hint="Undo starts the primary again. See why it is behind: /recover postgres replication",
        )
    return HandedOver(last, replayed(server, sql))
