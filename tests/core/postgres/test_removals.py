"""What removals look like in the WAL. The lines were recorded on PostgreSQL 15; those of 16 follow its rmgrdesc."""

from __future__ import annotations

import re

import pytest

from actions.postgres.lsn import Lsn, parse_lsn
from actions.postgres.removals import REMOVAL_LINES, Removal, removals
from actions.postgres.running import Running

BEFORE = (
    "rmgr: Transaction len (rec/tot):     34/    34, tx:        735, lsn: 0/04002518, prev 0/040024D8, "
    "desc: COMMIT 2026-11-29 15:46:56.438859 UTC"
)
MARK = (
    "rmgr: Heap        len (rec/tot):     53/   985, tx:          0, lsn: 0/04002540, prev 0/04002518, "
    "desc: INPLACE off 7, blkref #0: rel 1664/0/1262 blk 0 FPW"
)
DELETE = (
    "rmgr: Heap        len (rec/tot):     54/    54, tx:        736, lsn: 0/04002920, prev 0/04002540, "
    "desc: DELETE off 7 flags 0x00 KEYS_UPDATED , blkref #0: rel 1664/0/1262 blk 0"
)
OTHER = (
    "rmgr: Transaction len (rec/tot):     34/    34, tx:        737, lsn: 0/04002990, prev 0/04002940, "
    "desc: COMMIT 2026-11-29 15:46:57.000000 UTC"
)
DROP = (
    "rmgr: Database    len (rec/tot):     38/    38, tx:        736, lsn: 0/04002A08, prev 0/04002990, "
    "desc: DROP dir 1663/16394"
)
COMMIT = (
    "rmgr: Transaction len (rec/tot):     98/    98, tx:        736, lsn: 0/04002A30, prev 0/04002A08, "
    "desc: COMMIT 2026-11-29 15:46:57.529432 UTC; dropped stats: 1/16394/0; inval msgs: catcache 21; sync"
)
MARK_16 = MARK.replace("off 7,", "off: 7,")
DELETE_16 = DELETE.replace(
    "off 7 flags 0x00 KEYS_UPDATED ,", "xmax: 736, off: 7, infobits: [KEYS_UPDATED], flags: 0x00,"
)
ROLLED_BACK = COMMIT.replace("COMMIT", "ABORT")
STARTED = (
    "rmgr: XLOG        len (rec/tot):    114/   114, tx:          0, lsn: 0/04002A80, prev 0/04002A08, "
    "desc: CHECKPOINT_SHUTDOWN redo 0/4002A80; tli 1; prev tli 1; fpw true; xid 0:740; oid 24577"
)
TABLESPACE = (
    "rmgr: Tablespace  len (rec/tot):     30/    30, tx:        733, lsn: 0/0246A990, prev 0/0246A810, desc: DROP 16398"
)


def at(text: str) -> int:
    return parse_lsn(text)


@pytest.mark.parametrize("lines", [(MARK, DELETE), (MARK_16, DELETE_16)])
def test_a_drop_harms_from_its_mark_to_its_commit(lines: tuple[str, str]) -> None:
    (found,) = removals([BEFORE, *lines, OTHER, DROP, COMMIT])
    assert (found.xid, found.what, found.oid, found.first) == (736, "database", 16394, at("0/4002540"))
    assert not found.harms(at("0/4002540"))
    assert found.harms(at("0/4002998"))
    assert found.harms(at("0/4002A30"))
    assert not found.harms(at("0/4002A98"))


def test_a_drop_is_seen_before_its_checkpoint_is_over() -> None:
    (found,) = removals([BEFORE, MARK, DELETE, OTHER])
    assert found == Removal(736, "database", found.first, certain=True)
    assert found.harms(at("0/4002998"))


def test_without_a_mark_the_removal_of_the_files_is_what_harms() -> None:
    (found,) = removals([BEFORE, DELETE, OTHER, DROP, COMMIT], since=at("0/4000000"))
    assert (found.first, found.certain) == (at("0/4002A08"), True)


def test_a_mark_may_lie_before_what_was_read() -> None:
    (found,) = removals([OTHER, DROP, COMMIT], since=at("0/4000000"))
    assert not found.certain
    (found,) = removals([DELETE, OTHER, DROP, COMMIT], since=at("0/4002990"))
    assert not found.certain


def test_an_update_in_place_of_long_before_is_no_mark_of_the_drop() -> None:
    later = OTHER.replace("15:46:57", "16:46:57").replace("0/04002990", "0/04002600")
    (found,) = removals([BEFORE, MARK, later, DELETE, DROP, COMMIT])
    assert found.first == at("0/4002A08")


def test_the_mark_may_be_the_first_that_was_read_and_a_commit_follow_it() -> None:
    early = OTHER.replace("0/04002990", "0/04002910")
    (found,) = removals([MARK, early, DELETE, DROP, COMMIT])
    assert (found.first, found.certain) == (at("0/4002540"), True)


def test_a_record_that_names_no_directory_removes_none() -> None:
    nowhere = DROP.replace("DROP dir 1663/16394", "DROP dir")
    assert removals([BEFORE, nowhere]) == ()
    assert removals([BEFORE, MARK, DELETE, nowhere, DROP]) == removals([BEFORE, MARK, DELETE, DROP])


def test_an_update_in_place_alone_is_none() -> None:
    assert removals([BEFORE, MARK, OTHER]) == ()
    elsewhere = DELETE.replace("off 7", "off 8")
    assert removals([BEFORE, MARK, elsewhere, OTHER]) == ()


def test_a_create_that_failed_removes_what_it_made_itself() -> None:
    made = DROP.replace("DROP dir", "CREATE_FILE_COPY copy dir 1663/1 to").replace("0/04002A08", "0/04002600")
    assert removals([BEFORE, made, DROP, ROLLED_BACK]) == ()


def test_moving_a_database_to_another_tablespace_removes_after_its_commit() -> None:
    assert removals([BEFORE, DROP.replace("tx:        736", "tx:          0")]) == ()


def test_a_drop_that_was_given_up_is_left_half_way() -> None:
    for end in (ROLLED_BACK, STARTED):
        (found,) = removals([BEFORE, MARK, DELETE, DROP, end])
        assert found.left(at("0/4003000"))
        assert not found.harms(at("0/4003000"))
        assert found.harms(at("0/4002A10"))


def test_a_tablespace_has_no_mark() -> None:
    (found,) = removals([TABLESPACE])
    assert (found.what, found.oid, found.certain) == ("tablespace", 16398, True)
    assert found.harms(at("0/246A9B0"))


def test_of_rows_only_those_of_shared_relations_are_printed() -> None:
    kept = [BEFORE, MARK, DELETE, DROP, STARTED, TABLESPACE, MARK_16, DELETE_16]
    assert all(re.search(REMOVAL_LINES, line) for line in kept)
    rows = [DELETE.replace("1664/0/1262", "1663/16384/16412"), MARK.replace("1664/0/1262", "1663/16384/1259")]
    assert not any(re.search(REMOVAL_LINES, line) for line in rows)


RUNNING = (
    "rmgr: Standby     len (rec/tot):     {n}/    {n}, tx:          0, lsn: {lsn}, prev 0/04002A08, "
    "desc: RUNNING_XACTS nextXid 740 latestCompletedXid 735 oldestRunningXid 736{listed}"
)
CHECKPOINT = (
    "rmgr: XLOG        len (rec/tot):    114/   114, tx:          0, lsn: {lsn}, prev 0/04002A08, "
    "desc: CHECKPOINT_ONLINE redo {redo}; tli 1; prev tli 1; fpw true; xid 0:740; oid 24577"
)


def running(lines: list[str], through: str = "0/5000000") -> Running:
    found = Running(parse_lsn(through))
    assert list(found.watch(lines)) == lines
    return found


def standby(lsn: str, listed: str) -> str:
    return RUNNING.format(n=54, lsn=lsn, listed=listed)


@pytest.mark.parametrize(
    ("lines", "xids"),
    [
        ([BEFORE], None),
        ([standby("0/4002700", "")], set()),
        ([standby("0/4002700", "; 2 xacts: 736 737")], {736, 737}),
        ([standby("0/4002700", "; 2 xacts: 736 737; 1 subxacts: 738")], {736, 737}),
        ([standby("0/4002700", "; 2 xacts: 736 737; subxid ovf"), OTHER], {736}),
        # It had committed, and was listed all the same.
        ([OTHER, standby("0/4002A00", "; 2 xacts: 736 737")], {736}),
        # The server began anew: nothing of before runs.
        ([standby("0/4002700", "; 1 xacts: 736"), STARTED], set()),
        # Of what lies behind the stop nothing counts.
        ([standby("0/4002700", "; 1 xacts: 736"), standby("0/5000000", "")], {736}),
    ],
)
def test_what_ran_at_a_stop(lines: list[str], xids: set[int] | None) -> None:
    assert running(lines).xids == xids


def test_wal_is_read_back_to_the_third_checkpoint_for_a_drop_that_may_have_begun_there() -> None:
    listed = standby("0/4002700", "; 1 xacts: 736")
    assert running([standby("0/4002700", "")]).covered(at("0/4000000"), ())
    assert not running([BEFORE]).covered(at("0/4000000"), ())
    assert not running([listed]).covered(at("0/4000000"), ())
    assert running([listed]).covered(at("0/4000000"), (736,))
    redos = [CHECKPOINT.format(lsn=f"0/400280{n}", redo=f"0/{n}000000") for n in (1, 2, 3)]
    assert not running([listed, *redos]).covered(at("0/1000001"), ())
    assert running([listed, *redos]).covered(at("0/1000000"), ())
    assert not running([listed, *redos[1:]]).covered(at("0/1000000"), ())


def test_what_a_running_server_writes_meanwhile_ends_no_drop() -> None:
    switch = STARTED.replace("CHECKPOINT_SHUTDOWN redo 0/4002A80; tli 1; prev tli 1", "SWITCH")
    others = [switch.replace("SWITCH", verb) for verb in ("SWITCH", "FPI", "NEXTOID", "RESTORE_POINT", "BACKUP_END")]
    (found,) = removals([BEFORE, MARK, DELETE, CHECKPOINT.format(lsn="0/4002950", redo="0/4002930"), *others])
    assert found.over is None
    (found,) = removals([BEFORE, MARK, DELETE, STARTED])
    assert found.over == at("0/4002A80")


@pytest.mark.parametrize(("when", "its_own"), [("15:47:56.438858", True), ("15:47:56.438859", False)])
def test_the_mark_belongs_to_a_row_that_is_deleted_within_a_minute(when: str, its_own: bool) -> None:
    later = OTHER.replace("04002990", "04002910").replace("15:46:57.000000", when)
    (found,) = removals([BEFORE, MARK, later, DELETE, DROP], at("0/4000000"))
    assert (found.first == at("0/4002540")) is its_own
    assert found.certain


@pytest.mark.parametrize(
    ("over", "committed", "left"), [(None, False, False), (99, False, True), (99, True, False), (100, False, False)]
)
def test_a_drop_is_left_half_way_where_it_was_given_up_before_the_stop(
    over: int | None, committed: bool, left: bool
) -> None:
    found = Removal(7, "database", Lsn(10), True, 5, None if over is None else Lsn(over), committed)
    assert found.left(100) is left
