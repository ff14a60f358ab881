"""The document in the thread of a page, end to end: practice PagerDuty, practice Slack, bot and worker."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from actions.incidents.document_export import document_of
from actions.incidents.document_rendering import html, markdown
from tests.parts.test_page_to_thread import Town, free_port, town
from tests.support.paging import certificates, eventually

__all__ = ["certificates", "free_port", "town"]
pytestmark = pytest.mark.parts
PARTS = ("Summary", "Promises", "Roles", "Alerts", "Timeline", "Runs", "Status page", "Open questions")


def messages(town: Town) -> list[dict[str, Any]]:
    root = town.store.note("post", f"{town.incident.id}:1")["ts"]
    return list(town.slack.thread(root)["messages"])


def files(town: Town) -> dict[str, str]:
    """What stands in the thread as files, by name, downloaded as whoever clicks on them would."""
    shown = [file for message in messages(town) for file in message["files"]]
    assert len({file["name"] for file in shown}) == len(shown), "a file stands there twice"
    token = {"authorization": "Bearer xoxb-practice"}
    return {f["name"]: httpx.get(f"{town.slack.url}{f['url']}", headers=token, trust_env=False).text for f in shown}


def test_a_page_that_is_resolved_ends_with_its_document_and_with_another_when_it_comes_back(town: Town) -> None:
    town.pagerduty.page("Rows vanished")
    town.stands()
    town.press("Acknowledge")
    eventually(lambda: town.paged()[0]["status"] == "acknowledged")
    town.slack.say("@Mayday incident role scribe", "dba", thread=messages(town)[0]["ts"])
    said = town.slack.say("It began with the deploy", "oncall", thread=messages(town)[0]["ts"])
    eventually(lambda: town.incident.roles)
    town.slack.react(said["ts"], "pushpin")
    eventually(lambda: town.incident.pins)
    town.press("Resolve")
    eventually(lambda: not town.incident.open)
    name = town.incident.id
    eventually(lambda: set(files(town)) == {f"{name}.md", f"{name}.html"}, 60)
    first = files(town)
    for kind in first.values():
        assert all(part in kind for part in PARTS)
        for told in ("Rows vanished", "It began with the deploy", "scribe", "Acknowledge in PagerDuty", "30 min"):
            assert told in kind, told
    assert re.search(r"Recovery time .*\| 30 min \| .* \| kept \|", first[f"{name}.md"])
    assert first == {
        f"{name}.md": markdown(document_of(town.store, name)),
        f"{name}.html": html(document_of(town.store, name)),
    }

    town.pagerduty.act("reopen")
    eventually(lambda: town.incident.open)
    town.pagerduty.act("resolve")
    eventually(lambda: not town.incident.open)
    second = f"{name}-version-2"
    eventually(lambda: set(files(town)) == {*first, f"{second}.md", f"{second}.html"}, 60)
    later = files(town)
    assert {old: later[old] for old in first} == first
    assert later[f"{second}.md"].startswith("# Rows vanished (version 2)\n")
    assert "takes the place of version 1" in later[f"{second}.md"]
    assert "Rows vanished (version 2)" in later[f"{second}.html"]
    town.quiet()
    assert len(files(town)) == 4
