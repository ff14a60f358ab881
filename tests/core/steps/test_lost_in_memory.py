"""The figure of what was lost is taken when nobody can write any more, and is never smaller than the truth."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from actions.engine.errors import RecoveryError
from actions.engine.fact_roles import fact_with
from actions.engine.journal import Kind
from actions.engine.procedure import FactRole, Outcome
from actions.incidents.document import document
from actions.incidents.run_story import retell
from actions.postgres.segments import segment_of
from actions.steps.postgres.lost_at_stop import LostAtStop
from actions.steps.postgres.write_rate import rate_words, transactions_a_second, until_they_stop
from actions.watch.run_records import Bound
from tests.support.worlds.company import SITE
from tests.support.worlds.files import WorldFiles
from tests.support.worlds.planned import APPROVER, Company
from tests.support.worlds.wal import SIZE

PAUSE, KEEP = "Pause writers and restore", "Restore, keep serving"


def to_the_preview(here: Company, when: str, mode: str = KEEP) -> None:
    here.ask("postgres pitr", when)
    here.work()
    here.answer(mode)
    here.work()


def cut_over(here: Company) -> None:
    here.answer("Cut over", APPROVER, SITE.postgres)
    here.work()
    assert here.run().finished is Outcome.RECOVERED, here.run().failure


def sheet_of(here: Company, kind: Kind, part: str) -> dict[str, str]:
    last = next(e for e in reversed(here.store.entries("r1")) if e.kind is kind)
    return {label: value for sheet in last.data[part] for label, value in sheet["rows"]}


def test_what_is_written_while_people_decide_is_in_the_figure(here: Company) -> None:
    here.world.says(1, every=15)
    to_the_preview(here, "1m ago")
    here.world.says(4)
    cut_over(here)
    run, story = here.run(), retell(here.store.entries("r1"))
    planned, lost = run.facts["lost"], fact_with(here.find("postgres pitr"), run, FactRole.LOST)
    assert (planned["commits"], lost["commits"], lost["rows"]) == (2, 6, 6)
    assert sheet_of(here, Kind.FINISHED, "report")["Lost"] == (
        "6 rows added, changed or deleted, in 6 commits, 5 min 16 s of writes"
    )
    assert story.actual is not None
    assert story.actual.rpo_seconds == 315.4
    assert story.actual.rpo_bound is Bound.EXACT


def test_five_minutes_that_were_not_foreseen_miss_the_promise(here: Company) -> None:
    to_the_preview(here, "1m ago")
    here.world.says(6)
    cut_over(here)
    told = document([here.store.entries("r1")])
    rpo = next(one for one in told.promises if "RPO" in one.what)
    assert rpo.actual is not None
    assert rpo.actual > rpo.promised == timedelta(minutes=5)
    assert rpo.verdict == "missed"
    assert any("were given up by intention" in line and "7 min" in line for line in told.summary)


def test_with_writers_paused_at_once_only_what_came_before_is_lost(here: Company) -> None:
    here.world.says(1, every=15)
    to_the_preview(here, "1m ago", PAUSE)
    here.world.clock.advance(600)
    cut_over(here)
    assert here.run().facts["given_up"]["commits"] == 2
    assert retell(here.store.entries("r1")).actual.rpo_seconds == 75.0  # type: ignore[union-attr]


def test_of_a_server_that_was_down_its_last_commit_counts(here: Company) -> None:
    here.world.dead = True
    here.world.set_container(SITE.postgres, state="exited")
    here.recover("08:38:30", mode=KEEP)
    lost = here.run().facts["given_up"]
    assert (lost["counted"], lost["commits"], lost["in_good_order"]) == (True, 2, False)
    assert "had not ended in good order" in sheet_of(here, Kind.FINISHED, "report")["Lost"]


def test_a_tail_with_a_hole_is_not_counted_and_the_figure_says_at_most(here: Company) -> None:
    to_the_preview(here, "08:30:30")
    here.world.says(20)
    gone = segment_of(1, here.world.live.lsn - 3 * SIZE, SIZE)
    here.world.archive.pop(gone)
    cut_over(here)
    said = sheet_of(here, Kind.FINISHED, "report")["Lost"]
    assert said.startswith(f"not counted (its WAL segment {gone} is missing); at most ")
    actual = retell(here.store.entries("r1")).actual
    assert actual is not None
    assert actual.rpo_bound is Bound.AT_MOST
    assert actual.rpo_seconds is not None
    assert actual.rpo_seconds >= 20 * 60


def test_a_tail_that_cannot_be_read_holds_no_cut_over_up(here: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    to_the_preview(here, "08:30:30")

    def unreadable(*_: object, **__: object) -> str:
        if here.world.containers[SITE.postgres].state == "exited":
            raise RecoveryError("The WAL segment is damaged.", hint="Look.")
        return losses(*_, **__)  # type: ignore[arg-type]

    losses = WorldFiles.losses
    monkeypatch.setattr(WorldFiles, "losses", unreadable)
    cut_over(here)
    assert "could not be read: The WAL segment is damaged); at most" in sheet_of(here, Kind.FINISHED, "report")["Lost"]


def test_a_run_that_is_undone_gave_nothing_up(here: Company) -> None:
    here.world.hold_seconds = 30
    to_the_preview(here, "08:30:30")
    here.answer("Cut over", APPROVER, SITE.postgres)
    here.work()
    here.answer("Undo")
    here.work()
    story = retell(here.store.entries("r1"))
    assert story.actual is None
    assert not any("given up" in line for line in document([here.store.entries("r1")]).summary)


def test_a_run_that_was_retried_after_the_stop_keeps_the_figure_of_the_stop(here: Company) -> None:
    to_the_preview(here, "08:30:30")
    here.world.says(3)
    here.world.refuses = "pg_current_xact_id"
    here.answer("Cut over", APPROVER, SITE.postgres)
    here.work()
    here.world.refuses = ""
    here.world.clock.advance(900)
    here.retry()
    here.work()
    assert here.run().finished is Outcome.RECOVERED
    assert here.run().facts["given_up"]["commits"] == 13


def test_more_than_was_approved_is_said_first() -> None:
    here = Company()
    at = here.world.clock()
    within = LostAtStop(counted=True, until=at, commits=2, rows=1000, last_at=at, kept_at=at, approved=1000)
    assert within.alerts() == ()
    assert replace(within, rows=1001).alerts() == (
        "More was lost than was approved: 1,001 rows, and the approval covered up to 1,000.",
    )


def test_the_plan_says_how_much_is_written_now(here: Company) -> None:
    def talk(place: str) -> None:
        if place.startswith("after the entry 'done'") and here.run().facts.keys() == {"server", "live"}:
            here.watch(lambda place: None)
            here.world.says(8, every=0.25)

    here.world.says(2)
    here.ask("postgres pitr", "90s ago")
    here.watch(talk)
    here.work()
    assert (
        sheet_of(here, Kind.ASKED, "sheets")["Until the writers stop"]
        == "and what is written until then, about 4 rows a second now"
    )


def test_of_a_server_that_is_down_nothing_is_foreseen(here: Company) -> None:
    here.world.dead = True
    here.world.set_container(SITE.postgres, state="exited")
    here.ask("postgres pitr", "08:38:30")
    here.work()
    assert "Until the writers stop" not in sheet_of(here, Kind.ASKED, "sheets")


def test_the_preview_says_what_was_written_since_the_plan(here: Company) -> None:
    here.ask("postgres pitr", "08:30:30")
    here.work()
    here.world.says(20, every=0.5)
    here.answer(KEEP)
    here.work()
    said = sheet_of(here, Kind.ASKED, "sheets")["Until the writers stop"]
    assert said.startswith("and what is written until the writers stop; since the plan that was about ")
    paused = Company()
    to_the_preview(paused, "08:30:30", PAUSE)
    assert "Until the writers stop" not in sheet_of(paused, Kind.ASKED, "sheets")


@pytest.mark.parametrize(
    ("first", "second", "rate"),
    [
        ({"xid": "100", "at": 10.0}, {"xid": "108", "at": 11.0}, 8.0),
        ({"xid": "100", "at": 10.0}, {"xid": "100", "at": 11.0}, 0.0),
        ({"xid": "100", "at": 10.0}, {"xid": "108", "at": 10.1}, None),
        ({}, {"xid": "108", "at": 10.1}, None),
        ({"xid": "100", "at": 10.0}, {}, None),
    ],
)
def test_the_rate_is_that_between_two_looks(first: dict, second: dict, rate: float | None) -> None:  # type: ignore[type-arg]
    assert transactions_a_second(first, second) == rate


@pytest.mark.parametrize(
    ("transactions", "rows", "commits", "said"),
    [
        (None, 10, 5, "how much is not known"),
        (0.0, 10, 5, "nothing was written just now"),
        (4.0, 10, 5, "about 8 rows a second now"),
        (4.0, 0, 0, "about 4 transactions a second now"),
    ],
)
def test_what_is_to_be_added_until_they_stop(transactions: float | None, rows: int, commits: int, said: str) -> None:
    assert said in until_they_stop(transactions, rows, commits)


@pytest.mark.parametrize(
    ("rate", "said"),
    [
        (8.2, "8 rows a second"),
        (0.2, "12 rows a minute"),
        (0.005, "18 rows an hour"),
        (0.0001, "less than 1 row an hour"),
    ],
)
def test_a_rate_in_words(rate: float, said: str) -> None:
    assert rate_words(rate, "row") == said
