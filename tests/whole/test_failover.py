"""A standby takes over from a primary that died, hangs, or writes: judged by what the town was acknowledged."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from actions.engine.journal import Kind
from actions.engine.run import Run
from actions.recoveries.postgres_failover import SECOND
from actions.steps.failover.sheets import FAIL_OVER
from lab.home import STANDBY
from lab.lost import lost
from lab.notes import read
from lab.replication import replication
from lab.replication_faults import happen, heal
from tests.support.practice import Practice, practice_company

pytestmark = pytest.mark.whole

_SAID = 30
_BEHIND_BYTES = 20_000


@contextmanager
def pair(root: Path, name: str) -> Iterator[Practice]:
    """A company whose standby streams while its town talks."""
    with practice_company(root, name, standby=True) as practice:
        practice.until(lambda: noted(practice) > _SAID, 30, "the town talks")
        practice.until(lambda: any(node["streaming"] for node in replication(practice.lab)["nodes"]), 30, "it streams")
        yield practice


def noted(practice: Practice) -> int:
    return sum(1 for _ in read(practice.lab.truth_file))


def behind(practice: Practice) -> int:
    """Bytes of WAL that the standby lacks."""
    return max(int(node["lag_bytes"] or 0) for node in replication(practice.lab)["nodes"])


def fail_over(practice: Practice) -> Run:
    """Two people do it; the run, which has ended well."""
    run = practice.begins("/recover postgres failover")
    assert practice.wait(run) == "asking", practice.story(run)
    practice.decide(FAIL_OVER, run)
    practice.wait_for(run, Kind.ASKED, SECOND.title)
    practice.decide(FAIL_OVER, run, "approver", practice.lab.container(STANDBY))
    assert practice.wait(run) == "recovered", practice.story(run)
    practice.assert_on_the_record(run)
    return practice.run(run)


def assert_taken_over(practice: Practice, run: Run) -> None:
    """Nothing is lost beyond what the report counts, clients follow, the old one is fenced, backups go on."""
    lab, standby = practice.lab, practice.lab.container(STANDBY)
    missing, said = lost(lab), run.facts["given_up"]
    assert (missing["primary"], missing["timeline"], missing["branched_from"]) == (standby, 2, 1)
    assert said["counted"]
    assert missing["lost"] <= said["commits"], missing["messages"]
    assert replication(lab)["takes_writes"] == [standby]
    assert_clients_follow(practice)
    assert is_fenced(practice), inspected(practice, "postgres")
    assert (lab.wal_archive / "00000002.history").exists()
    assert any(len(file.name) == 24 for file in lab.wal_archive.glob("00000002*")), "WAL of timeline 2 is archived"
    base = lab.backups / "postgres" / "base" / f"base_{run.id}"
    assert '"Timeline": 2' in (base / "backup_manifest").read_text()


def assert_clients_follow(practice: Practice) -> None:
    address = inspected(practice, STANDBY)["NetworkSettings"]["Networks"][practice.lab.network]["IPAddress"]
    for writer in ("functions", "hasura", "auth"):
        found = practice.docker("exec", practice.lab.container(writer), "getent", "ahostsv4", practice.postgres)
        assert {line.split()[0] for line in found.splitlines()} == {address}
    assert httpx.get(f"http://127.0.0.1:{practice.lab.port('functions')}/smoke", trust_env=False).status_code == 200
    before = noted(practice)
    practice.until(lambda: noted(practice) > before + _SAID, 30, "the town goes on")
    assert [note["timeline"] for note in read(practice.lab.truth_file)][-1] == 2


def is_fenced(practice: Practice) -> bool:
    """Exited, without a restart policy and a network, and marked to start as a standby."""
    old = inspected(practice, "postgres")
    stopped = (old["State"]["Status"], old["HostConfig"]["RestartPolicy"]["Name"]) == ("exited", "no")
    marked = (practice.lab.data("postgres") / "standby.signal").exists()
    return stopped and old["NetworkSettings"]["Networks"] == {} and marked


def inspected(practice: Practice, service: str) -> Any:
    return json.loads(practice.docker("inspect", practice.lab.container(service)))[0]


def test_a_killed_primary_is_replaced_and_one_that_comes_back_is_fenced(tmp_path: Path) -> None:
    with pair(tmp_path, "mtfa") as practice:
        happen(practice.lab, "replication-lag")
        practice.until(lambda: behind(practice) > _BEHIND_BYTES, 60, "the standby lacks messages")
        killed = happen(practice.lab, "primary-killed")
        assert inspected(practice, "postgres")["State"]["ExitCode"] == 137
        assert killed["began"] < killed["moment"]
        run = fail_over(practice)
        assert run.facts["evidence"]["health"] == "dead"
        assert run.facts["missing"]["commits"] > 0, "else nothing had to be brought over"
        assert_taken_over(practice, run)
        assert heal(practice.lab)["healed"] == ["the link between primary and standby"], "it starts no fenced primary"

        happen(practice.lab, "old-primary-returns")
        assert inspected(practice, "postgres")["State"]["StartedAt"] > killed["moment"]
        # Nobody is asked: Mayday itself sees two primaries.
        practice.until(lambda: is_fenced(practice), 60, "the old primary is fenced again")
        assert replication(practice.lab)["takes_writes"] == [practice.lab.container(STANDBY)]
        assert_clients_follow(practice)


def test_a_primary_that_hangs_is_fenced_and_replaced(tmp_path: Path) -> None:
    with pair(tmp_path, "mtfb") as practice:
        happen(practice.lab, "primary-hung")
        assert inspected(practice, "postgres")["State"]["Status"] == "paused"
        run = fail_over(practice)
        assert run.facts["evidence"]["health"] in ("does not answer", "unclear")
        assert_taken_over(practice, run)
        assert lost(practice.lab)["lost"] == 0, "its standby had received all of it"


def test_a_primary_that_writes_is_stopped_in_good_order_and_loses_nothing(tmp_path: Path) -> None:
    with pair(tmp_path, "mtfc") as practice:
        run = fail_over(practice)
        assert run.facts["evidence"]["health"] == "takes writes"
        assert_taken_over(practice, run)
        assert (lost(practice.lab)["lost"], run.facts["given_up"]["commits"]) == (0, 0)
        assert inspected(practice, "postgres")["State"]["ExitCode"] == 0, "PostgreSQL has shut down"
