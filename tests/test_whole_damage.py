"""Bad days of WAL, of base backups and of the server itself, on the real stack: said plainly, live data untouched."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from actions.engine.journal import Kind
from lab import town_process, truth
from lab.notes import read
from tests.practice import Practice, practice_company

pytestmark = pytest.mark.whole


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    with practice_company(tmp_path_factory.mktemp("damage"), "mtb-damage") as company:
        company.hush()
        company.until(lambda: len(list(read(company.lab.truth_file))) > 20, 30, "the town talks")
        town_process.stop(company.lab)
        yield company


@pytest.fixture(autouse=True)
def settled(practice: Practice) -> Iterator[None]:
    yield
    practice.settle()


@pytest.fixture
def untouched(practice: Practice) -> Iterator[None]:
    """The live server and its data are the same ones before and after."""
    before = live(practice)
    yield
    assert live(practice) == before


def live(practice: Practice) -> tuple[Any, ...]:
    directory = practice.lab.data("postgres")
    started = practice.docker("inspect", "-f", "{{.Id}} {{.State.StartedAt}} {{.State.Status}}", practice.postgres)
    return directory.stat().st_ino, started, truth.messages_in(practice.lab)


def write_segments(practice: Practice, count: int) -> list[str]:
    """So many whole segments with a commit in each, archived, and no longer held by the server itself."""
    made = [fill(practice, "old") for _ in range(count + 2)]
    practice.until((practice.lab.wal_archive / made[-1]).exists, 30, "the segments are archived")
    practice.psql("checkpoint")
    own = practice.lab.data("postgres") / "pg_wal"
    practice.until(lambda: not any((own / name).exists() for name in made[:count]), 30, "the server forgets them")
    return made[:count]


def fill(practice: Practice, text: str) -> str:
    """Commit rows and end the segment; its name."""
    practice.psql("create table if not exists filler (t text)")
    practice.psql(f"insert into filler select '{text}' from generate_series(1, 5000)")
    return practice.psql("select pg_walfile_name(pg_switch_wal())")


def failure(practice: Practice, run: str) -> dict[str, Any]:
    """What a failed run says, in its journal and in its thread."""
    assert practice.wait(run) == "failed", practice.story(run)
    said = [e.data for e in practice.store.entries(run) if e.kind is Kind.FAILED][-1]
    practice.until(lambda: said["error"] in "\n".join(practice.thread_texts(run)), 20, "the thread says why")
    assert said["hint"] in "\n".join(practice.thread_texts(run))
    return dict(said)


def refusal(practice: Practice, run: str) -> dict[str, Any]:
    assert practice.wait(run) == "refused", practice.story(run)
    return dict(practice.store.entries(run)[-1].data)


def ends(practice: Practice, run: str, label: str, state: str = "discarded") -> None:
    practice.press(label, run)
    assert practice.wait(run) == state, practice.story(run)


def flip(file: Path, at: int) -> None:
    with file.open("r+b") as data:
        data.seek(at)
        byte = data.read(1)[0]
        data.seek(at)
        data.write(bytes([byte ^ 1]))


def newest_base(practice: Practice) -> Path:
    return max(practice.lab.backups.joinpath("postgres/base").iterdir(), key=lambda path: path.stat().st_mtime)


@contextmanager
def truncated(file: Path) -> Iterator[None]:
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    try:
        yield
    finally:
        file.write_bytes(whole)


@contextmanager
def flipped(file: Path, at: int) -> Iterator[None]:
    flip(file, at)
    try:
        yield
    finally:
        flip(file, at)


@contextmanager
def away(path: Path) -> Iterator[None]:
    path.rename(path.with_name(f".{path.name}.away"))
    try:
        yield
    finally:
        path.with_name(f".{path.name}.away").rename(path)


@pytest.mark.usefixtures("untouched")
def test_a_missing_segment_bounds_the_window_and_is_named(practice: Practice) -> None:
    before = practice.now()
    fill(practice, "before the gap")
    name = write_segments(practice, 1)[0]
    after = practice.now()
    with away(practice.lab.wal_archive / name):
        said = refusal(practice, practice.ask(after))
        assert f"the segment {name} is missing" in said["error"]
        assert f"missing {name}" in said["detail"]
        assert "The nearest reachable moment is" in said["hint"]
        can_be_planned(practice, before)
    can_be_planned(practice, after)


def can_be_planned(practice: Practice, when: str) -> None:
    run = practice.ask(when)
    assert practice.wait(run) == "asking", practice.story(run)
    ends(practice, run, "Cancel")


@pytest.mark.usefixtures("untouched")
def test_a_truncated_segment_is_taken_from_the_server_while_that_has_it_else_refused(practice: Practice) -> None:
    name = write_segments(practice, 1)[0]
    with truncated(practice.lab.wal_archive / name):
        said = refusal(practice, practice.ask(practice.now()))
    assert f"the segment {name} is missing" in said["error"]

    file = practice.lab.wal_archive / fill(practice, "young")
    practice.until(file.exists, 20, "the segment is archived")
    with truncated(file):
        run = practice.pitr_to_preview("latest")
        assert practice.psql("select count(*) from filler where t = 'young'", f"mayday-clone-{run}") == "5000"
        ends(practice, run, "Discard")


@pytest.mark.usefixtures("untouched")
def test_a_flipped_bit_in_a_segment_is_found_before_replay_and_a_good_copy_helps(practice: Practice) -> None:
    segments = write_segments(practice, 3)
    after = practice.now()
    with flipped(practice.lab.wal_archive / segments[0], 100_000):
        run = practice.ask(after)
        assert practice.wait(run) == "asking", practice.story(run)
        practice.press("Pause writers and restore", run)
        said = failure(practice, run)
    assert said["title"] == "lay the WAL"
    assert "does not read through" in said["error"]
    assert "Retry" in said["hint"]
    practice.press("Retry", run)
    assert practice.wait(run) == "asking", practice.story(run)
    ends(practice, run, "Discard")


@pytest.mark.usefixtures("untouched")
def test_a_flipped_bit_in_the_base_backup_is_found_by_its_manifest(practice: Practice) -> None:
    practice.fresh_base()
    relation = practice.psql("select pg_relation_filepath('nchat_messages')")
    with flipped(newest_base(practice) / relation, 5000):
        run = practice.ask("latest")
        assert practice.wait(run) == "asking", practice.story(run)
        practice.press("Pause writers and restore", run)
        said = failure(practice, run)
    assert said["title"] == "copy the base backup"
    assert relation in said["detail"]
    assert "an older one is chosen then" in said["hint"]
    practice.press("Retry", run)
    assert practice.wait(run) == "asking", practice.story(run)
    ends(practice, run, "Discard")


@pytest.mark.usefixtures("untouched")
def test_a_missing_archive_is_named_and_a_retry_finds_it_again(practice: Practice) -> None:
    with away(practice.lab.wal_archive):
        run = practice.ask("latest")
        said = failure(practice, run)
    assert said["detail"] == str(practice.lab.wal_archive)
    assert "see that its disk is mounted" in said["hint"].lower()
    practice.press("Retry", run)
    assert practice.wait(run) == "asking", practice.story(run)
    ends(practice, run, "Cancel")


_FOREIGN = """
initdb -D /tmp/other >/dev/null && pg_resetwal -l "$1" /tmp/other && pg_ctl start -w -D /tmp/other -o '-c listen_addresses='
pg_basebackup -D /bases/zz_other -c fast -X stream && pg_ctl stop -D /tmp/other
"""


@pytest.mark.usefixtures("untouched")
def test_a_base_backup_of_another_system_is_not_chosen(practice: Practice) -> None:
    """It looks newer than ours and fits into our WAL; only its control file tells that it is another's."""
    practice.fresh_base()
    ours = newest_base(practice)
    segments = [fill(practice, "more") for _ in range(5)]
    practice.until((practice.lab.wal_archive / segments[-1]).exists, 30, "the segments are archived")
    practice.docker("run", "--rm", "--user", "postgres", "--network=none", "--entrypoint=sh", "-v", f"{ours.parent}:/bases",
                    "postgres:15-bookworm", "-c", _FOREIGN, "foreign", segments[0])  # fmt: skip
    run = practice.ask("latest")
    assert practice.wait(run) == "asking", practice.story(run)
    assert practice.run(run).facts["base"]["name"] == ours.name
    assert "it is of another system" in json.dumps(practice.run(run).facts["window"])
    ends(practice, run, "Cancel")
    shutil.rmtree(ours.with_name("zz_other"))


@pytest.mark.usefixtures("untouched")
def test_stale_recovery_settings_and_raised_limits_do_not_disturb_the_clone(practice: Practice) -> None:
    """The base carries an old target; the WAL after it raises a limit that the base knows nothing of."""
    practice.psql("alter system set recovery_target_time = '2001-01-01 00:00:00+00'")
    practice.psql("alter system set recovery_target_timeline = '7'")
    practice.psql("alter system set restore_command = 'touch /backups/stale-command-ran; false'")
    practice.fresh_base()
    run = practice.pitr_to_preview("latest")
    left = practice.docker("exec", f"mayday-clone-{run}", "cat", "/var/lib/postgresql/data/postgresql.auto.conf")
    assert "recovery_target" not in left
    assert not (practice.lab.backups / "stale-command-ran").exists()
    ends(practice, run, "Discard")
    practice.psql("alter system reset all")


def test_limits_that_were_raised_after_the_base_backup_are_kept_by_the_clone(practice: Practice) -> None:
    practice.psql("alter system set max_locks_per_transaction = 256")
    practice.psql("alter system set max_prepared_transactions = 40")
    practice.docker("restart", practice.postgres)
    serves(practice)
    fill(practice, "after the restart")
    run = practice.pitr_to_preview("latest")
    assert practice.psql("show max_locks_per_transaction", f"mayday-clone-{run}") == "256"
    assert practice.psql("select count(*) from filler where t = 'after the restart'", f"mayday-clone-{run}") == "5000"
    ends(practice, run, "Discard")


def serves(practice: Practice) -> None:
    ready = ["exec", practice.postgres, "sh", "-c", "pg_isready -q -U postgres && echo yes || true"]
    practice.until(lambda: practice.docker(*ready) == "yes", 60, "the server answers")


def test_a_paused_server_is_looked_at_without_being_woken(practice: Practice) -> None:
    practice.docker("pause", practice.postgres)
    run = practice.ask("latest")
    assert practice.wait(run) == "asking", practice.story(run)
    practice.press("Pause writers and restore", run)
    assert practice.wait(run) == "asking", practice.story(run)
    assert practice.run(run).facts["difference"]["compared"] is False
    ends(practice, run, "Discard")
    assert practice.docker("inspect", "-f", "{{.State.Status}}", practice.postgres) == "paused"
    practice.docker("unpause", practice.postgres)


def test_a_server_that_is_down_is_recovered_to_its_very_last_commit(practice: Practice) -> None:
    practice.psql("insert into filler values ('the very last')")
    before = truth.messages_in(practice.lab)
    practice.docker("kill", practice.postgres)
    run = practice.recover("latest")
    assert truth.messages_in(practice.lab) == before
    assert practice.psql("select count(*) from filler where t = 'the very last'") == "1"
    assert practice.beside("before", run) == [f"postgres_before_{run}"]


def test_a_server_that_crashes_again_and_again_is_recovered(practice: Practice) -> None:
    practice.psql("insert into filler values ('before the crash')")
    before = truth.messages_in(practice.lab)
    conf = practice.lab.data("postgres") / "postgresql.auto.conf"
    conf.write_text(conf.read_text() + "this is no setting\n")
    practice.docker("restart", "-t", "5", practice.postgres)
    run = practice.recover("latest")
    assert truth.messages_in(practice.lab) == before
    assert practice.psql("select count(*) from filler where t = 'before the crash'") == "1"
    policy = practice.docker("inspect", "-f", "{{.HostConfig.RestartPolicy.Name}}", practice.postgres)
    assert policy == "unless-stopped"
    assert practice.times_done(run, "resume the writers") == 1
