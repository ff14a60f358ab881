"""Facts go into the journal and come back, and the plan's hash covers just what is approved."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from actions.clock.when import Target
from actions.engine.facts import from_json, plan_hash, steady, to_json, volatile
from actions.engine.injection import fact_types
from actions.postgres.lsn import Lsn
from actions.postgres.stops import Stop
from actions.steps.postgres.look_at_server import Writer, Writers
from actions.steps.postgres.target import Aim, Base
from actions.tools.folders import DataHome
from tests.support.worlds.planned import Company

NOON = datetime(2026, 2, 9, 12, tzinfo=UTC)
TARGET = Target("time", "12:00", at=NOON, other=Target("time", "12:00 Europe/Berlin", "Europe/Berlin", at=NOON))
BASE = Base("base_1", 1, Lsn(40), Lsn(80), 9, NOON, ("a", "b"), (), why="the newest")


@dataclass(frozen=True)
class Nested:
    """A fact within a fact."""

    kept: int
    shown: str = volatile(default="")


@dataclass(frozen=True)
class Fact:
    """Lists, maps and parts, with volatile fields at every depth."""

    parts: tuple[Nested, ...]
    named: dict[str, Nested]
    ago: float = volatile(default=0.0)


@pytest.mark.parametrize(
    "fact",
    [
        TARGET,
        BASE,
        Aim(2, Stop(Lsn(0x8000640), False, NOON, 7, Lsn(1), None, None, None, NOON)),
        DataHome("/srv", "pg", "/data"),
        Writers((Writer("w", "id", "running"),)),
        Fact((Nested(1, "x"),), {"a": Nested(2)}, 1.5),
    ],
)
def test_a_fact_comes_back_from_the_journal_as_it_went_in(fact: Any) -> None:
    assert from_json(type(fact), to_json(fact)) == fact


def test_what_is_only_shown_is_left_out_at_every_depth() -> None:
    assert steady(Fact((Nested(1, "x"),), {"a": Nested(2, "y")}, 9)) == {
        "parts": [{"kept": 1}],
        "named": {"a": {"kept": 2}},
    }


def hashed(**facts: Any) -> str:
    return plan_hash("postgres pitr", TARGET, facts)


def test_the_same_facts_have_the_same_hash_in_any_order() -> None:
    assert hashed(a=BASE, b=TARGET) == hashed(b=TARGET, a=BASE)


@pytest.mark.parametrize("change", [{"why": "another reason"}, {"beyond": ("c",)}])
def test_what_is_only_shown_does_not_change_the_hash(change: dict[str, Any]) -> None:
    assert hashed(base=BASE) == hashed(base=replace(BASE, **change))


@pytest.mark.parametrize(
    "change", [{"name": "base_2"}, {"segments": ("a",)}, {"start_lsn": Lsn(41)}, {"timeline": 2}, {"histories": ("2",)}]
)
def test_what_is_approved_changes_the_hash(change: dict[str, Any]) -> None:
    assert hashed(base=BASE) != hashed(base=replace(BASE, **change))


def test_another_request_or_procedure_is_another_plan() -> None:
    assert plan_hash("a", TARGET, {}) != plan_hash("b", TARGET, {})
    assert plan_hash("a", TARGET, {}) != plan_hash("a", replace(TARGET, at=datetime(2026, 2, 9, 13, tzinfo=UTC)), {})


def plan_of(company: Company) -> str:
    company.ask("postgres pitr", "08:30:30")
    company.work()
    question = company.run().question
    assert question is not None
    return question.plan


def test_what_a_plan_rests_on_stays_the_same_while_the_town_goes_on_writing(here: Company) -> None:
    later = Company(here.world.fork())
    later.world.says(3)
    later.world.clock.advance(120)
    plan_of(here), plan_of(later)
    types = fact_types(here.find("postgres pitr"))
    for name in ("server", "writers", "aim", "base", "lost", "space", "times"):
        ours, theirs = (steady(from_json(types[name], company.run().facts[name])) for company in (here, later))
        assert ours == theirs, name


def test_the_plan_of_a_recovery_changes_with_the_container(here: Company) -> None:
    other = Company(here.world.fork())
    other.world.set_container("nself-postgres", id="another-container")
    assert plan_of(here) != plan_of(other)
