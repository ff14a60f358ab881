"""Slots and prepared transactions, from what a real server (15) wrote, and what is said of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from actions.engine.procedure import Answer
from actions.postgres.besides_sql import GoesBack, going_back
from actions.postgres.config_changes import Changes
from actions.postgres.lsn import Lsn
from actions.postgres.quoting import literal
from actions.postgres.replication_slots import Slot, gap_of, parse_slot_file, parse_slots, words_of
from actions.postgres.stops import Stop
from actions.postgres.twophase import Prepared, database_in, open_at, parse_state_file
from actions.steps.postgres.besides_sheet import senseless_cut_overs
from actions.steps.postgres.keep_configuration import CUT_OVER, WITH_BACKUPS, ConfigurationKept
from actions.steps.postgres.prepared import COMMIT, LEAVE, PreparedOpen, no_room
from actions.steps.postgres.remake_slots import left_of_slots, slot_alerts

LOGICAL = bytes.fromhex(
    "a11c05015afcda0302000000b8000000646562657a69756d" + "00" * 56 + "004000000000000000000000e0020000b099980100000000"
)
PHYSICAL = bytes.fromhex("a11c050162f0cb8802000000b80000007374616e64627931" + "00" * 72 + "7098980100000000")
STATE_15 = bytes.fromhex(
    "3445f957ec000000d8020000004000003dbef7ad6a0403000a00000001000000"
    + "00" * 21
    + "040c00"
    + "00" * 16
    + "7765276972643a2067696400000000"
)
PREPARED_AT = datetime(2026, 11, 29, 15, 26, 1, 870909, UTC)


def test_a_slot_is_read_from_its_state_file() -> None:
    assert parse_slot_file(PHYSICAL) == Slot("standby1", True, restart=Lsn(0x1989870))
    assert parse_slot_file(LOGICAL) == Slot("debezium", False, restart=Lsn(0x19899B0))


@pytest.mark.parametrize("data", [b"", PHYSICAL[:40], b"\0" * 104, PHYSICAL[:84] + b"\2" + PHYSICAL[85:]])
def test_a_state_file_that_is_damaged_or_of_a_temporary_slot_is_none(data: bytes) -> None:
    assert parse_slot_file(data) is None


def test_columns_that_a_version_does_not_have_are_not_needed() -> None:
    old = {
        "slot_name": "a",
        "slot_type": "logical",
        "plugin": "pgoutput",
        "database": "app",
        "restart_lsn": "0/10",
        "confirmed_flush_lsn": "0/20",
        "active": True,
        "application": "cdc",
        "client": "10.0.0.9",
    }
    (slot,) = parse_slots([old])
    assert slot == Slot("a", False, "app", "pgoutput", "cdc at 10.0.0.9", True, Lsn(16), Lsn(32))
    assert parse_slots([{**old, "failover": True}])[0].failover
    assert words_of(slot) == "a (database app, pgoutput; read by cdc at 10.0.0.9)"


@pytest.mark.parametrize(
    ("confirmed", "said"),
    [
        (Lsn(0x10), "from 0/10 to the stop at 0/100 its reader misses changes"),
        (Lsn(0x200), "its reader is at 0/200, past the stop: it has seen changes that go"),
        (None, "how far its reader is, is not known"),
    ],
)
def test_the_gap_of_a_logical_slot(confirmed: Lsn | None, said: str) -> None:
    assert gap_of(Slot("a", False, confirmed=confirmed), Lsn(0x100)) == said


def test_only_logical_slots_need_a_person_beforehand() -> None:
    assert slot_alerts((Slot("a", True),)) == ()
    (alert,) = slot_alerts((Slot("a", True), Slot("b", False, reader="cdc")))
    assert alert.endswith("synchronised anew: b of cdc.")


def test_a_slot_that_could_not_be_made_and_one_that_cannot_be_are_left_to_people() -> None:
    slots = (Slot("a", True), Slot("b", True), Slot("c", False))
    made, left = left_of_slots(slots, (Slot("a", True),))
    assert made == ("a",)
    assert left == (
        "The physical slot b could not be made: raise max_replication_slots, then create it.",
        "Create the logical slot c (nobody reads it now) anew and synchronise its reader.",
    )


def test_a_prepared_transaction_is_read_from_its_state_file() -> None:
    assert parse_state_file(STATE_15, 15) == Prepared("we'ird: gid", 728, PREPARED_AT, "16384")


def test_before_15_the_header_counts_no_statistics() -> None:
    old = STATE_15[:40] + STATE_15[48:54] + STATE_15[54:72][:18] + STATE_15[72:]
    assert len(STATE_15) - len(old) == 8
    assert parse_state_file(old, 14) == Prepared("we'ird: gid", 728, PREPARED_AT, "16384")


@pytest.mark.parametrize("data", [b"", STATE_15[:60], STATE_15[:72], b"\1" * 100])
def test_a_state_file_that_is_none_gives_no_transaction(data: bytes) -> None:
    assert parse_state_file(data, 15) is None


def record(xid: int, lsn: str, words: str) -> str:
    return f"rmgr: Transaction len (rec/tot):    242/   242, tx:        {xid}, lsn: {lsn}, prev 0/1, desc: {words}"


BEGUN = record(728, "0/00000100", "PREPARE gid we'ird: gid: 2026-11-29 15:26:01.870909 UTC; subxacts: 729")
STOP = Stop(Lsn(0x200), inclusive=False)


@pytest.mark.parametrize(
    ("lines", "open_gids"),
    [
        ([BEGUN], ["we'ird: gid"]),
        ([BEGUN, record(0, "0/00000180", "COMMIT_PREPARED 728: 2026-11-29 15:26:02 UTC")], []),
        ([BEGUN, record(0, "0/00000180", "ABORT_PREPARED 728: 2026-11-29 15:26:02 UTC")], []),
        ([BEGUN, record(0, "0/00000200", "COMMIT_PREPARED 728: 2026-11-29 15:26:02 UTC")], ["we'ird: gid"]),
        ([record(728, "0/00000200", "PREPARE gid late: 2026-11-29 15:26:01 UTC")], []),
    ],
)
def test_what_is_open_at_the_stop(lines: list[str], open_gids: list[str]) -> None:
    assert [one.gid for one in open_at(STOP, [], lines)] == open_gids


def test_one_of_before_the_backup_is_open_unless_it_ended() -> None:
    old = Prepared("old", 700, PREPARED_AT, "16384")
    assert open_at(STOP, [old], [BEGUN])[0] == old
    assert open_at(STOP, [old], [record(0, "0/00000010", "ABORT_PREPARED 700: 2026-11-29 15:26:02 UTC")]) == ()


def test_an_inclusive_stop_keeps_the_record_that_stands_there() -> None:
    at = record(728, "0/00000200", "PREPARE gid a: 2026-11-29 15:26:01 UTC")
    assert [one.gid for one in open_at(replace(STOP, inclusive=True), [], [at])] == ["a"]


def test_the_database_is_told_by_the_relations_that_were_written() -> None:
    assert database_in(["blkref #0: rel 1664/0/1262 blk 0", "blkref #0: rel 1663/16384/16412 blk 0"]) == "16384"
    assert database_in(["desc: RUNNING_XACTS"]) == ""


@pytest.mark.parametrize(("text", "said"), [("a", "'a'"), ("it's", "'it''s'"), ("a\\'b", "E'a\\\\''b'")])
def test_a_text_as_a_literal(text: str, said: str) -> None:
    assert literal(text) == said


def test_sequences_that_were_used_since_go_back_and_new_ones_vanish() -> None:
    found = going_back("app", {"a": 101, "b": 7, "new": 3, "unused": None}, {"a": 100, "b": 7, "unused": None})
    assert found == (GoesBack("a", "app", 101, 100),)


DIFFERS = Changes(lines=("work_mem: 1MB (in the backup: 4MB)",))


@pytest.mark.parametrize(
    ("found", "left_out"),
    [
        (ConfigurationKept(Changes()), (WITH_BACKUPS,)),
        (ConfigurationKept(DIFFERS), ()),
        (ConfigurationKept(DIFFERS, broken="syntax error"), (CUT_OVER,)),
        (ConfigurationKept(DIFFERS, broken_backup="syntax error"), (WITH_BACKUPS,)),
        (ConfigurationKept(DIFFERS, broken="a", broken_backup="b"), (WITH_BACKUPS,)),
    ],
)
def test_only_ways_to_cut_over_that_differ_and_can_start_are_offered(
    found: ConfigurationKept, left_out: tuple[str, ...]
) -> None:
    assert senseless_cut_overs(found, PreparedOpen(False), Answer(LEAVE, "")) == left_out


@pytest.mark.parametrize(
    ("settling", "room", "room_backup", "left_out"),
    [
        (LEAVE, 10, 0, (WITH_BACKUPS,)),
        (LEAVE, 0, 10, (CUT_OVER,)),
        (COMMIT, 10, 0, ()),
        (LEAVE, 10, 10, ()),
        (LEAVE, None, None, ()),
    ],
)
def test_a_configuration_without_room_for_what_is_left_open_cannot_be_chosen(
    settling: str, room: int | None, room_backup: int | None, left_out: tuple[str, ...]
) -> None:
    found = ConfigurationKept(DIFFERS, prepared=room, prepared_backup=room_backup)
    left = PreparedOpen(True, (Prepared("a", 1), Prepared("b", 2)), room)
    assert senseless_cut_overs(found, left, Answer(settling, "U1")) == left_out


@pytest.mark.parametrize(("room", "left_out"), [(0, (LEAVE,)), (1, (LEAVE,)), (2, ()), (None, ())])
def test_what_the_server_has_no_room_for_cannot_be_left_open(room: int | None, left_out: tuple[str, ...]) -> None:
    assert no_room(PreparedOpen(True, (Prepared("a", 1), Prepared("b", 2)), room)) == left_out
