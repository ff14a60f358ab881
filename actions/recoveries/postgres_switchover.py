"""The planned switch to a standby: nothing is lost by it, or it is not done."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from actions.engine.procedure import (
    Act,
    ActRole,
    Ask,
    Look,
    MayAnswer,
    Option,
    Outcome,
    Procedure,
    Risk,
)
from actions.recoveries.failover_parts import BOTH, CANCEL, REPOINT, SECURE, FailOver, words
from actions.steps.failover import evidence, fence, old_primary, promotion, repoint, switch_sheets, switchover
from actions.steps.failover.writers_there import see_writers_there
from actions.steps.postgres import proof
from actions.steps.postgres.look_at_server import look_at_server

_SWITCH_OVER = Option(switch_sheets.SWITCH_OVER, danger=True, does=switch_sheets.switching_over)

FIRST = Ask(
    "Switch over to the standby?",
    options=(_SWITCH_OVER, CANCEL),
    gives="wanted",
    sheets=switch_sheets.switch_sheets,
    card=switch_sheets.switch_card,
    recheck=("old", "evidence", "ready", "route"),
)
SECOND = Ask(
    "Stop the writers and switch over?",
    options=(replace(_SWITCH_OVER, who=MayAnswer.SECOND, types="service"), CANCEL),
    gives="approval",
    card=switch_sheets.switch_card,
    recheck=("old", "evidence", "ready", "writers"),
    stands=timedelta(minutes=15),
    until="promote the standby",
)

PROCEDURE = Procedure(
    name="postgres switchover",
    summary="Switch over from {primary} @ {primary_site} to {service}.",
    words=words("recover postgres switchover"),
    about="postgres",
    standby=True,
    there="primary_site",
    there_about="primary",
    near=True,
    request=FailOver,
    risk=Risk.DESTRUCTIVE,
    rto=timedelta(minutes=5),
    claims=BOTH,
    says={Outcome.DONE: "{service} is the primary now"},
    report=switch_sheets.switched_sheets,
    steps=(
        Look("look at the standby", look_at_server, gives="server"),
        Look("look at the primary", old_primary.look_at_old_primary, gives="old"),
        Look("collect the evidence", evidence.collect_evidence, gives="evidence"),
        Look("see that nothing would be lost", switchover.must_be_ready, gives="ready"),
        Look("see who writes", see_writers_there, gives="writers"),
        Look("see how clients find it", repoint.find_route, gives="route"),
        FIRST,
        SECOND,
        Act(
            "pause the writers",
            switchover.pause_writers,
            switchover.are_paused,
            undo=switchover.let_writers_on,
            role=ActRole.STOPS_WRITERS,
        ),
        Act(
            "stop the primary in good order",
            switchover.stop_primary,
            switchover.is_stopped,
            undo=switchover.start_primary,
        ),
        Look("prove that the standby has the last record", switchover.prove_handed_over, gives="handed"),
        Act("fence the old primary", fence.fence_at_once, fence.is_fenced, undo=fence.unfence),
        Look("see that it is fenced", fence.see_fence, gives="fence"),
        Act("promote the standby", promotion.promote, promotion.is_promoted, point_of_no_return=True),
        Look("prove that it takes writes", proof.prove_promoted, gives="proof"),
        *REPOINT,
        Act("let the writers on", repoint.reconnect, repoint.is_reconnected, role=ActRole.RESUMES_WRITERS),
        *SECURE,
    ),
)
