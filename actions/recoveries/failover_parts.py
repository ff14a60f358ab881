"""What failover, planned switch and fence have in common: the request, and the steps after a promotion."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from actions.engine.claims import Mode, Wanted
from actions.engine.errors import Refused
from actions.engine.procedure import Act, FactRole, Look, Option, OptionEffect, Step
from actions.engine.reading import Asker, Words
from actions.steps.failover import fence, promotion, repoint, smoke
from actions.steps.postgres import archiving, restore, take_backup


@dataclass(frozen=True)
class FailOver:
    """Have the standby `service` take over from `primary`, on `primary_site`; `others` are its other standbys."""

    service: str
    primary: str
    primary_site: str
    others: tuple[str, ...] = ()


def words(command: str) -> Words:
    """The words of such a command, after which nothing more has to be said."""

    def read(text: str, asker: Asker) -> FailOver:
        if text.strip():
            raise Refused(
                f"'{text.strip()[:60]}' was not understood.", code="MD-FO-001", hint=f"Write just: /{command}"
            )
        return FailOver(asker.service, asker.follows, asker.follows_at, asker.beside)

    return Words(command=command, usage="", examples=("",), read=read)


BOTH = (Wanted(Mode.EXCLUSIVE), Wanted(Mode.EXCLUSIVE, site="primary_site"))
"""The claims of what changes both servers."""

CANCEL = Option("Cancel", leads=OptionEffect.BACK, does="Nothing was done, and nothing will be.")

REPOINT: tuple[Step, ...] = (
    Act("repoint the clients", repoint.repoint, repoint.is_repointed, leaves_out=repoint.leave_to_people),
    # Somebody may have started it meanwhile, under a name that now leads to two.
    Act("see that the old primary is still fenced", fence.fence_at_once, fence.is_fenced, spare=True),
    Act(
        "point the clients to it",
        None,
        smoke.passes_there,
        by_hand=repoint.instruction,
        leaves_out=repoint.leave_to_docker,
    ),
)
"""How clients come to the new primary, right after the proof that it takes writes."""

SECURE: tuple[Step, ...] = (
    Act("smoke test through the application", smoke.smoke_test_there, smoke.passes_there),
    # The new timeline stands in the control file only after it; clients need not wait for that.
    Act("checkpoint the new primary", promotion.checkpoint, promotion.is_noted, limit=timedelta(minutes=15)),
    Act("end a WAL segment", archiving.end_segment, archiving.segment_is_ended),
    Look("see that WAL arrives in the archive", archiving.see_timeline_arrive, gives="arrival", role=FactRole.ARRIVAL),
    Act(
        "take a fresh base backup",
        take_backup.take_base,
        take_backup.base_is_taken,
        limit=restore.COPY_LIMIT,
        spare=True,
    ),
)
"""What makes the new primary one that can be recovered itself."""
