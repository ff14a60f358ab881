"""The hold after a swap: writers wait while people look, then go on; or all is taken back with nothing lost."""

from __future__ import annotations

from contextlib import suppress

import pytest

from actions.engine.errors import Refused
from actions.engine.journal import Kind
from actions.engine.procedure import Outcome
from actions.engine.standstill import standstill
from actions.engine.status import labels_of
from actions.steps.postgres.hold import LET_ON
from tests.support.kills import places_of
from tests.support.worlds.company import SITE, WRITERS, Killed
from tests.support.worlds.planned import APPROVER, DBA, ONCALL, WATCHER, Company

PAUSE, KEEP = "Pause writers and restore", "Restore, keep serving"


def held(here: Company, mode: str = KEEP) -> Company:
    """Swapped, and the writers wait for thirty seconds."""
    here.world.hold_seconds = 30
    here.world.deletes(*range(1, 21))
    here.ask("postgres pitr", "08:40:30")
    here.work()
    here.answer(mode)
    here.work()
    here.answer("Cut over", APPROVER, SITE.postgres)
    assert here.work() == "asking", here.run().failure
    return here


def states(here: Company) -> set[str]:
    return {here.world.containers[name].state for name in WRITERS}


def report(here: Company) -> dict[str, str]:
    last = here.store.entries("r1")[-1]
    return {label: value for sheet in last.data["report"] for label, value in sheet["rows"]}


def test_the_recovered_data_is_in_service_and_proven_and_the_writers_wait(here: Company) -> None:
    held(here)
    assert here.world.messages() == set(range(1, 41))
    assert states(here) == {"paused"}
    assert here.run().facts["proof"]["timeline"] == 2
    assert labels_of(here.run()) == (LET_ON, "Undo", "Hold")
    asked = here.store.entries("r1")[-1].data
    shown = {label: value for sheet in asked["sheets"] for label, value in sheet["rows"]}
    assert shown["Lost"] == "20 rows added, changed or deleted, in 1 commit, 30.0 s of writes"
    assert shown["Proof"] == "writable on timeline 2"
    assert here.world.clock().isoformat() < asked["expires_at"]


@pytest.mark.parametrize("who", [ONCALL, APPROVER])
def test_whoever_asked_or_may_approve_lets_the_writers_on(here: Company, who: object) -> None:
    held(here)
    here.world.clock.advance(12)
    here.answer(LET_ON, who)  # type: ignore[arg-type]
    here.work()
    assert here.run().finished is Outcome.RECOVERED
    assert report(here)["Writers paused"] == "16.5 s, 12.0 s of it the hold"
    assert states(here) == {"running"}


def test_nobody_else_ends_the_hold(here: Company) -> None:
    held(here)
    for label in (LET_ON, "Undo"):
        with pytest.raises(Refused):
            here.answer(label, WATCHER)


def test_when_it_ends_the_writers_go_on_by_themselves(here: Company) -> None:
    held(here)
    here.world.clock.advance(29)
    assert here.work() == "asking"
    assert states(here) == {"paused"}
    here.world.clock.advance(1)
    here.work()
    assert here.run().finished is Outcome.RECOVERED
    assert report(here)["Writers paused"] == "34.5 s, 30.0 s of it the hold"


@pytest.mark.parametrize("mode", [PAUSE, KEEP])
def test_undo_in_the_hold_brings_the_old_data_back_with_nothing_lost(here: Company, mode: str) -> None:
    before = here.world.live
    held(here, mode)
    here.answer("Undo")
    here.work()
    assert here.run().finished is Outcome.UNDONE, here.run().failure
    assert here.world.live.id == before.id == "live"
    assert here.world.messages() == set(range(21, 41))
    assert states(here) == {"running"}
    here.world.says(1)
    assert here.world.messages() == set(range(21, 42))


def test_hold_stops_the_clock_until_somebody_says_more(here: Company) -> None:
    held(here)
    here.answer("Hold")
    here.world.clock.advance(3600)
    assert here.work() == "asking"
    assert states(here) == {"paused"}
    here.answer(LET_ON, DBA)
    here.work()
    assert here.run().finished is Outcome.RECOVERED


def test_a_worker_that_dies_anywhere_around_the_hold_goes_on_or_takes_all_back(here: Company) -> None:
    held(here)
    undone = here.fork()
    undone.answer("Undo")
    here.world.clock.advance(30)
    for place, copy in [*places_of(here, here.work), *places_of(undone, undone.work)]:
        copy.lease_runs_out()
        with suppress(Killed):
            copy.work()
        wanted = Outcome.UNDONE if copy.run().undoing else Outcome.RECOVERED
        assert copy.run().finished is wanted, (place, copy.run().failure)
        assert states(copy) == {"running"}, place
        assert not copy.store.leased(), place


def test_without_a_hold_nobody_is_asked_and_the_report_names_none(here: Company) -> None:
    run = here.recover("08:30:30", mode=KEEP)
    assert run.finished is Outcome.RECOVERED
    assert "hold" not in report(here)["Writers paused"]
    assert [e.data["title"] for e in here.store.entries("r1") if e.kind is Kind.ASKED][-1] == "Cut over to the clone?"


def test_keep_serving_pauses_nobody_before_the_cut_over_and_says_so(here: Company) -> None:
    here.ask("postgres pitr", "08:30:30")
    here.work()
    here.answer(KEEP)
    here.work()
    told = [e for e in here.store.entries("r1") if e.data.get("title") == "pause the writers"]
    assert [e.kind for e in told] == [Kind.DONE]
    assert told[0].data["left_out"]
    assert told[0].data["said"] == "left out: nobody is paused before the cut-over"
    assert states(here) == {"running"}
    assert standstill(here.find("postgres pitr"), here.store.entries("r1")).seconds is None
    here.world.clock.advance(600)
    here.answer("Cut over", APPROVER, SITE.postgres)
    here.work()
    assert report(here)["Writers paused"] == "4.5 s"


def test_pausing_at_once_counts_from_then_on(here: Company) -> None:
    here.ask("postgres pitr", "08:30:30")
    here.work()
    here.answer(PAUSE)
    here.work()
    here.world.clock.advance(600)
    here.answer("Cut over", APPROVER, SITE.postgres)
    here.work()
    assert report(here)["Writers paused"].startswith("10 min")
