"""A primary that dies is noticed within seconds by the workers alone; a pause, a restart or a bad link is no death."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from actions.control.requests import Subject
from actions.engine.journal import Kind
from actions.engine.status import state_of
from actions.incidents.incident_actions import known
from actions.recoveries.postgres_failover import SECOND
from actions.settings.settings_file import read
from actions.steps.failover.sheets import FAIL_OVER
from actions.watch.cluster_status import ClusterStatus, statuses
from lab import company
from lab.home import STANDBY
from lab.replication_faults import happen, heal
from tests.support.practice import Practice, practice_company

pytestmark = pytest.mark.whole
WITHIN = 20.0
"""Seconds from the kill to the question: dead_seconds are 10, and this machine may be busy."""


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    with practice_company(tmp_path_factory.mktemp("watch"), "mtwa", town=False, standby=True) as made:
        yield made


@pytest.fixture(autouse=True)
def _all_is_well(practice: Practice) -> None:
    practice.until(lambda: state(practice) == "ready", 60, "the cluster is ready")


def status(practice: Practice) -> ClusterStatus:
    settings = read(company.settings_file(practice.lab), {}, {})
    [found] = statuses(practice.store, settings.stack(), settings.failover.dead_seconds, company.clock())
    return found


def state(practice: Practice) -> str:
    return str(status(practice).verdict.state)


def states_of(practice: Practice, seconds: float) -> set[str]:
    """All states of so many seconds."""
    ends, found = time.monotonic() + seconds, set[str]()
    while time.monotonic() < ends:
        found.add(state(practice))
        time.sleep(0.2)
    return found


def wait_for_incident(practice: Practice, before: list[str]) -> str:
    practice.until(lambda: practice.store.incidents() != before, WITHIN, "an incident is opened")
    [incident] = set(practice.store.incidents()) - set(before)
    return incident


def failover_of(practice: Practice, incident: str) -> str:
    """The failover that waits in the incident's thread."""

    def runs() -> list[str]:
        linked = known(practice.store, incident).runs
        return [one.run for one in linked if one.procedure == "postgres failover"]

    practice.until(lambda: bool(runs()), 5, "a failover is asked for")
    [run] = runs()
    return run


def _figure(practice: Practice, said: str) -> None:
    """Keep what was measured beside the logs."""
    with (practice.lab.root / "logs" / "figures.log").open("a") as log:
        log.write(f"{said}\n")


def test_what_is_no_death_opens_nothing(practice: Practice) -> None:
    practice.docker("pause", practice.postgres)
    time.sleep(2)
    practice.docker("unpause", practice.postgres)
    assert "primary lost" not in states_of(practice, 4)
    practice.docker("restart", practice.postgres)
    assert "primary lost" not in states_of(practice, 14)
    practice.until(lambda: state(practice) == "ready", 30, "it is ready again")
    assert practice.store.incidents() == []


def test_a_link_that_is_broken_is_seen_from_one_side_alone(practice: Practice) -> None:
    practice.docker("network", "disconnect", practice.lab.network, practice.lab.container(STANDBY))
    try:
        # Its connection looks open for as long as PostgreSQL gives it.
        practice.until(lambda: state(practice) == "degraded", 70, "the standby is seen to hear nothing")
        assert states_of(practice, 14) == {"degraded"}
    finally:
        practice.docker("network", "connect", practice.lab.network, practice.lab.container(STANDBY))
    assert practice.store.incidents() == []
    assert [run for run in practice.store.runs() if practice.store.run(run).procedure == "postgres failover"] == []


def test_five_seconds_of_latency_are_no_death(practice: Practice) -> None:
    happen(practice.lab, "slow-link")
    seen = states_of(practice, 20)
    heal(practice.lab)
    assert "primary lost" not in seen
    assert practice.store.incidents() == []


def test_a_death_is_one_incident_with_a_failover_that_a_return_takes_back(practice: Practice) -> None:
    before = practice.store.incidents()
    practice.docker("kill", practice.postgres)
    began = time.monotonic()
    incident = wait_for_incident(practice, before)
    _figure(practice, f"incident {time.monotonic() - began:.1f} s after the kill")
    run = failover_of(practice, incident)
    practice.until(lambda: FAIL_OVER in practice.buttons(run), WITHIN - (time.monotonic() - began), "there is a button")
    _figure(practice, f"button {time.monotonic() - began:.1f} s after the kill")
    assert state(practice) == "primary lost"
    text = "\n".join(str(entry.data.get("text")) for entry in practice.store.entries(incident))
    assert "exit code 137" in text
    assert "WAL receiver is not connected" in text
    # Whoever takes over finds it told.
    practice.kill("worker")
    practice.start("worker")
    time.sleep(4)
    assert practice.store.incidents() == [incident, *before]
    practice.docker("start", practice.postgres)
    practice.until(lambda: practice.store.run(run).finished is not None, 30, "the failover is taken back", run)
    assert str(state_of(practice.store.run(run))) == "discarded"
    remarks = [str(entry.data.get("text")) for entry in practice.store.entries(incident) if entry.kind is Kind.NOTED]
    assert remarks.count(f"{practice.postgres} answers again and takes writes.") == 1


def test_the_person_on_call_fails_over_by_the_button_and_the_old_primary_has_to_be_rejoined(practice: Practice) -> None:
    before = practice.store.incidents()
    practice.docker("kill", practice.postgres)
    run = failover_of(practice, wait_for_incident(practice, before))
    assert practice.wait(run) == "asking", practice.story(run)
    practice.decide(FAIL_OVER, run)
    practice.wait_for(run, Kind.ASKED, SECOND.title)
    practice.decide(FAIL_OVER, run, "approver", practice.lab.container(STANDBY))
    practice.until(lambda: state(practice) == "failover in progress", 20, "it is seen to be in progress")
    assert practice.wait(run) == "recovered", practice.story(run)
    practice.until(lambda: state(practice) == "recovered, rejoin needed", 20, "the cluster is seen as it is")
    found = status(practice).verdict
    assert found.primary == Subject(practice.lab.standby_site, practice.lab.container(STANDBY))
    assert len(practice.store.incidents()) == len(before) + 1
