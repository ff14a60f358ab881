"""The home tab and the bot's web server, against the practice Slack, with a real bot."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from actions.catalog import CATALOG
from actions.store import notes
from actions.store.store import Store
from actions.watch import service_condition
from actions.watch.service_condition import Health
from bot.bot_service import BotService
from lab.slack.client import RunningPracticeSlack
from tests.core.workers.test_condition import SEEN
from tests.support.bot_world import SERVICE, PlayedWorker, store_in
from tests.support.practice_bot import connected_bot, eventually, running_bot, slack
from tests.support.waiting import now

__all__ = ["slack"]
pytestmark = pytest.mark.whole


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = store_in(tmp_path, now)
    notes.worker_lives(store, "ops-1:17:101112", {"host": "here", "site": "main", "sites": ["main"]})
    see(store)
    return store


def see(store: Store, word: str = "healthy") -> None:
    service_condition.keep(store, replace(SEEN, seen_at=now(), health=Health(SERVICE, word)))


@pytest.fixture
def bot(slack: RunningPracticeSlack, store: Store) -> Iterator[BotService]:
    with connected_bot(slack, store, CATALOG, web=True) as bot:
        yield bot


def tab(slack: RunningPracticeSlack, user: str = "oncall") -> str:
    view = slack.state(user)["home"]
    return "\n".join(view["lines"]) if view else ""


def press(slack: RunningPracticeSlack, label: str, user: str = "oncall") -> None:
    view = slack.state(user)["home"]
    block, item = next(
        (b, e)
        for b in view["blocks"]
        for e in b.get("elements", [])
        if b["type"] == "actions" and e["text"]["text"] == label
    )
    said = slack._post("/press", user=user, view_id=view["id"], block_id=block["block_id"], action_id=item["action_id"])
    assert said["ok"], said


def dialog(slack: RunningPracticeSlack, user: str = "oncall") -> Any:
    return eventually(lambda: slack.state(user)["views"])[-1]


def test_the_tab_stands_soon_after_it_is_opened(slack: RunningPracticeSlack, store: Store, bot: BotService) -> None:
    for user in ("oncall", "approver", "dba", "watcher"):
        slack.home(user)
        eventually(lambda user=user: tab(slack, user), 3)
        assert "*nself-postgres* healthy" in tab(slack, user)


def test_it_shows_a_new_run_by_itself_with_a_link_to_its_thread(
    slack: RunningPracticeSlack, store: Store, bot: BotService
) -> None:
    slack.home()
    eventually(lambda: "None." in tab(slack))
    slack.say("/recover postgres pitr 14:30")
    [run] = eventually(store.runs)
    eventually(lambda: run in tab(slack) and "archives/C0OPSEMERG/p" in tab(slack), 25)
    PlayedWorker(store, run).ends("discarded")
    eventually(lambda: run not in tab(slack), 15)


def test_a_button_begins_the_same_run_as_the_words_do(
    slack: RunningPracticeSlack, store: Store, bot: BotService
) -> None:
    slack.home()
    eventually(lambda: tab(slack))
    press(slack, "Verify")
    run = eventually(store.runs)[0]
    first = store.entries(run)[0].data
    assert (first["procedure"], first["by"], first["service"]) == ("postgres verify", "U0ONCALL", SERVICE)
    assert run in "\n".join(dialog(slack)["lines"])
    eventually(lambda: any(t["run"] == run for t in slack.threads()))


def test_who_may_not_ask_is_told_so_in_a_dialog(slack: RunningPracticeSlack, store: Store, bot: BotService) -> None:
    slack.home("watcher")
    eventually(lambda: tab(slack, "watcher"))
    press(slack, "Base backup", "watcher")
    assert "may not ask" in "\n".join(dialog(slack, "watcher")["lines"])
    assert store.runs() == []


def test_the_recover_dialog_begins_a_plan_and_says_what_it_did_not_understand(
    slack: RunningPracticeSlack, store: Store, bot: BotService
) -> None:
    slack.home()
    eventually(lambda: tab(slack))
    press(slack, "Recover…")
    view = dialog(slack)
    option = next(b for b in view["blocks"] if b.get("block_id") == "which")["element"]["options"][0]

    def submit(text: str) -> Any:
        values = {
            "which": {"value": {"type": "static_select", "selected_option": option}},
            "said": {"value": {"type": "plain_text_input", "value": text}},
        }
        return slack.submit(view["id"], values)

    assert submit("half past noonish")["error"] == "validation"
    assert submit("half past noonish")["error"] == "validation"
    assert submit("20m ago")["ok"]
    run = eventually(store.runs)[0]
    assert store.entries(run)[0].data["procedure"] == "postgres pitr"
    assert run in "\n".join(dialog(slack)["lines"])


def test_everything_delivered_twice_begins_one_run(slack: RunningPracticeSlack, store: Store, bot: BotService) -> None:
    slack.home()
    eventually(lambda: tab(slack))
    slack.fault("twice")
    press(slack, "Window")
    eventually(store.runs)
    time.sleep(0.5)
    assert len(store.runs()) == 1


def test_a_slow_home_tab_does_not_delay_the_threads(slack: RunningPracticeSlack, store: Store, bot: BotService) -> None:
    for user in ("oncall", "approver", "dba", "watcher"):
        slack.home(user)
    slack.room.world.faults.set("slow")
    see(store, "unhealthy")
    slack.say("/recover postgres pitr 14:30")
    [run] = eventually(store.runs)
    eventually(lambda: any(t["run"] == run for t in slack.threads()), 12)


def test_the_web_server_stands_beside_the_socket(slack: RunningPracticeSlack, store: Store, bot: BotService) -> None:
    web = httpx.Client(base_url=f"http://127.0.0.1:{bot.port}", trust_env=False)
    ready = web.get("/healthz/ready").json()
    assert ready["ok"], ready
    slack.say("/recover status")
    page = web.get("/metrics").text
    assert 'mayday_ack_seconds_count{command="/recover"} 1.0' in page
    assert 'mayday_service_up{service="nself-postgres"} 1.0' in page
    slack.fault("down")
    eventually(lambda: web.get("/healthz/ready").status_code == 503)
    assert web.get("/healthz/live").status_code == 200
    slack.fault("off")
    web.close()


def test_the_web_server_answers_before_slack_does(slack: RunningPracticeSlack, store: Store) -> None:
    slack.fault("down")
    with running_bot(slack, store, CATALOG, web=True) as bot:
        found = httpx.get(f"http://127.0.0.1:{bot.port}/healthz/ready", trust_env=False)
        assert found.status_code == 503
        assert [c["name"] for c in found.json()["checks"] if not c["ok"]] == ["Slack"]
        slack.fault("off")
        assert slack.wait_for_bot()
        eventually(lambda: httpx.get(f"http://127.0.0.1:{bot.port}/healthz/ready", trust_env=False).status_code == 200)


def test_in_http_mode_one_server_has_it_all(slack: RunningPracticeSlack, store: Store) -> None:
    with running_bot(slack, store, CATALOG, web=True, mode="http", http_host="127.0.0.1", http_port=0) as bot:
        slack.request_url(f"http://127.0.0.1:{bot.port}/slack/events")
        eventually(lambda: store.notes("people").get("S0OPERATORS"))
        assert "No run is under way." in slack.say("/recover status")["answers"][0]
        for path in ("/metrics", "/healthz/live", "/healthz/ready", "/health"):
            eventually(lambda p=path: httpx.get(f"http://127.0.0.1:{bot.port}{p}", trust_env=False).status_code == 200)
