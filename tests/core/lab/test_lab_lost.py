"""What a failover lost is what was acknowledged before it on its own branch of history, and is not there."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from actions.engine.errors import Refused
from lab.home import Lab
from lab.lost import judged, parent_of
from lab.notes import Fault, Note, append, read
from lab.replication_faults import FAULTS, happen
from lab.timelines import branch, read_timelines

NOON = datetime(2026, 2, 9, 12, 0, tzinfo=UTC)


def message(ident: int, seconds: float, lsn: str, timeline: int = 1, channel: str = "general") -> Note:
    return Note(
        kind="message",
        id=ident,
        channel=channel,
        commit_time=(NOON + timedelta(seconds=seconds)).isoformat(),
        lsn=lsn,
        timeline=timeline,
        exact=True,
        body_md5=f"{ident}-{timeline}",
    )


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    made = Lab(tmp_path)
    made.wal_archive.mkdir(parents=True)
    return made


def fork(lab: Lab, number: int, text: str) -> None:
    file = lab.wal_archive / f"{number:08X}.history"
    file.write_text(text)
    os.utime(file, (NOON.timestamp(),) * 2)


def bodies(lab: Lab, timeline: int) -> list[str]:
    known = read_timelines(lab.wal_archive)
    return [note["body_md5"] for note in judged(list(read(lab.truth_file)), branch(timeline, known), known)]


def test_what_the_old_primary_acknowledged_after_the_branch_has_to_be_there_too(lab: Lab) -> None:
    append(lab.truth_file, message(1, 10, "0/100"), message(2, 20, "0/200"), message(2, 30, "0/1A0", 2))
    fork(lab, 2, "1\t0/180\tno recovery target specified\n")
    assert bodies(lab, 2) == ["1-1", "2-1", "2-2"], "an id that was given again hides no loss"


def test_what_an_earlier_recovery_gave_up_is_no_loss_of_the_failover(lab: Lab) -> None:
    append(lab.truth_file, message(1, 10, "0/100"), message(2, 20, "0/200"), message(3, 30, "0/1A0", 2))
    fork(lab, 2, "1\t0/180\tbefore a time\n")
    fork(lab, 3, "1\t0/180\tbefore a time\n\n2\t0/300\tno recovery target specified\n")
    assert parent_of(branch(3, read_timelines(lab.wal_archive))) == 2
    assert bodies(lab, 3) == ["1-1", "3-2"]


def test_a_channel_that_was_deleted_after_the_failover_is_no_loss(lab: Lab) -> None:
    when = message(0, 40, "0/0")["commit_time"]
    gone = Note(kind="loss", channel="old", commit_time=when, lsn="0/300", timeline=2, exact=True)
    append(lab.truth_file, message(1, 10, "0/100", channel="old"), message(2, 20, "0/110"), gone)
    fork(lab, 2, "1\t0/180\tno recovery target specified\n")
    assert bodies(lab, 2) == ["2-1"]


def test_before_any_failover_all_that_was_acknowledged_has_to_be_there(lab: Lab) -> None:
    append(lab.truth_file, message(1, 10, "0/100"), message(2, 20, "0/200"))
    assert parent_of(branch(1, {})) is None
    assert bodies(lab, 1) == ["1-1", "2-1"]


def test_a_fault_is_noted_among_the_messages_and_is_none(lab: Lab) -> None:
    fault = Fault(kind="fault", what="primary-killed", container="p", moment="2026-02-09T12:00:15.000000Z", done="x")
    append(lab.truth_file, message(1, 10, "0/100"), fault, message(2, 20, "0/200"))
    assert [note["id"] for note in read(lab.truth_file)] == [1, 2]
    assert '"what": "primary-killed"' in lab.truth_file.read_text()


@pytest.mark.parametrize("fault", FAULTS)
def test_without_a_standby_no_fault_of_replication_happens(lab: Lab, fault: str) -> None:
    with pytest.raises(Refused, match="needs a practice company with a standby") as refused:
        happen(lab, fault)
    assert "--standby" in refused.value.hint
    assert not lab.truth_file.exists()
