"""Building a standby: the old world or the new one whatever happens, and nobody loses anything by it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from actions.control.requests import Subject, open_run
from actions.engine.claims import Mode
from actions.engine.procedure import Outcome
from actions.recoveries.postgres_standby import PROCEDURE, SetUpReplication
from tests.support.kills import KillCase, carry_on
from tests.support.worlds.clock import Clock
from tests.support.worlds.company import SITE
from tests.support.worlds.ledger import Ledger
from tests.support.worlds.planned import APPROVER, ONCALL, Company
from tests.support.worlds.replicating import FOLDER, SLOT, STANDBY, PairWorld, asked, pair


def old_world(before: Company, here: Company, after: Company) -> list[str]:
    """What of the old world is missing or changed; the copy that was given up may lie beside it."""
    old, now = before.world.picture(), here.world.picture()
    for picture in (old, now):
        picture["dirs"] = {leaf: one[0] for leaf, one in picture["dirs"].items() if "_discarded_" not in leaf}
        picture["labels"] = {leaf: one for leaf, one in picture["labels"].items() if "_discarded_" not in leaf}
    return [f"{name}: {now[name]}" for name in now if now[name] != old[name]]


CASES = (KillCase("postgres replication setup", asked, old_world),)


def test_a_new_cluster_becomes_a_standby_of_the_primary_with_one_answer() -> None:
    here = asked()
    here.work()
    question = here.run().question
    assert question is not None
    assert [option["label"] for option in question.options] == ["Build the standby", "Cancel"]
    carry_on(here)
    world = here.world
    assert here.run().finished is Outcome.DONE
    assert world.dirs[FOLDER].id == "copy of r1"
    assert world.dirs["standby_before_r1"].id == "own"
    assert world.labels["standby_before_r1"]["why"] == "replaced by a copy of its primary"
    assert world.slots == {SLOT}
    assert world.keep == 8 * 1024
    assert f"stop {SITE.postgres}" not in world.changes


def test_no_password_is_in_the_journal() -> None:
    here = asked()
    carry_on(here)
    password = here.world.passfiles[STANDBY].strip().rpartition(":")[2]
    assert len(password) >= 32
    assert password not in str([entry.data for entry in here.store.entries("r1")])
    assert "SCRAM-SHA-256$" not in str([entry.data for entry in here.store.entries("r1")])


def test_a_password_that_it_has_from_before_stays_so_that_an_undo_brings_back_a_standby_that_may_log_in() -> None:
    world = pair(old_primary=True)
    world.own_passfile = "*:*:*:mayday_replication_nself_postgres_2_main:as-before\n"
    here = asked(world)
    carry_on(here)
    assert here.world.passfiles[STANDBY] == world.own_passfile


def test_the_passfile_of_another_role_is_not_taken() -> None:
    world = pair(old_primary=True)
    world.own_passfile = "*:*:*:replicator:as-before\n"
    here = asked(world)
    carry_on(here)
    assert "as-before" not in here.world.passfiles[STANDBY]


def test_who_is_connected_to_a_cluster_without_tables_loses_nothing() -> None:
    world = pair()
    world.sessions = 1
    here = asked(world)
    carry_on(here)
    assert here.run().finished is Outcome.DONE


def test_a_state_of_the_cluster_is_replaced_only_with_a_second_person() -> None:
    here = asked(pair(old_primary=True))
    here.work()
    question = here.run().question
    assert question is not None
    assert [option["label"] for option in question.options] == ["Replace its data", "Cancel"]
    assert "a state of this very cluster" in str(question)
    assert "What was written there alone is in it" in str([entry.data for entry in here.store.entries("r1")])
    here.answer("Replace its data", APPROVER, STANDBY)
    carry_on(here)
    assert here.run().finished is Outcome.DONE
    assert here.world.dirs["standby_before_r1"].id == "old primary"


def test_a_cluster_with_tables_is_somebodys_data() -> None:
    world = pair()
    world.tables = True
    here = asked(world)
    here.work()
    assert "Replace its data" in str(here.run().question)


def test_an_empty_directory_becomes_a_standby() -> None:
    here = asked(pair(empty=True))
    carry_on(here)
    assert here.run().finished is Outcome.DONE
    assert here.world.dirs["standby_before_r1"].id == "nothing"


def test_a_slot_that_nobody_reads_is_named_at_the_end() -> None:
    world = pair()
    world.unread = ("standby",)
    here = asked(world)
    carry_on(here)
    assert "Nobody reads the slot standby" in str(here.store.entries("r1")[-1].data)


def test_it_holds_the_standby_alone_and_shares_the_primary() -> None:
    held = {claim.service: claim.mode for claim in asked().store.claims("main")}
    assert held == {STANDBY: Mode.EXCLUSIVE, SITE.postgres: Mode.SHARED}


def test_a_request_claims_the_primary_on_its_own_site() -> None:
    ledger, request = Ledger(Clock()), SetUpReplication(STANDBY, SITE.postgres, "west")
    made = open_run(ledger, PROCEDURE, request, by=ONCALL, subject=Subject("main", STANDBY), origin={}, key="k")
    held = {(claim.site, claim.service): claim.mode for site in ("main", "west") for claim in ledger.claims(site)}
    assert made.new
    assert held == {("main", STANDBY): Mode.EXCLUSIVE, ("west", SITE.postgres): Mode.SHARED}


def test_each_setting_is_explained_with_the_old_value_before_it_changes() -> None:
    here = asked()
    here.work()
    said = str([entry.data for entry in here.store.entries("r1")][-1])
    for part in (
        "role mayday_replication_nself_postgres_2_main",
        "host replication mayday_replication_nself_postgres_2_main samenet scram-sha-256",
        "-1 (no limit) → 8192MB: a standby that stays away cannot fill the primary's disk",
        "slot nself_postgres_2_main",
        "wal_log_hints is on, as pg_rewind needs",
        "max_connections = 100: as the primary's, since a standby with lower ones stops",
    ):
        assert part in said, said
    assert here.world.changes == ()


def test_what_stands_already_is_left_as_it_is() -> None:
    here = asked()
    carry_on(here)
    world = here.world
    world.containers[STANDBY] = replace(world.containers[STANDBY], state="exited")
    before = world.rules, world.slots, world.keep
    again = Company(world, toolbox=here.toolbox)
    again = asked(again.world)
    again.work()
    assert again.run().failure is None
    assert "Replace its data" in str(again.run().question)
    assert (world.rules, world.slots, world.keep) == before


def change(**changes: Any) -> PairWorld:
    world = pair()
    for name, value in changes.items():
        setattr(world, name, value)
    return world


def saying(**said: Any) -> PairWorld:
    return change(said=said)


def promoted_later() -> PairWorld:
    world = pair(old_primary=True)
    world.set_dir(FOLDER, timeline=2, checkpoint_timeline=2)
    return world


def flagged() -> PairWorld:
    world = pair()
    world.set_container(STANDBY, command=("postgres", "-c", "max_connections=50"))
    return world


def primary_down() -> PairWorld:
    world = pair()
    world.set_container(SITE.postgres, state="exited")
    return world


def the_same_container() -> PairWorld:
    world = pair()
    world.containers[STANDBY] = replace(world.containers[SITE.postgres], name=STANDBY)
    return world


SLOT_OF_ANOTHER = {"physical": True, "lost": False, "reader": "barman", "active": True}


@pytest.mark.parametrize(
    ("world", "said"),
    [
        (change(major=16), f"{STANDBY} has PostgreSQL 16, its primary 15"),
        (change(reached="no response"), "does not reach its primary at nself-postgres:5432"),
        (change(sessions=2, tables=True), "2 sessions are connected to it"),
        (change(free=1 << 20), "not enough room for a copy"),
        (change(signals=("standby.signal",)), "itself in recovery"),
        (change(recovering=True), "itself in recovery"),
        (change(links={16400: "/fast"}), "has tablespaces"),
        (saying(wal_level="minimal"), "wal_level is minimal"),
        (saying(superuser=False), "is no superuser"),
        (saying(hba_error="line 3: invalid"), "has an error"),
        (saying(senders=1), "too few WAL senders"),
        (saying(slots=0), "no replication slot left"),
        (saying(slot=SLOT_OF_ANOTHER), "is another one's"),
        (saying(slot=SLOT_OF_ANOTHER | {"active": False, "physical": False}), "is another one's"),
        (saying(role={"comment": None, "fit": True}), "Mayday did not make it"),
        (flagged(), "max_connections is 50, the primary has 100"),
        (promoted_later(), "on timeline 2, its primary on 1"),
        (primary_down(), "does not run"),
        (the_same_container(), "is its own primary"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_or_would_harm_is_refused_before_anything_is_touched(world: PairWorld, said: str) -> None:
    here = asked(world.fork())
    here.work()
    told = here.store.entries("r1")[-1].data
    assert said in f"{told.get('error')} {told.get('detail')}"
    assert told.get("hint")
    assert here.run().finished is Outcome.REFUSED
    assert here.world.changes == ()


def test_one_that_streams_already_is_refused() -> None:
    here = asked()
    carry_on(here)
    again = asked(here.world)
    again.work()
    assert again.run().finished is Outcome.REFUSED
    assert "streams from its primary already" in str(again.store.entries("r1")[-1].data)
