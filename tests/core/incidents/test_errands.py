"""Errands: small procedures that change PagerDuty, read it anew before and after, and are done once."""

from __future__ import annotations

from typing import Any

import pytest

from actions.catalog import ERRANDS, find
from actions.control import answers
from actions.engine.errors import Refused
from actions.engine.ids import is_errand
from actions.engine.journal import Entry, Kind
from actions.engine.lanes import Lane
from actions.engine.procedure import Look
from actions.engine.rights import Speaker
from actions.engine.run import Run
from actions.engine.status import state_of
from actions.incidents import incident as incidents
from actions.incidents import open_errands
from actions.incidents.alert_grouping import Rules
from actions.incidents.incident import Incident
from actions.incidents.kept_events import keep_event
from actions.incidents.open_errands import Errand, open_errand
from actions.incidents.take_in_events import take_in
from actions.store.ledger import LEASE_SECONDS
from tests.support.bot_world import emptied
from tests.support.worlds.clock import Clock
from tests.support.worlds.pagerduty import Killed, PagerDutyWorld, WorldErrands
from tests.support.worlds.pages import at, body, event
from workers.runner.errand_toolbox import ErrandToolbox
from workers.runner.leased_runner import LeasedRunner
from workers.runner.sweep import LanePlace
from workers.runner.worker import Worker

OLGA = Speaker("U0ONCALL", "Olga Nowak", may_ask=True, may_approve=False)


class Shift:
    """An incident of PagerDuty, its journal, and a worker for its errands."""

    def __init__(self, alerts: int = 1) -> None:
        self.clock = Clock(at(1))
        self.store = emptied(self.clock)
        self.world = PagerDutyWorld(self.clock)
        for n in range(alerts):
            self.world.opens(f"P{n}")
            keep_event(self.store, body(event("triggered", f"P{n}")))
        take_in(self.store, Rules())
        self.workers = 0

    @property
    def incident(self) -> Incident:
        (name,) = self.store.incidents()
        return incidents.fold(self.store.entries(name))

    def ask(self, errand: Errand, key: str = "k1", by: Speaker = OLGA) -> str:
        return open_errand(self.store, errand, self.incident, by, site="main", key=key)[0]

    def work(self, run: str, toolbox: Any = None) -> str:
        self.workers += 1
        tools = toolbox or WorldErrands(self.world)
        return LeasedRunner(self.store, find, tools, f"w{self.workers}", away_seconds=0.05).carry_out(run)

    def does(self, errand: Errand) -> Run:
        run = self.ask(errand)
        self.work(run)
        return self.store.run(run)

    def said(self, run: str) -> str:
        told: list[Entry] = self.store.entries(run)
        return str([e.data.get("said") for e in told if e.kind is Kind.DONE][-1])

    def changes(self) -> list[str]:
        return [c for c in self.world.calls if c.split()[0] in ("acknowledge", "resolve", "escalate", "trigger")]


@pytest.fixture
def shift() -> Shift:
    return Shift()


@pytest.mark.parametrize("errand", ERRANDS, ids=lambda e: e.name)
def test_an_errand_claims_nothing_and_sees_for_itself(errand: Any) -> None:
    assert errand.lane is Lane.ERRAND
    assert not errand.claims
    assert isinstance(errand.steps[-1], Look)
    assert find(errand.name) is errand


def test_acknowledging_is_on_the_record_of_the_incident_and_done_in_pagerduty(shift: Shift) -> None:
    run = shift.does(open_errands.to_acknowledge(shift.incident))
    assert is_errand(run.id)
    assert state_of(run) == "done"
    assert shift.world.incidents["P0"].status == "acknowledged"
    assert shift.said(run.id) == "acknowledged"
    (linked,) = shift.incident.runs
    assert (linked.run, linked.name, linked.pursues) == (run.id, "Olga Nowak", "acknowledged")


def test_what_is_acknowledged_already_is_success_and_asks_nothing_of_pagerduty(shift: Shift) -> None:
    shift.world.change("P0", status="acknowledged")
    assert state_of(shift.does(open_errands.to_acknowledge(shift.incident))) == "done"
    assert shift.changes() == []


def test_the_incident_is_read_anew_so_that_a_stale_journal_does_no_harm(shift: Shift) -> None:
    errand = open_errands.to_acknowledge(shift.incident)
    shift.world.change("P0", status="resolved")
    run = shift.does(errand)
    assert (state_of(run), shift.said(run.id), shift.changes()) == ("done", "resolved", [])


def test_a_storm_is_acknowledged_without_a_question_for_each_alert() -> None:
    shift = Shift(alerts=40)
    assert state_of(shift.does(open_errands.to_resolve(shift.incident))) == "done"
    assert {p.status for p in shift.world.incidents.values()} == {"resolved"}
    assert len(shift.changes()) == 40
    assert len([c for c in shift.world.calls if c.startswith("incident")]) == 0


def test_escalating_pages_the_next_level_once(shift: Shift) -> None:
    run = shift.does(open_errands.to_escalate(shift.incident))
    assert shift.said(run.id) == "paged Ben Okoro"
    assert shift.world.incidents["P0"].level == 2


def test_what_is_resolved_cannot_be_escalated(shift: Shift) -> None:
    errand = open_errands.to_escalate(shift.incident)
    shift.world.change("P0", status="resolved")
    assert state_of(shift.does(errand)) == "refused"


def test_a_page_says_whom_it_reached_and_when_it_reached_nobody(shift: Shift) -> None:
    run = shift.does(open_errands.to_page(shift.incident))
    assert shift.said(run.id) == "paged Olga Nowak"
    other = Shift()
    other.world.nobody = True
    assert other.said(other.does(open_errands.to_page(other.incident)).id).endswith("assigned it to nobody")


@pytest.mark.deep
@pytest.mark.parametrize(
    "errand", [open_errands.to_acknowledge, open_errands.to_resolve, open_errands.to_escalate, open_errands.to_page]
)
@pytest.mark.parametrize("how", ["kill before", "kill after"])
def test_a_worker_killed_at_any_call_leaves_nothing_undone_and_nothing_twice(errand: Any, how: str) -> None:
    for at_call in range(1, 9):
        shift = Shift()
        shift.world.fate = lambda _call, s=shift, n=at_call: how if len(s.world.calls) == n else None
        run = shift.ask(errand(shift.incident))
        try:
            shift.work(run)
        except Killed:
            shift.clock.advance(LEASE_SECONDS + 1)
            shift.work(run)
        assert state_of(shift.store.run(run)) == "done"
        assert len([p for p in shift.world.incidents.values() if p.key]) == (errand is open_errands.to_page)
        assert shift.world.incidents["P0"].level == (2 if errand is open_errands.to_escalate else 1)


def test_while_pagerduty_is_away_the_errand_waits_for_a_person_and_retry_does_it(shift: Shift) -> None:
    shift.world.fate = lambda call: "down" if call.startswith("acknowledge") else None
    run = shift.does(open_errands.to_acknowledge(shift.incident))
    assert run.failure is not None
    assert run.failure.message == "PagerDuty does not answer."
    shift.world.fate = lambda call: None
    answers.retry(shift.store, run.id, OLGA)
    assert shift.work(run.id) == "finished"
    assert shift.world.incidents["P0"].status == "acknowledged"


def test_without_pagerduty_in_the_settings_the_errand_says_what_to_set(shift: Shift) -> None:
    run = shift.ask(open_errands.to_acknowledge(shift.incident))
    shift.work(run, ErrandToolbox())
    ended = shift.store.entries(run)[-1].data
    assert (ended["outcome"], ended["error"]) == ("refused", "PagerDuty is not set up.")
    assert "pagerduty.token" in ended["hint"]


def test_asking_twice_with_one_key_is_one_errand_and_who_may_not_is_refused(shift: Shift) -> None:
    errand = open_errands.to_acknowledge(shift.incident)
    assert shift.ask(errand) == shift.ask(errand)
    assert len(shift.incident.runs) == 1
    with pytest.raises(Refused, match="may not lead"):
        shift.ask(errand, "k2", Speaker("U0WATCHER", "Wei", may_ask=False, may_approve=False))


def test_with_nothing_open_in_pagerduty_there_is_no_errand() -> None:
    shift = Shift()
    keep_event(shift.store, body(event("resolved", "P0", 1)))
    take_in(shift.store, Rules())
    with pytest.raises(Refused, match="nothing open"):
        open_errands.to_resolve(shift.incident)


def test_errands_and_recoveries_are_swept_in_lanes_of_their_own(shift: Shift) -> None:
    run = shift.ask(open_errands.to_acknowledge(shift.incident))
    lane = LeasedRunner(shift.store, find, WorldErrands(shift.world), "errands")
    worker = Worker(shift.store, lambda site, of: lane, "", find, "w1")
    assert worker.sweep.due() == {LanePlace("main", Lane.ERRAND): [run]}
    worker.leaving.set()
    assert worker.carry_out(run) == "leaving"
    worker.leaving.clear()
    assert worker.carry_out(run) == "finished"
    assert worker.sweep.due() == {}
