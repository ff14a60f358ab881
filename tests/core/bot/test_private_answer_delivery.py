"""Rows of the data are for who may approve: asked for beside a question, told once, kept nowhere."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from slack_bolt import BoltRequest

from actions.engine.errors import Refused
from actions.engine.journal import Kind
from actions.recoveries import postgres_rows
from actions.store import notes
from bot.dispatch import hear
from bot.listeners import private_answer_delivery
from bot.listeners.private_answer_delivery import tell
from bot.listeners.recipient import Recipient
from bot.runs.button_target import ButtonTarget
from bot.runs.requests import Origin
from bot.runs.run_control import offered
from bot.slack.app import app_of
from bot.slack.people import SlackPeople
from bot.views import question
from bot.views.mrkdwn import paragraphs
from tests.support.bot_world import CATALOG, CHANNEL, PITR, DirectoryClient, Office, PlayedWorker, office_in, store_in
from tests.support.waiting import within

ROWS = postgres_rows.PROCEDURE
HERE = Recipient(CHANNEL, "U0DBA", "1.2")


class Whispering(DirectoryClient):
    """Keeps what was told to one person."""

    def __init__(self, office: Office) -> None:
        super().__init__(office.directory)
        self.told: list[tuple[str, str]] = []

    def chat_postEphemeral(self, *, user: str, text: str, **_more: Any) -> Any:  # noqa: N802
        self.told.append((user, text))


@pytest.fixture
def office(tmp_path: Path) -> Office:
    made = office_in((*CATALOG, ROWS))
    store = store_in(tmp_path, made.clock)
    people = SlackPeople(made.bot.settings.people, DirectoryClient(made.directory), store)
    notes.worker_lives(store, "w", {"sites": ["main"]})
    return replace(made, bot=replace(made.bot, store=store, people=people))


def previewed(office: Office) -> tuple[PlayedWorker, int]:
    """A run with an open cut-over, beside which rows may be looked at."""
    hear(office.bot, "postgres pitr 14:30", Origin("t1", "U0ONCALL", "T1", CHANNEL))
    (run,) = office.store.runs()
    worker = PlayedWorker(office.store, run)
    worker.looks(PITR, 0, 1)
    offers = [{"label": "Show rows", "command": f"recover nself-postgres rows {run} @ main"}]
    return worker, worker.asks(PITR, 5, offers=offers)


def asked(office: Office, run: str, user: str = "U0DBA") -> Any:
    return hear(office.bot, f"recover nself-postgres rows {run} @ main", Origin(f"k {user}", user, "T1", CHANNEL))


def test_the_question_has_a_button_for_it_beside_its_answers(office: Office) -> None:
    worker, n = previewed(office)
    entry = office.store.entries(worker.run)[-1]
    assert entry.n == n
    labels = [e["text"]["text"] for b in question.blocks(entry, None) if b["type"] == "actions" for e in b["elements"]]
    assert labels == ["Cut over", "Another time", "Discard", "Show rows"]
    settled = replace(entry, kind=Kind.ANSWERED, data={"by": "U0DBA", "option": "Discard"})
    assert not [b for b in question.blocks(entry, settled) if b["type"] == "actions"]


def test_only_who_may_approve_sees_rows(office: Office) -> None:
    worker, _ = previewed(office)
    refused = asked(office, worker.run, "U0ONCALL")
    assert refused.text.startswith("Oncall may not see rows of the data.")
    assert "approvers" in refused.text
    assert not refused.private
    reply = asked(office, worker.run)
    assert reply.private == reply.runs[0]
    first = office.store.entries(reply.private)[0]
    assert first.data["request"] == {"service": "nself-postgres", "run": worker.run}


@pytest.mark.parametrize("text", ["", "yesterday", "r0209", "r0209-abcd; drop table x"])
def test_what_names_no_run_is_refused(office: Office, text: str) -> None:
    reply = asked(office, text)
    assert not reply.runs
    assert "no run" in reply.text or "postgres rows" in reply.text


def test_what_was_found_is_told_to_that_person_once_and_kept_nowhere(office: Office) -> None:
    worker, _ = previewed(office)
    run, client = asked(office, worker.run).private, Whispering(office)
    notes.give_privately(office.store, run, ["messages, the last 1 row:", "  40: “<script> & secrets”"])
    tell(office.bot, client, HERE, run, wait=lambda _seconds: None)
    assert client.told == [("U0DBA", "messages, the last 1 row:\n  40: “&lt;script&gt; &amp; secrets”")]
    assert notes.take_privately(office.store, run) is None
    assert "script" not in str([entry.data for entry in office.store.entries(run)])


def test_what_nobody_took_is_dropped(office: Office) -> None:
    notes.give_privately(office.store, "r0209-aaaa", ["rows"])
    office.clock.now += notes.PRIVATE_FOR + timedelta(seconds=1)
    notes.forget_private_answers(office.store)
    assert notes.take_privately(office.store, "r0209-aaaa") is None


def test_a_run_that_ended_without_an_answer_is_said_to(office: Office) -> None:
    worker, _ = previewed(office)
    run, client = asked(office, worker.run).private, Whispering(office)
    PlayedWorker(office.store, run).ends("refused", error="The server is away.")
    tell(office.bot, client, HERE, run, wait=lambda _seconds: None)
    assert "shows nothing: it is refused" in client.told[0][1]


def test_one_that_nobody_carries_out_is_said_after_a_minute(office: Office) -> None:
    worker, _ = previewed(office)
    run, client, waited = asked(office, worker.run).private, Whispering(office), list[float]()
    tell(office.bot, client, HERE, run, wait=waited.append)
    assert sum(waited) == 60
    assert "has not found it in a minute" in client.told[0][1]


def test_a_press_asks_for_it_and_an_old_or_foreign_one_is_refused(office: Office) -> None:
    worker, n = previewed(office)
    press = ButtonTarget(worker.run, n, "Show rows")
    value = {"action_id": "offer:0", "action_ts": "1.1", "type": "button", "value": press.value()}
    body = {
        "type": "block_actions",
        "team": {"id": "T1"},
        "user": {"id": "U0DBA"},
        "channel": {"id": CHANNEL},
        "container": {"message_ts": "1.0", "thread_ts": "1.0"},
        "actions": [value],
    }
    app_of(office.bot).dispatch(BoltRequest(body=body, mode="socket_mode"))
    within(10)(lambda: [run for run in office.store.runs() if office.store.run(run).procedure == ROWS.name])
    with pytest.raises(Refused, match="offers no 'Show everything'"):
        offered(office.bot, ButtonTarget(worker.run, n, "Show everything"))
    worker.write(Kind.ANSWERED, by="U0DBA", option="Discard", leads="back", gives="cut")
    with pytest.raises(Refused, match="no longer open"):
        offered(office.bot, press)


def test_a_run_that_cannot_be_read_is_said_to(office: Office) -> None:
    client = Whispering(office)
    tell(office.bot, client, HERE, "r0209-zzzz", wait=lambda _seconds: None)
    assert client.told == [
        ("U0DBA", "What run `r0209-zzzz` found cannot be read. On the bot's host: mayday journal verify")
    ]


@pytest.mark.parametrize("action", ["say:0", "offer:0"])
def test_however_a_button_asks_for_rows_they_follow(
    office: Office, action: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    followed: list[tuple[Recipient, str]] = []
    monkeypatch.setattr(private_answer_delivery, "follow_up", lambda _bot, _client, to, run: followed.append((to, run)))
    worker, n = previewed(office)
    command = f"recover nself-postgres rows {worker.run} @ main"
    value = command if action == "say:0" else ButtonTarget(worker.run, n, "Show rows").value()
    body = {
        "type": "block_actions",
        "team": {"id": "T1"},
        "user": {"id": "U0DBA"},
        "channel": {"id": CHANNEL},
        "container": {"message_ts": "1.0", "thread_ts": "1.0"},
        "actions": [{"action_id": action, "action_ts": "1.1", "type": "button", "value": value}],
    }
    app_of(office.bot).dispatch(BoltRequest(body=body, mode="socket_mode"))
    within(10)(lambda: followed)
    [(to, run)] = followed
    assert to == Recipient(CHANNEL, "U0DBA", "1.0")
    assert office.store.run(run).procedure == ROWS.name


def test_long_rows_are_several_messages_and_nothing_is_left_out() -> None:
    lines = [f"{n}: {'x' * 160}" for n in range(40)]
    made = paragraphs(lines)
    assert len(made) > 1
    assert max(map(len, made)) <= 3000
    assert "\n".join(made).splitlines() == lines
    assert all(paragraphs(["x" * 5000, "y"]))
