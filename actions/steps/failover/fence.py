"""The fence: the old primary is stopped, does not come back by itself, is reached by nobody, and would start read-only.

Each of the four is seen to hold before anything is promoted. One that does not stop is taken out of its networks
all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from actions.engine.errors import RecoveryError
from actions.steps.failover.evidence import Evidence, PrimaryHealth
from actions.steps.failover.old_primary import OldPrimary
from actions.tools.docker import ALIVE
from actions.tools.polling import Polling
from actions.tools.progress import Progress
from actions.tools.registry import SiteTools

STOP_SECONDS = 10
"""What a primary that answers gets to end in good order: its standby then has all of it. After that Docker kills it."""


def fence(old: OldPrimary, evidence_now: Evidence, there: SiteTools, progress: Progress) -> None:
    """Keep the old primary from taking writes, now and whenever somebody starts it.

    Raises:
        RecoveryError: it could not be stopped.
    """
    writes = evidence_now.health is PrimaryHealth.WRITES
    if not writes and old.server is None:
        # It may go on for a moment once it is no longer paused, and what it commits then could not be brought over.
        fence_at_once(old, there, progress)
        return
    progress(0, 2, f"stopping {old.name} on {old.host}{' in good order' if writes else ''}")
    there.docker.set_restart(old.name, old.container, "no")
    # While it is in its networks: the end of its connections reaches clients only there. One that waits for an answer
    # of a server that is reached by nobody waits for hours.
    _stopped(old, there, STOP_SECONDS if writes else 1, progress)


def fence_at_once(old: OldPrimary, there: SiteTools, progress: Progress) -> None:
    """The same of one whose last commits are wanted by nobody, or cannot be had: nobody reaches it from here on.

    Raises:
        RecoveryError: it could not be stopped.
    """
    progress(0, 2, f"taking {old.name} out of its networks and stopping it")
    there.docker.set_restart(old.name, old.container, "no")
    _detach(old, there)
    _stopped(old, there, 1, progress)


def _stopped(old: OldPrimary, there: SiteTools, seconds: int, progress: Progress) -> None:
    trouble = _stop(old, there, seconds)
    progress(1, 2, f"taking {old.name} out of its networks")
    _detach(old, there)
    if trouble is not None:
        raise trouble
    if old.server is not None:
        there.servers.mark_standby(old.server)


def is_fenced(old: OldPrimary, there: SiteTools) -> bool:
    """Whether it is stopped, has no restart policy, is in no network, and would start as a standby."""
    return all(holds for _, holds in _proofs(old, there))


def unfence(old: OldPrimary, there: SiteTools, polling: Polling) -> None:
    """Let the old primary be what it was: its networks under its names, its restart policy, started if it ran."""
    if old.server is not None:
        there.servers.unmark_standby(old.server)
    for place in old.networks:
        there.networks.attach(old.name, old.container, place)
    there.docker.set_restart(old.name, old.container, old.restart_policy)
    if old.state not in ALIVE:
        return
    there.docker.start(old.name, old.container)
    if not polling.until(partial(there.docker.serves, old.name, old.container), seconds=60):
        raise RecoveryError(
            f"{old.name} was started again and does not serve.",
            code="MD-FO-004",
            detail=there.docker.logs(old.name, 15),
            hint=f"Look at docker logs {old.name}; nothing was promoted. Then Retry.",
        )


@dataclass(frozen=True)
class Fence:
    """What proves that the old primary takes no writes, in sentences."""

    proofs: tuple[str, ...]
    open: tuple[str, ...] = ()

    def says(self) -> str:
        """All of them."""
        return ", ".join((*self.proofs, *self.open))


def see_fence(old: OldPrimary, there: SiteTools) -> Fence:
    """Look at each proof once more, for the record.

    Raises:
        RecoveryError: one does not hold.
    """
    seen = _proofs(old, there)
    if broken := [what for what, holds in seen if not holds]:
        raise RecoveryError(
            f"{old.name} is not fenced any more, so nothing is promoted.",
            code="MD-FO-005",
            detail=f"It does not hold that it is {', '.join(broken)}.",
            hint="See who started it, then Retry; or Undo.",
        )
    unmarked = () if old.server is not None else (f"standby.signal not laid: {old.unread}",)
    return Fence(tuple(what for what, _ in seen), unmarked)


def _proofs(old: OldPrimary, there: SiteTools) -> list[tuple[str, bool]]:
    found = there.docker.find(old.service)
    here = found is not None and found.id == old.container
    proofs = [
        ("stopped", found is None or not found.alive),
        ("without a restart policy", not here or found is None or found.restart_policy == "no"),
        ("in no network", not here or not there.networks.of(old.name, old.container)),
    ]
    if old.server is not None:
        proofs.append(("marked to start read-only", here and there.servers.is_marked(old.server)))
    return proofs


def _detach(old: OldPrimary, there: SiteTools) -> None:
    for place in there.networks.of(old.name, old.container):
        there.networks.detach(old.name, old.container, place.id)


def _stop(old: OldPrimary, there: SiteTools, seconds: int) -> RecoveryError | None:
    """Stop it; what went wrong, if it still runs: what else fences it must not wait for that."""
    try:
        there.docker.stop(old.name, old.container, seconds)
    except RecoveryError as trouble:
        return trouble
    return None
