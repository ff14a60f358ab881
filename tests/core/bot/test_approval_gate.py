"""One gate before anything answers anybody; and "Slack could not say" is not "may not"."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from slack_bolt import App, BoltRequest

from actions.control import answers
from actions.engine.errors import Refused
from actions.engine.journal import Kind
from bot.dispatch import hear
from bot.runs.button_target import ButtonTarget
from bot.runs.requests import Origin
from bot.slack.app import app_of
from bot.slack.home_tab import Home
from bot.slack.people import SlackPeople
from bot.views import answer_modals
from bot.views.home_view import RECOVER
from tests.support.bot_world import CHANNEL, PITR, DirectoryClient, Office, PlayedWorker, office_in, store_in
from tests.support.waiting import within

GUEST = "U0GUEST"


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """Bolt's listeners have threads of their own, so the store is a file."""
    made = office_in()
    store = store_in(tmp_path, made.clock)
    people = SlackPeople(made.bot.settings.people, DirectoryClient(made.directory), store)
    made.directory.users[GUEST] = {"is_restricted": True}
    return replace(made, bot=replace(made.bot, store=store, people=people))


def asked(office: Office) -> tuple[PlayedWorker, int]:
    """A run of oncall with an open cut-over."""
    hear(office.bot, "postgres pitr 14:30", Origin("t1", "U0ONCALL", "T1", CHANNEL))
    (run,) = office.store.runs()
    worker = PlayedWorker(office.store, run)
    worker.looks(PITR, 0, 1)
    return worker, worker.asks(PITR, 5)


@pytest.mark.parametrize("family", ["recover", "incident"])
@pytest.mark.parametrize("text", ["status", "runs", "runs {run}", "list", "help", "timeline", "declare it burns", ""])
def test_a_guest_gets_no_word_of_what_goes_on(office: Office, family: str, text: str) -> None:
    worker, _ = asked(office)
    said = hear(office.bot, text.format(run=worker.run), Origin("t2", GUEST, "T1", CHANNEL), family).text
    assert said.startswith("Mayday answers members of this workspace alone. [MD-SL-002]\nThis is a guest.")
    assert worker.run not in said


@pytest.mark.parametrize(("user", "team"), [("U0FAR", "T2"), ("U0BOT", "T1")])
def test_nor_does_a_bot_or_somebody_of_another_workspace(office: Office, user: str, team: str) -> None:
    office.store.keep("slack", "identity", {"team": "T1", "user": "U0", "bot": "B0", "url": ""})
    office.directory.users["U0BOT"] = {"is_bot": True}
    said = hear(office.bot, "status", Origin("t2", user, team, CHANNEL)).text
    assert said.startswith("Mayday answers members of this workspace alone.")


def test_a_member_without_rights_may_look(office: Office) -> None:
    asked(office)
    said = hear(office.bot, "status", Origin("t2", "U0WATCHER", "T1", CHANNEL)).text
    assert "postgres pitr" in said


def test_somebody_of_whom_nothing_is_known_waits_for_slack(office: Office) -> None:
    office.directory.away = True
    said = hear(office.bot, "status", Origin("t2", "U0NEW", "T1", CHANNEL)).text
    assert said.startswith("Slack could not say who you are.")


class Tabs(DirectoryClient):
    """Keeps the views that were published."""

    def __init__(self, office: Office) -> None:
        super().__init__(office.directory)
        self.views: list[Any] = []

    def views_publish(self, *, user_id: str, view: Any, **_more: Any) -> Any:
        self.views.append((user_id, view))
        return {"view": {"hash": "1.a"}}


def test_the_home_tab_of_a_guest_shows_nothing(office: Office) -> None:
    worker, _ = asked(office)
    client = Tabs(office)
    home = Home(office.bot, client)
    home.opened(GUEST, "")
    assert home.tick() == 0
    ((user, view),) = client.views
    assert user == GUEST
    assert "members of this workspace alone" in json.dumps(view)
    assert worker.run not in json.dumps(view)
    home.opened("U0WATCHER", "")
    assert home.tick() == 1
    assert worker.run in json.dumps(client.views[-1])


def submit(office: Office, press: ButtonTarget, typed: str, user: str) -> Any:
    """What the bot says to a filled dialog: nothing where it closes."""
    state = {"values": {answer_modals.BLOCK: {answer_modals.FIELD: {"value": typed}}}}
    view = {**answer_modals.ask(press, "service", "nself-postgres"), "id": "V1", "hash": "1.a", "state": state}
    body = {"type": "view_submission", "team": {"id": "T1"}, "user": {"id": user, "name": user}, "view": view}
    app: App = app_of(office.bot)
    said = app.dispatch(BoltRequest(body=body, mode="socket_mode"))
    return json.loads(said.body) if isinstance(said.body, str) and said.body else {}


def test_a_dialog_that_was_refused_in_doubt_counts_when_it_is_sent_again(office: Office) -> None:
    worker, n = asked(office)
    office.directory.away = True
    press = ButtonTarget(worker.run, n, "Cut over")
    said = submit(office, press, "nself-postgres", "U0APPROVER")
    assert "Slack could not say what U0APPROVER may do." in said["errors"][answer_modals.BLOCK]
    assert office.store.run(worker.run).asking
    office.directory.away = False
    assert submit(office, press, "nself-postgres", "U0APPROVER") == {}
    assert office.store.entries(worker.run)[-1].kind is Kind.ANSWERED
    # The same delivery once more closes the dialog, and has no second effect.
    assert submit(office, press, "nself-postgres", "U0APPROVER") == {}
    assert [e.kind for e in office.store.entries(worker.run)].count(Kind.ANSWERED) == 1


def test_a_dialog_of_somebody_who_may_not_stays_refused(office: Office) -> None:
    worker, n = asked(office)
    for _ in range(2):
        said = submit(office, ButtonTarget(worker.run, n, "Cut over"), "nself-postgres", "U0ONCALL")
        assert "does not approve it alone" in said["errors"][answer_modals.BLOCK]


def test_steering_in_doubt_says_that_slack_could_not_say(office: Office) -> None:
    worker, _ = asked(office)
    office.directory.away = True
    with pytest.raises(Refused, match="Slack could not say what"):
        answers.stop(office.store, worker.run, office.bot.people.approving("U0DBA", "T1").speaker)


@pytest.mark.parametrize("subtype", [None, "thread_broadcast", "file_share"])
def test_a_mention_that_goes_to_the_channel_too_or_brings_a_file_is_somebody_speaking(
    office: Office, subtype: str | None
) -> None:
    said = {
        "type": "app_mention",
        "user": "U0ONCALL",
        "text": "<@U0BOT> postgres verify",
        "channel": CHANNEL,
        "ts": "1.2",
        **({"subtype": subtype} if subtype else {}),
    }
    body = {"type": "event_callback", "team_id": "T1", "event_id": "Ev1", "event": said}
    app_of(office.bot).dispatch(BoltRequest(body=body, mode="socket_mode"))
    assert len(office.store.runs()) == 1


@pytest.mark.parametrize("more", [{"subtype": "message_changed"}, {"bot_id": "B1"}, {"subtype": "message_deleted"}])
def test_what_nobody_said_begins_nothing(office: Office, more: dict[str, str]) -> None:
    said = {
        "type": "app_mention",
        "user": "U0ONCALL",
        "text": "<@U0BOT> postgres verify",
        "channel": CHANNEL,
        "ts": "1.2",
        **more,
    }
    body = {"type": "event_callback", "team_id": "T1", "event_id": "Ev1", "event": said}
    app_of(office.bot).dispatch(BoltRequest(body=body, mode="socket_mode"))
    assert office.store.runs() == []


@pytest.mark.parametrize(("user", "sees"), [(GUEST, False), ("U0ONCALL", True)])
def test_a_guest_with_a_home_tab_of_before_is_offered_no_recovery(
    office: Office, monkeypatch: pytest.MonkeyPatch, user: str, sees: bool
) -> None:
    opened: list[Any] = []
    monkeypatch.setattr("bot.listeners.home_events._open", lambda _bot, _client, _body, view: opened.append(view))
    pressed = {"type": "button", "action_id": RECOVER, "block_id": "b", "action_ts": "1.1", "value": "x"}
    body = {
        "type": "block_actions",
        "team": {"id": "T1"},
        "user": {"id": user},
        "trigger_id": "t",
        "actions": [pressed],
    }
    app: App = app_of(office.bot)
    app.dispatch(BoltRequest(body=body, mode="socket_mode"))
    within(8)(lambda: opened)
    assert ("recover postgres pitr" in json.dumps(opened[0])) is sees
