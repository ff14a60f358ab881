"""A standby is built: the primary is prepared, copied into the standby's container over the network, and followed.

It is the same whatever the container holds: nothing, another cluster, or the old primary of this one. What lies there
is kept under another name.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from actions.engine.claims import Mode, Wanted
from actions.engine.errors import Refused
from actions.engine.procedure import Act, Ask, Look, MayAnswer, Option, OptionEffect, Outcome, Procedure, Risk
from actions.engine.reading import Asker, Words
from actions.steps.postgres.data_place import must_be_swappable
from actions.steps.replication import (
    build,
    look_at_primary,
    look_at_standby,
    plan_changes,
    prepare_primary,
    prove_streaming,
    put_in_service,
    sheets,
)


@dataclass(frozen=True)
class SetUpReplication:
    """Build a standby (`service`) of a primary, which is on its own site or on another one."""

    service: str
    primary: str
    primary_site: str


def read(text: str, asker: Asker) -> SetUpReplication:
    """Nothing more has to be said: the settings tell whom the standby follows."""
    if text.strip():
        raise Refused(
            f"'{text.strip()[:60]}' was not understood.",
            code="MD-REP-001",
            hint="Write just: /recover postgres replication setup",
        )
    return SetUpReplication(asker.service, asker.follows, asker.follows_at)


LOOKS = (
    Look("look at the primary", look_at_primary.look_at_primary, gives="leader"),
    Look("ask the primary", look_at_primary.ask_state, gives="state"),
    Look("look at the standby", look_at_standby.look_at_standby, gives="server"),
    Look("see where its data lies", must_be_swappable, gives="place"),
    Look("see what it holds", look_at_standby.see_what_it_holds, gives="held"),
    Look("see whether it reaches the primary", look_at_primary.see_the_way, gives="upstream"),
    Look("plan the changes", plan_changes.plan_changes, gives="changes"),
    Look("measure the disk", plan_changes.measure_room, gives="space"),
)
"""The plan. They take the request's `service`, `primary` and `primary_site`, whoever names these."""

BUILD_IT = Ask(
    "Build the standby?",
    options=(
        Option(sheets.BUILD, does=sheets.building),
        Option(sheets.REPLACE, who=MayAnswer.SECOND, types="service", danger=True, does=sheets.replacing),
        Option("Cancel", leads=OptionEffect.BACK, does="Nothing was done, and nothing will be."),
    ),
    gives="approval",
    sheets=sheets.plan_sheets,
    card=sheets.card,
    leaves_out=sheets.senseless_answer,
    recheck=("leader", "state", "server", "held", "changes"),
)

BUILDING = (
    Act(
        "make the replication role",
        prepare_primary.make_role,
        prepare_primary.role_is_made,
        undo=prepare_primary.drop_role,
        tidies=True,
    ),
    Act(
        "let it in by pg_hba.conf",
        prepare_primary.lay_rule,
        prepare_primary.rule_is_laid,
        undo=prepare_primary.withdraw_rule,
        leaves_out=prepare_primary.no_rule_needed,
        tidies=True,
    ),
    Act(
        "limit what slots keep",
        prepare_primary.limit_slots,
        prepare_primary.slots_are_limited,
        undo=prepare_primary.unlimit_slots,
        leaves_out=prepare_primary.no_limit_needed,
        tidies=True,
    ),
    Act(
        "give the standby a password",
        build.give_password,
        build.may_log_in,
        undo=build.withdraw_password,
        tidies=True,
    ),
    Act(
        "make the slot",
        prepare_primary.make_slot,
        prepare_primary.slot_is_made,
        undo=prepare_primary.drop_slot,
        tidies=True,
    ),
    Act(
        "copy the primary",
        build.copy_primary,
        build.copy_is_whole,
        undo=build.set_copy_aside,
        limit=build.COPY_LIMIT,
        tidies=True,
    ),
    Act("make the copy follow", build.make_follow, build.follows, limit=timedelta(minutes=60)),
    # Its container serves until here, whatever lies in it.
    Act(
        "stop the standby's server",
        put_in_service.stop_standby,
        put_in_service.standby_is_stopped,
        undo=put_in_service.bring_standby_back,
    ),
    Act(
        "swap the data directories",
        put_in_service.swap_in,
        put_in_service.copy_is_live,
        undo=put_in_service.swap_out,
    ),
    Act(
        "start the standby",
        put_in_service.start_standby,
        put_in_service.standby_is_started,
        undo=put_in_service.stop_started,
        limit=put_in_service.START_LIMIT,
    ),
    Look("prove that it streams", prove_streaming.prove_streaming, gives="streaming"),
)
"""From the approval to the proof; `Undo` takes all of it back."""

PROCEDURE = Procedure(
    name="postgres replication setup",
    summary="Build {service} as a standby of {primary} @ {primary_site}.",
    words=Words(command="recover postgres replication setup", usage="", examples=("",), read=read),
    about="postgres",
    standby=True,
    there="primary_site",
    there_about="primary",
    near=True,
    request=SetUpReplication,
    risk=Risk.DESTRUCTIVE,
    # Base backups of the primary may go on beside it, no recovery of it.
    claims=(Wanted(Mode.EXCLUSIVE), Wanted(Mode.SHARED, site="primary_site")),
    says={Outcome.DONE: "{service} is a standby and streams"},
    report=sheets.report,
    steps=(*LOOKS, BUILD_IT, *BUILDING),
)
