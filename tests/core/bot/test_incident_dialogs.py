"""An incident's dialogs at Bolt's door: each submission is acknowledged with what comes of it, and counts once."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from slack_bolt import App, BoltRequest

from actions.settings.outside import StatusPageSettings
from actions.settings.services import ServiceTable
from actions.settings.settings import Settings
from actions.settings.site import SiteSettings
from bot.incidents import status_update
from bot.slack.app import app_of
from bot.slack.people import SlackPeople
from bot.slack.thread_writer import ThreadWriter
from bot.views import incident_modals as modals
from tests.support.bot_world import VERIFY, DirectoryClient, store_in
from tests.support.worlds.emergency import Emergency


@pytest.fixture
def here(tmp_path: Path) -> Emergency:
    made = Emergency()
    # Bolt's listeners have threads of their own, so the store is a file.
    made.store = store_in(tmp_path, made.office.clock)
    people = SlackPeople(made.bot.settings.people, DirectoryClient(made.office.directory), made.store)
    made.bot = replace(made.bot, store=made.store, people=people)
    made.sink = ThreadWriter(made.bot)
    for group in ("S0OPERATORS", "S0APPROVERS"):
        made.store.keep("people", group, ["U0ONCALL"])
    made.store.keep("people", "U0ONCALL", {"name": "Olga", "tz": "UTC", "stranger": ""})
    made.pages()
    return made


def submit(here: Emergency, view: dict[str, Any], values: dict[str, Any], user: str = "U0ONCALL") -> Any:
    """What the bot says to a submission: nothing where the dialog closes."""
    filled = {block: {modals.FIELD: value} for block, value in values.items()}
    shown = {**view, "id": "V1", "hash": "1.a", "state": {"values": filled}}
    body = {"type": "view_submission", "team": {"id": "T1"}, "user": {"id": user, "name": user}, "view": shown}
    app: App = app_of(here.bot)
    said = app.dispatch(BoltRequest(body=body, mode="socket_mode"))
    assert said.status == 200
    return json.loads(said.body) if isinstance(said.body, str) and said.body else said.body or {}


def option(value: str) -> dict[str, Any]:
    return {"type": "static_select", "selected_option": {"value": value, "text": {"type": "plain_text", "text": value}}}


def text(value: str) -> dict[str, Any]:
    return {"type": "plain_text_input", "value": value}


def test_the_recovery_that_was_chosen_asks_for_its_arguments(here: Emergency) -> None:
    said = submit(here, choose(here), {"said": option("postgres pitr")})
    assert said["response_action"] == "update"
    assert said["view"]["callback_id"] == modals.ARGUMENTS
    unknown = submit(here, choose(here), {"said": option("postgres nothing")})
    assert unknown["response_action"] == "errors"


def choose(here: Emergency) -> dict[str, Any]:
    return {
        "type": "modal",
        "callback_id": modals.RECOVER,
        "private_metadata": here.incident.id,
        "blocks": [],
        "title": {"type": "plain_text", "text": "Recover"},
    }


def test_without_arguments_it_begins_at_once_and_only_once(here: Emergency) -> None:
    dialog = modals.arguments(here.incident.id, VERIFY)
    assert [block["type"] for block in dialog["blocks"]] == ["section"]
    for _ in range(2):
        assert not submit(here, dialog, {})
    assert [linked.procedure for linked in here.incident.runs] == ["postgres verify"]
    assert here.office.rung[0] == here.incident.runs[0].run


def test_of_several_services_the_one_that_the_incident_is_about_is_meant(here: Emergency) -> None:
    both = (ServiceTable(name="nself-postgres"), ServiceTable(name="reports", kind="postgres"))
    given = Settings(site=SiteSettings(postgres="nself-postgres"), services=both)
    wide = here.bot.settings.model_copy(update={"site": given.site, "services": given.services})
    here.bot = replace(here.bot, settings=wide)
    assert not submit(here, modals.arguments(here.incident.id, VERIFY), {})
    assert here.store.run(here.incident.runs[0].run).service == "nself-postgres"


def test_a_refusal_is_told_in_the_dialog_even_where_it_has_no_field(here: Emergency) -> None:
    said = submit(here, modals.arguments(here.incident.id, VERIFY), {}, "U0WATCHER")
    assert said["response_action"] == "update"
    assert "may not ask" in json.dumps(said["view"])
    assert here.incident.runs == ()


def test_a_role_is_given_by_dialog(here: Emergency) -> None:
    dialog = modals.role(here.incident.id, "U0ONCALL")
    who = {"type": "users_select", "selected_user": "U0DBA"}
    assert not submit(here, dialog, {"said": option("scribe"), "who": who})
    assert here.incident.roles["scribe"]["id"] == "U0DBA"


def test_an_update_goes_out_in_the_words_of_whoever_read_it_or_says_what_is_wrong(here: Emergency) -> None:
    page = StatusPageSettings(kind="files", components={"nself-postgres": "database"})
    here.bot = replace(here.bot, settings=here.bot.settings.model_copy(update={"statuspage": page}))
    dialog = {**choose(here), "callback_id": modals.STATUS, "blocks": [{"type": "input", "block_id": "said"}]}
    words = {"kind": option("opened"), "title": text("Messages are late"), "said": text("We look into it.")}
    assert submit(here, dialog, {**words, "said": text("  ")})["response_action"] == "errors"
    assert not submit(here, dialog, words)
    draft = here.store.run(here.incident.runs[0].run).request["draft"]
    assert (draft["title"], draft["text"]) == ("Messages are late", "We look into it.")
    assert draft["components"] == {"database": "major_outage"}


def test_a_role_is_acknowledged_in_time_though_slack_does_not_say_who_asked(
    here: Emergency, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.listeners.response_deadline.SOON", 0.05)
    said, asking = threading.Event(), SlackPeople.asking

    def hangs(self: SlackPeople, *asked: Any) -> Any:
        said.wait(20)
        return asking(self, *asked)

    monkeypatch.setattr(SlackPeople, "asking", hangs)
    values = {modals.BLOCK: option("scribe"), "who": {"type": "users_select", "selected_user": "U0ONCALL"}}
    try:
        # Bolt gives up after three seconds, and Slack with it.
        assert submit(here, modals.role(here.incident.id, "U0ONCALL"), values) == {}
    finally:
        said.set()


def test_another_kind_is_read_before_it_is_published(here: Emergency) -> None:
    """*Resolved* under the words of *Opened* publishes nothing: the dialog comes again with words that fit."""
    page = StatusPageSettings(kind="files", components={"nself-postgres": "database"})
    here.bot = replace(here.bot, settings=here.bot.settings.model_copy(update={"statuspage": page}))
    shown = status_update.dialog(here.bot, here.incident.id, "opened")
    first = draft_text(shown)
    assert "looking into" in first
    assert "Component of the page: nself-postgres: major outage." in json.dumps(shown)
    words = {"kind": option("resolved"), "title": text("Messages are late"), "said opened": text(first)}
    again = submit(here, shown, words)
    assert again["response_action"] == "update"
    assert "is over" in draft_text(again["view"])
    assert "put back to what it was before" in json.dumps(again["view"])
    assert here.incident.runs == ()
    words = {"kind": option("resolved"), "title": text("x"), "said resolved": text(draft_text(again["view"]))}
    assert not submit(here, again["view"], words)
    assert here.store.run(here.incident.runs[0].run).request["draft"]["status"] == "resolved"


def test_words_of_ones_own_are_published_under_the_kind_that_was_chosen(here: Emergency) -> None:
    page = StatusPageSettings(kind="files", components={"nself-postgres": "database"})
    here.bot = replace(here.bot, settings=here.bot.settings.model_copy(update={"statuspage": page}))
    shown = status_update.dialog(here.bot, here.incident.id, "opened")
    words = {"kind": option("failed"), "title": text("x"), "said opened": text("Still broken.")}
    assert not submit(here, shown, words)
    assert here.store.run(here.incident.runs[0].run).request["draft"]["text"] == "Still broken."


def draft_text(view: dict[str, Any]) -> str:
    """The text that the dialog begins with."""
    fields = [block for block in view["blocks"] if block.get("block_id", "").startswith("said")]
    return str(fields[0]["element"]["initial_value"])
