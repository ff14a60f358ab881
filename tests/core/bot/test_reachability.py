"""What is away is said briefly and truly: Slack, PagerDuty, Redis, a worker."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from actions.settings.outside import PagerDutySettings, SlackSettings
from actions.settings.settings import Settings
from actions.store import notes
from actions.store.store import Store
from bot.terminal.reachability import Dependency, ReachabilityCheck, sentence
from lab.slack.client import running_practice_slack
from tests.support.bot_world import Clock, store_in
from tests.support.terminal_world import answering_redis

NOWHERE = "http://127.0.0.1:9/"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return store_in(tmp_path, Clock())


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that takes a connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


def settings(slack: str = f"{NOWHERE}api/", redis: str = "redis://127.0.0.1:9/0", pagerduty: str = "") -> Settings:
    paging = PagerDutySettings(token=SecretStr("t"), api_url=pagerduty) if pagerduty else PagerDutySettings()
    return Settings(
        slack=SlackSettings(channel="C0", base_url=slack, bot_token=SecretStr("xoxb-practice")),
        redis=SecretStr(redis),
        pagerduty=paging,
    )


def found(store: Store, given: Settings) -> dict[str, Any]:
    return {part.name: part.away for part in ReachabilityCheck(given, store).parts()}


def test_nothing_there_and_pagerduty_not_set_up(store: Store) -> None:
    assert found(store, settings()) == {"Slack": True, "PagerDuty": None, "Redis": True, "worker": True}
    assert found(store, Settings())["Slack"] is None


def test_a_worker_of_another_site_is_none_of_ours(store: Store) -> None:
    notes.worker_lives(store, "w", {"host": "far", "site": "elsewhere"})
    assert found(store, settings())["worker"] is True
    notes.worker_lives(store, "v", {"host": "here", "site": "main"})
    assert found(store, settings())["worker"] is False


def test_pagerduty_is_there_when_somebody_opens_the_door(store: Store, silent: int) -> None:
    assert found(store, settings(pagerduty=f"http://127.0.0.1:{silent}"))["PagerDuty"] is False
    assert found(store, settings(pagerduty="https://127.0.0.1:9"))["PagerDuty"] is True
    assert found(store, settings(pagerduty="nonsense"))["PagerDuty"] is True


@pytest.mark.parts
def test_who_takes_the_call_and_never_says_a_word_is_away(store: Store, silent: int) -> None:
    here = f"127.0.0.1:{silent}"
    said = found(store, settings(f"http://{here}/api/", f"redis://{here}/0", f"https://{here}"))
    assert said == {"Slack": True, "PagerDuty": True, "Redis": True, "worker": True}


def test_redis_is_there_when_it_answers(store: Store) -> None:
    with answering_redis() as url:
        assert found(store, settings(redis=url))["Redis"] is False


@pytest.mark.parametrize("address", ["", "http://x", "redis://127.0.0.1:nonsense/0"])
def test_an_address_that_is_none_is_away_and_no_traceback(store: Store, address: str) -> None:
    assert found(store, settings(redis=address))["Redis"] is True


def test_what_is_seen_of_an_address_has_no_password(store: Store) -> None:
    parts = ReachabilityCheck(settings(redis="redis://:secret@127.0.0.1:9/0"), store).parts()
    assert [part.seen for part in parts if part.name == "Redis"] == ["127.0.0.1:9/0 does not answer (ConnectionError)"]


@pytest.mark.parts
def test_slack_is_away_when_it_does_not_answer_and_there_when_it_refuses(store: Store) -> None:
    with running_practice_slack() as slack:
        for fault, away in (("off", False), ("down", True), ("limited", False)):
            slack.fault(fault)
            assert found(store, settings(slack.api_url))["Slack"] is away, fault


def test_one_line_says_it() -> None:
    parts = [
        Dependency("Slack", True, ""),
        Dependency("PagerDuty", None, ""),
        Dependency("Redis", False, ""),
        Dependency("worker", True, ""),
    ]
    assert sentence(parts) == "Away: Slack, worker. There: Redis."
    assert sentence(parts[2:3]) == "There: Redis."
    assert sentence(parts[:1]) == "Away: Slack."
