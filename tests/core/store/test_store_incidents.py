"""Any journal can be begun and continued: judged in the moment of writing, once for each key, on every store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from actions.chores.leader_lease import LeaderLease
from actions.engine.errors import Fenced
from actions.engine.journal import Entry, Kind, first_broken
from actions.incidents.alert_grouping import Rules
from actions.incidents.incident_actions import known
from actions.incidents.kept_events import keep_event
from actions.incidents.take_in_events import OpenIncidents, take_in
from actions.store.fenced_store import FencedStore
from actions.store.ledger import LEASE_SECONDS
from actions.store.store import Store
from actions.store.transaction import Draft
from bot.terminal.records import verify_journals
from tests.core.store.test_store import ON_ALL, ON_BOTH, REQUEST, at_once, clock, opened, server, store, url  # noqa: F401
from tests.support.worlds.clock import Clock
from tests.support.worlds.pages import SERVICES, at, body, event

BEGIN: list[Draft] = [(Kind.OPENED, None, {"title": "Down"})]


def begun(store: Any, name: str = "i1") -> None:  # noqa: F811
    store.extend(name, lambda told: BEGIN, key=f"key of {name}")


@pytest.mark.parametrize("kind", ON_ALL)
def test_an_incident_is_a_journal_of_its_own_kind(store: Any) -> None:  # noqa: F811
    opened(store)
    begun(store)
    store.extend("i1", lambda told: [(Kind.GRADED, None, {"severity": "high"}), (Kind.CLOSED, None, {})])
    assert [e.kind for e in store.entries("i1")] == [Kind.OPENED, Kind.GRADED, Kind.CLOSED]
    assert first_broken(store.entries("i1")) is None
    assert (store.runs(), store.incidents()) == (["r1"], ["i1"])


@pytest.mark.parametrize("kind", ON_ALL)
def test_what_is_delivered_twice_is_written_once(store: Any) -> None:  # noqa: F811
    begun(store)
    begun(store)
    assert store.extend("i1", lambda told: [(Kind.CLOSED, None, {})], key="close") != []
    assert store.extend("i1", lambda told: [(Kind.CLOSED, None, {})], key="close") == []
    assert len(store.entries("i1")) == 2


@pytest.mark.parametrize("kind", ON_BOTH)
def test_who_speaks_second_is_judged_with_what_the_first_has_said(store: Store) -> None:  # noqa: F811
    begun(store)

    def close(told: list[Entry]) -> Sequence[Draft]:
        return [] if told[-1].kind is Kind.CLOSED else [(Kind.CLOSED, None, {})]

    at_once(*[lambda: store.extend("i1", close)] * 4)
    assert [e.kind for e in store.entries("i1")] == [Kind.OPENED, Kind.CLOSED]


@pytest.mark.parametrize("kind", ON_BOTH)
def test_however_many_write_into_one_journal_at_once_nobody_has_to_give_up(store: Store) -> None:  # noqa: F811
    begun(store)

    def write() -> None:
        for _ in range(15):
            store.extend("i1", lambda told: [(Kind.PINNED, None, {"n": len(told)})])

    assert at_once(*[write] * 8) == [None] * 8
    told = store.entries("i1")
    assert [entry.data["n"] for entry in told[1:]] == list(range(1, 121))
    assert first_broken(told) is None


@pytest.mark.parametrize("kind", ON_ALL)
def test_a_run_and_its_link_are_written_together_or_not_at_all(store: Any) -> None:  # noqa: F811
    begun(store)
    link = [("i1", (Kind.LINKED, None, {"run": "r1"}))]
    assert store.open_run("r1", REQUEST, claims=True, key="t1", tells=link) == ("r1", True)
    assert store.open_run("r2", REQUEST, claims=True, key="t1", tells=link) == ("r1", False)
    assert [e.kind for e in store.entries("i1")] == [Kind.OPENED, Kind.LINKED]


@pytest.mark.parametrize("kind", ON_BOTH)
def test_a_refused_request_links_nothing(store: Store) -> None:  # noqa: F811
    begun(store)
    link = [("i1", (Kind.LINKED, None, {"run": "r2"}))]
    opened(store)
    with pytest.raises(Exception, match="is held"):
        store.open_run("r2", REQUEST, claims=True, key="t2", tells=link)
    assert len(store.entries("i1")) == 1


@pytest.mark.parametrize("kind", ["sqlite"])
def test_the_chains_of_incidents_are_verified_with_those_of_runs(
    store: Store,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    opened(store)
    begun(store)
    assert verify_journals(store, None, False) == 0
    assert "2 journals checked, 0 broken" in capsys.readouterr().out
    with store.engine.begin() as db:
        db.exec_driver_sql("UPDATE entries SET data = '{\"title\": \"Up\"}' WHERE run = 'i1'")
    assert verify_journals(store, None, False) == 1
    assert "i1: entry 1" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ON_BOTH)
def test_of_several_who_could_one_has_the_turn_until_it_is_silent(store: Store, clock: Clock) -> None:  # noqa: F811
    one, other = LeaderLease(store, "poll", "w1"), LeaderLease(store, "poll", "w2")
    assert (one.mine(), other.mine()) == (True, False)
    clock.advance(LEASE_SECONDS - 1)
    assert (one.mine(), other.mine()) == (True, False)
    clock.advance(LEASE_SECONDS + 1)
    assert (other.mine(), one.mine()) == (True, False)
    other.give_up()
    clock.advance(LEASE_SECONDS / 2)
    assert one.mine()


@pytest.mark.parametrize("kind", ON_BOTH)
def test_who_lost_the_turn_writes_nothing_more_and_its_writes_kept_it_until_then(store: Store, clock: Clock) -> None:  # noqa: F811
    one, other = LeaderLease(store, "poll", "w1"), LeaderLease(store, "poll", "w2")
    assert one.mine()
    assert one.lease is not None
    fenced = FencedStore(store, one.lease)
    clock.advance(LEASE_SECONDS - 1)
    fenced.keep("cursor", "a", 1)
    clock.advance(LEASE_SECONDS - 1)
    assert not other.mine()
    clock.advance(LEASE_SECONDS)
    assert other.mine()
    writes: list[Callable[[], object]] = [
        lambda: fenced.keep("cursor", "a", 2),
        lambda: fenced.once("cursor", "b", 2),
        lambda: begun(fenced),
    ]
    for write in writes:
        with pytest.raises(Fenced):
            write()
    assert (store.notes("cursor"), fenced.note("cursor", "a"), store.incidents()) == ({"a": 1}, 1, [])


@pytest.mark.parametrize("kind", ON_BOTH)
def test_a_storm_is_taken_in_whole_while_people_speak(store: Store, clock: Clock) -> None:  # noqa: F811
    rules, open_incidents = Rules(SERVICES), OpenIncidents()
    keep_event(store, body(event("triggered", "P0")))
    (name,) = take_in(store, rules, open_incidents)

    def storm() -> None:
        for n in range(1, 41):
            keep_event(store, body(event("triggered", f"P{n}")))
            take_in(store, rules, open_incidents)

    def people() -> None:
        for n in range(40):
            store.extend(
                name, lambda told, n=n: [(Kind.PINNED, None, {"at": at(n).isoformat(), "text": "x", "key": n})]
            )

    at_once(storm, people)
    found = known(store, name)
    assert (found.count, len(found.pins), store.incidents()) == (41, 40, [name])
    assert first_broken(store.entries(name)) is None
