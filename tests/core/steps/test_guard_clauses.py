"""Guard clauses, one by one: in a world that lies on a single point, whatever has to notice that point does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from actions.engine.errors import RecoveryError, Refused
from actions.engine.procedure import Outcome
from actions.postgres.lsn import Lsn
from actions.postgres.segments import segment_of
from actions.postgres.server import Server
from actions.steps.postgres import cutover, proof, read_window, replay, target
from tests.support.worlds.company import SITE, World
from tests.support.worlds.files import WorldFiles
from tests.support.worlds.lies import DamagedTail, Log, LyingFiles, LyingSql, called
from tests.support.worlds.planned import Company
from tests.support.worlds.wal import SIZE, SYSTEM

# The proofs ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lie", "said"),
    [
        ({"timeline": "00000001"}, "it writes timeline 1, not a new one"),
        ({"system": "7000000000000000001"}, f"its system identifier is 7000000000000000001, not {SYSTEM}"),
        ({"read_only": "on"}, "it is read-only"),
        ({"recovering": True}, "it is read-only"),
    ],
)
def test_a_server_that_is_not_the_recovered_one_is_not_proven(
    recovered: Company, lie: dict[str, Any], said: str
) -> None:
    assert called(recovered, proof.prove_writable).timeline == 2
    with pytest.raises(RecoveryError, match="not the recovered one") as trouble:
        called(recovered, proof.prove_writable, sql=LyingSql(recovered, "pg_current_xact_id", **lie))
    assert trouble.value.detail == f"{said}."


def test_a_clone_whose_log_names_no_target_did_not_stop_at_it(preview: Company) -> None:
    assert called(preview, replay.prove_stop).says().startswith("stopped after")
    with pytest.raises(RecoveryError, match="did not stop where the plan said") as trouble:
        called(preview, replay.prove_stop, docker=Log(preview.world))
    assert trouble.value.detail == "its log does not say that it stopped at a target."


@pytest.mark.parametrize("lie", [{"lsn": "0/3000028"}, {"last_at": "2026-02-09T08:30:10+00:00"}])
def test_a_clone_that_stands_elsewhere_did_not_stop_at_its_target(preview: Company, lie: dict[str, Any]) -> None:
    elsewhere = LyingSql(preview, "pg_get_wal_replay_pause_state", **lie)
    assert called(preview, replay.stopped_at_target)
    assert not called(preview, replay.stopped_at_target, sql=elsewhere)
    with pytest.raises(RecoveryError) as trouble:
        called(preview, replay.prove_stop, sql=elsewhere)
    assert trouble.value.detail.startswith("it stands at ")


# The swap --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "lie",
    [{"live_is_clone_of": "r2"}, {"live": False}, {"before": False}, {"clone": True}, {"tablespaces": ("new", "old")}],
)
def test_only_this_runs_clone_as_a_whole_with_the_old_data_kept_is_live(
    recovered: Company, lie: dict[str, Any]
) -> None:
    assert called(recovered, cutover.clone_is_live)
    assert not called(recovered, cutover.clone_is_live, files=LyingFiles(recovered, **lie))


def test_a_clone_is_promoted_where_both_the_server_and_its_control_file_say_so(preview: Company) -> None:
    promoted = LyingSql(preview, "pg_get_wal_replay_pause_state", recovering=False)
    later = LyingFiles(preview, control=("TimeLineID:       1", "TimeLineID:       2"))
    assert called(preview, cutover.is_promoted, sql=promoted, files=later)
    assert not called(preview, cutover.is_promoted, sql=promoted)
    assert not called(preview, cutover.is_promoted, files=later)


# The WAL ---------------------------------------------------------------------------------------------


class Unpacked(WorldFiles):
    """The world's files, and of which segments WAL was read."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.names = set[str]()

    def waldump(self, server: Server, timeline: int, segments: Sequence[str], **more: Any) -> Iterator[str]:
        self.names |= set(segments)
        return super().waldump(server, timeline, segments, **more)


def stop_at(here: Company, lsn: int, end: int) -> target.Aim:
    """The run's aim, with a last record that is kept from one position to another."""
    aim: target.Aim = called(here, lambda aim: aim)
    return replace(aim, stop=replace(aim.stop, lsn=Lsn(lsn), end=Lsn(end), inclusive=True))


def test_the_segment_in_which_the_last_record_ends_is_needed_and_the_one_after_it_is_taken_along(here: Company) -> None:
    here.ask("postgres pitr", "08:30:30")
    here.work()
    fourth, fifth, sixth = (segment_of(1, n * SIZE, SIZE) for n in (4, 5, 6))
    within = called(here, target.choose_base, aim=stop_at(here, 5 * SIZE - 0x80, 5 * SIZE - 0x58))
    assert (within.segments[-1], within.beyond, within.laid[-1]) == (fourth, (fifth,), fifth)
    across = stop_at(here, 5 * SIZE - 0x10, 5 * SIZE + 0x30)
    base = called(here, target.choose_base, aim=across)
    assert (base.segments[-1], base.beyond) == (fifth, (sixth,))
    here.world.archive.pop(fifth)
    assert called(here, target.choose_base, aim=stop_at(here, 5 * SIZE - 0x80, 5 * SIZE - 0x58)).beyond == ()
    with pytest.raises(Refused, match=f"The WAL segment {fifth} is missing"):
        called(here, target.choose_base, aim=across)


@pytest.mark.parametrize("when", ["08:30:30", "latest", "before lsn 0/5000000", "before xid 720"])
@pytest.mark.parametrize(
    ("lost", "why"), [("backup", "No base backup was found."), ("wal", "the WAL written during the backup is missing")]
)
def test_without_a_base_backup_to_start_from_the_plan_is_refused_and_says_why(
    here: Company, when: str, lost: str, why: str
) -> None:
    backup = here.world.backups["base_morning"]
    if lost == "backup":
        here.world.backups.clear()
    else:
        here.world.archive.pop(segment_of(1, backup.start, SIZE))
    here.ask("postgres pitr", when)
    here.work()
    assert here.run().finished is Outcome.REFUSED
    said = here.store.entries("r1")[-1].data
    assert said["error"] == "Nothing can be recovered along timeline 1."
    assert why in said["detail"]


def test_the_first_that_is_not_kept_is_a_commit_though_a_rollback_lies_before_it(here: Company) -> None:
    here.world.clock.advance(60)
    here.world.commit(committed=False)
    here.world.says()
    here.ask("postgres pitr", "08:40:30")
    here.work()
    stop = called(here, lambda aim: aim).stop
    assert (stop.next_commit_xid, stop.next_commit_at) == (here.world.xid, here.world.clock())


def test_wal_behind_the_first_commit_that_is_not_kept_is_not_unpacked(here: Company) -> None:
    """A plan for the morning must not take longer with each hour of WAL that was archived since."""
    here.world.says(80)
    here.ask("postgres pitr", "08:05:30")
    here.work()
    files = Unpacked(here.world)
    assert called(here, target.find_stopping_point, files=files) == called(here, lambda aim: aim)
    there = sorted(name for name in here.world.archive if len(name) == 24)
    assert files.names <= set(there[:5])
    assert len(there) > 15


@pytest.mark.parametrize("dead", [False, True])
def test_segments_that_lie_ready_for_later_are_no_wal(here: Company, dead: bool) -> None:
    here.ask("postgres pitr", "latest")
    here.work()
    lie = {}
    if dead:
        here.world.dead = True
        here.world.set_container(SITE.postgres, state="exited")
        lie = {"server": replace(called(here, lambda server: server), state="exited")}
    before, written, recycled = here.world.tail()
    seen = called(here, read_window.survey, **lie)
    assert recycled in [f.name for f in called(here, lambda server, files: files.tail(server))]
    assert written in seen.names()
    assert before in seen.names()
    assert recycled not in seen.names()


def test_a_segment_in_which_nothing_was_written_yet_is_no_wal(here: Company) -> None:
    here.ask("postgres pitr", "latest")
    here.work()
    here.world.advance_to(9 * SIZE)
    here.world.archive.pop(segment_of(1, 8 * SIZE, SIZE))
    assert called(here, read_window.survey).tail.segments == (segment_of(1, 8 * SIZE, SIZE),)


def test_a_damaged_segment_counts_while_a_running_server_writes_it_and_not_of_a_dead_one(here: Company) -> None:
    here.ask("postgres pitr", "latest")
    here.work()
    before, written, _ = here.world.tail()
    here.world.archive.pop(before)
    files, server = DamagedTail(here.world), called(here, lambda server: server)
    assert called(here, read_window.survey, files=files).tail.segments == (before, written)
    here.world.dead = True
    here.world.set_container(SITE.postgres, state="exited")
    assert called(here, read_window.survey, files=files, server=replace(server, state="exited")).tail.segments == (
        before,
    )
