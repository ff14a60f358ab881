"""The one door for requests: what a journal begins with, whoever asked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from actions.control.requests import Subject, open_run
from actions.engine.errors import Busy
from actions.engine.journal import Kind
from actions.engine.lanes import Lane
from actions.engine.rights import Speaker
from tests.support.bot_world import PITR, START, Wish, emptied
from tests.support.worlds.kinds import REDIS, Restart

OLGA = Speaker("U1", "Olga", may_ask=True, may_approve=False)
ORIGIN = {"sink": "slack", "channel": "C1", "thread": "1.2"}
SUBJECT = Subject("main", "nself-postgres")


def test_a_request_keeps_who_asked_for_what_of_which_service_and_where_it_came_from() -> None:
    store = emptied(lambda: START)
    opened = open_run(store, PITR, Wish("14:30"), by=OLGA, subject=SUBJECT, origin=ORIGIN, key="k1")
    [entry] = store.entries(opened.id)
    assert opened.new
    assert entry.kind is Kind.REQUESTED
    assert entry.data == {
        "procedure": "postgres pitr",
        "table": PITR.table,
        "service": "nself-postgres",
        "site": "main",
        "by": "U1",
        "name": "Olga",
        "request": {"when": "14:30"},
        "summary": "Bring nself-postgres back to 14:30.",
        "origin": {**ORIGIN, "key": "k1"},
        "shown": "thread",
        "claims": [{"service": "nself-postgres", "mode": "exclusive"}],
    }


def test_the_same_key_opens_one_run() -> None:
    store = emptied(lambda: START)
    first, second = (
        open_run(store, PITR, Wish("14:30"), by=OLGA, subject=SUBJECT, origin=ORIGIN, key="k1") for _ in range(2)
    )
    assert (first.id, first.new, second.new) == (second.id, True, False)


def test_a_service_that_is_held_is_refused_and_another_of_its_kind_is_not() -> None:
    store = emptied(lambda: START)
    ask = {"by": OLGA, "origin": ORIGIN}
    open_run(store, REDIS, Restart("a"), subject=Subject("main", "a"), key="k1", **ask)  # type: ignore[arg-type]
    with pytest.raises(Busy, match="a is held by run"):
        open_run(store, REDIS, Restart("a"), subject=Subject("main", "a"), key="k2", **ask)  # type: ignore[arg-type]
    assert open_run(store, REDIS, Restart("b"), subject=Subject("main", "b"), key="k3", **ask).new  # type: ignore[arg-type]


def test_what_is_about_a_site_as_a_whole_holds_all_that_is_on_it() -> None:
    store = emptied(lambda: START)
    whole = replace(REDIS, about="", summary="Start all of {service}.")
    opened = open_run(store, whole, Restart("x"), by=OLGA, subject=Subject("east"), origin=ORIGIN, key="k")
    assert opened.summary == "Start all of x."
    assert store.run(opened.id).service == "site east"
    for site, holder in (("east", opened.id), ("main", "")):
        assert store.holder("anything", site) == holder
    with pytest.raises(Busy, match=f"held by run {opened.id}"):
        open_run(store, REDIS, Restart("a"), by=OLGA, subject=Subject("east", "a"), origin=ORIGIN, key="k2")


def test_an_incident_is_told_of_the_run_and_an_errand_may_be_about_no_service() -> None:
    store = emptied(lambda: START)
    errand = replace(REDIS, lane=Lane.ERRAND, claims=False)
    origin = {"sink": "slack", "incident": "i1122-abcd"}
    opened = open_run(
        store,
        errand,
        Restart("x"),
        by=OLGA,
        subject=Subject("main"),
        origin=origin,
        key="k",
        linked={"pursues": "resolved"},
    )
    assert opened.id.startswith("e")
    assert store.run(opened.id).service == ""
    [told] = store.entries("i1122-abcd")
    assert told.kind is Kind.LINKED
    assert told.data == {
        "run": opened.id,
        "procedure": "redis restart",
        "by": "U1",
        "name": "Olga",
        "pursues": "resolved",
    }
