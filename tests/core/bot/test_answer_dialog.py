"""The dialog of an answer: who may not is refused before they type; it repeats what is approved."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from slack_bolt import App, BoltRequest

from actions.engine.journal import Kind
from bot.dispatch import hear
from bot.runs.answer_dialog import repeated
from bot.runs.button_target import ButtonTarget
from bot.runs.requests import Origin
from bot.slack.app import app_of
from bot.slack.people import SlackPeople
from bot.views import answer_modals, question
from tests.support.bot_world import CHANNEL, PITR, SERVICE, DirectoryClient, Office, PlayedWorker, office_in, store_in
from tests.support.waiting import within

eventually = within(8)
CARD = [{"label": "Lost", "text": "1,259 rows", "at": None}]


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """Bolt's listeners have threads of their own, so the store is a file."""
    made = office_in()
    store = store_in(tmp_path, made.clock)
    people = SlackPeople(made.bot.settings.people, DirectoryClient(made.directory), store)
    return replace(made, bot=replace(made.bot, store=store, people=people))


class Slack:
    """What the bot did in Slack after a press: the dialogs that it opened, the words that one person saw."""

    def __init__(self, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
        self.dialogs: list[dict[str, Any]] = []
        self.told: list[tuple[str, str]] = []
        monkeypatch.setattr("slack_sdk.WebClient.views_open", lambda _self, *, view, **_m: self.dialogs.append(view))
        monkeypatch.setattr("slack_sdk.WebClient.chat_postEphemeral", self._hear)
        monkeypatch.setattr("slack_sdk.WebClient.chat_postMessage", self._hear)
        self.app: App = app_of(office.bot)

    def _hear(self, *, channel: str, text: str, **_more: Any) -> None:
        self.told.append((channel, text))

    def press(self, target: ButtonTarget, user: str, channel: str = CHANNEL) -> None:
        action = {
            "type": "button",
            "action_id": "answer:0",
            "block_id": "b",
            "action_ts": "1.1",
            "value": target.value(),
        }
        body = {
            "type": "block_actions",
            "team": {"id": "T1"},
            "user": {"id": user},
            "trigger_id": "t",
            "channel": {"id": channel},
            "container": {"channel_id": channel, "message_ts": "1.0"},
            "actions": [action],
        }
        self.app.dispatch(BoltRequest(body=body, mode="socket_mode"))
        eventually(lambda: self.dialogs or self.told)


def asking(office: Office, **more: Any) -> ButtonTarget:
    hear(office.bot, "postgres pitr 14:30", Origin("t1", "U0ONCALL", "T1", CHANNEL))
    (run,) = office.store.runs()
    worker = PlayedWorker(office.store, run)
    worker.looks(PITR, 0, 1)
    return ButtonTarget(run, worker.asks(PITR, 5, card=CARD, **more), "Cut over")


@pytest.mark.parametrize(
    ("user", "said"),
    [
        ("U0ONCALL", "Whoever asked for a recovery does not approve it alone."),
        ("U0WATCHER", "U0WATCHER may not approve."),
    ],
)
def test_whoever_may_not_is_refused_on_the_press(
    office: Office, monkeypatch: pytest.MonkeyPatch, user: str, said: str
) -> None:
    slack, target = Slack(office, monkeypatch), asking(office)
    office.directory.users[user] = {"real_name": user}
    slack.press(target, user)
    assert slack.dialogs == []
    ((channel, text),) = slack.told
    assert channel == CHANNEL
    assert said in text


def test_the_dialog_repeats_what_is_approved(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    slack, target = Slack(office, monkeypatch), asking(office)
    slack.press(target, "U0APPROVER")
    (view,) = slack.dialogs
    said = json.dumps(view["blocks"])
    assert "*Cut over?*" in said
    assert "<@U0ONCALL> asks: Bring nself-postgres back to 14:30." in said
    assert "*Lost* 1,259 rows" in said
    assert f"Type `{SERVICE}`" in said
    assert answer_modals.target(view) == target


def test_slack_that_cannot_say_who_may_keeps_nobody_from_the_dialog(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    slack, target = Slack(office, monkeypatch), asking(office)
    office.store.keep("people", "U0NEW", {"name": "Nele", "tz": "UTC", "stranger": ""})
    office.directory.says = {"S0APPROVERS": "ratelimited", "U0NEW": "ratelimited"}
    slack.press(target, "U0NEW")
    assert len(slack.dialogs) == 1, slack.told


def test_a_right_that_was_given_a_moment_ago_opens_the_dialog(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    slack, target = Slack(office, monkeypatch), asking(office)
    office.bot.people.warm()
    office.directory.groups["S0APPROVERS"].append("U0NEW")
    slack.press(target, "U0NEW")
    assert len(slack.dialogs) == 1, slack.told


def test_what_a_dialog_of_a_direct_message_tells_later_is_told_there(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    slack, target = Slack(office, monkeypatch), asking(office)
    slack.press(target, "U0APPROVER", "D0APPROVER")
    assert answer_modals.channel_of(slack.dialogs[0]) == "D0APPROVER"
    assert answer_modals.target({"private_metadata": target.value()}) == target, "one that an earlier version opened"


def test_the_dialog_says_what_the_answer_does(office: Office) -> None:
    words = {"label": "Cut over", "who": "second approver", "types": "service", "danger": True, "leads": "on"}
    options = [{**words, "gives": "cut", "does": "Hasura stands still for 20 s."}]
    target = asking(office, options=options)
    said = json.dumps(repeated(office.bot, target))
    assert "*Cut over*: Hasura stands still for 20 s." in said


def test_a_confirmation_says_what_will_happen_and_never_what_holds_of_any_button(office: Office) -> None:
    option = {"label": "Pause", "danger": True, "leads": "on", "who": "requester", "types": "", "gives": "cut"}
    told = {**option, "does": "Hasura stops now. Discard lets it on."}
    target = asking(office, options=[told, option])
    asked = next(e for e in office.store.entries(target.run) if e.kind is Kind.ASKED)
    buttons = next(b for b in question.blocks(asked, None) if b["type"] == "actions")["elements"]
    assert buttons[0]["confirm"]["text"]["text"] == "Hasura stops now. Discard lets it on."
    assert buttons[1]["confirm"]["text"]["text"] == "Pause begins at once, and no other button takes it back."
