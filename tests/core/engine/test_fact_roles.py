"""Who tells of a run finds its facts by what they are, whatever the procedure calls them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from actions import catalog
from actions.engine.fact_roles import fact_with, role_of
from actions.engine.folding import fold
from actions.engine.journal import GENESIS, Entry, Kind, sealed
from actions.engine.procedure import FactRole, Look, Procedure
from actions.incidents.document import document
from actions.incidents.open_questions import questions
from actions.incidents.run_story import retell
from actions.watch.run_records import Records
from bot.runs.run_control import kept
from tests.support.recorded import told_as

PITR = catalog.find("postgres pitr")
OTHER_NAMES = {
    "aim": "wanted",
    "lost": "foreseen_loss",
    "given_up": "gone",
    "reached": "stands",
    "integrity": "checks",
    "kept": "aside",
    "arrival": "arrives",
}


def renamed() -> Procedure:
    """The same recovery, with other names for its facts."""
    steps = tuple(
        replace(step, gives=OTHER_NAMES.get(step.gives, step.gives)) if isinstance(step, Look) else step
        for step in PITR.steps
    )
    return replace(PITR, name="another recovery", steps=steps)


def told_by_another() -> Iterator[Entry]:
    """The recorded run as the other procedure would have told it."""
    prev = GENESIS
    for entry in told_as("r1"):
        data = dict(entry.data)
        if entry.kind is Kind.REQUESTED:
            data["procedure"] = "another recovery"
        if "gives" in data:
            data["gives"] = OTHER_NAMES.get(data["gives"], data["gives"])
        made = sealed(Entry(entry.run, entry.n, entry.at, entry.kind, entry.step, data), prev)
        prev = made.hash
        yield made


def find(name: str) -> Procedure | None:
    return renamed() if name == "another recovery" else None


# The recorded run is of before anybody looked whether WAL arrives, and a recovery looks at no status page.
@pytest.mark.parametrize("role", [role for role in FactRole if role not in (FactRole.ARRIVAL, FactRole.PUBLISHED)])
def test_each_role_is_found_under_any_name(role: FactRole) -> None:
    ours, theirs = fold(told_as("r1")), fold(told_by_another())
    found = fact_with(PITR, ours, role)
    assert found
    assert fact_with(renamed(), theirs, role) == found


def test_the_roles_of_a_recovery_are_those_that_its_facts_were_read_by_before() -> None:
    roles = {step.gives: step.role for step in PITR.steps if isinstance(step, Look) and step.role}
    assert roles == {
        "aim": FactRole.AIM,
        "lost": FactRole.LOST,
        "given_up": FactRole.LOST,
        "reached": FactRole.REACHED,
        "integrity": FactRole.VERDICT,
        "kept": FactRole.KEPT,
        "arrival": FactRole.ARRIVAL,
    }
    verify = catalog.find("postgres verify")
    assert role_of(verify, "integrity") is FactRole.VERDICT


def test_records_and_stories_are_the_same_under_other_names() -> None:
    ours, theirs = Records(), Records(find)
    ours.hear(told_as("r1"))
    theirs.hear(told_by_another())
    here, there = ours.of("nself", "nself-postgres"), theirs.of("nself", "nself-postgres")
    assert here.restored
    assert here.actual
    assert there.actual
    assert there.restored == here.restored
    assert there.verified == here.verified
    assert there.actual.rpo_seconds == here.actual.rpo_seconds
    told, other = retell(list(told_as("r1"))), retell(list(told_by_another()), find)
    assert (told.lost, told.kept) == (other.lost, other.kept)
    assert told.kept["path"]
    assert list(questions(None, [told], ())) == list(questions(None, [other], ()))
    assert kept(PITR, told.run) == kept(renamed(), other.run) != ""


def test_a_fact_of_the_right_name_and_no_role_is_none_of_theirs() -> None:
    steps = tuple(replace(step, role=None) if isinstance(step, Look) else step for step in PITR.steps)
    bare = replace(PITR, steps=steps)
    records = Records(lambda name: bare)
    records.hear(told_as("r1"))
    assert records.of("nself", "nself-postgres").restored is None
    assert retell(list(told_as("r1")), lambda name: bare).kept == {}


def test_a_run_of_a_procedure_that_nobody_knows_any_more_is_still_told() -> None:
    story = retell(list(told_as("r1")), lambda name: None)
    assert (story.lost, story.kept) == ({}, {})
    assert story.verdicts
    assert fact_with(None, story.run, FactRole.KEPT) == {}
    assert role_of(None, "integrity") is None
    assert document([list(told_by_another())]).runs


def test_of_two_facts_with_a_role_the_last_that_was_found_counts() -> None:
    again = Look("look once more", PITR.steps[0].look, gives="again", role=FactRole.KEPT)  # type: ignore[union-attr]
    both = replace(PITR, steps=(*PITR.steps, again))
    run = fold(told_as("r1"))
    assert fact_with(both, run, FactRole.KEPT) == run.facts["kept"]
    later = replace(run, facts={**run.facts, "again": {"path": "/there"}})
    assert fact_with(both, later, FactRole.KEPT) == {"path": "/there"}
