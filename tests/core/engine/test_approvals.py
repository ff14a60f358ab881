"""An approval covers a loss and a time: what goes beyond either is asked again, of a second person."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from actions.engine.errors import Refused
from actions.engine.journal import Kind
from actions.engine.next_move import Recheck, Renew, Resume, next_move
from actions.engine.procedure import Act, Ask, Outcome, Procedure
from actions.engine.rights import Speaker
from actions.engine.run import SYSTEM, Run
from actions.engine.run_parts import Agreement, Question
from actions.recoveries.postgres_pitr import PROCEDURE
from actions.steps.postgres.approved_loss import STANDS, ApprovedLoss
from tests.support.worlds.company import SITE
from tests.support.worlds.planned import APPROVER, DBA, ONCALL, Company
from tests.support.worlds.toys import PAINT, Yard

KEEP = "Restore, keep serving"
NOW = datetime(2026, 2, 9, 8, tzinfo=UTC)


def to_the_preview(here: Company, mode: str = KEEP) -> None:
    here.world.deletes(*range(1, 21))
    here.ask("postgres pitr", "08:40:30")
    here.work()
    here.answer(mode)
    assert here.work() == "asking", here.run().failure


def approve(here: Company, by: Speaker = APPROVER) -> None:
    here.answer("Cut over", by, SITE.postgres)


def card(here: Company) -> dict[str, str]:
    asked = [e for e in here.store.entries("r1") if e.kind is Kind.ASKED][-1]
    return dict(asked.data["sheets"][0]["rows"])


def voided(here: Company) -> list[str]:
    return [e.data["why"] for e in here.store.entries("r1") if e.kind is Kind.VOIDED]


def stopping_in(here: Company, title: str) -> Callable[[str], None]:
    """Who asked presses Stop while that step is at work."""
    step = next(i for i, step in enumerate(PROCEDURE.steps) if step.title == title)

    def at_place(place: str) -> None:
        if place == f"after the entry 'began' of step {step}":
            here.watch(lambda place: None)
            here.stop()

    return at_place


ACTS = [step.title for step in PROCEDURE.steps if isinstance(step, Act)]
BEFORE_THE_STOP = ACTS[ACTS.index("promote the clone") : ACTS.index("stop the old server")]


@pytest.mark.parametrize("title", BEFORE_THE_STOP)
def test_a_retry_after_an_approval_asks_again_with_what_was_written_meanwhile(here: Company, title: str) -> None:
    to_the_preview(here)
    assert card(here)["Written after the target"] == "20 rows in 1 commit so far"
    approve(here)
    here.watch(stopping_in(here, title))
    assert here.work() == "stopped"
    here.world.says(4)
    here.retry()
    assert here.work() == "asking"
    assert voided(here) == ["the run was retried since"]
    assert here.run().question.title == "Cut over to the clone?"
    assert card(here)["Written after the target"].startswith("24 rows in 5 commits")
    with pytest.raises(Refused):
        approve(here, ONCALL)
    approve(here, DBA)
    assert here.work() == "finished"
    assert here.run().finished is Outcome.RECOVERED
    assert here.world.messages() == set(range(1, 41))


@pytest.mark.parametrize("title", ["stop the old server", "swap the data directories", "start the server"])
def test_once_the_old_server_is_stopped_a_retry_goes_on(here: Company, title: str) -> None:
    to_the_preview(here)
    approve(here)
    here.watch(stopping_in(here, title))
    here.work()
    here.world.clock.advance(3600)
    here.retry()
    assert here.work() == "finished", here.run().question
    assert voided(here) == []


def test_a_worker_that_comes_late_asks_again(here: Company) -> None:
    to_the_preview(here)
    approve(here)
    here.world.clock.advance(30 * 24 * 3600)
    assert here.work() == "asking"
    assert voided(here) == ["it was given 43200 min ago"]
    approve(here)
    assert here.work() == "finished"


@pytest.mark.parametrize("back", [16 * 60, 3600, 30 * 24 * 3600])
def test_an_approval_whose_age_cannot_be_said_since_a_clock_was_set_back_asks_again(here: Company, back: int) -> None:
    to_the_preview(here)
    approve(here)
    here.world.clock.advance(-back)
    assert here.work() == "asking"
    assert voided(here) == [f"it bears a time that is {back // 60} min ahead of the clock here"]
    approve(here)
    assert here.work() == "finished"


def test_clocks_that_differ_by_less_than_an_approval_stands_ask_nobody_again(here: Company) -> None:
    to_the_preview(here)
    approve(here)
    here.world.clock.advance(-60)
    assert here.work() == "finished"


def test_more_rows_than_the_card_covers_are_asked_for_again(here: Company) -> None:
    to_the_preview(here)
    assert card(here)["An approval covers"].startswith("up to 1,020 rows, for 15 min")
    here.world.says(999, every=0.1)
    approve(here)
    here.world.says(2, every=0.1)
    assert here.work() == "asking"
    assert voided(here) == ["1,021 rows would be lost by now, 20 were shown and an approval covered up to 1,020"]
    assert card(here)["Written after the target"] == "1,021 rows in 1,002 commits so far"
    approve(here)
    assert here.work() == "finished"


def test_up_to_what_the_card_covers_nobody_is_asked_again(here: Company) -> None:
    to_the_preview(here)
    here.world.says(1000, every=0.1)
    approve(here)
    assert here.work() == "finished"
    assert voided(here) == []


def asked_by_mayday(yard: Yard) -> Yard:
    yard.ask(by=SYSTEM)
    yard.work()
    yard.answer("Yes", APPROVER)
    yard.work()
    return yard


def test_one_approver_does_not_answer_both_questions_of_a_run_that_nobody_asked_for() -> None:
    yard = asked_by_mayday(Yard())
    with pytest.raises(Refused, match="One person does not approve both"):
        yard.answer("Varnish", APPROVER, "wall")
    assert yard.run.asking
    yard.answer("Varnish", DBA, "wall")
    assert yard.run.people == {APPROVER.id, DBA.id}
    assert yard.work() == "finished"


def test_who_agreed_to_an_answer_that_is_void_has_not_agreed() -> None:
    yard = asked_by_mayday(Yard())
    yard.house.bricks = 99
    yard.answer("Varnish", DBA, "wall")
    yard.work()
    assert yard.run.people == {APPROVER.id}
    with pytest.raises(Refused, match="One person does not approve both"):
        yard.answer("Varnish", APPROVER, "wall")


def loss(rows: int, *, counted: bool = True, minutes: float = 0) -> ApprovedLoss:
    return ApprovedLoss(counted, rows, 1, 0, rows + 1000, NOW + timedelta(minutes=minutes))


@pytest.mark.parametrize(
    ("seen", "shown", "said"),
    [
        (loss(1010), loss(10), ""),
        (loss(1011), loss(10), "1,011 rows would be lost by now, 10 were shown and an approval covered up to 1,010"),
        (loss(9_999_999, counted=False, minutes=14), loss(10), ""),
        (loss(0, counted=False, minutes=16), loss(0), "what is lost cannot be counted, and was shown 16 min ago"),
        (loss(0, minutes=16), loss(0, counted=False), "what is lost cannot be counted, and was shown 16 min ago"),
    ],
)
def test_what_is_more_than_an_approval_covers(seen: ApprovedLoss, shown: ApprovedLoss, said: str) -> None:
    assert seen.exceeds(shown) == said


def test_a_busy_service_is_covered_for_as_long_as_an_approval_stands(here: Company) -> None:
    here.world.deletes(*range(1, 21))
    here.ask("postgres pitr", "08:40:30")
    here.work()
    here.world.says(600, every=0.1)
    here.answer(KEEP)
    here.work()
    pace = here.run().facts["loss"]["pace"]
    assert pace > 1
    assert here.run().facts["loss"]["covers"] == 620 + round(pace * STANDS.total_seconds()) > 1600
    assert f"since the plan that was about {pace:,.0f} rows a second" in card(here)["Until the writers stop"]


def standing(procedure: Procedure = PAINT) -> Procedure:
    """The painter's second answer stands for ten minutes, until the varnish is on."""
    asked = procedure.steps[5]
    assert isinstance(asked, Ask)
    made = replace(asked, stands=timedelta(minutes=10), until="varnish")
    return replace(procedure, steps=(*procedure.steps[:5], made, *procedure.steps[6:]))


def test_an_answer_that_nobody_carried_out_yet_is_checked_in_time_and_void_after_it() -> None:
    question = Question(5, 9, "?", (), NOW + timedelta(hours=1), "h")
    run = Run(
        "r1",
        "paint",
        "t",
        "wall",
        "main",
        "U1",
        {},
        {},
        NOW,
        done=frozenset(range(5)),
        recheck=5,
        agreed={5: Agreement("U2", NOW)},
        question=question,
    )
    assert next_move(standing(), run, NOW + timedelta(minutes=10)) == Recheck(5)
    assert next_move(standing(), run, NOW + timedelta(minutes=11)) == Renew(5, "it was given 11 min ago")
    assert next_move(PAINT, run, NOW + timedelta(days=30)) == Recheck(5)


def test_an_answer_stands_until_what_it_allowed_is_done() -> None:
    run = Run(
        "r1",
        "paint",
        "t",
        "wall",
        "main",
        "U1",
        {},
        {},
        NOW,
        done=frozenset(range(6)),
        began=(2, 3, 6),
        agreed={1: Agreement("U1", NOW), 5: Agreement("U2", None)},
    )
    assert next_move(standing(), run, NOW) == Renew(5, "the run was retried since")
    assert next_move(standing(), replace(run, done=run.done | {6}, began=(2, 3, 6, 7)), NOW) == Resume(7)
