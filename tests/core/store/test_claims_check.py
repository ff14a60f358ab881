"""What is claimed, held against the journals: a claim that outlived its run, and a run that lost its claims."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from actions.engine.claims import ALL, Mode, Wanted
from actions.engine.errors import NOT_READ
from actions.engine.journal import Kind
from actions.store import tables
from actions.store.claims_check import wrong_claims
from actions.store.store import Store
from bot.terminal.records import verify_journals
from tests.core.store.test_store import REQUEST
from tests.support.bot_world import Clock, store_in


@pytest.fixture
def store(memory_path: Path) -> Store:
    return store_in(memory_path, Clock())


def begun(store: Store, run: str, service: str, *claims: Wanted) -> None:
    store.open_run(run, {**REQUEST, "service": service}, claims=claims or (Wanted(Mode.EXCLUSIVE),), key=run)


def ended(store: Store, run: str) -> None:
    lease = store.acquire(run, "w")
    assert lease is not None
    store.append(lease, Kind.FINISHED, None, {"outcome": "done"})


def by_hand(store: Store, statement: sa.Executable) -> None:
    with store.engine.begin() as db:
        db.execute(statement)


def claim(run: str, service: str, mode: Mode = Mode.EXCLUSIVE) -> sa.Executable:
    return sa.insert(tables.claims).values(site="main", service=service, run=run, mode=str(mode))


def told(store: Store, run: str = "") -> list[tuple[str, str]]:
    return [(one.run, one.why) for one in wrong_claims(store, run)]


def test_runs_that_hold_what_they_asked_for_and_ended_ones_that_hold_nothing_are_right(store: Store) -> None:
    begun(store, "r1", "pg")
    begun(store, "r2", "redis", Wanted(Mode.SHARED), Wanted(Mode.YIELDING, "minio"))
    begun(store, "r3", "hasura")
    ended(store, "r3")
    assert told(store) == []
    assert verify_journals(store, None, as_json=False) == 0


def test_a_claim_that_outlived_its_run_is_named_with_what_to_do(store: Store) -> None:
    begun(store, "r1", "pg")
    ended(store, "r1")
    by_hand(store, claim("r1", "pg"))
    assert told(store) == [("r1", "it has ended, and still holds pg of site main (exclusive)")]
    assert "delete from claims where run = 'r1'" in wrong_claims(store)[0].do


def test_a_run_without_its_claims_and_one_with_others_are_named(store: Store) -> None:
    begun(store, "r1", "pg")
    by_hand(store, sa.update(tables.claims).where(tables.claims.c.run == "r1").values(mode="shared"))
    begun(store, "r2", "redis", Wanted(Mode.SHARED))
    by_hand(store, sa.delete(tables.claims).where(tables.claims.c.run == "r2"))
    assert told(store) == [
        ("r1", "it has not ended, and does not hold pg of site main (exclusive) as it should"),
        ("r1", "it holds pg of site main (shared), which it never asked for"),
        ("r2", "it has not ended, and does not hold redis of site main (shared) as it should"),
    ]
    assert told(store, "r2") == told(store)[2:]
    assert "mayday stop r2" in wrong_claims(store, "r2")[0].do


def test_a_claim_of_a_run_that_nobody_knows_is_named(store: Store) -> None:
    by_hand(store, claim("r9", ALL))
    assert told(store) == [("r9", "there is no journal of it, and it holds all of site main (exclusive)")]


def test_a_run_of_before_which_does_not_say_what_it_claims_is_believed(store: Store) -> None:
    store.extend("r1", lambda _: [(Kind.REQUESTED, None, REQUEST)])
    by_hand(store, claim("r1", "pg"))
    assert told(store) == []


def test_what_a_run_holds_whose_journal_cannot_be_read_is_not_judged(store: Store) -> None:
    begun(store, "r1", "pg")
    by_hand(store, sa.text("update entries set data = '{' where run = 'r1'"))
    with pytest.raises(NOT_READ):
        store.entries("r1")
    assert told(store) == []


def test_verifying_says_each_and_fails(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    begun(store, "r1", "pg")
    ended(store, "r1")
    by_hand(store, claim("r1", "pg"))
    assert verify_journals(store, None, as_json=False) == 1
    said = capsys.readouterr().out
    assert "r1: it has ended, and still holds pg of site main (exclusive)." in said
    assert "1 journal checked, 0 broken. 1 claim not as the journals tell." in said
    assert verify_journals(store, "r1", as_json=True) == 1
    assert [one["run"] for one in json.loads(capsys.readouterr().out)["claims"]] == ["r1"]
