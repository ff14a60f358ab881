"""The worker is killed at the worst instants of a recovery, on real containers, and the run ends right."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from actions.engine.errors import RecoveryError
from actions.engine.journal import Kind
from actions.tools.names import Names
from tests.support.practice import Practice, practice_company
from tests.support.practised_example import starts, with_example

pytestmark = pytest.mark.whole
GROW = (
    "create table if not exists bulk (body text); "
    "insert into bulk select repeat(md5(n::text), 60) from generate_series(1, 150000) n; "
    "select pg_switch_wal()"
)
SWAP = "swap the data directories"


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    """One company with something to copy, so that a copy can be interrupted."""
    with practice_company(tmp_path_factory.mktemp("kills"), "mta-kil") as made:
        made.psql(GROW)
        made.fresh_base()
        yield made


def wait_for_directory(path: Path, there: bool, seconds: float = 60) -> None:
    """Look at full speed: what is waited for lasts a few hundredths of a second."""
    end = time.monotonic() + seconds
    while path.is_dir() is not there:
        assert time.monotonic() < end, f"{path.name} did not {'appear' if there else 'go'}"
        time.sleep(0.001)


def test_a_recovery_whose_worker_dies_in_the_copy_the_replay_the_promotion_and_the_swap_ends_right(
    practice: Practice,
) -> None:
    practice.psql(GROW)
    target = practice.now()
    run = practice.ask(target)
    assert practice.wait(run) == "asking", practice.story(run)
    practice.press("Pause writers and restore", run)

    live = practice.lab.data("postgres")
    wait_for_directory(live.with_name(f"postgres_clone_{run}"), there=True)
    practice.comes_back("worker", run)
    assert practice.times_done(run, "copy the base backup") == 0

    practice.wait_for(run, Kind.BEGAN, "replay to the target")
    practice.until(lambda: practice.clone_runs(run), 30, "the clone replays", run, every=0.02)
    practice.comes_back("worker", run)
    assert practice.wait(run) == "asking", practice.story(run)
    practice.assert_clone_is_the_truth(run, target)

    # The room looks for an answer for a while after a press; the clone is promoted and stopped by then.
    pressing = pressed(practice, "Cut over", run, "approver", practice.postgres)
    practice.until(lambda: promoted(practice, run), 30, "the clone is promoted", run, every=0.01)
    practice.comes_back("worker", run)
    pressing.join()

    wait_for_directory(live, there=False)
    practice.kill("worker")
    assert not live.is_dir()
    assert practice.beside("before", run)
    assert practice.beside("clone", run)
    practice.start("worker")
    wait_for_directory(live, there=True, seconds=20)
    assert practice.wait(run) == "recovered", practice.story(run)
    practice.assert_recovered(run)
    assert resumed(practice, run) >= {"copy the base backup", "replay to the target", SWAP}


def promoted(practice: Practice, run: str) -> bool:
    """Whether the clone has left recovery; it is stopped soon after, and whoever looks too late finds it silent."""
    try:
        return practice.psql("select pg_is_in_recovery()", Names(run).clone) == "f"
    except (AssertionError, RecoveryError):
        return practice.times_done(run, "promote the clone") > 0


def pressed(practice: Practice, *press: str) -> threading.Thread:
    """A button that is pressed meanwhile."""
    pressing = threading.Thread(target=practice.press, args=press)
    pressing.start()
    return pressing


def resumed(practice: Practice, run: str) -> set[str]:
    """The acts that were taken up again."""
    return {e.data["title"] for e in practice.store.entries(run) if e.kind is Kind.BEGAN and e.data["resumed"]}


def test_a_recovery_whose_worker_dies_while_it_is_undone_leaves_the_old_world(practice: Practice) -> None:
    run = practice.pitr_to_preview(practice.now(), "Restore, keep serving")
    practice.press("Cut over", run, "approver", typed=practice.postgres)
    practice.wait_for(run, Kind.BEGAN, SWAP)
    practice.press("Stop", run)
    assert practice.wait(run) == "waiting", practice.story(run)
    live = practice.lab.data("postgres")
    assert practice.times_done(run, SWAP) == 1, practice.story(run)

    pressing = pressed(practice, "Undo", run)  # The swap back is over when the room has its answer.
    wait_for_directory(live, there=False)
    practice.kill("worker")
    pressing.join()
    assert not live.is_dir()
    practice.start("worker")
    wait_for_directory(live, there=True, seconds=20)
    practice.wait_for(run, Kind.UNDO_BEGAN, "copy the base backup")
    practice.comes_back("worker", run)
    assert practice.wait(run) == "undone", practice.story(run)

    practice.assert_on_the_record(run)
    assert practice.beside("before", run) == practice.beside("clone", run) == []
    assert practice.beside("discarded", run) == [f"postgres_discarded_{run}"]
    practice.assert_nothing_lost()


def test_the_recovery_that_the_page_adds_restarts_redis_and_nothing_else_also_when_its_worker_dies(
    practice: Practice, tmp_path: Path
) -> None:
    redis = practice.lab.container("redis")
    with with_example(practice, tmp_path):
        assert "redis restart" in practice.say("/recover help")["answers"][0]
        before = starts(practice)
        run = practice.begins("/recover redis restart")
        assert practice.run(run).service == redis
        assert practice.wait(run) == "asking", practice.story(run)
        assert starts(practice) == before
        practice.press("Restart", run)
        assert practice.wait(run) == "done", practice.story(run)
        assert_restarted(practice, run, before)

        before = starts(practice)
        run = practice.begins(f"/recover {redis} restart")
        assert practice.wait(run) == "asking", practice.story(run)
        pressing = pressed(practice, "Restart", run)
        practice.wait_for(run, Kind.BEGAN, "restart the service")
        practice.comes_back("worker", run)
        pressing.join()
        assert practice.wait(run) == "done", practice.story(run)
        assert_restarted(practice, run, before)


def assert_restarted(practice: Practice, run: str, before: dict[str, tuple[str, str]]) -> None:
    """The same container of Redis was started anew, all others run as before; the thread and the record say so."""
    redis, after = practice.lab.container("redis"), starts(practice)
    assert {name for name in after.keys() | before.keys() if after.get(name) != before.get(name)} == {redis}
    assert after[redis][0] == before[redis][0]
    assert practice.docker("exec", redis, "redis-cli", "ping") == "PONG"
    assert practice.times_done(run, "restart the service") == 1
    practice.assert_on_the_record(run)
    practice.until(
        lambda: f"{redis} is restarted and serves" in "\n".join(practice.thread_texts(run)), 30, "it is said"
    )
