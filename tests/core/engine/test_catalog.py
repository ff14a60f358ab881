"""The catalog as a whole: every procedure fits together, and nothing dangerous is unguarded."""

from __future__ import annotations

import pytest

from actions import catalog
from actions.engine.errors import RecoveryError
from actions.engine.injection import Miswired, check, taken
from actions.engine.procedure import Act, Ask, MayAnswer, OptionEffect, Outcome, Procedure, Risk
from actions.tools.registry import TOOLS


@pytest.mark.parametrize("procedure", catalog.CATALOG, ids=lambda p: p.name)
def test_every_procedure_fits_together(procedure: Procedure) -> None:
    check(procedure, TOOLS)
    assert catalog.find(procedure.name) is procedure


@pytest.mark.parametrize("procedure", catalog.CATALOG, ids=lambda p: p.name)
def test_without_a_tool_the_step_that_needs_it_is_named(procedure: Procedure) -> None:
    needed = taken(procedure) & {*TOOLS}
    assert "docker" in needed
    for tool in needed:
        with pytest.raises(Miswired, match=rf"{procedure.name}.*: nobody gives '{tool}'"):
            check(procedure, {name: kind for name, kind in TOOLS.items() if name != tool})


def test_a_point_in_time_recovery_needs_containers_files_and_the_database() -> None:
    assert taken(catalog.find("postgres pitr")) >= {"docker", "files", "sql"}


def test_an_unknown_procedure_is_refused_with_what_to_do() -> None:
    with pytest.raises(RecoveryError) as refused:
        catalog.find("postgres pitrr")
    assert refused.value.hint


def test_names_and_command_words_are_there_once() -> None:
    for words in ([p.name for p in catalog.CATALOG], [p.words.command for p in catalog.CATALOG]):
        assert len(words) == len(set(words))


@pytest.mark.parametrize("procedure", catalog.CATALOG, ids=lambda p: p.name)
def test_what_destroys_needs_a_second_person_who_types_the_name(procedure: Procedure) -> None:
    options = [option for step in procedure.steps if isinstance(step, Ask) for option in step.options]
    guarded = any(o.who is MayAnswer.SECOND and o.types == "service" for o in options)
    assert guarded is (procedure.risk is Risk.DESTRUCTIVE)


@pytest.mark.parametrize("procedure", catalog.CATALOG, ids=lambda p: p.name)
def test_nothing_leads_back_once_new_writes_are_accepted(procedure: Procedure) -> None:
    passed = False
    for step in procedure.steps:
        passed = passed or (isinstance(step, Act) and step.point_of_no_return)
        assert not (passed and isinstance(step, Ask) and any(o.leads is not OptionEffect.ON for o in step.options))


@pytest.mark.parametrize("procedure", catalog.CATALOG, ids=lambda p: p.name)
def test_rechecked_facts_are_looks_and_steps_have_titles_of_their_own(procedure: Procedure) -> None:
    titles = [step.title for step in procedure.steps]
    assert len(titles) == len(set(titles))
    for step in procedure.steps:
        if isinstance(step, Ask):
            assert all(type(procedure.steps[procedure.giving(name)]).__name__ == "Look" for name in step.recheck)


@pytest.mark.parametrize("procedure", catalog.CATALOG, ids=lambda p: p.name)
def test_only_what_reads_or_yields_leaves_the_service_unclaimed(procedure: Procedure) -> None:
    assert bool(procedure.claims) is (procedure.risk is not Risk.READS and not procedure.yields)
    assert procedure.ends in (Outcome.DONE, Outcome.RECOVERED)
