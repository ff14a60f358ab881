"""Incidents led from a terminal alone: real processes, no Slack, no Redis, no worker; a practice PagerDuty."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from actions.engine.journal import Kind
from actions.incidents import on_call
from actions.incidents.alert_grouping import rules_of
from actions.incidents.incident_actions import known
from actions.incidents.on_call_names import duty
from actions.incidents.take_in_events import take_in
from actions.settings.settings import Settings
from actions.store import notes
from bot.views import incident_header as header
from bot.views.incident_words import Scene
from lab.pagerduty.client import RunningPracticePagerDuty
from lab.pagerduty.company import MAYDAY_KEY, SENDER, TOKEN
from tests.support.bare_host import Host, now
from tests.support.paging import certificates, pagerduty, settings_for
from workers.pagerduty.poller import Poller
from workers.pagerduty.rest_api import PagerDutyRest

__all__ = ["certificates", "pagerduty"]
pytestmark = pytest.mark.parts
TOKENS = {"PAGERDUTY_TOKEN": TOKEN, "PAGERDUTY_ROUTING_KEY": MAYDAY_KEY}
CTO = '[[contacts.people]]\nrole = "cto"\nname = "Carla Teng"\nphone = "+1 415"\npagerduty = "PCTOONE"\n'


class Alone(Host):
    """A host from which PagerDuty can be reached."""

    def __init__(self, folder: Path, pagerduty: RunningPracticePagerDuty) -> None:
        self.pagerduty = pagerduty
        super().__init__(
            folder,
            f'{CTO}[pagerduty]\napi_url = "{pagerduty.url}"\nevents_url = "{pagerduty.url}"\n'
            f'ca_file = "{pagerduty.ca_file}"\nsender = "{SENDER}"\n'
            'services = { nself-postgres = "nself-postgres" }\n',
        )
        self.page.mkdir()

    def is_paged(self, title: str) -> str:
        """An alert arrives, and the bot hears of it; the id of its incident."""
        self.pagerduty.page(title)
        settings = settings_for(self.pagerduty, services={"nself-postgres": "nself-postgres"})
        rest = PagerDutyRest(settings, now)
        on_call.keep(self.store, "main", rest.on_call())
        Poller(self.store, rest).work()
        [name] = take_in(self.store, rules_of(Settings(pagerduty=settings)))
        return name

    def in_pagerduty(self) -> list[dict[str, Any]]:
        return list(self.pagerduty.state()["incidents"])


@pytest.fixture
def host(tmp_path: Path, pagerduty: RunningPracticePagerDuty) -> Alone:
    return Alone(tmp_path, pagerduty)


def test_the_terminal_shows_an_incident_in_the_words_of_its_threads_header(host: Alone) -> None:
    host.type("incident", "resolve", host.name)
    name = host.is_paged("Rows vanished in nchat_messages")
    shown = host.type("incident", "show")
    assert shown.returncode == 0, shown.stderr
    incident = known(host.store, name)
    scene = Scene(incident, now(), duty(host.store, Settings(), incident.lead.paged.policy if incident.lead else ""))
    said = header.blocks(scene)
    rows = said[2]["text"]["text"].splitlines()[0].split(" · ")
    assert len(rows) == 4
    for label, value in (row.strip("*").split("* ", 1) for row in rows):
        assert f"{label} {value}" in " ".join(shown.stdout.split())
    for text in (
        incident.title,
        name,
        "Nobody has it yet",
        "of 30 min, in time",
        "1 alert, 1 open",
        f"mayday incident acknowledge {name}",
        f"mayday recover postgres pitr <when> --incident {name}",
        f"mayday incident role {name} ROLE [USER]",
    ):
        assert text in shown.stdout
    document = host.json("incident", "show", name)
    assert (document["service"], document["urgency"], document["state"]) == ("nself-postgres", "high", "triggered")
    assert (document["rto_seconds"], document["open_alerts"], document["on_call_from"]) == (1800.0, 1, "PagerDuty")


def test_without_an_id_the_one_open_incident_is_meant_and_never_a_guess(host: Alone) -> None:
    assert host.json("incident", "show")["incident"] == host.name
    second = host.json("incident", "declare", "Sign-in is slow", "--severity", "low")["incident"]
    which = host.type("incident", "show")
    assert which.returncode == 1
    assert "Which incident?" in which.stderr
    assert host.name in which.stderr
    assert second in which.stderr
    for name in (host.name, second):
        host.json("incident", "resolve", name)
    refused = host.type("incident", "show", "--json")
    assert refused.returncode == 1
    assert "No incident is open" in json.loads(refused.stdout)["error"]
    assert "mayday incident declare" in refused.stdout
    over = host.type("incident", "show", second).stdout
    assert f"mayday incident export {second}" in over
    assert "mayday incident resolve" not in over


def test_a_role_is_given_to_somebody_by_name_and_to_nobody_by_mistake(host: Alone) -> None:
    host.json("incident", "role", host.name, "commander")
    host.json("incident", "role", host.name, "scribe", "Carla", "Teng")
    shown = host.json("incident", "show")["roles"]
    assert {role: holder["name"] for role, holder in shown.items()} == {"commander": "Ana", "scribe": "Carla Teng"}
    refused = host.type("incident", "role", host.name, "operations", "karla")
    assert (refused.returncode, "operations" in host.incident.roles) == (1, False)
    assert "Ana, Carla Teng" in refused.stderr


def test_the_status_page_is_told_and_read_without_a_worker(host: Alone) -> None:
    assert "Nothing was published." in host.type("status-page", "show").stdout
    said = host.type("status-page", "publish", host.name, "--text", "We look into it.", "--yes")
    assert said.returncode == 0, said.stderr
    assert "We look into it." in host.public()
    told = host.json("status-page", "show", host.name)
    [update] = told["updates"]
    assert (update["state"], update["text"], update["who"]) == ("done", "We look into it.", "Ana")
    assert update["stood_at"]
    shown = host.type("status-page", "show").stdout
    assert f"({update['errand']}, on the page since {update['stood_at'][11:19]})" in shown
    assert f"mayday status-page publish {host.name}" in shown
    assert host.json("status-page", "show")[0] == told


def test_what_is_done_in_a_terminal_is_done_in_pagerduty_though_nobody_else_is_there(host: Alone) -> None:
    name = host.is_paged("Postgres is down")
    said = host.json("incident", "acknowledge", name, **TOKENS)
    assert (said["state"], "No worker" in said["answer"]) == ("done", False)
    assert host.in_pagerduty()[0]["status"] == "acknowledged"
    # No bot and no worker hears of it: the terminal asks PagerDuty what came of it.
    assert host.json("incident", "show", name)["state"] == "acknowledged"
    assert host.json("incident", "escalate", name, **TOKENS)["state"] == "done"
    assert host.json("incident", "resolve", name, **TOKENS)["state"] == "done"
    assert host.in_pagerduty()[0]["status"] == "resolved"
    assert {alert.paged.status for alert in known(host.store, name).alerts.values()} == {"resolved"}


def test_what_this_terminal_lacks_the_secret_for_waits_and_says_who_can_do_it(host: Alone) -> None:
    name = host.is_paged("Postgres is down")
    said = host.type("incident", "acknowledge", name)
    assert said.returncode == 0
    errand = known(host.store, name).runs[-1].run
    for text in ("PagerDuty is not set up", "No worker is alive", f"mayday carry-out {errand}"):
        assert text in said.stderr
    assert f"waits for a worker: mayday carry-out {errand}" in host.type("incident", "show", name).stdout
    assert host.type("carry-out", errand, **TOKENS).returncode == 0
    assert host.in_pagerduty()[0]["status"] == "acknowledged"


def test_a_critical_incident_pages_everybody_whom_the_rules_name_from_here(host: Alone) -> None:
    said = host.json("incident", "declare", "All messages are gone", "--severity", "critical", **TOKENS)
    assert [one["state"] for one in said["errands"]] == ["done", "done"]
    assert "Call the cto now: Carla Teng +1 415." in said["answer"]
    assigned = {name for one in host.in_pagerduty() for name in one["assigned"]}
    assert assigned == {"Olga Nowak", "Carla Teng"}


def test_with_a_worker_alive_it_is_the_workers_unless_it_is_wanted_here(host: Alone) -> None:
    name = host.is_paged("Postgres is down")
    notes.worker_lives(host.store, "w", {"host": "elsewhere", "site": "main"})
    left = host.json("incident", "escalate", name, **TOKENS)
    assert [entry.kind for entry in host.store.entries(left["errand"])] == [Kind.REQUESTED]
    notes.worker_lives(host.store, "w", {"host": "elsewhere", "site": "main"})
    done = host.json("incident", "acknowledge", name, "--foreground", **TOKENS)
    assert done["state"] == "done"
    assert host.in_pagerduty()[0]["status"] == "acknowledged"
