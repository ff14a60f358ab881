"""A slash command renamed in the settings: heard, told and helped with under its new name, and under no other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from slack_bolt import App, BoltRequest
from slack_sdk import WebClient

from actions.settings.outside import SlackSettings
from bot.dispatch import hear
from bot.runs.requests import Origin
from bot.slack.app import build_app
from bot.slack.client import client_for
from bot.slack.command_names import as_typed, coming_in, family_of, going_out
from bot.slack.slack_doctor import _commands
from bot.views.mrkdwn import section
from tests.support.bot_world import CATALOG, Clock, office_in, settings_for, store_in

NAMES = {"incident": "mayday-incident", "recover": "rescue"}


def renamed() -> Any:
    settings = settings_for()
    return settings.model_copy(update={"slack": settings.slack.model_copy(update={"commands": NAMES})})


@pytest.fixture
def app(memory_path: Path) -> App:
    clock = Clock()
    store = store_in(memory_path, clock)
    for group in ("S0OPERATORS", "S0APPROVERS"):
        store.keep("people", group, ["U0ONCALL"])
    store.keep("people", "U0ONCALL", {"name": "Olga", "tz": "UTC", "stranger": ""})
    return build_app(renamed(), store, CATALOG, lambda run: None, clock)


def said(app: App, name: str, text: str, trigger: str) -> str:
    body = {
        "command": name,
        "text": text,
        "trigger_id": trigger,
        "user_id": "U0ONCALL",
        "user_name": "olga",
        "team_id": "T1",
        "channel_id": "C1",
        "response_url": "http://127.0.0.1:9/hook",
    }
    return str(app.dispatch(BoltRequest(body=body, mode="socket_mode")).body)


def test_a_renamed_command_is_heard_and_its_help_names_it(app: App) -> None:
    assert "No incident is open" in said(app, "/mayday-incident", "list", "t1")
    told = said(app, "/rescue", "help", "t2")
    assert "/rescue status" in told
    assert "/mayday-incident declare" in told
    assert "`/recover" not in told
    assert "`/incident" not in told


def test_the_old_name_is_another_apps_and_is_not_heard(app: App) -> None:
    told = said(app, "/incident", "list", "t1")
    assert "not known here" in told
    assert "/rescue help" in told


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("<@U0MAYDAY> mayday-incident list", "<@U0MAYDAY> incident list"),
        ("/rescue status", "/recover status"),
        ("Rescue status", "recover status"),
        ("status", "status"),
        ("incident list", "incident list"),
    ],
)
def test_what_is_written_to_the_bot_may_use_either_name(text: str, meant: str) -> None:
    assert coming_in(text, NAMES) == meant


def test_what_is_said_in_words_is_carried_out_under_the_new_name() -> None:
    office = office_in()
    bot = office.bot
    object.__setattr__(bot, "settings", renamed())
    office.store.keep("people", "U0ONCALL", {"name": "Olga", "tz": "UTC", "stranger": ""})
    heard = hear(bot, "<@U0MAYDAY> mayday-incident list", Origin("k1", "U0ONCALL", "T1", "C1"))
    assert "No incident is open" in heard.text


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("Write `/incident list`, or /recover.", "Write `/mayday-incident list`, or /rescue."),
        ("/incidents and /incident-x stay", "/incidents and /incident-x stay"),
        ("https://example.com/incident/7", "https://example.com/incident/7"),
        ("/var/recover", "/var/recover"),
        ("/backup run base", "/backup run base"),
    ],
)
def test_a_text_names_commands_as_they_are_typed_and_leaves_addresses_alone(text: str, typed: str) -> None:
    assert as_typed(text, NAMES) == typed
    assert as_typed(text, {}) == text


def test_what_programs_read_is_not_touched() -> None:
    button = {"type": "button", "text": {"type": "plain_text", "text": "/incident list"}, "value": "/incident list"}
    sent = {"text": "/recover", "blocks": [{"type": "actions", "elements": [button]}], "metadata": {"run": "/recover"}}
    out = going_out(sent, NAMES)
    assert out["text"] == "/rescue"
    assert out["blocks"][0]["elements"][0]["text"]["text"] == "/mayday-incident list"
    assert out["blocks"][0]["elements"][0]["value"] == "/incident list"
    assert out["metadata"] == {"run": "/recover"}


def test_a_longer_name_makes_no_text_longer_than_slack_takes() -> None:
    text = "`/incident list`\n" * 175
    assert len(text) < 3000
    out = going_out({"text": text, "blocks": [section(text)]}, NAMES)
    shown = out["blocks"][0]["text"]["text"]
    assert len(shown) <= 3000
    assert shown.endswith("(cut)")


def test_the_client_renames_what_it_sends(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(WebClient, "api_call", lambda self, method, **more: sent.append(more["json"]))
    client_for(SlackSettings(commands=NAMES)).chat_postMessage(channel="C1", text="/incident list")
    client_for(SlackSettings()).chat_postMessage(channel="C1", text="/incident list")
    assert [one["text"] for one in sent] == ["/mayday-incident list", "/incident list"]


def test_the_doctor_tells_under_which_names_they_have_to_stand_in_the_app() -> None:
    assert [finding.seen.split(":")[0] for finding in _commands(renamed())] == [
        "/rescue, /backup, /drill, /mayday-incident"
    ]
    assert _commands(settings_for()) == []


@pytest.mark.parametrize(
    ("names", "why"),
    [
        ({"incident": "/mayday"}, "without the slash"),
        ({"incident": "My Incident"}, "small letters"),
        ({"incident": "recover"}, "two commands would be /recover"),
        ({"incident": "x" * 32}, "up to 31"),
        ({"incidents": "x"}, "no command /incidents to rename"),
    ],
)
def test_a_name_that_slack_would_not_take_is_refused(names: Any, why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        SlackSettings(commands=names)


def test_two_commands_may_change_names() -> None:
    swapped: Any = {"incident": "drill", "drill": "incident"}
    assert SlackSettings(commands=swapped).commands == swapped
    assert family_of("/drill", swapped) == "incident"
    assert json.loads(SlackSettings(commands=swapped).model_dump_json())["commands"] == swapped
