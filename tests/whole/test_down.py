"""Bad days of the server itself, on the real stack: raised limits, paused, down, crashing again and again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab import truth
from tests.support.damage import ends, fill
from tests.support.practice import Practice
from tests.support.quiet_practice import quiet_company

pytestmark = pytest.mark.whole


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    with quiet_company(tmp_path_factory.mktemp("down"), "mtb-down") as company:
        yield company


@pytest.fixture(autouse=True)
def settled(practice: Practice) -> Iterator[None]:
    yield
    practice.settle()


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
    practice.until(lambda: practice.docker(*ready) == "yes", 60, "the server answers", every=0.5)


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
    fill(practice, "archived")
    practice.psql("insert into filler values ('the very last')")
    before = truth.messages_in(practice.lab)
    practice.docker("kill", practice.postgres)
    run = practice.recover("latest")
    assert truth.messages_in(practice.lab) == before
    assert practice.psql("select count(*) from filler where t = 'the very last'") == "1"
    assert practice.beside("before", run) == [f"postgres_before_{run}"]


def test_a_server_that_crashes_again_and_again_is_recovered(practice: Practice) -> None:
    fill(practice, "before the crash")
    before = truth.messages_in(practice.lab)
    conf = practice.lab.data("postgres") / "postgresql.auto.conf"
    conf.write_text(conf.read_text() + "this is no setting\n")
    practice.docker("restart", "-t", "5", practice.postgres)
    run = practice.pitr_to_preview("latest")
    # The live configuration is what keeps it from starting, so a cut-over that keeps it is not offered.
    assert "Cut over" not in practice.buttons(run)
    practice.press("Cut over, configuration from the backup", run, "approver", typed=practice.postgres)
    assert practice.wait(run) == "recovered", practice.story(run)
    assert truth.messages_in(practice.lab) == before
    assert practice.psql("select count(*) from filler where t = 'before the crash'") == "5000"
    policy = practice.docker("inspect", "-f", "{{.HostConfig.RestartPolicy.Name}}", practice.postgres)
    assert policy == "unless-stopped"
    assert practice.times_done(run, "resume the writers") == 1


def test_a_server_whose_control_file_was_overwritten_is_recovered_to_its_very_last_commit(practice: Practice) -> None:
    """The first 512 bytes of pg_control are zeroed; only the server's own WAL still says which cluster it is."""
    fill(practice, "before the control file went")
    system = practice.psql("select system_identifier from pg_control_system()")
    before = truth.messages_in(practice.lab)
    practice.docker("kill", practice.postgres)
    control = practice.lab.data("postgres") / "global/pg_control"
    control.write_bytes(bytes(512) + control.read_bytes()[512:])
    practice.docker("start", practice.postgres)
    run = practice.recover("latest")
    assert practice.run(run).facts["server"]["control_damaged"] is True
    assert practice.run(run).facts["server"]["system_identifier"] == system
    assert truth.messages_in(practice.lab) == before
    assert practice.psql("select count(*) from filler where t = 'before the control file went'") == "5000"
    assert practice.beside("before", run) == [f"postgres_before_{run}"]
