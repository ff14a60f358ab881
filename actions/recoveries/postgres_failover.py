"""The unplanned failover: a standby takes the place of its primary, once that one is fenced for sure."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from actions.engine.procedure import (
    Act,
    ActRole,
    Ask,
    FactRole,
    Look,
    MayAnswer,
    Option,
    Outcome,
    Procedure,
    Risk,
)
from actions.recoveries.failover_parts import BOTH, CANCEL, REPOINT, SECURE, FailOver, words
from actions.steps.failover import (
    bring_wal,
    evidence,
    fence,
    missing_commits,
    old_primary,
    other_standbys,
    promotion,
    repoint,
    sheets,
)
from actions.steps.failover.writers_there import see_writers_there
from actions.steps.postgres import archiving, proof
from actions.steps.postgres.look_at_server import look_at_server

_FAIL_OVER = Option(sheets.FAIL_OVER, danger=True, does=sheets.failing_over)
_WITH_LOSS = replace(_FAIL_OVER, label=sheets.WITH_LOSS)

FIRST = Ask(
    "Fail over to the standby?",
    options=(_FAIL_OVER, _WITH_LOSS, CANCEL),
    gives="wanted",
    sheets=sheets.plan_sheets,
    card=sheets.first_card,
    leaves_out=sheets.too_much_to_lose,
    recheck=("old", "evidence", "route"),
)
SECOND = Ask(
    "Is the old primary to be fenced and replaced?",
    options=(
        replace(_FAIL_OVER, who=MayAnswer.SECOND, types="service"),
        replace(_WITH_LOSS, who=MayAnswer.SECOND, types="service"),
        CANCEL,
    ),
    gives="approval",
    sheets=sheets.second_sheets,
    card=sheets.second_card,
    leaves_out=sheets.too_much_to_lose,
    recheck=("evidence_now",),
    stands=timedelta(minutes=15),
    until="promote the standby",
)

PROCEDURE = Procedure(
    name="postgres failover",
    summary="Have {service} take over from {primary} @ {primary_site}.",
    words=words("recover postgres failover"),
    about="postgres",
    standby=True,
    there="primary_site",
    there_about="primary",
    near=True,
    request=FailOver,
    risk=Risk.DESTRUCTIVE,
    rto=timedelta(minutes=5),
    claims=BOTH,
    ends=Outcome.RECOVERED,
    says={Outcome.RECOVERED: "{service} is the primary now"},
    public={
        "started": "We are moving {subject} to its standby. Until this is done, some things may not work.",
        "finished": "{subject} runs on its standby now. We are watching whether all stays well.",
        "failed": "An attempt to move {subject} to its standby has not worked. Our engineers go on with it; "
        "the next report follows here.",
    },
    report=sheets.report_sheets,
    steps=(
        Look("look at the standby", look_at_server, gives="server"),
        Look("look at the old primary", old_primary.look_at_old_primary, gives="old"),
        Look("collect the evidence", evidence.collect_evidence, gives="evidence"),
        Look("compare with other standbys", other_standbys.compare_standbys, gives="beside"),
        Look("count what the standby lacks", missing_commits.count_missing, gives="missing", role=FactRole.LOST),
        Look("see who writes", see_writers_there, gives="writers"),
        Look("see how clients find it", repoint.find_route, gives="route"),
        Look("see whether WAL is archived", archiving.look_at_archiving, gives="archiving"),
        FIRST,
        Look("collect the evidence again", evidence.collect_evidence, gives="evidence_now"),
        SECOND,
        Act(
            "fence the old primary",
            fence.fence,
            fence.is_fenced,
            undo=fence.unfence,
            role=ActRole.STOPS_WRITERS,
        ),
        Look("see that it is fenced", fence.see_fence, gives="fence"),
        # Until now it could only be foreseen: behind the fence nobody commits there any more.
        Look("compare both once more", missing_commits.compare_once_more, gives="behind"),
        Act(
            "bring over WAL that only the old primary has",
            bring_wal.bring,
            bring_wal.is_brought,
            leaves_out=bring_wal.nothing_to_bring,
            spare=True,
        ),
        Look("see that no more is lost than was approved", bring_wal.must_be_within_bound, gives="bound"),
        Act("promote the standby", promotion.promote, promotion.is_promoted, point_of_no_return=True),
        Look("prove that it takes writes", proof.prove_promoted, gives="proof"),
        *REPOINT,
        Act(
            "see the writers reconnect",
            repoint.reconnect,
            repoint.is_reconnected,
            role=ActRole.RESUMES_WRITERS,
        ),
        Look("count what was lost", missing_commits.count_lost, gives="given_up", role=FactRole.LOST),
        *SECURE,
    ),
)
