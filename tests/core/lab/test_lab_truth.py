"""The truth follows the branch of history that a database is on."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from actions.engine.errors import RecoveryError
from lab.home import Lab
from lab.notes import Note, append, read
from lab.timelines import branch, lsn_number, read_timelines
from lab.truth import Figures, acknowledged_at, truth_at

NOON = datetime(2026, 2, 9, 12, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def message(
    ident: int, seconds: float, lsn: str, *, channel: str = "general", timeline: int = 1, exact: bool = True
) -> Note:
    return Note(
        kind="message",
        id=ident,
        channel=channel,
        commit_time=at(seconds).isoformat(),
        lsn=lsn,
        timeline=timeline,
        exact=exact,
        body_md5=f"{ident}-{timeline}",
    )


def loss(channel: str, seconds: float, lsn: str) -> Note:
    return Note(kind="loss", channel=channel, commit_time=at(seconds).isoformat(), lsn=lsn, timeline=1, exact=True)


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    made = Lab(tmp_path)
    made.wal_archive.mkdir(parents=True)
    return made


def fork(lab: Lab, number: int, text: str, seconds: float) -> None:
    file = lab.wal_archive / f"{number:08X}.history"
    file.write_text(text)
    os.utime(file, (at(seconds).timestamp(),) * 2)


def test_a_message_counts_from_the_very_moment_of_its_commit(lab: Lab) -> None:
    append(lab.truth_file, message(1, 10, "0/100"), message(2, 20, "0/200"))

    assert acknowledged_at(lab, at(19.999999)).keys() == {1}
    assert acknowledged_at(lab, at(20)).keys() == {1, 2}


def test_a_deleted_channel_takes_its_messages_along_from_its_deletion_on(lab: Lab) -> None:
    append(
        lab.truth_file,
        message(1, 10, "0/100"),
        message(2, 11, "0/110", channel="launch"),
        loss("general", 20, "0/200"),
        message(3, 30, "0/300", channel="launch"),
    )

    assert acknowledged_at(lab, at(15)).keys() == {1, 2}
    assert acknowledged_at(lab, at(40)).keys() == {2, 3}


def test_after_a_recovery_the_loss_is_undone_and_the_abandoned_messages_are_gone(lab: Lab) -> None:
    append(
        lab.truth_file,
        message(1, 10, "0/100"),
        loss("general", 20, "0/200"),
        message(2, 25, "0/250", channel="launch"),
        message(2, 60, "0/2A0", timeline=2),
    )
    fork(lab, 2, "1\t0/180\tbefore LSN 0/200\n", 50)

    assert acknowledged_at(lab, at(70)) == {1: "1-1", 2: "2-2"}
    assert acknowledged_at(lab, at(52)) == {1: "1-1"}
    assert acknowledged_at(lab, at(30)) == {2: "2-1"}


def test_a_third_branch_that_leaves_the_first_knows_nothing_of_the_second(lab: Lab) -> None:
    append(
        lab.truth_file,
        message(1, 10, "0/100"),
        message(2, 30, "0/250"),
        message(5, 60, "0/2A0", timeline=2),
        message(6, 90, "0/300", timeline=3),
    )
    fork(lab, 2, "1\t0/180\tbefore LSN\n", 50)
    fork(lab, 3, "# a comment\n\n1\t0/250\tafter LSN\n", 80)

    assert acknowledged_at(lab, at(100)).keys() == {1, 2, 6}
    assert acknowledged_at(lab, at(70)).keys() == {1, 5}
    assert acknowledged_at(lab, at(100), timeline=1).keys() == {1, 2}


def test_a_branch_that_was_undone_leaves_the_one_before_it_to_be_written_on(lab: Lab) -> None:
    append(
        lab.truth_file,
        message(1, 10, "0/100"),
        message(2, 40, "0/200"),
        message(3, 60, "0/210"),
    )
    fork(lab, 2, "1\t0/180\tbefore LSN\n", 50)

    assert acknowledged_at(lab, at(55)).keys() == {1}
    assert acknowledged_at(lab, at(70)).keys() == {1, 2, 3}


def test_a_commit_whose_answer_came_from_the_next_branch_does_not_tell_which_one_is_written(lab: Lab) -> None:
    append(
        lab.truth_file,
        message(1, 10, "0/100"),
        message(2, 30, "0/170", timeline=2, exact=False),
        message(3, 35, "0/190", timeline=1),
    )
    fork(lab, 2, "1\t0/180\tbefore LSN\n", 50)

    assert acknowledged_at(lab, at(32)).keys() == {1}
    assert acknowledged_at(lab, at(60)).keys() == {1, 2}


def test_a_commit_known_only_roughly_counts_when_its_time_lies_before_the_fork(lab: Lab) -> None:
    append(
        lab.truth_file,
        message(1, 10, "0/100"),
        message(2, 9, "0/190", exact=False),
        message(3, 12, "0/1A0", exact=False),
    )
    fork(lab, 2, "1\t0/180\tbefore LSN\n", 50)

    assert acknowledged_at(lab, at(60)).keys() == {1, 2}


def test_a_branch_without_a_history_is_an_error_that_names_the_file(lab: Lab) -> None:
    append(lab.truth_file, message(1, 10, "0/100", timeline=3))

    with pytest.raises(RecoveryError) as refusal:
        truth_at(lab, at(20))

    assert "00000003.history" in refusal.value.detail


def test_a_line_cut_off_by_a_crash_was_never_counted(lab: Lab) -> None:
    append(lab.truth_file, message(1, 10, "0/100"))
    with lab.truth_file.open("a") as file:
        file.write('{"kind": "mess')

    assert [note["lsn"] for note in read(lab.truth_file)] == ["0/100"]


def test_a_line_that_is_just_being_written_is_never_taken_for_two(lab: Lab) -> None:
    line = json.dumps(message(1, 10, "0/100")) + "\n"
    many = 500

    def write() -> None:
        with lab.truth_file.open("a", buffering=1) as file:
            for half in (line[:20], line[20:]) * many:
                file.write(half)
                file.flush()

    writing = threading.Thread(target=write)
    writing.start()
    seen = [0]
    while writing.is_alive():
        seen.append(len(list(read(lab.truth_file))))
    writing.join()
    assert sorted(seen) == seen
    assert len(list(read(lab.truth_file))) == many


def test_equal_messages_have_equal_figures_in_whatever_order_they_come() -> None:
    figures = Figures.of({2: "b", 1: "a"})

    assert figures == Figures.of({1: "a", 2: "b"})
    assert figures == Figures(2, 2, hashlib.md5(b"1:a,2:b").hexdigest())
    assert figures.checksum != Figures.of({1: "b", 2: "a"}).checksum


def test_no_messages_have_no_last_id() -> None:
    assert Figures.of({}).last_id is None


def test_a_place_in_the_wal_counts_its_upper_half() -> None:
    assert lsn_number("1/0") == 1 << 32
    assert lsn_number("0/FFFFFFFF") + 1 == lsn_number("1/0")


def test_other_files_of_the_archive_are_not_taken_for_histories(lab: Lab) -> None:
    (lab.wal_archive / "000000010000000000000001").write_text("")
    (lab.wal_archive / ".00000002.history.draft").write_text("")

    assert read_timelines(lab.wal_archive) == {}
    assert branch(1, {}).holds(1, 5)
