"""The Slack app's manifest says all that the bot needs."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
import yaml

from actions.settings.slack_values import FAMILIES
from bot.slack.slack_doctor import SCOPES
from tests.support.paths import ROOT, SPECS

SCHEMA = SPECS / "slack-manifest.schema.2.0.0.json"


@pytest.fixture
def manifest() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "manifest.yml").read_text())
    return loaded


def test_the_manifest_fits_slacks_schema(manifest: dict[str, Any]) -> None:
    jsonschema.validate(manifest, json.loads(SCHEMA.read_text()))


def test_every_command_that_the_bot_listens_to_is_declared(manifest: dict[str, Any]) -> None:
    declared = {c["command"] for c in manifest["features"]["slash_commands"]}
    assert declared == {f"/{family}" for family in FAMILIES}
    assert all(c["should_escape"] for c in manifest["features"]["slash_commands"])


def test_every_scope_that_the_doctor_misses_is_asked_for(manifest: dict[str, Any]) -> None:
    assert set(SCOPES) <= set(manifest["oauth_config"]["scopes"]["bot"])


def test_buttons_mentions_and_sockets_are_switched_on(manifest: dict[str, Any]) -> None:
    settings = manifest["settings"]
    assert settings["interactivity"]["is_enabled"]
    assert settings["socket_mode_enabled"]
    assert {"app_mention", "message.im"} <= set(settings["event_subscriptions"]["bot_events"])
    assert settings["token_rotation_enabled"] is False


def test_names_and_descriptions_keep_to_slacks_lengths(manifest: dict[str, Any]) -> None:
    shown = manifest["display_information"]
    assert len(shown["name"]) <= 35
    assert len(shown["description"]) <= 140
    assert 175 <= len(shown["long_description"]) <= 4000
