"""The Bolt app at its door: everything is acknowledged, only signed requests come in."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from slack_bolt import App, BoltRequest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from sqlalchemy.exc import OperationalError

from actions.store.store import Store
from bot.slack.app import build_app
from bot.slack.client import Why, trouble
from bot.web.server import unmistakable, web_app
from tests.support.bot_world import CATALOG, Clock, settings_for, store_in

SECRET = "practice-signing-secret"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def app(memory_path: Path) -> App:
    clock = Clock()
    store = store_in(memory_path, clock)
    for group in ("S0OPERATORS", "S0APPROVERS"):
        store.keep("people", group, ["U0ONCALL"])
    store.keep("people", "U0ONCALL", {"name": "Olga", "tz": "UTC", "stranger": ""})
    return build_app(settings_for(), store, CATALOG, lambda run: None, clock)


def command(text: str, name: str = "/recover", trigger: str = "t1", user: str = "U0ONCALL") -> dict[str, str]:
    return {
        "command": name,
        "text": text,
        "trigger_id": trigger,
        "user_id": user,
        "user_name": "olga",
        "team_id": "T1",
        "channel_id": "C1",
        "response_url": "http://127.0.0.1:9/hook",
    }


def send(app: App, body: dict[str, Any]) -> Any:
    return app.dispatch(BoltRequest(body=body, mode="socket_mode"))


def post(app: App, body: str, stamp: str = "", signature: str = "", kind: str = FORM) -> Any:
    stamp = stamp or str(int(time.time()))
    made = hmac.new(SECRET.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
    headers = {"content-type": kind, "x-slack-request-timestamp": stamp, "x-slack-signature": signature or f"v0={made}"}
    return knock(app, body.encode(), headers)


def knock(app: App, body: bytes, headers: Any) -> httpx.Response:
    async def go() -> httpx.Response:
        transport = httpx.ASGITransport(web_app(app))
        async with httpx.AsyncClient(transport=transport, base_url="http://bot") as client:
            return await client.post("/slack/events", content=body, headers=headers)

    return asyncio.run(go())


def test_the_app_is_built_and_answers_while_slack_is_away(app: App) -> None:
    answer = send(app, command("status"))
    assert answer.status == 200
    assert "No run is under way." in str(answer.body)


@pytest.mark.parametrize("name", ["/recover", "/backup", "/drill", "/incident", "/unknown"])
def test_every_command_is_acknowledged_with_an_answer(app: App, name: str) -> None:
    answer = send(app, command("whatever", name, name))
    assert answer.status == 200
    assert answer.body


@pytest.mark.parametrize(
    "body",
    [
        {"type": "block_actions", "user": {"id": "U1"}, "actions": [{"action_id": "other", "block_id": "b"}]},
        {"type": "view_closed", "user": {"id": "U1"}, "view": {"callback_id": "other"}},
        {"type": "view_submission", "user": {"id": "U1"}, "view": {"type": "modal", "callback_id": "other"}},
        {"type": "shortcut", "user": {"id": "U1"}, "callback_id": "other", "trigger_id": "t"},
        {"type": "event_callback", "team_id": "T1", "event": {"type": "reaction_added", "user": "U1"}},
        {"type": "event_callback", "team_id": "T1", "event": {"type": "message", "subtype": "channel_join"}},
        {"type": "event_callback", "team_id": "T1", "event": {"type": "app_mention", "bot_id": "B1", "text": "x"}},
    ],
)
def test_whatever_slack_sends_is_acknowledged(app: App, body: dict[str, Any]) -> None:
    assert send(app, body).status == 200


def test_a_signed_command_with_the_word_that_confuses_bolt_comes_through(app: App) -> None:
    answer = post(app, urlencode(command("postgres pitr payload 14:30")))
    assert answer.status_code == 200
    assert "back to payload 14:30" in answer.text


def test_an_interaction_keeps_its_form() -> None:
    raw = urlencode({"payload": json.dumps({"type": "block_actions"})})
    assert unmistakable(raw, FORM) == raw
    assert "payload" not in unmistakable(urlencode({"text": "a payload & payload="}), FORM)


OLD = pytest.param(str(int(time.time()) - 400), id="old")


@pytest.mark.parametrize("stamp", ["abc", "²", "-1", "1e9", "9" * 400, OLD])
def test_a_strange_or_old_timestamp_is_refused_not_an_error(app: App, stamp: str) -> None:
    headers = {
        b"content-type": FORM.encode(),
        b"x-slack-request-timestamp": stamp.encode(),
        b"x-slack-signature": b"v0=0",
    }
    assert knock(app, b"a=b", headers).status_code == 401


def test_a_wrong_signature_is_refused_and_its_body_stays_out_of_the_log(
    app: App, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        assert post(app, urlencode(command("secret-word")), signature="v0=wrong").status_code == 401
    assert "refused" in caplog.text
    assert "secret-word" not in caplog.text


@pytest.mark.parametrize("body", ["{", "payload=%7B", "\x00", "[]", "null", "[" * 100_000, '{"a":' * 50_000])
def test_a_signed_body_that_is_no_request_is_not_an_error_of_ours(app: App, body: str) -> None:
    assert post(app, body).status_code in (200, 400, 404)
    assert post(app, body, kind="application/json").status_code in (200, 400, 404)


def test_a_command_is_acknowledged_after_one_write_and_without_asking_slack(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    write, ask = Store.transaction, WebClient.api_call

    def written(store: Store) -> Any:
        done.append("written")
        return write(store)

    def asked(client: WebClient, method: str, **more: Any) -> Any:
        done.append(method)
        return ask(client, method, **more)

    monkeypatch.setattr(Store, "transaction", written)
    monkeypatch.setattr(WebClient, "api_call", asked)
    assert send(app, command("postgres verify")).status == 200
    assert done == ["written"]


def api_error(status: int, **data: Any) -> SlackApiError:
    return SlackApiError("no", {"status": status, "headers": {}, **data})


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (ConnectionResetError(), Why.DOUBT),
        (TimeoutError(), Why.DOUBT),
        (api_error(500, body=""), Why.DOUBT),
        (api_error(200, error="internal_error"), Why.DOUBT),
        (api_error(429, error="ratelimited"), Why.LIMITED),
        (api_error(200, error="message_limit_exceeded"), Why.LIMITED),
        (api_error(200, error="invalid_auth"), Why.TOKEN),
        (api_error(200, error="not_in_channel"), Why.PLACE),
        (api_error(200, error="invalid_blocks"), Why.BLOCKS),
        (api_error(200, error="message_not_found"), Why.GONE),
        (api_error(200, error="no_permission"), Why.TOKEN),
        (api_error(200, error="restricted_action_read_only_channel"), Why.PLACE),
        (api_error(200, error="no_text"), Why.REFUSED),
    ],
)
def test_slacks_errors_are_told_apart(error: Exception, why: Why) -> None:
    assert trouble(error).why is why


def test_a_sentence_of_the_library_is_no_word_of_slack() -> None:
    unread = api_error(503, error="Received a response in a non-JSON format: ")
    assert trouble(unread).code == "HTTP 503"


def test_slack_says_how_long_to_wait() -> None:
    limited = SlackApiError("no", {"status": 429, "error": "ratelimited", "headers": {"Retry-After": "12"}})
    assert trouble(limited).wait == 12


@pytest.mark.parametrize(
    ("told", "wait"), [("86400", 300), ("9" * 400, 300), ("²", 1), ("Wed, 21 Oct 2099 07:28:00 GMT", 1), ("-5", 1)]
)
def test_nobody_makes_us_wait_for_days(told: str, wait: float) -> None:
    limited = SlackApiError("no", {"status": 429, "error": "ratelimited", "headers": {"Retry-After": told}})
    assert trouble(limited).wait == wait


def test_whoever_types_hears_it_where_the_store_cannot_even_be_read(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    def unread(*_asked: Any, **_more: Any) -> Any:
        raise OperationalError("SELECT", {}, Exception("disk I/O error"))

    monkeypatch.setattr(Store, "note", unread)
    monkeypatch.setattr(Store, "notes", unread)
    said = send(app, command("status", trigger="unread"))
    assert said.status == 200
    assert "disk I/O error" in str(said.body)


@pytest.mark.parametrize("signature", ["v0=\u00e9", "v0=", "\u00b2", "v1=abc"])
def test_a_signature_that_is_none_is_refused_like_a_wrong_one(app: App, signature: str) -> None:
    headers = {
        "content-type": FORM,
        "x-slack-request-timestamp": str(int(time.time())).encode(),
        "x-slack-signature": signature.encode("latin-1"),
    }
    assert knock(app, b"command=/recover", headers).status_code == 401
