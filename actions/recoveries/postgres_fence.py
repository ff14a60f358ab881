"""Fencing a primary that was replaced and is back: the guard against two primaries."""

from __future__ import annotations

from datetime import timedelta

from actions.engine.claims import Mode, Wanted
from actions.engine.procedure import Act, Look, Outcome, Procedure, Risk
from actions.engine.sheets import Sheet
from actions.recoveries.failover_parts import FailOver, words
from actions.steps.failover import fence, old_primary, second_primary
from actions.steps.failover.evidence import Evidence, PrimaryHealth
from actions.steps.failover.fence import Fence
from actions.steps.failover.old_primary import OldPrimary
from actions.steps.postgres.look_at_server import look_at_server


def fenced_sheets(old: OldPrimary, evidence_now: Evidence, fence: Fence) -> tuple[Sheet, ...]:
    """What was seen of it, and what keeps it from taking writes."""
    wrote = (
        f"{old.name} took writes beside the primary: what was written there is in its own data alone, which is kept."
    )
    alerts = (wrote,) if evidence_now.health is PrimaryHealth.WRITES else ()
    rows = (("It answered", evidence_now.answer), ("Fenced", f"{old.name}: {fence.says()}"))
    return (Sheet("Report", rows, alerts=alerts),)


PROCEDURE = Procedure(
    name="postgres fence",
    summary="Fence {primary} @ {primary_site}, which {service} has replaced.",
    words=words("recover postgres fence"),
    about="postgres",
    standby=True,
    there="primary_site",
    there_about="primary",
    near=True,
    request=FailOver,
    risk=Risk.CHANGES,
    rto=timedelta(minutes=1),
    # Of its own, so that it need not wait for the base backup at the end of the failover.
    claims=(Wanted(Mode.EXCLUSIVE, "fence"),),
    says={Outcome.DONE: "the replaced primary is fenced"},
    report=fenced_sheets,
    steps=(
        Look("look at the primary", look_at_server, gives="server"),
        Look("look at the replaced one", old_primary.look_at_old_primary, gives="old"),
        Look("see which of them is right", second_primary.see_second_primary, gives="evidence_now"),
        # Nobody is asked: two primaries lose more with every second, and who agreed to the failover was told of it.
        Act("fence the replaced primary", fence.fence_at_once, fence.is_fenced, point_of_no_return=True),
        Look("see that it is fenced", fence.see_fence, gives="fence"),
    ),
)
