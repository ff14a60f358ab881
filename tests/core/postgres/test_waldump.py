"""Reading pg_waldump: where to stop, and what would be lost. The story in tests/data was recorded on PostgreSQL 15."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.clock.when import Target
from actions.postgres.lost_rows import Losses, RowCounts, losses, parse_losses
from actions.postgres.lost_rows_awk import losses_argv
from actions.postgres.lsn import Lsn, end_of_record, format_lsn, parse_lsn
from actions.postgres.stops import Stop, find_stop, is_proof
from actions.postgres.unreachable import Unreachable
from actions.postgres.waldump import TransactionEnd, transaction_ends
from tests.support.paths import DATA

STORY = (DATA / "waldump15.txt").read_text().splitlines()
ENDS = tuple(transaction_ends(STORY))
WITH_PREPARES = tuple(transaction_ends(STORY, prepares=True))
FLOOR = parse_lsn("0/3000000")
MESSAGES, SCRATCH, CHANNELS = "1663/16384/16412", "1663/16384/16431", "1663/16384/16404"
AWKS = [command for command in (["mawk"], ["busybox", "awk"], ["gawk"], ["awk"]) if shutil.which(command[0])]

# Written after the source of rmgrdesc in PostgreSQL 16, which names its fields differently.
NEWER = (DATA / "waldump16.txt").read_text().splitlines()


def at(end: TransactionEnd, microseconds: int = 0) -> Target:
    return Target("time", "", at=end.at + timedelta(microseconds=microseconds))


def stop_for(target: Target, *, whole: bool = True, ends: tuple[TransactionEnd, ...] = ENDS) -> Stop:
    return find_stop(iter(ends), target, floor=FLOOR, whole=whole)


def ended(xid: int) -> TransactionEnd:
    return next(end for end in ENDS if end.xid == xid)


def test_every_end_of_a_transaction_is_read() -> None:
    assert [(end.kind, end.xid) for end in ENDS] == [
        ("COMMIT", 735),
        ("ABORT", 736),
        ("ABORT", 739),
        ("COMMIT", 737),
        ("COMMIT_PREPARED", 740),
        ("ABORT_PREPARED", 741),
        ("COMMIT", 742),
        ("COMMIT", 743),
        ("COMMIT", 744),
        ("COMMIT", 745),
        ("COMMIT", 746),
        ("COMMIT", 747),
        ("COMMIT", 748),
        ("COMMIT", 749),
    ]
    assert ended(737).subxacts == (738,)
    assert (ended(748).files, ended(748).dropped) == (("base/16384/16431",), ())
    assert ended(749).dropped == ("2/16384/16434",)
    assert (format_lsn(ENDS[0].lsn), ENDS[0].at) == (
        "0/30052B0",
        datetime(2026, 11, 22, 15, 52, 18, 473625, tzinfo=UTC),
    )


def test_a_dump_in_another_zone_is_refused() -> None:
    line = next(line for line in STORY if "COMMIT" in line).replace(" UTC", " CET")
    with pytest.raises(ValueError, match="TZ=UTC"):
        list(transaction_ends([line]))


def test_a_time_stops_after_the_last_commit_before_the_first_end_that_is_later() -> None:
    stop = stop_for(at(ended(735)))
    assert (stop.lsn, stop.inclusive) == (ended(735).lsn, True)
    assert (stop.last_commit_xid, stop.next_commit_xid) == (735, 737)


def test_a_rollback_at_the_end_is_not_replayed() -> None:
    stop = stop_for(at(ended(739)))
    assert (stop.lsn, stop.last_commit_xid, stop.last_end_at) == (ended(735).lsn, 735, None)


def test_a_prepared_transaction_is_kept_and_sets_no_time() -> None:
    prepared = next(end for end in WITH_PREPARES if end.prepared and end.xid == 741)
    stop = stop_for(at(prepared), ends=WITH_PREPARES)
    assert (stop.lsn, stop.inclusive, stop.last_commit_xid) == (prepared.lsn, True, 737)
    assert stop.last_end_at == ended(737).at
    assert stop_for(at(ended(740)), ends=WITH_PREPARES).last_end_at == ended(737).at


def test_the_prepare_of_the_transaction_that_is_to_go_is_not_replayed_for_its_own_sake() -> None:
    alone = tuple(end for end in WITH_PREPARES if end.xid != 741)
    assert stop_for(Target("xid", "", xid=740), ends=alone).lsn == ended(737).lsn


def test_the_name_of_a_prepared_transaction_may_look_like_anything() -> None:
    line = next(line for line in STORY if "PREPARE gid p1" in line)
    odd = line.replace("gid p1", "gid a: 2020-01-01 00:00:00.000000 CET; x, y")
    assert list(transaction_ends([odd], prepares=True)) == list(transaction_ends([line], prepares=True))


@pytest.mark.parametrize(
    ("lsn", "size", "end"),
    [
        (0x3005000, 34, 0x3005028),
        (0x3005FD8, 40, 0x3006000),  # It fills its page to the last byte.
        (0x3005FE0, 34, 0x3006020),  # Eight bytes go on behind the next page's header.
        (0x3FFFFE0, 34, 0x4000030),  # The first page of a segment has a longer one.
        (0x3005FE0, 20000, 0x300AE48),
    ],
)
def test_the_end_of_a_record_counts_the_headers_of_the_pages_that_it_goes_on_to(lsn: int, size: int, end: int) -> None:
    assert format_lsn(end_of_record(lsn, size, 16 << 20)) == format_lsn(end)


def test_a_transaction_at_the_very_moment_is_kept() -> None:
    assert stop_for(at(ended(746))).last_commit_xid == 746
    assert stop_for(at(ended(746), -1)).last_commit_xid == 745


def test_with_no_later_commit_it_stops_after_the_last_one() -> None:
    stop = stop_for(at(ended(749), 10_000_000))
    assert (stop.lsn, stop.inclusive, stop.next_commit_xid) == (ended(749).lsn, True, None)


def test_an_earlier_timestamp_behind_a_later_one_changes_nothing() -> None:
    late, early = ended(743), ended(744)._replace(at=ended(742).at)
    stop = stop_for(at(ended(742)), ends=(ended(742), late, early))
    assert (stop.lsn, stop.inclusive, stop.next_commit_xid) == (ended(742).lsn, True, late.xid)


def test_an_idle_database_stops_at_the_end_of_its_backup() -> None:
    stop = stop_for(at(ended(749)), ends=())
    assert (stop.lsn, stop.inclusive, stop.last_commit_at) == (FLOOR, False, None)


def test_what_lies_before_the_end_of_the_backup_is_not_a_stop() -> None:
    stop = find_stop(iter(ENDS), at(ended(735)), floor=ended(746).lsn)
    assert (stop.lsn, stop.inclusive, stop.last_commit_xid) == (ended(746).lsn, False, None)


def test_wal_that_ends_at_a_gap_proves_nothing_about_later_times() -> None:
    with pytest.raises(Unreachable, match="gap") as caught:
        stop_for(at(ended(749), 1), whole=False)
    assert caught.value.nearest == ended(749).at
    assert stop_for(at(ended(746)), whole=False).last_commit_xid == 746


def test_up_to_a_position_wal_needs_no_later_commit_though_it_ends_at_a_gap() -> None:
    behind = Target("lsn", "", lsn=format_lsn(ended(749).lsn + 8))
    assert stop_for(behind, whole=False) == stop_for(behind)
    assert stop_for(behind, whole=False).last_commit_xid == 749


def test_before_a_transaction_is_after_the_commit_before_it() -> None:
    assert stop_for(Target("xid", "", xid=746)).lsn == ended(745).lsn
    assert stop_for(Target("xid", "", xid=746)).next_commit_xid == 746
    assert stop_for(Target("xid", "", xid=740)).lsn == ended(737).lsn


def test_a_sub_transaction_leads_to_its_parent() -> None:
    assert stop_for(Target("xid", "", xid=738)).next_commit_xid == 737


def test_a_sixty_four_bit_transaction_number_is_understood() -> None:
    assert stop_for(Target("xid", "", xid=2**32 + 746)).next_commit_xid == 746


@pytest.mark.parametrize(
    ("xid", "why"), [(736, "rolled back"), (739, "rolled back"), (741, "rolled back"), (9999, "did not end")]
)
def test_a_transaction_that_cannot_be_the_culprit_is_refused(xid: int, why: str) -> None:
    with pytest.raises(Unreachable, match=why) as caught:
        stop_for(Target("xid", "", xid=xid))
    assert caught.value.hint


def test_before_a_position_is_after_the_last_commit_before_it() -> None:
    stop = stop_for(Target("lsn", "", lsn="0/30081B0"))
    assert (stop.lsn, stop.inclusive, stop.last_commit_xid, stop.next_commit_xid) == (ended(745).lsn, True, 745, 746)


def test_a_position_inside_the_backup_is_refused() -> None:
    with pytest.raises(Unreachable, match="before the end of the base backup"):
        stop_for(Target("lsn", "", lsn="0/1"))
    stop = stop_for(Target("lsn", "", lsn=format_lsn(FLOOR)))
    assert (stop.lsn, stop.inclusive) == (FLOOR, False)


def test_latest_is_after_the_last_commit() -> None:
    assert stop_for(Target("latest", "")) == stop_for(at(ended(749), 1))


def test_only_the_very_place_is_proof() -> None:
    stop = stop_for(Target("xid", "", xid=745))
    # The server does not count the record that it stops after among the replayed ones.
    assert stop.end is not None
    assert is_proof(stop, stop.end, ended(743).at)
    for place in (stop.lsn, stop.end - 8, stop.end + 8):
        assert not is_proof(stop, place, ended(743).at)
    assert not is_proof(stop, stop.end, ended(744).at)
    idle = stop_for(Target("latest", ""), ends=())
    assert is_proof(idle, idle.lsn, None)
    assert is_proof(idle, idle.lsn - 24, None)
    assert not is_proof(idle, idle.lsn - 48, None)
    assert not is_proof(idle, idle.lsn + 8, None)


def rows(found: Losses) -> dict[str, tuple[int, int, int]]:
    return {row.relation: (row.inserted, row.updated, row.deleted) for row in found.rows}


def test_lost_rows_are_those_of_committed_transactions_after_the_stop() -> None:
    found = losses(STORY, Stop(Lsn(0), False))
    # Kept: 735, 737 with its kept savepoint, the prepared 740, and three rows of COPY; the rolled back are not.
    assert rows(found)[MESSAGES] == (1 + 2 + 1 + 3, 1, 4)
    assert rows(found)[SCRATCH] == (10, 0, 0)
    assert found.commits == 11
    assert found.removed_files == ("base/16384/16431", "base/16384/16434")


def test_what_the_stop_keeps_is_not_lost() -> None:
    found = losses(STORY, stop_for(Target("xid", "", xid=746)))
    assert rows(found)[MESSAGES] == (0, 0, 4)
    assert rows(found)[CHANNELS] == (0, 0, 1)
    assert (found.commits, found.first_at) == (4, ended(746).at)


def test_an_inclusive_stop_keeps_its_own_transaction() -> None:
    assert losses(STORY, Stop(ended(746).lsn, True)).commits == 3


def test_the_catalogue_can_be_told_from_peoples_data() -> None:
    assert RowCounts("1663/16384/16412", 1, 0, 0).user_data
    assert not RowCounts("1663/16384/1259", 1, 0, 0).user_data


def test_the_words_of_newer_servers_count_alike() -> None:
    assert rows(losses(NEWER, Stop(Lsn(0), False))) == {MESSAGES: (16, 1, 1)}


def count_with(awk: list[str], lines: list[str], stop: Stop) -> Losses:
    command = [*awk, *losses_argv(stop)[1:]]
    done = subprocess.run(
        command,
        input="\n".join(lines) + "\n",
        capture_output=True,
        text=True,
        check=True,
        env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
    )
    return parse_losses(done.stdout)


@pytest.mark.parametrize("awk", AWKS, ids=" ".join)
def test_the_awk_program_counts_what_the_python_one_counts(awk: list[str]) -> None:
    for stop in [
        Stop(Lsn(0), False),
        Stop(Lsn(2**40), False),
        *(Stop(end.lsn, kept) for end in ENDS for kept in (True, False)),
    ][::5]:
        assert count_with(awk, STORY + NEWER, stop) == losses(STORY + NEWER, stop)


def test_a_count_that_was_cut_off_is_refused() -> None:
    with pytest.raises(ValueError, match="ended early"):
        parse_losses("commits\t3\nrel\t1663/1/2\t1\t2\t3\n")


STARTS = st.lists(st.tuples(st.integers(1, 10**6), st.booleans()), max_size=30)


@settings(max_examples=60)
@given(STARTS, st.integers(0, 10**6))
def test_a_stop_keeps_every_commit_before_it_and_none_after(moves: list[tuple[int, bool]], wanted: int) -> None:
    zero = datetime(2026, 1, 1, tzinfo=UTC)
    ends = tuple(
        TransactionEnd(
            "COMMIT" if committed else "ABORT", number, Lsn(FLOOR + 8 * number), zero + timedelta(microseconds=moment)
        )
        for number, (moment, committed) in enumerate(moves, 1)
    )
    target = Target("time", "", at=zero + timedelta(microseconds=wanted))
    stop = stop_for(target, ends=ends)
    kept = [end for end in ends if stop.keeps(end.lsn) and end.committed]
    assert all(end.at <= zero + timedelta(microseconds=wanted) for end in kept)
    assert stop.last_commit_lsn == (kept[-1].lsn if kept else None)
    assert stop.next_commit_at is None or not stop.keeps(stop.next_commit_lsn or 0)
