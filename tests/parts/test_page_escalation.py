"""An approval that waits, against the practice PagerDuty: who is really paged, by its own word and its webhooks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from actions.catalog import find
from actions.incidents.alarms import APPROVAL_FOR
from actions.settings.settings import Settings
from actions.store import notes
from lab.pagerduty.client import RunningPracticePagerDuty, running_practice_pagerduty
from tests.support.bot_world import PITR, PlayedWorker, store_in
from tests.support.paging import Listener, certificates, eventually, listener, rest
from tests.support.paging import settings_for as paging_for
from tests.support.recorded import recorded
from tests.support.waiting import now
from workers.adapters import open_adapters
from workers.runner.leased_runner import LeasedRunner
from workers.watch.outside_chores import Outside

__all__ = ["certificates", "listener"]
pytestmark = pytest.mark.parts


class Night:
    """A recovery that has waited for a second person for eleven minutes, and what a worker does about it."""

    def __init__(self, pagerduty: RunningPracticePagerDuty, folder: Path) -> None:
        self.pagerduty, self.late = pagerduty, timedelta()
        self.store = store_in(folder, lambda: now() - self.late)
        self.rung: list[str] = []
        settings = Settings(pagerduty=paging_for(pagerduty))
        self.adapters = open_adapters(settings, now)
        self.outside = Outside(
            settings, self.store, find, "w", self.rung.append, self.adapters.pagerduty, self.adapters.pager
        )
        self.late = APPROVAL_FOR + timedelta(minutes=1)
        self.store.open_run("r1", {**recorded()[0]["data"], "procedure": PITR.name}, claims=True, key="k")
        self.run = PlayedWorker(self.store, "r1")
        self.run.asks(PITR, 5)
        self.late = timedelta()

    def looks(self) -> None:
        """As the chore of a living worker does."""
        notes.worker_lives(self.store, "w", {"site": "main"})
        next(one for one in self.outside.chores() if one.name == "alarms").work()

    def works(self) -> str:
        return LeasedRunner(self.store, find, self.adapters.toolbox(), "errands", away_seconds=0.5).carry_out(
            self.rung[-1]
        )

    def paged(self) -> list[dict[str, Any]]:
        """The open incidents about the approval, the newest first."""
        return [one for one in self.pagerduty.state()["incidents"] if " approval" in one["key"] and one["assigned"]]


@pytest.fixture
def night(certificates: Path, listener: Listener, memory_path: Path) -> Iterator[Night]:
    with running_practice_pagerduty(certificates, webhook=listener.url) as pagerduty:
        yield Night(pagerduty, memory_path)


def test_the_backup_is_paged_once_and_all_is_taken_back_with_the_answer(night: Night, listener: Listener) -> None:
    for _ in range(3):
        night.looks()
    [page] = night.paged()
    assert (page["level"], page["assigned"]) == (1, ["Olga Nowak"])
    night.works()
    [page] = night.paged()
    assert (page["level"], page["assigned"], page["status"]) == (2, ["Ada Prewitt"], "triggered")
    night.looks()
    night.works()
    eventually(lambda: "escalated" in listener.types)
    [said] = [event["data"] for event in listener.events if event["event_type"] == "incident.escalated"]
    assert [who["summary"] for who in said["assignees"]] == ["Ada Prewitt"]
    night.run.ends("discarded")
    night.looks()
    assert night.paged() == []
    assert listener.types.count("escalated") == 1


def test_whoever_silenced_the_first_page_does_not_keep_the_next_level_asleep(night: Night) -> None:
    night.looks()
    night.pagerduty.act("acknowledge", user="oncall")
    night.works()
    [page] = night.paged()
    assert (page["level"], page["assigned"], page["status"]) == (2, ["Ada Prewitt"], "triggered")


def fail_after_the_next(pagerduty: RunningPracticePagerDuty) -> None:
    """Of the changes to incidents the fourth is made, and answered as if it had not been."""
    [page] = pagerduty.state()["incidents"]
    client = rest(pagerduty)
    for _ in range(3):
        client.put(f"/incidents/{page['id']}", json={"incident": {"type": "incident_reference"}})


def test_an_error_after_the_escalation_pages_nobody_twice(night: Night, listener: Listener) -> None:
    night.looks()
    night.pagerduty.fault("errors")
    fail_after_the_next(night.pagerduty)
    night.works()
    night.pagerduty.fault("off")
    assert night.store.run(night.rung[-1]).finished == "done"
    [page] = night.paged()
    assert page["level"] == 2
    eventually(lambda: "escalated" in listener.types)
    assert listener.types.count("escalated") == 1


def test_where_nobody_stands_on_the_next_level_a_second_page_goes_out(night: Night) -> None:
    night.pagerduty.absent("approver")
    night.looks()
    night.works()
    failed = night.store.run(night.rung[-1]).failure
    assert failed is not None
    assert "nobody on call" in failed.detail
    night.late = -APPROVAL_FOR
    night.looks()
    assert len(night.paged()) == 2
    assert "still waits" in night.paged()[0]["title"]
