"""From the page to the thread against the practice Slack: a real bot, the real protocol, a played PagerDuty."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from actions.catalog import find
from actions.engine.journal import first_broken
from actions.incidents.incident_actions import known
from actions.settings.outside import PagerDutySettings, StatusPageSettings, WebSettings
from actions.settings.settings import Settings
from actions.store import notes
from actions.store.store import Store
from bot.bot_service import BotService
from bot.web.pagerduty_webhook import PATH
from lab.slack.client import RunningPracticeSlack, running_practice_slack
from tests.support.bot_world import CATALOG, settings_for, store_in
from tests.support.practice_bot import eventually, labels, lines, serving
from tests.support.waiting import now
from tests.support.worlds.pagerduty import PagerDutyWorld, WorldErrands
from tests.support.worlds.pages import DEPENDS, SERVICES, body, event
from workers.runner.leased_runner import LeasedRunner

pytestmark = pytest.mark.parts
SECRET = "practice-webhook-secret"


class Town:
    """The bot, the practice Slack, and a PagerDuty whose errands are carried out by hand."""

    def __init__(self, slack: RunningPracticeSlack, store: Store, bot: BotService) -> None:
        self.slack, self.store, self.bot = slack, store, bot
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{bot.port}", trust_env=False, timeout=10)
        self.world = PagerDutyWorld(store.clock)

    def pages(self, said: dict[str, Any]) -> None:
        """Deliver an event. Whatever is not kept before PagerDuty gives up is answered 503, and fails here."""
        sent = body(said).encode()
        signature = "v1=" + hmac.new(SECRET.encode(), sent, hashlib.sha256).hexdigest()
        answer = self.http.post(PATH, content=sent, headers={"x-pagerduty-signature": signature})
        assert answer.status_code == 202, answer.text

    def incident(self) -> Any:
        (name,) = self.store.incidents()
        return known(self.store, name)

    def root(self) -> str:
        """The incident's thread, empty until the bot has heard that it stands."""
        names = self.store.incidents()
        return str((self.store.note("post", f"{names[0]}:1") or {}).get("ts") or "") if names else ""

    def labels(self) -> list[str]:
        """The buttons of the incident's thread; none while it does not stand."""
        return labels(self.slack, root) if self.slack.threads() and (root := self.root()) else []

    def works(self) -> None:
        """A worker carries the errands out."""
        for run in self.store.runs(open_only=True):
            if run.startswith("e"):
                LeasedRunner(self.store, find, WorldErrands(self.world), "w").carry_out(run)


def settings(slack: RunningPracticeSlack) -> Settings:
    paged = PagerDutySettings(webhook_secrets=(SecretStr(SECRET),), services=SERVICES, depends_on=DEPENDS)
    given = {
        "web": WebSettings(enabled=True, host="127.0.0.1", port=0),
        "pagerduty": paged,
        "statuspage": StatusPageSettings(kind="files", path="/nowhere"),
    }
    return settings_for(slack.api_url).model_copy(update=given)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with running_practice_slack() as slack:
        store = store_in(tmp_path, now)
        notes.worker_lives(store, "w", {"host": "here", "sites": ["main"]})
        with serving(BotService(settings(slack), store, CATALOG, lambda run: None, now)) as bot:
            assert slack.wait_for_bot()
            eventually(lambda: store.notes("people").get("S0OPERATORS"))
            yield Town(slack, store, bot)


def test_a_page_stands_as_a_thread_at_once(town: Town) -> None:
    town.pages(event())
    eventually(lambda: town.slack.threads(), 3)
    assert town.slack.threads()[0]["summary"] == "ALERT PGR0VU2"
    assert town.labels()[:2] == ["Acknowledge", "Recover…"]


def test_a_thousand_alerts_are_one_thread_and_every_one_is_kept_in_time(town: Town) -> None:
    storm = [event("triggered", f"P{n:04}", n / 1000, opened=n / 1000) for n in range(1000)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(town.pages, [*storm, *storm[::10]]))
    eventually(lambda: town.store.incidents() and town.incident().count == 1000, 20)
    eventually(lambda: "1000 alerts, 1000 open" in lines(town.slack)[0], 20)
    assert len(town.slack.threads()) == 1
    assert len(lines(town.slack)) == 1
    assert first_broken(town.store.entries(town.incident().id)) is None


def test_buttons_become_errands_and_the_thread_tells_how_they_went(town: Town) -> None:
    town.world.opens("PGR0VU2", title="Alert PGR0VU2")
    town.pages(event())
    eventually(lambda: "Acknowledge" in town.labels())
    assert town.slack.click("Acknowledge")["ok"]
    eventually(lambda: town.incident().runs)
    town.works()
    eventually(lambda: any("acknowledged" in line for line in lines(town.slack)[1:]))
    assert town.world.incidents["PGR0VU2"].status == "acknowledged"
    town.pages(event("acknowledged", minutes=1, by="Olga Nowak"))
    eventually(lambda: "Acknowledged by Olga Nowak" in lines(town.slack)[0].replace("*", ""))
    assert len(lines(town.slack)) == 2
    assert town.slack.click("Resolve", "watcher")["ok"]
    assert town.incident().open
    pressed = town.slack.click("Resolve")
    assert pressed["ok"], pressed
    eventually(lambda: not town.incident().open)
    town.works()
    eventually(lambda: town.world.incidents["PGR0VU2"].status == "resolved" and town.labels() == [])


def test_recover_asks_which_and_with_what_and_begins_a_run_in_the_thread(town: Town) -> None:
    town.pages(event(title="rows missing in nchat_messages"))
    eventually(lambda: "Recover…" in town.labels())
    # The first dialog asks which recovery, with the fitting one chosen already; the next one asks to which moment.
    unsaid = town.slack.click("Recover…")
    assert (unsaid["error"], "To which moment?" in unsaid["detail"]) == ("needs_text", True)
    assert town.slack.click("Recover…", typed=" ")["error"] == "validation"
    assert not town.incident().runs
    assert town.slack.click("Recover…", typed="14:30")["ok"]
    eventually(lambda: town.incident().runs)
    run = town.store.run(town.incident().runs[0].run)
    assert run.request == {"when": "14:30"}
    eventually(lambda: len(lines(town.slack, town.root())) == 2)


def test_a_role_and_a_status_page_update_come_from_dialogs(town: Town) -> None:
    town.pages(event())
    eventually(lambda: "Take a role" in town.labels())
    assert town.slack.click("Take a role")["ok"]
    eventually(lambda: town.incident().roles)
    assert town.incident().roles["commander"]["id"] == "U0ONCALL"
    assert town.slack.click("Status page…", typed="We look into it.")["ok"]
    eventually(lambda: any(linked.procedure == "status page publish" for linked in town.incident().runs))
    draft = town.store.run(town.incident().runs[-1].run).request["draft"]
    assert draft["incident"] == town.incident().id
    assert draft["status"] == "investigating"


def test_a_pushpin_puts_a_message_into_the_timeline_once(town: Town) -> None:
    town.pages(event())
    # Not when Slack has the thread: when the bot has heard that it has.
    said = town.slack.say("We see errors since 13:58", thread=eventually(town.root))
    town.slack.fault("twice")
    assert town.slack.react(said["ts"], "pushpin")["ok"]
    assert town.slack.react(said["ts"], "eyes")["ok"]
    eventually(lambda: town.incident().pins)
    town.slack.fault("off")
    told = town.slack.say("@Mayday incident timeline", thread=town.root())
    assert "Olga Nowak: We see errors since 13:58" in told["answers"][0]
    assert len(town.incident().pins) == 1


def test_an_incident_is_declared_by_a_command(town: Town) -> None:
    said = town.slack.say("/incident declare search is slow low")
    assert "is open; its thread begins in a moment" in said["answers"][0]
    eventually(lambda: town.slack.threads()[0]["summary"] == "SEARCH IS SLOW")
