"""From PagerDuty to the thread and back: practice PagerDuty, practice Slack, bot and worker, all real but the stack."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from actions.catalog import find
from actions.incidents.incident import Incident
from actions.incidents.incident_actions import known
from actions.settings.outside import WebSettings
from actions.settings.settings import Settings
from actions.store.store import Store
from bot.bot_service import BotService
from lab.pagerduty.client import RunningPracticePagerDuty, running_practice_pagerduty
from lab.slack.client import RunningPracticeSlack, running_practice_slack
from tests.support.bot_world import CATALOG, settings_for, store_in
from tests.support.paging import certificates, eventually
from tests.support.paging import settings_for as paging_for
from tests.support.waiting import now
from workers.adapters import open_adapters
from workers.runner.leased_runner import LeasedRunner
from workers.runner.worker import Worker
from workers.watch.outside_chores import Outside

__all__ = ["certificates"]
pytestmark = pytest.mark.parts
NO_REDIS = "redis://127.0.0.1:1/0"


class Town:
    """Everything that an incident touches."""

    def __init__(self, slack: RunningPracticeSlack, pagerduty: RunningPracticePagerDuty, store: Store) -> None:
        self.slack, self.pagerduty, self.store = slack, pagerduty, store

    @property
    def incident(self) -> Incident:
        (name,) = self.store.incidents()
        return known(self.store, name)

    def paged(self) -> list[dict[str, Any]]:
        """The incidents as PagerDuty has them, the newest first."""
        return list(self.pagerduty.state()["incidents"])

    def lines(self) -> list[str]:
        """What stands in the thread, the header first."""
        noted = self.store.note("post", f"{self.incident.id}:1") or {}
        if not noted.get("ts"):
            return []
        return ["\n".join(m["lines"]) for m in self.slack.thread(noted["ts"])["messages"]]

    def stands(self) -> None:
        eventually(lambda: self.store.incidents() and self.lines())

    def press(self, label: str, user: str = "oncall", typed: str | None = None) -> None:
        answer = self.slack.click(label, user, typed=typed)
        assert answer["ok"], answer

    def quiet(self, seconds: float = 4.0) -> None:
        """Long enough for webhook and poller to tell whatever they have to tell."""
        time.sleep(seconds)


def _settings(slack: RunningPracticeSlack, pagerduty: RunningPracticePagerDuty, port: int) -> Settings:
    paged = paging_for(
        pagerduty,
        poll_seconds=1,
        services={"nself-postgres": "nself-postgres", "nself-hasura": "nself-hasura"},
        depends_on={"nself-hasura": ("nself-postgres",)},
    )
    web = WebSettings(enabled=True, host="127.0.0.1", port=port)
    return settings_for(slack.api_url).model_copy(update={"web": web, "pagerduty": paged})


def _thread(work: Callable[..., Any], *given: Any) -> threading.Thread:
    thread = threading.Thread(target=work, args=given, daemon=True)
    thread.start()
    return thread


@pytest.fixture
def town(tmp_path: Path, certificates: Path, free_port: int) -> Iterator[Town]:
    webhook = f"http://127.0.0.1:{free_port}/pagerduty/webhook"
    store, stop = store_in(tmp_path, now), threading.Event()
    with running_practice_slack() as slack, running_practice_pagerduty(certificates, webhook=webhook) as pagerduty:
        settings = _settings(slack, pagerduty, free_port)
        adapters = open_adapters(settings, now)
        errands = LeasedRunner(store, find, adapters.toolbox(), "errands", away_seconds=2)
        outside = Outside(settings, store, find, "worker", lambda run: None, adapters.pagerduty, adapters.pager)
        worker = Worker(store, lambda site, lane: errands, NO_REDIS, find, "worker", leaving=stop)
        worker.keep_up()
        threads = [_thread(chore.run, stop) for chore in (worker.pulse(), *outside.chores())]
        threads.append(_thread(BotService(settings, store, CATALOG, lambda run: None, now).run, stop))
        assert slack.wait_for_bot()
        eventually(lambda: store.notes("people").get("S0OPERATORS"))
        yield Town(slack, pagerduty, store)
        stop.set()
        for thread in threads:
            thread.join(10)


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_what_is_pressed_happens_in_pagerduty_and_comes_back_without_an_echo(town: Town) -> None:
    town.pagerduty.page("Rows vanished")
    town.stands()
    town.press("Acknowledge")
    eventually(lambda: town.paged()[0]["status"] == "acknowledged")
    eventually(lambda: "Acknowledged" in town.lines()[0])
    eventually(lambda: "acknowledged" in town.lines()[-1])
    town.quiet()
    assert len(town.lines()) == 2
    town.press("Escalate")
    eventually(lambda: "paged" in town.lines()[-1])
    town.quiet()
    assert len(town.lines()) == 3
    town.press("Resolve")
    eventually(lambda: town.paged()[0]["status"] == "resolved")
    town.quiet()
    assert len(town.lines()) == 5
    assert not town.incident.open


def test_what_is_done_in_pagerduty_shows_in_the_thread(town: Town) -> None:
    town.pagerduty.page("Rows vanished")
    town.stands()
    town.pagerduty.act("acknowledge")
    town.pagerduty.act("note", text="Looking into it")
    eventually(lambda: len(town.lines()) == 3)
    assert town.lines()[1].startswith("Acknowledged in PagerDuty by")
    assert town.lines()[2].endswith("Looking into it")
    town.pagerduty.act("resolve")
    eventually(lambda: not town.incident.open)
    town.quiet()
    assert len(town.lines()) == 4


@pytest.mark.parametrize("fault", ["twice", "slow", "errors", "limited"])
def test_bad_days_of_pagerduty_end_in_the_same_state(town: Town, fault: str) -> None:
    town.pagerduty.page("Rows vanished")
    town.stands()
    town.pagerduty.fault(fault)
    town.pagerduty.act("acknowledge")
    town.pagerduty.act("resolve")
    town.quiet(1.0)
    town.pagerduty.fault("off")
    eventually(lambda: not town.incident.open, 30)
    assert town.incident.count == 1


def test_an_alert_that_arrives_out_of_order_is_right_in_the_end(town: Town) -> None:
    town.pagerduty.page("Rows vanished", then="resolve", out_of_order=True)
    eventually(lambda: town.store.incidents() and not town.incident.open)
    town.quiet(2.0)
    assert not town.incident.open


def test_a_declared_incident_is_paged_and_stays_one(town: Town) -> None:
    said = town.slack.say("/incident declare everything is slow critical")
    assert "is open" in said["answers"][0]
    eventually(lambda: town.incident.alerts, 20)
    eventually(lambda: "paged" in town.lines()[-1], 20)
    town.quiet(2.0)
    assert len(town.store.incidents()) == 1
    assert town.incident.title == "everything is slow"


def test_a_storm_is_one_thread_with_the_right_number(town: Town) -> None:
    town.pagerduty.page("Disk is full", count=300)
    eventually(lambda: town.store.incidents() and town.incident.count == 300, 60)
    eventually(lambda: "300 alerts" in town.lines()[0], 30)
    assert len(town.lines()) == 1


def test_who_is_on_call_stands_in_the_header(town: Town) -> None:
    eventually(lambda: town.store.notes("on call"), 20)
    town.pagerduty.page("Rows vanished")
    town.stands()
    assert "On call" in town.lines()[0]
