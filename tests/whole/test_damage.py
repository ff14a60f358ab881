"""Bad days of WAL and of base backups, on the real stack: said plainly, and the live data is untouched."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator

import pytest

from tests.support.damage import (
    away,
    can_be_planned,
    ends,
    failure,
    fill,
    flipped,
    live,
    newest_base,
    refusal,
    truncated,
    write_segments,
)
from tests.support.practice import Practice
from tests.support.quiet_practice import quiet_company

pytestmark = pytest.mark.whole


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    with quiet_company(tmp_path_factory.mktemp("damage"), "mtb-damage") as company:
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
    segments = write_segments(practice, 10)  # More than are read for a plan.
    # A commit behind the last checkpoint, which noted who ran: so no plan has to read further back for that.
    practice.psql("insert into filler values ('the last')")
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
initdb -D /tmp/other >/dev/null && pg_resetwal -l "$1" /tmp/other
pg_ctl start -w -D /tmp/other -o '-c listen_addresses=' >/dev/null
pg_basebackup -D /bases/zz_other -c fast -X stream && pg_ctl stop -D /tmp/other
"""


@pytest.mark.usefixtures("untouched")
def test_a_base_backup_of_another_system_is_not_chosen(practice: Practice) -> None:
    """It looks newer than ours and fits into our WAL; only its control file tells that it is another's."""
    practice.fresh_base()
    ours = newest_base(practice)
    segments = [fill(practice, "more") for _ in range(5)]
    practice.until((practice.lab.wal_archive / segments[-1]).exists, 30, "the segments are archived")
    practice.docker(
        "run",
        "--rm",
        "--user=postgres",
        "--network=none",
        "--entrypoint=sh",
        "-v",
        f"{ours.parent}:/bases",
        "postgres:15-bookworm",
        "-c",
        _FOREIGN,
        "foreign",
        segments[0],
    )
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
