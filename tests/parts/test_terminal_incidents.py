"""Incidents in a terminal: the same actions as in Slack, by operators of the host."""

from __future__ import annotations

from pathlib import Path

import pytest

from actions.engine.errors import Refused
from actions.engine.ids import is_errand
from actions.incidents import incident as incidents
from actions.incidents.alert import AlertState
from tests.support.terminal_world import Terminal

pytestmark = pytest.mark.parts  # Whole commands, which ask closed ports, as people's do.


@pytest.fixture
def terminal(memory_path: Path) -> Terminal:
    return Terminal(memory_path)


def declared(terminal: Terminal) -> str:
    terminal.typed("ana", "incident", "declare", "Search is slow", "--severity", "high")
    [name] = terminal.store.incidents()
    return name


def told(terminal: Terminal, name: str) -> incidents.Incident:
    return incidents.fold(terminal.store.entries(name))


def test_an_incident_is_declared_led_and_resolved_without_slack(terminal: Terminal) -> None:
    name = declared(terminal)
    [listed] = terminal.json("bo", "incident", "list")
    assert (listed["incident"], listed["title"], listed["severity"]) == (name, "Search is slow", "high")
    assert name in terminal.typed("bo", "incident").stdout
    terminal.typed("bo", "incident", "severity", name, "critical")
    terminal.typed("bo", "incident", "role", name, "scribe")
    assert told(terminal, name).severity == "critical"
    assert told(terminal, name).roles["scribe"]["name"] == "Bo"
    terminal.typed("ana", "incident", "resolve", name)
    assert told(terminal, name).state is AlertState.RESOLVED
    assert terminal.json("ana", "incident", "list") == []


def test_a_recovery_asked_for_here_belongs_to_the_incident_that_is_named(terminal: Terminal) -> None:
    name = declared(terminal)
    nothing = terminal.type("ana", "recover", "paint", "red", "--incident", "i0101-aaaa").exception
    assert isinstance(nothing, Refused)
    assert [run for run in terminal.store.runs() if not is_errand(run)] == []
    terminal.typed("ana", "recover", "paint", "red", "--incident", name)
    assert told(terminal, name).runs[-1].run == terminal.run.id
    assert terminal.run.origin["incident"] == name


def test_who_may_not_ask_may_not_lead(terminal: Terminal) -> None:
    name = declared(terminal)
    for words in (("declare", "Nothing"), ("resolve", name), ("severity", name, "low"), ("role", name, "scribe")):
        refused = terminal.type("cy", "incident", *words).exception
        assert isinstance(refused, Refused), words
        assert refused.hint
    assert told(terminal, name).open
    assert len(terminal.store.incidents()) == 1


def test_the_timeline_and_the_document_tell_what_happened(terminal: Terminal, tmp_path: Path) -> None:
    name = declared(terminal)
    terminal.typed("bo", "incident", "role", name, "scribe")
    timeline = terminal.json("ana", "incident", "timeline", name)
    assert terminal.json("ana", "incident", "timeline") == timeline, "the one that is open needs no name"
    said = [line["said"] for line in timeline["timeline"]]
    assert said[0] == "Opened: Search is slow"
    assert any("scribe" in line for line in said)
    files = terminal.json("ana", "incident", "export", name, "--to", str(tmp_path))["files"]
    assert [Path(file).suffix for file in files] == [".md", ".html"]
    assert all("Search is slow" in Path(file).read_text() for file in files)
    nowhere = terminal.type("ana", "incident", "export", name, "--to", str(tmp_path / "no")).exception
    assert "--to" in nowhere.hint
    assert "html" in terminal.type("ana", "incident", "export", name, "--format", "pdf").exception.hint


def test_an_update_goes_out_only_after_a_yes(terminal: Terminal) -> None:
    name = declared(terminal)
    refused = terminal.type("ana", "status-page", "publish", name, stdin="no\n").exception
    assert "Nothing was published" in refused.message
    before = told(terminal, name).runs
    assert not any(one.procedure == "status page publish" for one in before)
    terminal.typed("ana", "status-page", "publish", name, "--text", "We look into it.", stdin="yes\n")
    [errand] = told(terminal, name).runs[len(before) :]
    assert terminal.store.run(errand.run).request["draft"]["text"] == "We look into it."
    assert terminal.rung[-1] == errand.run


def test_an_incident_that_is_not_there_is_said(terminal: Terminal) -> None:
    name = declared(terminal)
    for slip in ("i0101-aaaa", name[:-1], "resolve-it"):
        for verb in ("resolve", "acknowledge", "timeline", "export"):
            assert isinstance(terminal.type("ana", "incident", verb, slip).exception, Refused), (verb, slip)
    assert told(terminal, name).open


def test_a_title_is_a_title_whatever_its_last_word(terminal: Terminal) -> None:
    said = terminal.json("ana", "incident", "declare", "Disk space low")
    assert (told(terminal, said["incident"]).title, told(terminal, said["incident"]).severity) == ("Disk space low", "")
    assert "No worker is alive" in said["answer"]
    assert "critical" in terminal.type("ana", "incident", "declare", "Down", "--severity", "bogus").exception.hint
