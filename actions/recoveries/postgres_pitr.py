"""Point-in-time recovery: restore beside the live data, look, swap it in, or give it up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from actions.clock.times import spell
from actions.clock.when import Target, parse_when
from actions.engine.procedure import (
    Act,
    ActRole,
    FactRole,
    Look,
    Outcome,
    Procedure,
    Risk,
)
from actions.engine.reading import Asker, Words
from actions.recoveries import pitr_questions
from actions.steps import writers
from actions.steps.postgres import (
    approved_loss,
    archiving,
    check_integrity,
    compare_servers,
    count_losses,
    cutover,
    disk_space,
    estimate,
    find_tablespaces,
    keep_configuration,
    left_to_people,
    lost_at_stop,
    prepared,
    proof,
    remake_slots,
    replay,
    restore,
    see_unwritten,
    sheets,
    take_backup,
    target,
)
from actions.steps.postgres.ask_live import ask_primary
from actions.steps.postgres.data_place import must_be_swappable
from actions.steps.postgres.look_at_server import look_at_server, see_writers
from actions.steps.postgres.read_window import read_window


@dataclass(frozen=True)
class PointInTime:
    """Bring a server back to a moment; `asked` is what was typed, `zone` the asker's own, for showing."""

    service: str
    target: Target
    asked: str
    zone: str


def read(text: str, asker: Asker) -> PointInTime:
    """Read `<when>`; a bare time is read in the operations zone and in the asker's."""
    wanted = parse_when(text, now=asker.now, operations_zone=asker.operations_zone, asker_zone=asker.zone)
    shown = replace(_spelled(wanted), other=wanted.other and _spelled(wanted.other))
    return PointInTime(asker.service, shown, " ".join(text.split())[:80], asker.zone or asker.operations_zone)


def _spelled(target: Target) -> Target:
    return replace(target, text=spell(target.at)) if target.at else target


PROCEDURE = Procedure(
    name="postgres pitr",
    summary="Bring {service} back to {target}.",
    words=Words(
        command="recover postgres pitr",
        usage="<when>",
        examples=("14:30", "2026-02-09 14:30", "14:30 Europe/Berlin", "20m ago", "before xid 91822", "latest"),
        read=read,
    ),
    about="postgres",
    public={
        "started": "We are restoring {subject}{to}. Until this is done, some things may not work.",
        "finished": "We have restored {subject}{to}.{lost} We are watching whether all stays well.",
        "failed": "An attempt to restore {subject} has not worked. Our engineers go on with it; "
        "the next report follows here.",
    },
    request=PointInTime,
    risk=Risk.DESTRUCTIVE,
    rto=sheets.RTO,
    ends=Outcome.RECOVERED,
    report=sheets.recovered_sheets,
    steps=(
        Look("look at the server", look_at_server, gives="server"),
        Look("ask the server", ask_primary, gives="live"),
        Look("see where the data lies", must_be_swappable, gives="place"),
        Look("see who writes", see_writers, gives="writers"),
        Look("read the recovery window", read_window, gives="window"),
        Look("find the exact stopping point", target.find_stopping_point, gives="aim", role=FactRole.AIM),
        Look("choose a base backup", target.choose_base, gives="base"),
        Look("find the tablespaces", find_tablespaces.find_tablespaces, gives="tablespaces"),
        Look("count what would be lost", count_losses.count_losses, gives="lost", role=FactRole.LOST),
        Look("estimate the time", estimate.estimate, gives="times"),
        Look("compare the configuration files", keep_configuration.foresee_configuration, gives="foreseen"),
        Look("see what the WAL does not bring back", see_unwritten.foresee_unwritten, gives="beside"),
        Look("measure the disk", disk_space.measure_space, gives="space"),
        Look("see whether WAL is archived", archiving.look_at_archiving, gives="archiving"),
        pitr_questions.RESTORE_BESIDE,
        Act(
            "pause the writers",
            writers.pause,
            writers.paused,
            undo=writers.let_go_on,
            leaves_out=writers.go_on_until_cut_over,
            role=ActRole.STOPS_WRITERS,
        ),
        Act("save WAL that is not archived yet", restore.save_tail, restore.tail_is_saved),
        Act(
            "copy the base backup",
            restore.copy_base,
            restore.base_is_whole,
            undo=restore.set_clone_aside,
            limit=restore.COPY_LIMIT,
            tidies=True,
        ),
        Act("lay the WAL", restore.lay_wal, restore.wal_is_laid, limit=restore.COPY_LIMIT),
        Act("seal the clone", restore.seal_clone, restore.clone_is_sealed),
        Act(
            "replay to the target",
            replay.replay,
            replay.stopped_at_target,
            undo=replay.remove_clone_server,
            limit=timedelta(hours=12),
            tidies=True,
        ),
        Look("prove where it stopped", replay.prove_stop, gives="reached", role=FactRole.REACHED),
        Look("look for prepared transactions", prepared.find_prepared, gives="prepared"),
        pitr_questions.PREPARED_TRANSACTIONS,
        Look("check the clone", check_integrity.check_clone, gives="integrity", role=FactRole.VERDICT),
        Look("compare with the live data", compare_servers.compare, gives="difference"),
        Look("see what changes besides rows", see_unwritten.see_unwritten, gives="unwritten"),
        Look("compare the configuration", keep_configuration.compare_configuration, gives="configuration"),
        Look("count again what would be lost", approved_loss.count_again, gives="loss"),
        pitr_questions.CUT_OVER,
        Act("promote the clone", cutover.promote, cutover.is_promoted),
        Act("end prepared transactions", prepared.settle, prepared.is_settled),
        Act("stop the clone in good order", cutover.stop_clone, cutover.clone_is_stopped),
        Act(
            "keep the live configuration",
            keep_configuration.keep_configuration,
            keep_configuration.configuration_is_kept,
        ),
        Act(
            "pause the writers for the cut-over",
            writers.pause,
            writers.paused,
            undo=writers.let_go_on,
            role=ActRole.STOPS_WRITERS,
        ),
        Act("stop the old server", cutover.stop_live, cutover.live_is_stopped, undo=cutover.bring_back_live),
        # Until now it could only be foreseen: from here on nobody commits on the old server any more.
        Look("count what was lost", lost_at_stop.count_lost, gives="given_up", role=FactRole.LOST),
        Act("swap the data directories", cutover.swap, cutover.clone_is_live, undo=cutover.swap_back),
        Act("start the server", cutover.start_live, cutover.live_is_ready, undo=cutover.stop_started),
        Look("prove that it is writable", proof.prove_writable, gives="proof"),
        Look("check integrity again", check_integrity.check_again, gives="integrity_after"),
        Look("note where the old data lies", proof.where_kept, gives="kept", role=FactRole.KEPT),
        pitr_questions.HOLD,
        # From here on there are new writes, which an undo would lose.
        Act(
            "resume the writers",
            writers.resume,
            writers.serving,
            point_of_no_return=True,
            role=ActRole.RESUMES_WRITERS,
        ),
        Act("make the physical slots again", remake_slots.make_slots, remake_slots.slots_are_made),
        Look("see what is left to people", left_to_people.see_left, gives="left"),
        Act("smoke test through the application", proof.smoke_test, proof.smoke_passed),
        Act("remove the clone's container", replay.remove_clone_server, replay.clone_server_is_gone),
        # That the data is right says nothing of the next recovery: for that, new WAL has to arrive.
        Act("end a WAL segment", archiving.end_segment, archiving.segment_is_ended),
        Look(
            "see that WAL arrives in the archive", archiving.see_timeline_arrive, gives="arrival", role=FactRole.ARRIVAL
        ),
        # Older backups reach the new timeline only by way of its history, so one of its own is taken at once.
        # The data is in service whether there is one or not, and a run that has failed would hold up the next recovery.
        Act(
            "take a fresh base backup",
            take_backup.take_base,
            take_backup.base_is_taken,
            limit=restore.COPY_LIMIT,
            spare=True,
        ),
        Act(
            "write its inventory",
            take_backup.write_inventory,
            take_backup.inventory_is_written,
            limit=timedelta(minutes=30),
            spare=True,
        ),
    ),
)
