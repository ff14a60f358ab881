"""Live and ready: what a supervisor asks, with what is wrong in the answer."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from actions.store import notes
from actions.store.store import Store
from bot.context import BotContext
from bot.web import health_checks
from bot.web.health_checks import HealthChecks
from bot.web.liveness import Liveness
from bot.web.server import web_app
from tests.support.bot_world import Clock, office_in, store_in


class Line:
    """A socket that is open or not."""

    def __init__(self, connected: bool) -> None:
        self._connected = connected

    def is_connected(self) -> bool:
        return self._connected


def ask(path: str, bot: BotContext, *, threads: bool = True, connected: bool = True, wait_seconds: float = 3.0) -> Any:
    going = threading.Event()
    thread = threading.Thread(target=going.wait, name="threads", daemon=True)
    if threads:
        thread.start()
    liveness = Liveness(False, [thread], Line(connected), said="Slack did not answer (HTTP 503)")

    async def go() -> httpx.Response:
        app = web_app(None, *health_checks.routes(HealthChecks(bot, liveness, wait_seconds)))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bot") as client:
            return await client.get(path)

    answer = asyncio.run(go())
    going.set()
    return answer


def failing(answer: Any) -> list[str]:
    return [check["name"] for check in answer.json()["checks"] if not check["ok"]]


@pytest.fixture
def bot(tmp_path: Path) -> BotContext:
    clock = Clock()
    store = store_in(tmp_path, clock)
    notes.worker_lives(store, "w", {"sites": ["main"]})
    return replace(office_in().bot, store=store, clock=clock)


class Hanging(Store):
    """A store whose database does not answer and does not refuse either."""

    def __init__(self, clock: Any) -> None:
        super().__init__("sqlite://", clock)
        self.answers = threading.Event()

    def keep(self, kind: str, key: str, data: Any) -> None:
        self.answers.wait(20)


def test_all_well_is_ready(bot: BotContext) -> None:
    answer = ask("/healthz/ready", bot)
    assert (answer.status_code, answer.json()["ok"]) == (200, True)
    assert {c["name"] for c in answer.json()["checks"]} == {"process", "threads", "store", "worker", "Slack"}


def test_a_dead_thread_loop_is_not_alive(bot: BotContext) -> None:
    answer = ask("/healthz/live", bot, threads=False)
    assert (answer.status_code, failing(answer)) == (503, ["threads"])


def test_what_is_away_is_named_and_does_not_make_the_bot_dead(bot: BotContext) -> None:
    with bot.store.engine.connect() as db:
        db.exec_driver_sql("drop table notes")
    answer = ask("/healthz/ready", bot, connected=False)
    assert "HTTP 503" in str(answer.json())
    assert (answer.status_code, failing(answer)) == (503, ["store", "Slack"])
    assert ask("/healthz/live", bot, connected=False).status_code == 200


def test_without_a_worker_nothing_is_carried_out_so_it_is_not_ready(bot: BotContext) -> None:
    assert isinstance(bot.clock, Clock)
    bot.clock.on(60)
    answer = ask("/healthz/ready", bot)
    assert failing(answer) == ["worker"]
    assert "mayday worker" in str(answer.json())


def test_a_store_that_hangs_is_given_up_after_a_moment(bot: BotContext) -> None:
    hanging = Hanging(bot.clock)
    answer = ask("/healthz/ready", replace(bot, store=hanging), wait_seconds=0.1)
    hanging.answers.set()
    assert failing(answer) == ["store"]
    assert "did not answer" in str(answer.json())


def test_in_http_mode_the_last_question_to_slack_tells() -> None:
    liveness = Liveness(True)
    assert not liveness.slack().ok
    liveness.heard(True, "Slack answers")
    assert liveness.slack().ok
    liveness.heard(False, "Slack did not answer (timeout)")
    assert liveness.slack().seen == "Slack did not answer (timeout)"


def test_whether_this_bot_posts_is_said_and_a_bot_that_does_not_is_well() -> None:
    assert Liveness(True).threads() == []
    for posts, said in ((True, "this bot posts"), (False, "another bot posts")):
        (found,) = Liveness(True, posts=lambda posts=posts: posts).threads()
        assert (found.ok, found.seen) == (True, said)


def test_the_old_address_still_says_ok(bot: BotContext) -> None:
    assert ask("/health", bot).text == "ok"
