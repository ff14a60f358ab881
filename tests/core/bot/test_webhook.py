"""PagerDuty's webhook: only what is signed comes in, it is kept before it is answered, and nothing else is refused."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from actions.engine.errors import Unstorable
from actions.incidents.alert_grouping import Rules
from actions.incidents.kept_events import set_aside
from actions.incidents.take_in_events import take_in
from actions.store import database
from actions.store.store import Store
from bot.incidents import event_writer
from bot.incidents.event_writer import EventWriter
from bot.web.pagerduty_webhook import MOST, PATH, pagerduty_route, signed
from tests.support.bot_world import Clock, store_in
from tests.support.locked_store import locked
from tests.support.waiting import within
from tests.support.worlds.pages import body, event

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


def test_a_number_that_nobody_can_read_is_kept_like_any_event_and_set_aside(store: Store) -> None:
    sent = body(event(id="E1")).replace('"number": 2', '"number": ' + "9" * 5000, 1).encode()
    assert b"9" * 5000 in sent
    assert post(store, sent).status_code == 202
    assert take_in(store, Rules()) == []
    assert [why[:10] for why in set_aside(store).values()] == ["ValueError"]


def test_what_is_too_large_is_not_even_read(store: Store) -> None:
    assert post(store, b" " * (MOST + 1)).status_code == 413
    assert post(store, b"1" + b" " * (MOST - 1)).status_code == 202


class Counted(Store):
    """Counts its transactions; `refuses` is a text that its database cannot hold."""

    transactions, refuses = 0, "\0"

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        self.transactions += 1
        with super().transaction() as tx:
            first = tx.first

            def checked(kind: str, key: str, data: Any) -> bool:
                if self.refuses in key:
                    raise Unstorable("a text with NUL")
                return first(kind, key, data)

            tx.first = checked  # type: ignore[method-assign]
            yield tx


def test_events_that_come_while_one_is_written_are_written_together(tmp_path: Path) -> None:
    store, woken = Counted(f"sqlite:///{tmp_path / 'm.db'}", Clock()), threading.Event()
    writer = EventWriter(store, woken.set)
    with locked(tmp_path / "m.db"):
        first = writer.keep("E0", "{}")
        within(5)(lambda: store.transactions == 1)
        others = [writer.keep(f"E{n % 50}", "{}") for n in range(100)]
    assert first.result(5)
    assert sum(one.result(5) for one in others) == 49
    assert store.transactions == 2
    assert woken.is_set()
    assert set(store.notes("event waiting")) == {f"E{n}" for n in range(50)}


def test_one_that_cannot_be_kept_spoils_no_other(tmp_path: Path) -> None:
    store = Counted(f"sqlite:///{tmp_path / 'm.db'}", Clock())
    writer = EventWriter(store, lambda: None)
    with locked(tmp_path / "m.db"):
        kept = [writer.keep(key, "{}") for key in ("E1", "E\0", "E2")]
        within(5)(lambda: store.transactions)
    assert [kept[0].result(5), kept[2].result(5)] == [True, True]
    with pytest.raises(Unstorable):
        kept[1].result(5)


@pytest.mark.parametrize("gives_up", [0.3, pytest.param(event_writer.GIVES_UP, marks=pytest.mark.deep)])
def test_a_locked_store_is_answered_before_pagerduty_gives_up_and_keeps_nothing_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gives_up: float
) -> None:
    monkeypatch.setattr(event_writer, "GIVES_UP", gives_up)
    # The store itself would wait for an hour: answers that come while it is locked come by what is tested.
    monkeypatch.setattr(database, "LONGEST", 3600.0)
    store = store_in(tmp_path, Clock())
    with locked(tmp_path / "mayday.db", 3600):
        answers = post_all(store, [body(event(id=f"E{n}")).encode() for n in range(60)])
    assert answers == {503}
    assert store.notes("event") == {}
    assert post_all(store, [body(event(id="E1")).encode()]) == {202}


def test_an_event_is_given_up_well_before_pagerdutys_five_seconds_are_over() -> None:
    assert event_writer.GIVES_UP <= 4


def post_all(store: Store, sent: list[bytes]) -> set[int]:
    """All at once; the statuses of the answers."""
    app = Starlette(routes=[pagerduty_route(store, SECRETS, lambda: None)])

    async def go() -> set[int]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bot", timeout=30) as client:
            posts = (client.post(PATH, content=one, headers={"x-pagerduty-signature": signature(one)}) for one in sent)
            return {answer.status_code for answer in await asyncio.gather(*posts)}

    return asyncio.run(go())


@pytest.mark.parametrize("sent", [b"{}", b"[]", b"7", b'{"event": {"event_type": "new.thing", "data": null}}'])
def test_what_nobody_knows_is_kept_too(store: Store, sent: bytes) -> None:
    assert post(store, sent).status_code == 202
    assert list(store.notes("event").values()) == [sent.decode()]
