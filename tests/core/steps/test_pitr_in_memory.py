"""Point-in-time recovery from the first word to the report, in a world with the rules of PostgreSQL and Docker."""

from __future__ import annotations

from dataclasses import replace

import pytest

from actions.engine.errors import Busy, RecoveryError, Refused
from actions.engine.facts import from_json, to_json
from actions.engine.injection import fact_types
from actions.engine.journal import Kind
from actions.engine.procedure import Outcome
from actions.postgres.inventory import Inventory, dump_inventory
from actions.postgres.lsn import Lsn
from tests.support.worlds.company import SITE, WRITERS
from tests.support.worlds.founding import container
from tests.support.worlds.planned import APPROVER, Company
from tests.support.worlds.wal import SIZE, SYSTEM, Backup

PAUSE, KEEP = "Pause writers and restore", "Restore, keep serving"


def to_the_preview(here: Company, when: str, mode: str = PAUSE, run: str = "r1") -> None:
    here.ask("postgres pitr", when, run=run)
    here.work(run)
    here.answer(mode, run=run)
    here.work(run)
    assert here.run(run).asking, here.run(run).failure


def cut_over(here: Company, run: str = "r1") -> None:
    here.answer("Cut over", APPROVER, SITE.postgres, run=run)
    here.work(run)


def sheet_text(here: Company, kind: Kind, run: str = "r1") -> str:
    entry = [e for e in here.store.entries(run) if e.kind is kind][-1]
    return str(entry.data.get("sheets") or entry.data.get("report"))


def test_the_messages_of_the_moment_come_back_and_the_report_says_so(here: Company) -> None:
    here.world.deletes(*range(1, 21))
    run = here.recover("08:40:30")
    assert run.finished is Outcome.RECOVERED
    assert here.world.messages() == set(range(1, 41))
    report = sheet_text(here, Kind.FINISHED)
    assert "2026-02-09 08:40:09.500000 UTC" in report
    assert "postgres_before_r1" in report
    assert "timeline 2" in report


def test_the_plan_says_where_it_stops_and_what_is_lost_before_anything_is_touched(here: Company) -> None:
    here.world.deletes(*range(1, 21))
    here.ask("postgres pitr", "08:40:30")
    assert here.work() == "asking"
    assert here.world.changes == ()
    plan = sheet_text(here, Kind.ASKED)
    for words in (
        "base_morning",
        SYSTEM,
        "nself-postgres",
        "ops-1",
        "09:40:30 Europe/Berlin",
        "20 deleted",
        "timeline 1",
        "'RTO', '30 min'",
    ):
        assert words in plan, words


def test_with_no_commit_after_the_target_it_stops_after_the_last_one_and_can_prove_it(here: Company) -> None:
    here.world.clock.advance(600)
    run = here.recover("latest")
    assert run.finished is Outcome.RECOVERED
    assert run.facts["aim"]["stop"]["inclusive"]
    assert here.world.messages() == set(range(1, 41))


def test_a_target_in_the_tail_that_was_never_archived_is_reached(here: Company) -> None:
    assert here.world.tail()[-2] not in here.world.archive
    run = here.recover("08:39:30")
    assert run.finished is Outcome.RECOVERED
    assert here.world.saved["r1"]
    assert here.world.messages() == set(range(1, 40))


def test_before_a_transaction_and_before_a_position_mean_the_same_place(here: Company) -> None:
    accident = here.world.deletes(1, 2, 3)
    by_number, by_place = Company(here.world.fork()), Company(here.world.fork())
    first = by_number.recover(f"before xid {accident.xid}")
    second = by_place.recover(f"before lsn {accident.lsn >> 32:X}/{accident.lsn & 0xFFFFFFFF:X}")
    assert first.finished is second.finished is Outcome.RECOVERED
    assert by_number.world.messages() == by_place.world.messages() == set(range(1, 41))


def test_writers_that_keep_serving_write_until_the_cut_over_and_the_preview_counts_it(here: Company) -> None:
    here.world.deletes(*range(1, 21))
    here.ask("postgres pitr", "08:40:30")
    here.work()
    here.world.says(2)
    here.answer(KEEP)
    here.work()
    here.world.says(1)
    assert "20 rows come back, 2 rows of the live data go" in sheet_text(here, Kind.ASKED)
    assert all(here.world.containers[name].state == "running" for name in WRITERS)
    cut_over(here)
    assert here.run().finished is Outcome.RECOVERED


def test_a_segment_switched_while_people_decide_changes_nothing_that_was_approved(here: Company) -> None:
    here.ask("postgres pitr", "latest")
    here.work()
    here.world.says(12)
    here.answer(KEEP)
    here.work()
    assert not [e for e in here.store.entries("r1") if e.kind is Kind.VOIDED]
    assert here.run().asking
    cut_over(here)
    assert here.run().finished is Outcome.RECOVERED
    assert here.world.messages() == set(range(1, 41))


def test_a_second_recovery_forwards_follows_the_new_timeline(here: Company) -> None:
    here.world.deletes(*range(1, 21))
    here.recover("08:40:30")
    here.world.says(5)
    here.world.deletes(33, 34)
    run = here.recover("before xid " + str(here.world.xid), run="r2")
    assert run.finished is Outcome.RECOVERED, run.failure
    assert run.facts["proof"]["timeline"] == 3
    assert here.world.messages() == {*range(1, 46)}


def test_the_first_commit_after_the_fresh_base_backup_of_a_recovery_is_a_target_that_can_be_proven(
    here: Company,
) -> None:
    here.world.deletes(*range(1, 21))
    here.recover("08:40:30")
    here.world.says(1)
    here.world.deletes(1, 2)
    run = here.recover(f"before xid {here.world.xid}", run="r2")
    assert run.finished is Outcome.RECOVERED
    assert run.facts["base"]["name"] == "base_r1"
    assert here.world.messages() == set(range(1, 42))


def test_a_second_recovery_back_before_the_first_ones_target_takes_the_old_timeline_and_a_new_number(
    here: Company,
) -> None:
    here.world.deletes(*range(1, 21))
    here.recover("08:40:30")
    here.world.says(5)
    run = here.recover("08:20:30", run="r2")
    assert run.finished is Outcome.RECOVERED, run.failure
    assert run.facts["aim"]["timeline"] == 1
    assert run.facts["proof"]["timeline"] == 3
    assert here.world.messages() == set(range(1, 21))
    assert {"postgres_before_r1", "postgres_before_r2"} <= set(here.world.dirs)


def test_after_an_undone_recovery_the_next_one_takes_a_timeline_of_its_own(here: Company) -> None:
    to_the_preview(here, "08:30:30")
    here.world.refuses = "pg_current_xact_id"
    cut_over(here)
    here.world.refuses = ""
    here.undo()
    here.work()
    assert here.run().finished is Outcome.UNDONE
    run = here.recover("08:30:30", run="r2")
    assert run.finished is Outcome.RECOVERED, run.failure
    assert run.facts["proof"]["timeline"] == 3


@pytest.mark.parametrize("state", ["restarting", "exited"])
def test_a_server_that_is_down_can_be_recovered_too(here: Company, state: str) -> None:
    here.world.dead = True
    here.world.set_container(SITE.postgres, state=state)
    run = here.recover("08:39:30")
    assert run.finished is Outcome.RECOVERED, run.failure
    assert here.world.messages() == set(range(1, 40))


@pytest.mark.parametrize("state", ["restarting", "exited"])
def test_a_recovery_of_a_dead_server_can_be_discarded(here: Company, state: str) -> None:
    here.world.dead = True
    here.world.set_container(SITE.postgres, state=state)
    to_the_preview(here, "08:39:30")
    here.answer("Discard")
    here.work()
    assert here.run().finished is Outcome.DISCARDED, here.run().failure
    assert here.world.containers[SITE.postgres].state == state
    assert all(here.world.containers[name].state == "running" for name in WRITERS)


@pytest.mark.parametrize("state", ["restarting", "exited"])
def test_a_recovery_of_a_dead_server_can_be_undone_after_the_swap(here: Company, state: str) -> None:
    here.world.dead = True
    here.world.set_container(SITE.postgres, state=state)
    to_the_preview(here, "08:39:30")
    here.world.refuses = "pg_current_xact_id"
    cut_over(here)
    here.undo()
    here.work()
    assert here.run().finished is Outcome.UNDONE, here.run().failure
    assert here.world.live.id == "live"
    assert here.world.containers[SITE.postgres].state == state
    assert here.world.containers[SITE.postgres].restart_policy == "unless-stopped"


def test_discarding_leaves_a_writer_stopped_that_was_stopped_before(here: Company) -> None:
    here.world.set_container("nself-auth", state="exited")
    to_the_preview(here, "08:30:30")
    here.answer("Discard")
    here.work()
    assert here.run().finished is Outcome.DISCARDED
    assert {n: here.world.containers[n].state for n in WRITERS} == {
        "nself-functions": "running",
        "nself-hasura": "running",
        "nself-auth": "exited",
    }


def test_discarding_keeps_the_clone_aside_with_a_label_and_touches_nothing_else(here: Company) -> None:
    live = here.world.live
    to_the_preview(here, "08:30:30")
    here.answer("Discard")
    here.work()
    assert here.world.live == live
    assert here.world.labels["postgres_discarded_r1"]["run"] == "r1"
    assert set(here.world.dirs) == {"postgres", "postgres_discarded_r1"}


def test_another_time_discards_and_hands_the_new_text_on(here: Company) -> None:
    to_the_preview(here, "08:30:30")
    here.answer("Another time", text="08:25")
    here.work()
    assert here.run().finished is Outcome.DISCARDED
    assert here.run().again == {"text": "08:25", "by": "U-ONCALL"}
    assert here.recover("08:25", run="r2").finished is Outcome.RECOVERED


def test_nobody_answering_the_preview_leads_back_to_the_old_world(here: Company) -> None:
    to_the_preview(here, "08:30:30")
    here.world.clock.advance(3601)
    here.work()
    assert here.run().finished is Outcome.DISCARDED
    assert all(here.world.containers[name].state == "running" for name in WRITERS)


def test_cancel_at_the_first_question_has_touched_nothing(here: Company) -> None:
    here.ask("postgres pitr", "08:30:30")
    here.work()
    before = here.world.picture()
    here.answer("Cancel")
    here.work()
    assert here.run().finished is Outcome.DISCARDED
    assert here.world.picture() == before
    assert here.world.changes == ()


@pytest.mark.parametrize(
    ("when", "words"),
    [
        ("07:59", "before the end of the oldest usable base backup"),
        ("before xid 99999", "did not end in this WAL"),
        ("before lsn FF/0", "cannot be reached"),
    ],
)
def test_a_target_out_of_reach_is_refused_with_the_window(here: Company, when: str, words: str) -> None:
    here.ask("postgres pitr", when)
    here.work()
    last = here.store.entries("r1")[-1].data
    assert here.run().finished is Outcome.REFUSED
    assert words in last["error"]
    assert last["hint"]
    assert here.world.changes == ()


def test_a_hole_in_the_archive_is_refused_with_the_nearest_moment(here: Company) -> None:
    here.world.archive.pop("000000010000000000000005")
    here.ask("postgres pitr", "08:39:30")
    here.work()
    last = here.store.entries("r1")[-1].data
    assert here.run().finished is Outcome.REFUSED
    assert "000000010000000000000005" in last["error"]
    assert "nearest reachable moment" in last["hint"]


def test_a_base_backup_of_another_system_is_not_used(here: Company) -> None:
    other = here.world.backups["base_morning"]
    here.world.backups["base_other"] = replace(
        other, name="base_other", start=other.start + 0x2000000, stop=other.stop + 0x2000000
    )
    here.world.backups["base_other"] = here.world.backups["base_other"].kept(
        inventory_of_another_system(here.world.backups["base_other"])
    )
    assert here.recover("08:39:30").facts["base"]["name"] == "base_morning"


def inventory_of_another_system(backup: Backup) -> str:
    whole = Inventory(
        "1", backup.timeline, Lsn(backup.start), Lsn(backup.stop), backup.began, backup.ended, "15", SIZE, "nself_db", 1
    )
    return dump_inventory(whole)


def test_a_disk_that_is_too_small_is_refused_before_anything_is_touched(here: Company) -> None:
    here.world.free = 1 << 20
    here.ask("postgres pitr", "08:30:30")
    here.work()
    assert here.run().finished is Outcome.REFUSED
    assert "not enough room" in here.store.entries("r1")[-1].data["error"]


def test_a_damaged_segment_is_found_before_the_clone_is_started_and_retry_goes_on(here: Company) -> None:
    here.ask("postgres pitr", "08:39:30")
    here.work()
    here.answer(PAUSE)
    here.world.damaged = frozenset({"000000010000000000000005"})
    here.work()
    failure = here.run().failure
    assert failure is not None
    assert "000000010000000000000005" in failure.detail
    assert "run mayday-clone-r1" not in here.world.changes
    here.world.damaged = frozenset()
    here.retry()
    here.work()
    cut_over(here)
    assert here.run().finished is Outcome.RECOVERED
    assert here.world.changes.count("finish the copy") == 1


def test_a_smoke_test_that_fails_can_be_retried_and_undo_explains_why_not(here: Company) -> None:
    here.world.smoke = 502
    to_the_preview(here, "08:30:30")
    cut_over(here)
    assert here.run().failure is not None
    with pytest.raises(Refused, match="can no longer be undone") as refused:
        here.undo()
    assert refused.value.hint
    here.world.smoke = 200
    here.retry()
    here.work()
    assert here.run().finished is Outcome.RECOVERED


def test_a_container_made_anew_before_the_answer_voids_it_and_the_new_plan_names_it(here: Company) -> None:
    here.ask("postgres pitr", "08:30:30")
    here.work()
    first = here.run().question
    here.world.containers[SITE.postgres] = container(SITE.postgres, id="made-anew-456")
    here.answer(PAUSE)
    assert here.work() == "asking"
    second = here.run().question
    assert first is not None
    assert second is not None
    assert second.plan != first.plan
    assert here.world.changes == ()
    assert "made-anew-45" in sheet_text(here, Kind.ASKED)
    here.answer(PAUSE)
    here.work()
    cut_over(here)
    assert here.run().finished is Outcome.RECOVERED


def test_a_container_made_anew_before_the_cut_over_voids_the_approval_once_and_not_for_ever(here: Company) -> None:
    to_the_preview(here, "08:30:30")
    here.world.containers[SITE.postgres] = container(SITE.postgres, id="made-anew-456")
    cut_over(here)
    assert here.run().asking
    assert "promote" not in here.world.changes
    cut_over(here)
    assert here.run().finished is Outcome.RECOVERED, here.run().failure


def test_two_recoveries_of_one_service_at_once_are_refused_and_the_first_goes_on(here: Company) -> None:
    here.ask("postgres pitr", "08:30:30", run="r1")
    with pytest.raises(Busy) as busy:
        here.ask("postgres pitr", "08:20:30", run="r2")
    assert busy.value.run == "r1"
    assert here.ask("postgres verify", run="r3") == "r3"
    here.work("r3")
    assert here.run("r3").finished is Outcome.DONE
    assert here.work("r1") == "asking"


def test_a_stop_between_two_steps_waits_and_retry_goes_on(here: Company) -> None:
    here.ask("postgres pitr", "08:30:30")
    here.work()
    here.answer(PAUSE)
    here.watch(lambda place: here.stop() if place == "after 'finish the copy'" else None)
    assert here.work() == "stopped"
    here.watch(lambda place: None)
    assert "run mayday-clone-r1" not in here.world.changes
    here.retry()
    here.work()
    assert here.run().asking


def test_every_fact_that_a_recovery_keeps_can_be_read_back(here: Company) -> None:
    here.world.deletes(1, 2)
    run = here.recover("08:40:30")
    types = fact_types(here.find("postgres pitr"))
    assert run.facts.keys() == types.keys()
    for name, data in run.facts.items():
        assert to_json(from_json(types[name], data)) == data, name


def test_no_secret_of_the_container_reaches_the_journal(here: Company) -> None:
    here.recover("08:30:30")
    assert "POSTGRES_PASSWORD" not in str(here.store.entries("r1"))


def test_a_clone_that_stops_elsewhere_is_never_put_in_service(here: Company) -> None:
    here.ask("postgres pitr", "08:30:30")
    here.work()
    here.answer(PAUSE)
    aim = here.run().facts["aim"]["stop"]["lsn"]

    def lead_astray(place: str) -> None:
        if place == "after 'run mayday-clone-r1'":
            here.world.targets["mayday-clone-r1"] = (1, aim + 0x400000, False)

    here.watch(lead_astray)
    here.work()
    assert here.run().failure is not None
    assert not here.run().asking
    with pytest.raises((AssertionError, RecoveryError)):
        cut_over(here)
