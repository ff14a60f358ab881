"""What was looked up again before an answer counted stands beside it, and is no new measure for the next look."""

from __future__ import annotations

from dataclasses import replace

import pytest

from actions.engine.facts import from_json, steady
from actions.engine.folding import fold
from actions.engine.journal import Kind
from actions.engine.procedure import Answer
from actions.incidents.story_lines import story_lines
from bot.terminal.run_shown import line_of
from tests.support.worlds.company import SITE
from tests.support.worlds.planned import APPROVER, Company


@pytest.fixture
def here() -> Company:
    made = Company()
    made.world.deletes(*range(1, 21))
    made.ask("postgres pitr", "08:40:30")
    made.work()
    made.answer("Restore, keep serving")
    assert made.work() == "asking"
    return made


def test_an_answer_carries_how_things_stood_when_it_counted(here: Company) -> None:
    shown = here.run().facts["loss"]["rows"]
    here.world.says(4)
    here.answer("Cut over", APPROVER, SITE.postgres)
    assert here.work() == "finished"
    run = here.run()
    approval = from_json(Answer, run.facts["approval"])
    assert (approval.option, approval.by, approval.seen["loss"]["rows"]) == ("Cut over", "U-APPROVER", shown + 4)
    assert run.facts["loss"]["rows"] == shown, "what was approved stays the measure"
    assert set(approval.seen) == {"server", "live", "writers", "configuration", "loss"}


def test_it_is_told_where_it_differs_from_what_was_shown(here: Company) -> None:
    here.world.says(4)
    here.answer("Cut over", APPROVER, SITE.postgres)
    here.work()
    told = here.store.entries("r1")
    looked = [entry for entry in told if entry.kind is Kind.RECHECKED][-1]
    assert "24 rows in 5 commits" in line_of(looked)
    assert any(
        "As it stood then" in one.text and "24 rows in 5 commits" in one.text for one in story_lines(told, "Kim")
    )


def test_an_entry_of_before_that_carries_nothing_still_counts(here: Company) -> None:
    entry = next(e for e in here.store.entries("r1") if e.kind is Kind.RECHECKED)
    told = [e for e in here.store.entries("r1") if e.n <= entry.n]
    old = fold([replace(e, data={}) if e.n == entry.n else e for e in told])
    assert old.question is None
    assert from_json(Answer, old.facts["mode"]).seen == {}


def test_it_is_no_part_of_what_an_approval_covers() -> None:
    assert steady(Answer("Go", "U1", seen={"a": 1})) == steady(Answer("Go", "U1"))
