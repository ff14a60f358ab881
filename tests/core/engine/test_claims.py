"""Two runs that exclude each other never run side by side, and one that has ended holds nothing; on every store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from actions.control import answers
from actions.engine.claims import ALL, Claim, Mode, Wanted, claims_of, conflict, in_the_way, wanted_by
from actions.engine.errors import Busy, Fenced
from actions.engine.journal import Kind
from actions.store import tables
from actions.store.ledger import LEASE_SECONDS
from actions.store.store import Store
from bot.runs import requests
from tests.core.store.test_store import (  # noqa: F401
    ON_ALL,
    ON_BOTH,
    REQUEST,
    at_once,
    clock,
    opened,
    server,
    store,
    url,
)
from tests.support.bot_world import office_in
from tests.support.worlds.clock import Clock
from tests.support.worlds.planned import ONCALL
from tests.support.worlds.toys import PAINT, Yard

EXCLUSIVE, SHARED, YIELDING = Wanted(Mode.EXCLUSIVE), Wanted(Mode.SHARED), Wanted(Mode.YIELDING)
WHOLE_SITE = Wanted(Mode.EXCLUSIVE, ALL)
CLAIMS = st.builds(
    Claim,
    st.sampled_from(["main", "east"]),
    st.sampled_from(["pg", "redis", ALL]),
    st.sampled_from(["r1", "r2", "r3", "r4"]),
    st.sampled_from(Mode),
)


@given(CLAIMS, CLAIMS)
def test_what_excludes_what(one: Claim, other: Claim) -> None:
    stands = one.stands_in_the_way_of(other)
    meet = one.service == other.service or ALL in (one.service, other.service)
    if one.site != other.site or one.run == other.run or not meet:
        assert not stands
    elif Mode.YIELDING not in (one.mode, other.mode):
        assert stands is (Mode.EXCLUSIVE in (one.mode, other.mode))
        assert stands is other.stands_in_the_way_of(one)
    else:
        assert stands is (one.mode is Mode.EXCLUSIVE)


@given(st.lists(CLAIMS, max_size=12))
def test_whoever_asks_in_whatever_order_no_resource_is_ever_two_runs_own(asked: list[Claim]) -> None:
    held: list[Claim] = []
    for claim in asked:
        if not conflict([claim], held):
            held.append(claim)
    own = [claim for claim in held if claim.mode is Mode.EXCLUSIVE]
    for claim in own:
        beside = [other for other in held if other.run != claim.run and other.site == claim.site]
        meets = [other for other in beside if claim.service == other.service or ALL in (claim.service, other.service)]
        assert {other.mode for other in meets} <= {Mode.YIELDING}
        # Each of those has to give way by now.
        assert all(in_the_way([other], lambda _site: held) for other in meets)


@given(st.lists(CLAIMS, max_size=6), st.lists(CLAIMS, max_size=6))
def test_the_claim_that_is_named_is_one_that_excludes(wanted: list[Claim], held: list[Claim]) -> None:
    found = conflict(wanted, held)
    excluding = [other for other in held if any(other.stands_in_the_way_of(one) for one in wanted)]
    assert found == (excluding[0] if excluding else None)


def test_what_a_procedure_says_short_and_what_it_means() -> None:
    assert wanted_by(True, False) == (EXCLUSIVE,)
    assert wanted_by(False, True) == (YIELDING,)
    assert wanted_by(False, False) == ()
    assert wanted_by((SHARED, WHOLE_SITE), True) == (SHARED, WHOLE_SITE, YIELDING)
    assert claims_of((SHARED, EXCLUSIVE, Wanted(Mode.YIELDING, "pg")), "main", "pg", "r1") == (
        Claim("main", "pg", "r1", Mode.EXCLUSIVE),
    )


def asks(store: Any, run: str, *wanted: Wanted, service: str = "pg", site: str = "main") -> str:  # noqa: F811
    """Ask for a run; the run that is in its way, or an empty text."""
    try:
        store.open_run(run, {**REQUEST, "service": service, "site": site}, claims=wanted, key=f"key of {run}")
    except Busy as busy:
        assert store.entries(run) == []
        return busy.run
    return ""


def ends(store: Any, run: str) -> None:  # noqa: F811
    store.append(store.acquire(run, "w"), Kind.FINISHED, None, {"outcome": "done"})


@pytest.mark.parametrize("kind", ON_ALL)
def test_looks_share_a_service_and_keep_recoveries_from_it_until_all_have_ended(store: Any) -> None:  # noqa: F811
    assert [asks(store, "r1", SHARED), asks(store, "r2", SHARED)] == ["", ""]
    assert asks(store, "r3", EXCLUSIVE) == "r1"
    ends(store, "r1")
    assert asks(store, "r3", EXCLUSIVE) == "r2"
    ends(store, "r2")
    assert asks(store, "r3", EXCLUSIVE) == ""
    assert asks(store, "r4", SHARED) == "r3"
    assert store.holder("pg") == "r3"


@pytest.mark.parametrize("kind", ON_ALL)
def test_a_whole_site_is_claimed_once_nothing_in_it_is_held_and_then_nothing_else_is(store: Any) -> None:  # noqa: F811
    assert asks(store, "r1", EXCLUSIVE, service="redis") == ""
    assert asks(store, "r2", WHOLE_SITE) == "r1"
    ends(store, "r1")
    assert asks(store, "r2", WHOLE_SITE) == ""
    assert [asks(store, run, one) for run, one in (("r3", EXCLUSIVE), ("r4", SHARED), ("r5", YIELDING))] == ["r2"] * 3
    assert asks(store, "r6", WHOLE_SITE, site="east") == ""
    assert (store.holder("pg", "main"), store.holder("pg", "east"), store.holder("pg", "west")) == ("r2", "r6", "")
    ends(store, "r2")
    assert asks(store, "r3", EXCLUSIVE) == ""


@pytest.mark.parametrize("kind", ON_ALL)
def test_a_run_that_has_ended_holds_none_of_all_that_it_claimed_and_is_nobodys_any_more(store: Any) -> None:  # noqa: F811
    assert asks(store, "r1", EXCLUSIVE, Wanted(Mode.EXCLUSIVE, "redis"), Wanted(Mode.SHARED, "app")) == ""
    assert {(claim.service, claim.mode) for claim in store.claims("main")} == {
        ("app", Mode.SHARED),
        ("pg", Mode.EXCLUSIVE),
        ("redis", Mode.EXCLUSIVE),
    }
    lease = store.acquire("r1", "w")
    store.append(lease, Kind.FINISHED, None, {"outcome": "done"})
    assert store.claims("main") == []
    assert store.acquire("r1", "another") is None
    assert store.leased() == set()
    with pytest.raises(Fenced):
        store.append(lease, Kind.NOTED, None, {})


@pytest.mark.parametrize("kind", ON_ALL)
def test_the_journal_tells_what_its_run_claims(store: Any) -> None:  # noqa: F811
    asks(store, "r1", EXCLUSIVE, Wanted(Mode.SHARED, "redis"))
    assert store.entries("r1")[0].data["claims"] == [
        {"service": "pg", "mode": "exclusive"},
        {"service": "redis", "mode": "shared"},
    ]


@pytest.mark.parametrize("kind", ON_BOTH)
def test_of_those_who_ask_at_once_for_what_overlaps_one_gets_it(store: Store) -> None:  # noqa: F811
    wanted: list[Sequence[Wanted]] = [(EXCLUSIVE,), (WHOLE_SITE,), (Wanted(Mode.EXCLUSIVE, "redis"), EXCLUSIVE)] * 2
    given = at_once(*(lambda n=n, one=one: asks(store, f"r{n}", *one) for n, one in enumerate(wanted)))
    assert given.count("") == 1
    assert len({claim.run for claim in store.claims("main")}) == 1


@pytest.mark.parametrize("kind", ON_ALL)
def test_the_refusal_says_who_holds_what(store: Any) -> None:  # noqa: F811
    asks(store, "r1", WHOLE_SITE)
    with pytest.raises(Busy) as busy:
        opened(store, "r2")
    assert (busy.value.message, busy.value.run) == ("All of site main is held by run r1.", "r1")
    assert "r1" in busy.value.hint


def test_people_are_told_what_is_held_who_asked_for_it_and_where() -> None:
    bot = office_in().bot
    asks(bot.store, "r1", WHOLE_SITE)
    with pytest.raises(Busy) as busy:
        opened(bot.store, "r2")
    told = requests.held(bot, busy.value)
    assert told.message == "All of site main is held by run r1 (p)."
    assert told.detail.startswith("oncall asked for it ")
    assert told.detail.endswith("No other run of the site may begin beside it.")


def test_a_run_that_yields_one_of_several_services_gives_way_where_that_one_is_claimed() -> None:
    yard = Yard(replace(PAINT, claims=(SHARED, Wanted(Mode.YIELDING, "garden"))))
    yard.ask()
    yard.work()
    yard.answer("Yes", ONCALL)
    other = {**yard.store.entries("r1")[0].data, "service": "garden"}

    def somebody_recovers(place: str) -> None:
        if place == "after the entry 'began' of step 3":
            yard.store.open_run("r2", other, claims=True, key="r2")

    yard.store.at_place = somebody_recovers
    assert yard.work() == "stopped"
    stopped = yard.store.entries("r1")[-1]
    assert (stopped.kind, stopped.data["error"]) == (Kind.STOPPED, "It gave way to run r2.")
    answers.retry(yard.store, "r1", ONCALL)
    assert yard.work() == "held"
    ends(yard.store, "r2")
    assert yard.work() == "asking"


OLD = """CREATE TABLE leases (
    key VARCHAR(120) PRIMARY KEY, run VARCHAR(40) NOT NULL, owner VARCHAR(200) NOT NULL,
    token INTEGER NOT NULL, beat VARCHAR(32) NOT NULL)"""


@pytest.mark.parametrize("kind", ON_BOTH)
def test_a_run_under_way_at_an_upgrade_goes_on_holding_its_service_and_its_worker_its_lease(
    store: Store,  # noqa: F811
    url: str,  # noqa: F811
    clock: Clock,  # noqa: F811
) -> None:
    for run in ("r1", "r2"):
        opened(store, run, claims=False)
    beat = f"{clock():%Y-%m-%dT%H:%M:%S.%f}+00:00"
    rows = [
        ("pg", "r1", "w1", 7),
        ("run r1", "r1", "", 2),
        ("run r2", "r2", "", 3),
        ("turn threads", "turn threads", "bot", 4),
        ("redis", "", "", 9),
    ]
    with store.engine.begin() as db:
        tables.leases.drop(db)
        tables.claims.drop(db)
        db.exec_driver_sql(OLD)
        for key, run, owner, token in rows:
            db.execute(sa.text(f"INSERT INTO leases VALUES ('{key}', '{run}', '{owner}', {token}, '{beat}')"))
    for again in at_once(*[lambda: Store(url, clock)] * 3):
        assert again.claims("main") == [Claim("main", "pg", "r1", Mode.EXCLUSIVE)]
        again.dispose()
    assert (store.holder("pg"), store.leased()) == ("r1", {"r1"})
    with pytest.raises(Busy, match="r1"):
        opened(store, "r3")
    assert store.acquire("r1", "w2") is None
    clock.now += timedelta(seconds=LEASE_SECONDS + 1)
    taken = [store.acquire(run, "w2") for run in ("r1", "r2", "turn threads")]
    assert [lease.token for lease in taken if lease] == [8, 4, 5]
    ends_with = taken[0]
    assert ends_with is not None
    store.append(ends_with, Kind.FINISHED, None, {"outcome": "done"})
    assert opened(store, "r3") == "r3"
