"""How long a recovery will take is what earlier runs here took; without any, the plan says that it guesses."""

from __future__ import annotations

from typing import Any

import pytest

from actions.catalog import find
from actions.engine.facts import from_json
from actions.engine.journal import Kind
from actions.engine.procedure import Ask
from actions.steps.postgres.estimate import CUT_OVER, PHASES, Estimate
from actions.watch import step_times
from actions.watch.step_times import PastSeconds, StepTimes
from tests.support.bot_world import emptied
from tests.support.worlds.company import SITE
from tests.support.worlds.founding import company
from tests.support.worlds.planned import APPROVER, Company
from workers.runner.throughput import HostThroughput, JournalTimes

TARGETS = ("08:39:30", "08:38:30", "08:37:30")


class Measured(Company):
    """A company whose worker keeps what its host achieved, as a real one does; `swap` is what a swap takes."""

    def __init__(self) -> None:
        world = company()
        super().__init__(world, emptied(world.clock))
        times = JournalTimes(self.store)
        self.throughput = lambda run: HostThroughput(self.store, run.site, run, times)
        self.swap = 0.0
        world.at_place = self._slowly

    def _slowly(self, place: str) -> None:
        if place == "before 'rename live to before'":
            self.world.clock.advance(self.swap)

    def expected(self, run: str) -> str:
        """What the plan of a run says of the time."""
        asked = next(e for e in self.store.entries(run) if e.kind is Kind.ASKED)
        return str(dict(map(tuple, asked.data["sheets"][0]["rows"]))["Expected"])

    def cut_over_took(self, run: str) -> float:
        """What the journal says of it."""
        done = [e.data for e in self.store.entries(run) if e.kind is Kind.DONE]
        return float(sum(said["seconds"] for said in done if said["title"] in CUT_OVER))


def test_the_steps_of_a_cut_over_are_those_of_the_table() -> None:
    pitr = find("postgres pitr")
    begin, end = pitr.titled(CUT_OVER[0]), pitr.titled(CUT_OVER[-1])
    # How long people look is no work of this host.
    steps = (step for step in pitr.steps[begin : end + 1] if not isinstance(step, Ask))
    assert tuple(step.title for step in steps) == CUT_OVER


def test_the_first_plan_says_that_it_guesses() -> None:
    here = Measured()
    here.ask("postgres pitr", TARGETS[0])
    here.work()
    said = here.expected("r1")
    assert "from earlier runs here" not in said
    assert said.endswith("cut-over 12 s (a guess: no earlier run here tells of it)")
    assert here.run().facts["times"]["measured"] == []


def test_the_third_plan_says_what_two_cut_overs_took_and_that_it_is_from_them() -> None:
    here = Measured()
    for run, swap in (("r1", 3.0), ("r2", 6.0)):
        here.swap = swap
        here.recover(TARGETS[0] if run == "r1" else "latest", run=run)
        assert here.run(run).finished == "recovered", here.run(run).failure
    took = [here.cut_over_took(run) for run in ("r1", "r2")]
    assert took[1] - took[0] == 3.0
    here.ask("postgres pitr", "latest", run="r3")
    here.work("r3")
    assert f"cut-over {sum(took) / 2:.0f} s (from earlier runs here; the cut-over's is the median of 2 runs)" in (
        here.expected("r3")
    )


def test_what_was_never_noted_is_not_said_to_be_from_earlier_runs() -> None:
    """Bytes a second of copy and replay say nothing of checks and cut-over."""
    here = Measured()
    for phase in ("copy", "replay"):
        here.store.keep("rate", f"{SITE.name} {phase}", [1e9])
    here.ask("postgres pitr", TARGETS[0])
    here.work()
    known, guessed = here.expected("r1").split("; ")
    assert known.startswith("copy ")
    assert "replay" in known
    assert known.endswith("(from earlier runs here)")
    assert guessed.startswith("checks ")
    assert "cut-over 12 s (a guess" in guessed
    assert here.run().facts["times"]["measured"] == ["copy", "replay"]
    assert "checks and cut-over guessed" in from_json(Estimate, here.run().facts["times"]).says()


def test_a_recovery_whose_swap_was_done_in_two_parts_is_no_measure() -> None:
    here = Measured()
    here.ask("postgres pitr", TARGETS[0])
    here.work()
    here.answer("Pause writers and restore")
    here.work()
    here.answer("Cut over", APPROVER, SITE.postgres)
    here.world.at_place = _dies
    with pytest.raises(_Dead):
        here.work()
    here.world.at_place = lambda place: None
    here.lease_runs_out()
    here.work()
    assert here.run().finished == "recovered"
    assert here.throughput(here.run()).seconds(CUT_OVER) is None
    assert here.throughput(here.run()).seconds(CUT_OVER[:4]) is not None


def test_other_services_sites_and_procedures_tell_nothing_of_this_one() -> None:
    here = Measured()
    here.recover(TARGETS[0])
    times = StepTimes()
    times.hear(here.store.entries("r1"))
    run = here.run()
    assert times.of(run.site, run.service, run.procedure, CUT_OVER) is not None
    assert times.of("east", run.service, run.procedure, CUT_OVER) is None
    assert times.of(run.site, "another", run.procedure, CUT_OVER) is None
    assert times.of(run.site, run.service, "postgres base backup", CUT_OVER) is None


def test_the_newest_runs_are_the_measure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step_times, "KEPT", 3)
    here, times = Measured(), StepTimes()
    for number in range(1, 6):
        here.swap = float(number)
        here.recover("latest", run=f"r{number}")
    # Read in another order than written.
    for number in (3, 1, 5, 4, 2):
        times.hear(here.store.entries(f"r{number}"))
    run = here.run("r1")
    assert times.of(run.site, run.service, run.procedure, ("swap the data directories",)) == PastSeconds(4.0, 3)


def test_a_journal_that_cannot_be_read_leaves_a_guess_rather_than_no_recovery(monkeypatch: pytest.MonkeyPatch) -> None:
    here = Measured()

    def unreadable(_self: StepTimes, told: Any) -> None:
        raise KeyError("procedure")

    monkeypatch.setattr(StepTimes, "hear", unreadable)
    here.ask("postgres pitr", TARGETS[0])
    assert here.work() == "asking"
    assert "a guess" in here.expected("r1")


def test_an_estimate_of_an_earlier_version_counts_as_a_guess_where_nothing_had_been_noted() -> None:
    before = {"copy": 2.0, "replay": 2.0, "check": 3.0, "cut_over": 12.0, "measured": True}
    assert from_json(Estimate, before).guessed == PHASES


class _Dead(BaseException):
    """The worker was killed."""


def _dies(place: str) -> None:
    if place == "after 'rename clone to live'":
        raise _Dead
