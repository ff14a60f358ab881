"""Reading pg_waldump: where to stop, and what would be lost. The story in tests/data was recorded on PostgreSQL 15."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.postgres.losses import Losses, RowCounts, losses, parse_losses
from actions.postgres.losses_awk import losses_argv
from actions.postgres.lsn import Lsn, format_lsn, parse_lsn
from actions.postgres.stops import Stop, find_stop, is_proof
from actions.postgres.unreachable import Unreachable
from actions.postgres.waldump import TransactionEnd, transaction_ends
from actions.postgres.when import Target

STORY = (Path(__file__).parent / "data" / "waldump15.txt").read_text().splitlines()
ENDS = tuple(transaction_ends(STORY))
FLOOR = parse_lsn("0/3000000")
MESSAGES, SCRATCH, CHANNELS = "1663/16384/16412", "1663/16384/16431", "1663/16384/16404"
AWKS = [command for command in (["mawk"], ["busybox", "awk"], ["gawk"], ["awk"]) if shutil.which(command[0])]

# Written after the source of rmgrdesc in PostgreSQL 16, which names its fields differently.
NEWER = (Path(__file__).parent / "data" / "waldump16.txt").read_text().splitlines()


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


def test_a_time_stops_before_the_first_commit_or_abort_that_is_later() -> None:
    stop = stop_for(at(ended(735)))
    assert (stop.lsn, stop.inclusive) == (ended(736).lsn, False)
    assert (stop.last_commit_xid, stop.next_commit_xid) == (735, 737)


def test_a_transaction_at_the_very_moment_is_kept() -> None:
    assert stop_for(at(ended(746))).last_commit_xid == 746
    assert stop_for(at(ended(746), -1)).last_commit_xid == 745


def test_with_no_later_commit_it_stops_after_the_last_one() -> None:
    stop = stop_for(at(ended(749), 10_000_000))
    assert (stop.lsn, stop.inclusive, stop.next_commit_xid) == (ended(749).lsn, True, None)


def test_an_earlier_timestamp_behind_a_later_one_changes_nothing() -> None:
    late, early = ended(743), ended(744)._replace(at=ended(742).at)
    stop = stop_for(at(ended(742)), ends=(ended(742), late, early))
    assert (stop.lsn, stop.inclusive) == (late.lsn, False)


def test_an_idle_database_stops_at_the_end_of_its_backup() -> None:
    stop = stop_for(at(ended(749)), ends=())
    assert (stop.lsn, stop.inclusive, stop.last_commit_at) == (FLOOR, False, None)


def test_what_lies_before_the_end_of_the_backup_is_not_a_stop() -> None:
    stop = find_stop(iter(ENDS), at(ended(735)), floor=ended(746).lsn)
    assert (stop.lsn, stop.last_commit_xid) == (ended(746).lsn, None)


def test_wal_that_ends_at_a_gap_proves_nothing_about_later_times() -> None:
    with pytest.raises(Unreachable, match="gap") as caught:
        stop_for(at(ended(749), 1), whole=False)
    assert caught.value.nearest == ended(749).at
    assert stop_for(at(ended(746)), whole=False).last_commit_xid == 746


def test_a_transaction_is_stopped_before_its_commit() -> None:
    assert stop_for(Target("xid", "", xid=746)).lsn == ended(746).lsn
    assert stop_for(Target("xid", "", xid=746)).last_commit_xid == 745
    assert stop_for(Target("xid", "", xid=740)).lsn == ended(740).lsn


def test_a_sub_transaction_leads_to_its_parent() -> None:
    assert stop_for(Target("xid", "", xid=738)).lsn == ended(737).lsn


def test_a_sixty_four_bit_transaction_number_is_understood() -> None:
    assert stop_for(Target("xid", "", xid=2**32 + 746)).lsn == ended(746).lsn


@pytest.mark.parametrize(
    ("xid", "why"), [(736, "rolled back"), (739, "rolled back"), (741, "rolled back"), (9999, "did not end")]
)
def test_a_transaction_that_cannot_be_the_culprit_is_refused(xid: int, why: str) -> None:
    with pytest.raises(Unreachable, match=why) as caught:
        stop_for(Target("xid", "", xid=xid))
    assert caught.value.hint


def test_a_position_is_taken_as_it_is() -> None:
    stop = stop_for(Target("lsn", "", lsn="0/30081B0"))
    assert (format_lsn(stop.lsn), stop.inclusive, stop.last_commit_xid, stop.next_commit_xid) == (
        "0/30081B0",
        False,
        745,
        746,
    )


def test_a_position_inside_the_backup_is_refused() -> None:
    with pytest.raises(Unreachable, match="before the end of the base backup"):
        stop_for(Target("lsn", "", lsn="0/1"))


def test_latest_is_after_the_last_commit() -> None:
    assert stop_for(Target("latest", "")) == stop_for(at(ended(749), 1))


def test_only_the_very_place_is_proof() -> None:
    stop = stop_for(Target("xid", "", xid=737))
    assert is_proof(stop, stop.lsn, ended(739).at)
    assert is_proof(stop, stop.lsn - 24, ended(739).at)
    assert not is_proof(stop, stop.lsn - 48, ended(739).at)
    assert not is_proof(stop, stop.lsn + 8, ended(739).at)
    assert not is_proof(stop, stop.lsn, ended(735).at)
    latest = stop_for(Target("latest", ""))
    # The server does not count the record that it stops after among the replayed ones.
    assert is_proof(latest, latest.lsn + 48, ended(748).at)
    assert not is_proof(latest, latest.lsn, ended(748).at)
    assert not is_proof(latest, latest.lsn + 48, ended(747).at)


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
