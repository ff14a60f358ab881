"""What the doctor says of Slack, asked of the practice Slack."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from actions.findings import Finding
from actions.settings.people import Operator, OperatorSettings, PeopleSettings
from actions.settings.settings import Settings
from bot.slack.slack_doctor import check
from lab.slack.client import RunningPracticeSlack
from tests.support.bot_world import settings_for
from tests.support.practice_bot import slack

__all__ = ["slack"]
pytestmark = pytest.mark.whole


def findings(settings: Settings) -> dict[str, Finding]:
    return {found.name: found for found in check(settings)}


def changed(settings: Settings, **more: object) -> Settings:
    return settings.model_copy(update={"slack": settings.slack.model_copy(update=more)})


def test_a_well_installed_app_is_well(slack: RunningPracticeSlack) -> None:
    assert [f for f in check(settings_for(slack.api_url)) if not f.ok] == []


def test_a_wrong_token_is_named_with_what_to_do(slack: RunningPracticeSlack) -> None:
    found = findings(changed(settings_for(slack.api_url), bot_token=SecretStr("xoxb-wrong")))["Slack bot token"]
    assert (found.ok, found.seen) == (False, "invalid_auth")
    assert "xoxb" in found.do


def test_a_channel_without_the_bot_or_without_being_is_told_apart(slack: RunningPracticeSlack) -> None:
    settings = settings_for(slack.api_url)
    assert "/invite" in findings(changed(settings, channel="C0GENERAL"))["Slack channel"].do
    assert findings(changed(settings, channel="C0NOWHERE"))["Slack channel"].seen == "channel_not_found"
    assert not findings(changed(settings, channel=""))["Slack channel"].ok


def test_an_empty_list_and_an_unknown_group_are_found(slack: RunningPracticeSlack) -> None:
    people = PeopleSettings(operator_groups=("S0NOBODY",))
    found = findings(settings_for(slack.api_url).model_copy(update={"people": people}))
    assert not found["Who may approve"].ok
    assert found["User group S0NOBODY"].seen == "no_such_subteam"


def test_an_approver_of_the_terminal_who_is_nobody_in_slack_is_found(slack: RunningPracticeSlack) -> None:
    bo = Operator(id="bo", name="Bo", os_users=("1001",), may_approve=True)
    cy = Operator(id="cy", name="Cy", os_users=("1002",))
    settings = settings_for(slack.api_url).model_copy(update={"operators": OperatorSettings(people=(bo, cy))})
    found = findings(settings)["Approvers of the terminal"]
    assert (found.ok, found.seen) == (False, "without a Slack id: bo")
    known = OperatorSettings(people=(bo.model_copy(update={"slack": "U0BO"}), cy))
    assert findings(settings.model_copy(update={"operators": known}))["Approvers of the terminal"].ok
    nobody = settings.model_copy(update={"people": PeopleSettings()})
    assert "Approvers of the terminal" not in findings(nobody)


def test_an_unreachable_slack_is_said_to_be_just_that() -> None:
    found = findings(settings_for("http://127.0.0.1:9/api/"))["Slack bot token"]
    assert not found.ok
    assert "cannot be reached" in found.do
