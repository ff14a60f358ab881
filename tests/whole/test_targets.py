"""Every kind of target on the real stack: what is reached is what was committed, what cannot be is refused."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from actions.engine.journal import Entry, Kind
from lab import breaks, town_process, truth
from lab.company import parse_moment
from lab.notes import read
from tests.support.practice import Practice, practice_company

pytestmark = pytest.mark.whole


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    with practice_company(tmp_path_factory.mktemp("targets"), "mtb-targets") as company:
        yield company


@pytest.fixture(autouse=True)
def settled(practice: Practice) -> Iterator[None]:
    yield
    practice.settle()


@pytest.fixture
def town(practice: Practice) -> Iterator[None]:
    """A town that has said something, and goes on."""
    town_process.start(practice.lab)
    said = len(messages(practice))
    practice.until(lambda: len(messages(practice)) >= said + 8, 30, "the town talks")
    yield
    town_process.stop(practice.lab)


def messages(practice: Practice) -> list[Any]:
    return [note for note in read(practice.lab.truth_file) if note["kind"] == "message"]


def entry(practice: Practice, run: str, kind: Kind, title: str = "") -> Entry:
    return [e for e in practice.store.entries(run) if e.kind is kind and title in e.data.get("title", "")][-1]


def clone_equals(practice: Practice, run: str, at: datetime) -> truth.Comparison:
    return truth.compare(practice.lab, at, container=f"mayday-clone-{run}")


def refused(practice: Practice, when: str) -> dict[str, Any]:
    """How a run that must be refused ended; its thread, or the asker alone, is told the same three things.

    There is a thread where there is nothing to offer instead, and where the look took longer than ten seconds.
    """
    run = practice.ask(when)
    assert practice.wait(run) == "refused", practice.story(run)
    said = entry(practice, run, Kind.FINISHED).data

    def heard() -> str:
        alone = practice.told_alone(run) if said.get("instead") else []
        return "\n".join(alone or (practice.thread_texts(run) if practice.room.thread(run)["ok"] else []))

    practice.until(lambda: said["error"] in heard(), 20, "it is said why", run)
    assert said["hint"] in heard()
    assert not [e for e in practice.store.entries(run) if e.kind is Kind.BEGAN]
    return said


def test_a_moment_before_the_first_base_backup_is_refused_with_the_window_and_the_nearest_moment(
    practice: Practice,
) -> None:
    said = refused(practice, "2026-01-01 00:00")
    assert "before the end of the oldest usable base backup" in said["error"]
    assert "The window of timeline 1 is" in said["detail"]
    assert "The nearest reachable moment is" in said["hint"]


def test_a_moment_in_the_future_is_refused_at_once(practice: Practice) -> None:
    answer = practice.say("/recover postgres pitr 2099-01-01 00:00")
    assert answer["run"] is None
    assert "future" in str(answer["answers"])


def test_the_repeated_hour_of_a_clock_change_is_refused_with_both_readings(practice: Practice) -> None:
    answer = practice.say("/recover postgres pitr 2025-10-26 02:30 Europe/Berlin")
    assert answer["run"] is None
    assert "00:30" in str(answer["answers"])
    assert "01:30" in str(answer["answers"])


def test_a_transaction_that_never_was_is_refused(practice: Practice) -> None:
    said = refused(practice, "before xid 4000000000")
    assert "did not end in this WAL" in said["error"]


def test_a_position_that_is_not_written_yet_is_refused_with_the_nearest(practice: Practice) -> None:
    said = refused(practice, "before lsn FF/0")
    assert "cannot be reached" in said["error"]
    assert "The nearest reachable" in said["hint"]


@pytest.mark.usefixtures("town")
def test_before_a_transaction_and_then_another_time_before_a_position_and_then_discarded(practice: Practice) -> None:
    kept = next(note for note in reversed(messages(practice)) if note["exact"])
    time.sleep(1)
    loss = breaks.data_loss(practice.lab)
    town_process.stop(practice.lab)
    before = truth.messages_in(practice.lab)
    first = practice.pitr_to_preview(f"before xid {loss['xid']}")
    assert clone_equals(practice, first, parse_moment(loss["moment"])).equal

    practice.press("Another time", first, typed=f"before lsn {kept['lsn']}")
    assert practice.wait(first) == "discarded", practice.story(first)
    practice.until(lambda: practice.store.runs()[0] != first, 30, "a new run is asked for")
    second = practice.store.runs()[0]
    assert practice.wait(second) == "asking", practice.story(second)
    assert practice.room.thread(second)["thread"] == practice.room.thread(first)["thread"]
    practice.press("Pause writers and restore", second)
    assert practice.wait(second) == "asking", practice.story(second)
    assert clone_equals(practice, second, parse_moment(kept["commit_time"])).equal

    practice.press("Discard", second)
    assert practice.wait(second) == "discarded", practice.story(second)
    gave_up(practice, first)
    gave_up(practice, second)
    assert truth.messages_in(practice.lab) == before
    assert practice.docker("inspect", "-f", "{{.State.Status}}", practice.lab.container("functions")) == "running"


def gave_up(practice: Practice, run: str) -> None:
    """Nothing of a given-up run runs; its directory lies beside the live one, labelled."""
    left = {path.name for path in practice.lab.data("postgres").parent.iterdir()}
    assert f"postgres_clone_{run}" not in left
    assert f"postgres_discarded_{run}" in left
    label = (practice.lab.data("postgres").parent / f"postgres_discarded_{run}.mayday.json").read_text()
    assert run in label
    practice.until(lambda: not practice.made_for(run), 20, "nothing of it is left running")


@pytest.mark.usefixtures("town")
def test_serving_goes_on_until_the_cut_over_and_stops_for_seconds(practice: Practice) -> None:
    run = practice.pitr_to_preview("5s ago", "Restore, keep serving")
    wrote = len(messages(practice))
    practice.until(lambda: len(messages(practice)) > wrote, 10, "the town writes during the preview")
    practice.press("Cut over", run, "approver", typed=practice.postgres)
    assert practice.wait(run) == "recovered", practice.story(run)
    paused = entry(practice, run, Kind.BEGAN, "pause the writers for the cut-over").at
    served = entry(practice, run, Kind.DONE, "resume the writers").at
    assert (served - paused).total_seconds() <= 20
    assert practice.compare(practice.run(run).request["target"]["at"]).equal
    wrote = len(messages(practice))
    practice.until(lambda: len(messages(practice)) > wrote, 20, "the town writes again")


def test_the_very_last_commit_of_a_quiet_database_is_reached_by_latest_and_by_time(practice: Practice) -> None:
    """Nothing is committed after it, and its WAL is in no archive yet."""
    town_process.start(practice.lab)
    wrote = len(messages(practice))
    practice.until(lambda: len(messages(practice)) > wrote + 3, 30, "the town talks")
    town_process.stop(practice.lab)
    before, now = truth.messages_in(practice.lab), practice.now()
    preview = practice.pitr_to_preview("latest")
    assert practice.run(preview).facts["aim"]["stop"]["inclusive"]
    assert truth.messages_in(practice.lab, f"mayday-clone-{preview}") == before
    practice.press("Discard", preview)
    assert practice.wait(preview) == "discarded", practice.story(preview)

    run = practice.recover(now)
    assert practice.run(run).facts["aim"]["stop"]["inclusive"]
    assert truth.messages_in(practice.lab) == before
    assert practice.compare(now).equal


def test_an_undo_between_the_swap_and_the_resuming_of_writers_brings_the_old_data_back(practice: Practice) -> None:
    town_process.stop(practice.lab)
    before, timeline = truth.messages_in(practice.lab), timeline_of(practice)
    # A setting that counts from the next start on is kept for the recovered server, and lets its proof fail.
    data, conf = practice.lab.data("postgres"), "postgresql.auto.conf"
    kept = (data / conf).read_text()
    (data / conf).write_text(kept + "default_transaction_read_only = on\n")
    run = practice.pitr_to_preview("latest")
    practice.press("Cut over", run, "approver", typed=practice.postgres)
    assert practice.wait(run) == "failed", practice.story(run)
    said = entry(practice, run, Kind.FAILED).data
    assert said["title"] == "prove that it is writable"
    assert "read-only" in said["detail"]
    assert "Undo brings the old data back" in said["hint"]

    (data.parent / f"postgres_before_{run}" / conf).write_text(kept)
    practice.press("Undo", run)
    assert practice.wait(run) == "undone", practice.story(run)
    gave_up(practice, run)
    assert practice.beside("before", run) == []
    assert truth.messages_in(practice.lab) == before
    assert timeline_of(practice) == timeline
    writes_again(practice)


def timeline_of(practice: Practice) -> int:
    return int(practice.psql("select timeline_id from pg_control_checkpoint()"))


def writes_again(practice: Practice) -> None:
    town_process.start(practice.lab)
    wrote = len(messages(practice))
    practice.until(lambda: len(messages(practice)) > wrote + 3, 30, "the town writes again")


def test_later_recoveries_go_forwards_back_and_to_what_an_earlier_one_left_behind(practice: Practice) -> None:
    writes_again(practice)
    early, old = practice.now(), timeline_of(practice)
    writes_again(practice)
    first = practice.pitr_to_preview(practice.now(), "Restore, keep serving")
    writes_again(practice)
    left_behind = practice.now()
    writes_again(practice)
    practice.press("Cut over", first, "approver", typed=practice.postgres)
    assert practice.wait(first) == "recovered", practice.story(first)
    writes_again(practice)
    forwards = practice.now()
    writes_again(practice)

    runs = [first]
    for when, branch in ((forwards, None), (early, old), (left_behind, old)):
        runs.append(practice.recover(when))
        at = parse_moment(when)
        assert truth.compare(practice.lab, at, timeline=branch, until=at).equal, (when, practice.story(runs[-1]))
    timelines = [practice.run(run).facts["proof"]["timeline"] for run in runs]
    assert timelines == sorted(set(timelines)), "every recovery writes a timeline of its own"
    assert practice.psql("select coalesce(last_failed_time > last_archived_time, false) from pg_stat_archiver") == "f"
