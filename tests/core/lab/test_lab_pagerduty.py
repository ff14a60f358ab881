"""The practice PagerDuty of a practice company: its process, its commands, the settings written for Mayday."""

from __future__ import annotations

import json
import os
import signal
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from actions.engine.errors import RecoveryError, Refused
from actions.incidents.contacts import ContactWay, whom_to_tell
from actions.settings.settings import Settings
from actions.stack.stack import needs_of
from lab import company, processes
from lab.cli import app
from lab.home import Lab
from lab.pagerduty import place
from tests.support.waiting import now
from workers.pagerduty.rest_api import PagerDutyRest


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """A practice company of which nothing runs but its PagerDuty."""
    lab = Lab(tmp_path / "lab")
    lab.write_state(ports={"queue": 1, "functions": 2})
    yield lab
    processes.stop(lab, place.PART)


def settings_of(lab: Lab) -> Settings:
    company.write_settings(lab)
    return Settings.model_validate(tomllib.loads(Path(company.settings_file(lab)).read_text()))


def run(lab: Lab, *words: str) -> Any:
    return CliRunner().invoke(app, ["--home", str(lab.root), *words])


def answer(lab: Lab, *words: str) -> dict[str, Any]:
    """The one JSON document that a command prints."""
    result = run(lab, *words, "--json")
    assert result.exit_code == 0, result.exception
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_the_settings_that_are_written_are_settings(lab: Lab) -> None:
    settings = settings_of(lab)
    assert settings.pagerduty.services["PSVCPOSTGRES"] == "nself-postgres"
    assert [one.kind for one in settings.stack()[0].services][:2] == ["postgres", "redis"]
    assert needs_of(settings.stack())["nself-hasura"] == ("nself-postgres",)
    assert settings.pagerduty.api_url.startswith("https://127.0.0.1:")
    assert place.webhook_url(lab) == f"http://127.0.0.1:{settings.web.port}/pagerduty/webhook"
    assert settings_of(lab) == settings


def test_the_contacts_that_are_written_reach_the_cto(lab: Lab) -> None:
    contacts = settings_of(lab).contacts
    told = whom_to_tell("critical", now(), contacts, "UTC")
    assert [(n.way, n.contact and n.contact.name) for n in told[1:]] == [
        (ContactWay.PAGE, "Olga Nowak"),
        (ContactWay.CALL, "Carla Teng"),
    ]
    assert told[-1].contact is not None
    assert told[-1].contact.pagerduty == "PEPCTOX"


def test_commands_say_that_it_is_not_up(lab: Lab) -> None:
    for words in (("page", "x"), ("pagerduty",), ("fault", "pagerduty", "down")):
        assert isinstance(run(lab, *words).exception, RecoveryError)
    assert "mayday lab up" in str(run(lab, "pagerduty").exception.hint)


@pytest.mark.parts
def test_it_runs_beside_mayday_and_outlives_a_kill(lab: Lab) -> None:
    settings = settings_of(lab).pagerduty
    place.start(lab)
    pid = processes.pid_of(lab, place.PART)
    place.start(lab)
    assert processes.pid_of(lab, place.PART) == pid
    answer(lab, "page", "Rows vanished")
    adapter = PagerDutyRest(settings, now)
    [found] = adapter.updated_since(now())
    adapter.acknowledge(found.id)
    processes.stop(lab, place.PART)
    assert not processes.is_alive(lab, place.PART)
    place.start(lab)
    [again] = adapter.updated_since(now())
    assert (again.id, again.status) == (found.id, "acknowledged")
    os.kill(processes.pid_of(lab, place.PART), signal.SIGKILL)


@pytest.mark.parts
def test_the_commands_tell_what_pagerduty_sees(lab: Lab) -> None:
    place.start(lab)
    assert answer(lab, "page", "Rows vanished", "--count", "3", "--service", "redis", "--urgency", "low")["opened"] == 3
    assert answer(lab, "page", "Disk full", "--count", "4", "--grouped")["opened"] == 1
    assert answer(lab, "page", "Early", "--out-of-order")["ok"]
    found = answer(lab, "pagerduty")
    assert [(i["title"], i["status"], i["alerts"]) for i in found["incidents"][:2]] == [
        ("Early", "acknowledged", 1),
        ("Disk full", "triggered", 4),
    ]
    assert found["total"] == 5
    place.client(lab).act("note", text="Looking [bold]closely[/]")
    shown = run(lab, "pagerduty").stdout
    assert "stand-in" in shown
    assert "Olga Nowak: Looking [bold]closely[/]" in shown
    assert "on call  Databases, level 2: Dmitri Banerjee" in shown


@pytest.mark.parts
def test_the_commands_refuse_what_cannot_be(lab: Lab) -> None:
    place.start(lab)
    for words in (
        ("page", "x", "--service", "nothing"),
        ("page", " "),
        ("page", "x", "--urgency", "dreadful"),
        ("page", "x", "--count", "0"),
        ("fault", "pagerduty", "purple"),
    ):
        refused = run(lab, *words).exception
        assert isinstance(refused, Refused)
        assert refused.hint
    assert run(lab, "fault", "pagerduty", "down").exit_code == 0
    assert answer(lab, "pagerduty")["fault"] == "down"
    assert run(lab, "fault", "pagerduty", "off").exit_code == 0
