"""Whoever waits hears soon, and what was said to have failed is written by nobody later."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from actions.engine.errors import RecoveryError, Refused
from actions.store import database
from actions.store.store import Store
from actions.store.write_deadline import Unanswered, deadline
from bot.listeners import response_deadline
from bot.listeners.response_deadline import ResponseDeadline
from tests.support.locked_store import locked
from tests.support.worlds.clock import Clock

SOON, GIVES_UP = 0.1, 0.5


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(response_deadline, "SOON", SOON)
    monkeypatch.setattr(response_deadline, "GIVES_UP", GIVES_UP)
    # The store itself would wait for an hour: what ends sooner ends by what is tested.
    monkeypatch.setattr(database, "LONGEST", 3600.0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mayday.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    made = Store(f"sqlite:///{path}", Clock())
    yield made
    made.dispose()


def begin(store: Store) -> Any:
    data = {"procedure": "p", "service": "pg", "site": "main", "by": "U1", "request": {}, "origin": {}}
    return store.open_run("r1", data, claims=True, key="k1")


def test_what_is_done_at_once_is_not_said_to_be_late(store: Store) -> None:
    late: list[str] = []
    prompt = ResponseDeadline(lambda: late.append("late"))
    assert prompt(lambda: begin(store)) == ("r1", True)
    time.sleep(2 * SOON)
    assert (late, prompt.told) == ([], False)


def test_a_store_locked_for_longer_begins_nothing_later(store: Store, path: Path) -> None:
    heard: list[str] = []
    prompt = ResponseDeadline(lambda: heard.append("late"))
    with locked(path, 3600):
        with pytest.raises(RecoveryError, match="nothing was begun"):
            prompt(lambda: begin(store))
        heard.append("refused")
    assert prompt.told
    assert heard == ["late", "refused"]
    assert (store.runs(), store.holder("pg")) == ([], "")
    assert begin(store) == ("r1", True), "the key of a request that was not kept may come again"


def test_a_store_locked_for_a_moment_is_waited_for(store: Store, path: Path) -> None:
    prompt = ResponseDeadline(lambda: None)
    with locked(path, 2 * SOON):
        assert prompt(lambda: begin(store)) == ("r1", True)
    assert prompt.told
    assert store.runs() == ["r1"]


def test_what_is_ready_after_the_time_is_rolled_back(store: Store) -> None:
    def slowly() -> None:
        with store.transaction() as tx:
            tx.first("inbox", "k", "r1")
            time.sleep(1.2 * GIVES_UP)

    with pytest.raises(Unanswered):
        ResponseDeadline(lambda: None)(slowly)
    assert store.note("inbox", "k") is None


def test_a_thread_of_the_same_process_that_writes_is_not_waited_for_longer(store: Store) -> None:
    inside, over = threading.Event(), threading.Event()

    def hold() -> None:
        with store.transaction():
            inside.set()
            over.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert inside.wait(5)
        with pytest.raises(Unanswered):
            ResponseDeadline(lambda: None)(lambda: begin(store))
    finally:
        over.set()
        thread.join()
    assert store.runs() == []


def test_a_full_disk_is_said_to_be_one(store: Store) -> None:
    with store.engine.connect() as db:
        # The pool hands the same connection out again: for it the disk is full from now on.
        pages = db.exec_driver_sql("PRAGMA page_count").scalar_one()
        db.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    with pytest.raises(RecoveryError) as refused:
        ResponseDeadline(lambda: None)(lambda: store.keep("post", "k", "x" * 100_000))
    assert refused.value.detail == "Its disk is full."
    assert store.note("post", "k") is None


def test_a_refusal_stays_what_it_is(store: Store) -> None:
    def refuse() -> None:
        raise Refused("No.", hint="Ask somebody else.")

    with pytest.raises(Refused, match=r"No\."):
        ResponseDeadline(lambda: None)(refuse)


def test_the_patience_of_one_thread_is_not_that_of_another(store: Store) -> None:
    kept: list[bool] = []
    with deadline(lambda: 0.0):
        thread = threading.Thread(target=lambda: kept.append(store.once("post", "k", 1)))
        thread.start()
        thread.join()
        with pytest.raises(Unanswered):
            store.once("post", "other", 1)
    assert kept == [True]
    assert store.once("post", "other", 1)
