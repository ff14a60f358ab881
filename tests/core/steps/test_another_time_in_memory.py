"""Another time is looked at before anything is given up for it: one out of reach costs neither question nor clone."""

from __future__ import annotations

import pytest

from actions.control import answers
from actions.engine.journal import Kind
from actions.engine.procedure import Outcome
from actions.engine.reading import Asker
from actions.store.ledger import LEASE_SECONDS
from tests.support.kills import places_of
from tests.support.worlds.company import SITE
from tests.support.worlds.planned import APPROVER, ONCALL, Company


def wants(here: Company, text: str) -> None:
    """Press *Another time*, as the bot takes it in: the time is read, and the request goes along."""
    question, procedure = here.run().question, here.find("postgres pitr")
    assert question is not None
    request = procedure.words.read(text, Asker(here.world.clock(), "UTC", "Europe/Berlin", SITE.postgres))
    answers.answer(here.store, "r1", question.n, "Another time", ONCALL, text, another=request)


@pytest.fixture
def preview(here: Company) -> Company:
    here.ask("postgres pitr", "08:30:30")
    here.work()
    here.answer("Restore, keep serving")
    here.work()
    assert here.run().asking
    return here


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("07:59", "before the end of the oldest usable base backup"),
        ("before xid 99999", "did not end in this WAL"),
        ("before lsn FF/0", "cannot be reached"),
    ],
)
def test_out_of_reach_the_question_is_open_again_and_the_clone_is_there(preview: Company, text: str, why: str) -> None:
    changes, first = preview.world.changes, preview.run().question
    wants(preview, text)
    assert preview.work() == "asking"
    assert preview.world.changes == changes
    void = next(e for e in preview.store.entries("r1") if e.kind is Kind.VOIDED)
    assert void.data["why"].startswith(f"'{text}' cannot be reached, and nothing was given up for it.")
    assert why in void.data["why"]
    again = preview.run().question
    assert first is not None
    assert again is not None
    assert (again.title, again.plan, again.options) == (first.title, first.plan, first.options)
    assert preview.run().again is None
    preview.answer("Cut over", APPROVER, SITE.postgres)
    preview.work()
    assert preview.run().finished is Outcome.RECOVERED


def test_without_room_for_another_clone_this_one_is_kept(preview: Company) -> None:
    preview.world.free = 1 << 20
    wants(preview, "08:25")
    assert preview.work() == "asking"
    void = next(e for e in preview.store.entries("r1") if e.kind is Kind.VOIDED)
    assert "not enough room" in void.data["why"]


def test_in_reach_the_run_is_discarded_and_the_request_that_was_looked_at_is_handed_on(preview: Company) -> None:
    wants(preview, "20m ago")
    at = preview.world.clock()
    preview.work()
    run = preview.run()
    assert run.finished is Outcome.DISCARDED
    assert run.again is not None
    assert run.again["text"] == "20m ago"
    read = preview.find("postgres pitr").words.read("20m ago", Asker(at, "UTC", "Europe/Berlin", SITE.postgres))
    assert run.again["request"]["target"]["at"] == read.target.at.isoformat().replace("+00:00", "Z")
    ended = preview.store.entries("r1")[-1]
    assert ended.data["again"] == run.again


def test_undo_before_anybody_looked_begins_no_new_run(preview: Company) -> None:
    wants(preview, "08:25")
    preview.world.refuses = "pg_current_wal_lsn"
    preview.stop()
    preview.work()
    preview.world.refuses = ""
    preview.undo()
    preview.work()
    assert preview.run().finished is Outcome.UNDONE
    assert preview.run().again is None


def test_a_worker_that_dies_while_it_looks_looks_again(preview: Company) -> None:
    wants(preview, "07:59")
    for place, copy in places_of(preview, preview.work):
        copy.world.clock.advance(LEASE_SECONDS + 1)
        assert copy.work() == "asking", place
        assert copy.run().again is None, place
