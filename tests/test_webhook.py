"""PagerDuty's webhook: only what is signed comes in, it is kept before it is answered, and nothing else is refused."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from pathlib import Path

import httpx
import pytest
from bot_world import Clock, store_in
from starlette.applications import Starlette
from worlds.pages import body, event

from actions.engine.store import Store
from bot.webhook import MOST, PATH, pagerduty_route, signed

SECRETS = ("old-secret", "new-secret")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return store_in(tmp_path, Clock())


def signature(sent: bytes, secret: str = SECRETS[1]) -> str:
    return "v1=" + hmac.new(secret.encode(), sent, hashlib.sha256).hexdigest()


def post(
    store: Store, sent: bytes, header: str | bytes | None = None, secrets: tuple[str, ...] = SECRETS
) -> httpx.Response:
    app = Starlette(routes=[pagerduty_route(store, secrets, lambda: None)])

    async def go() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bot") as client:
            headers = {"x-pagerduty-signature": signature(sent) if header is None else header}
            return await client.post(PATH, content=sent, headers=headers)

    return asyncio.run(go())


def test_an_event_is_kept_as_it_came_and_answered_202_as_often_as_it_comes(store: Store) -> None:
    sent = body(event(id="E1")).encode()
    assert [post(store, sent).status_code for _ in range(3)] == [202, 202, 202]
    assert store.notes("event") == {"E1": sent.decode()}
    assert list(store.notes("event waiting")) == ["E1"]


def test_any_of_several_signatures_with_any_of_several_secrets_is_good(store: Store) -> None:
    sent = body(event()).encode()
    many = f"v1=00ff, v2=abc,{signature(sent, SECRETS[0])}"
    assert post(store, sent, many).status_code == 202


@pytest.mark.parametrize("header", ["", "v1=", "v1=00", "v0=abc", "ü", "v1=ü", "v1=" + "0" * 64])
def test_a_wrong_signature_is_refused_and_nothing_is_kept(store: Store, header: str) -> None:
    assert post(store, body(event()).encode(), header.encode()).status_code == 401
    assert store.notes("event") == {}


def test_without_a_secret_nobody_comes_in(store: Store) -> None:
    sent = body(event()).encode()
    assert post(store, sent, signature(sent, ""), secrets=()).status_code == 401
    assert not signed(sent, signature(sent, ""), ("",))


def test_a_changed_body_has_a_wrong_signature(store: Store) -> None:
    sent = body(event()).encode()
    assert post(store, sent.replace(b"Alert", b"alert"), signature(sent)).status_code == 401


@pytest.mark.parametrize("sent", [b"", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_told_so(store: Store, sent: bytes) -> None:
    assert post(store, sent).status_code == 400


def test_what_is_too_large_is_not_even_read(store: Store) -> None:
    assert post(store, b" " * (MOST + 1)).status_code == 413
    assert post(store, b"1" + b" " * (MOST - 1)).status_code == 202


@pytest.mark.parametrize("sent", [b"{}", b"[]", b"7", b'{"event": {"event_type": "new.thing", "data": null}}'])
def test_what_nobody_knows_is_kept_too(store: Store, sent: bytes) -> None:
    assert post(store, sent).status_code == 202
    assert list(store.notes("event").values()) == [sent.decode()]
