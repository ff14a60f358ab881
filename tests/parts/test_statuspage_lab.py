"""The practice status page as a part of the practice company: started, looked at, broken, kept, removed."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from actions.engine.errors import Away, RecoveryError, Refused
from actions.settings.settings import Settings
from lab import cli, company, processes
from lab.home import Lab
from lab.statuspage import part
from lab.statuspage.faults import MODES
from tests.support.page_world import DATA, DRAFT
from tests.support.waiting import now
from workers.statuspage import page_checks
from workers.statuspage.opening import open_page, opener

pytestmark = pytest.mark.parts


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    made = Lab(tmp_path / "lab", prefix="mtest-", project="mtest")
    part.start(made)
    yield made
    processes.stop(made, part.PART)


@pytest.fixture
def settings(lab: Lab) -> Settings:
    return Settings.model_validate(tomllib.loads(part.settings(lab)))


def say(lab: Lab, *words: str) -> tuple[int, str]:
    """A command of `mayday lab`."""
    done = CliRunner().invoke(cli.app, ["--home", str(lab.root), *words])
    if isinstance(done.exception, RecoveryError):
        raise done.exception
    return done.exit_code, done.output


def test_the_settings_of_the_company_lead_to_it_and_the_doctor_is_content(lab: Lab, settings: Settings) -> None:
    assert [(f.name, f.ok) for f in page_checks.check(settings, now)] == [
        ("status page", True),
        ("status page's components", True),
    ]
    assert settings.statuspage.components["mtest-postgres"] == DATA


def test_what_was_published_is_seen_in_the_terminal_and_survives_a_power_cut(lab: Lab, settings: Settings) -> None:
    page = open_page(settings.statuspage, now, seconds_apart=0.01)
    assert page
    page.publish(DRAFT)
    processes.kill(lab, part.PART)
    part.start(lab)
    code, text = say(lab, "statuspage", "--json")
    seen = json.loads(text)
    assert (code, seen["status"]["indicator"], seen["incidents"][0]["updates"][0]["body"]) == (
        0,
        "critical",
        DRAFT.text,
    )
    code, text = say(lab, "statuspage")
    assert "Messages are missing" in text
    assert "investigating (nobody was told by mail)" in text


def test_each_fault_can_be_switched_on_and_off(lab: Lab, settings: Settings) -> None:
    page = open_page(settings.statuspage, now, seconds_apart=0.01)
    assert page
    for mode in MODES:
        assert say(lab, "fault", "statuspage", mode) == (0, f"The practice status page: {mode}\n")
    assert page.find("INC-42") is None
    say(lab, "fault", "statuspage", "down")
    with pytest.raises(Away):
        page.find("INC-42")
    assert httpx.get(part.address(lab), trust_env=False).status_code == 503
    assert json.loads(say(lab, "statuspage", "--json")[1])["fault"] == "down"
    with pytest.raises(Refused, match="no fault 'gone'"):
        say(lab, "fault", "statuspage", "gone")


def test_the_doctor_says_what_is_wrong_with_the_page(lab: Lab, settings: Settings) -> None:
    def found(**more: object) -> list[tuple[bool, str, str]]:
        changed = settings.statuspage.model_validate(settings.statuspage.model_dump() | more)
        return [
            (f.ok, f.seen, f.do) for f in page_checks.check(settings.model_copy(update={"statuspage": changed}), now)
        ]

    (_, (ok, seen, do)) = found(components={"nself-postgres": "nobody"})
    assert not ok
    assert seen == "not on the page: nself-postgres (nobody)"
    assert DATA in do
    assert found(components={})[1][:2] == (False, "no service is mapped")
    assert "token" in found(token="wrong")[0][2]
    assert found(token="")[0][0] is False
    processes.stop(lab, part.PART)
    assert "does not answer" in found()[0][1]
    assert found(kind="") == []


def test_the_company_ends_it_and_purge_removes_what_it_kept(lab: Lab) -> None:
    (lab.root / part.KEPT).write_text("{}")
    assert part.PART in company._PARTS
    lab.documents.mkdir()
    (lab.documents / "i1128-fbvv.md").touch()
    company._forget(lab)
    assert not (lab.root / part.KEPT).exists()
    assert not lab.documents.exists()


def test_without_a_company_the_commands_say_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(RecoveryError) as absent:
        say(Lab(tmp_path / "none"), "statuspage")
    assert absent.value.hint == "Start it with: mayday lab up"


def test_an_errand_gets_the_page_only_where_the_settings_name_one(lab: Lab, settings: Settings) -> None:
    opened = opener(settings, now)
    assert opened
    assert opened().find("INC-42") is None
    assert opener(Settings(), now) is None
