"""A primary that was replaced and is back: which of two that take writes is the right one, so that the other is fenced.

Only what is certain is acted on: the one in service writes a later timeline than the one that came back. On the same
timeline nobody but a person knows which of them people wrote to.
"""

from __future__ import annotations

from actions.engine.errors import Refused
from actions.postgres.replication import Replication
from actions.postgres.server import Server
from actions.steps.failover.evidence import Evidence, PrimaryHealth, ask_old_primary
from actions.steps.failover.old_primary import OldPrimary
from actions.steps.postgres.look_at_replication import look_at_replication
from actions.tools.registry import SiteTools
from actions.tools.sql import Sql


def see_second_primary(old: OldPrimary, server: Server, sql: Sql, there: SiteTools) -> Evidence:
    """What the replaced primary does now, once it is certain that it is the one to fence.

    Raises:
        Refused: it does not run, the other one is no primary, or both write the same timeline.
    """
    mine = look_at_replication(server, sql)
    if mine.silent or mine.standby:
        why = mine.silent or "it is in recovery"
        raise Refused(
            f"{server.service} is not the primary, so {old.name} is not fenced.",
            code="MD-FO-013",
            detail=f"{server.service}: {why}.",
            hint="See who takes writes: /recover postgres replication",
        )
    found = there.docker.find(old.service)
    if found is None or not found.alive:
        state = "is gone" if found is None else f"is {found.state}"
        raise Refused(
            f"{old.name} {state}: there is nothing to fence.",
            code="MD-FO-014",
            detail="Its container does not run.",
            hint="See who takes writes: /recover postgres replication",
        )
    # One that starts, hangs or is read-only without saying so is fenced all the same: its container runs.
    theirs, answer = ask_old_primary(old, there)
    _must_be_older(old, theirs, mine, server)
    writes = theirs is not None and not theirs.standby
    return Evidence(
        PrimaryHealth.WRITES if writes else PrimaryHealth.SILENT,
        container=found.state,
        answer=answer,
        heard=f"{server.service} takes writes on timeline {mine.timeline}",
    )


def _must_be_older(old: OldPrimary, theirs: Replication | None, mine: Replication, server: Server) -> None:
    timeline = theirs.timeline if theirs is not None else old.server.timeline if old.server is not None else 0
    if timeline < mine.timeline:
        return
    raise Refused(
        f"{old.name} and {server.service} both write timeline {timeline}: which of them is right is for people to say.",
        code="MD-FO-015",
        detail=f"{server.service} writes timeline {mine.timeline}, {old.name} {timeline}.",
        hint="Stop the writers, compare both, and stop the wrong one by hand: docker stop.",
    )
