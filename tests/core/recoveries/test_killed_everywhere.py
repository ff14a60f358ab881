"""Every procedure of the catalog, with its worker killed everywhere, its lease taken, Stop pressed and undone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from actions.catalog import CATALOG, ERRANDS
from tests.support.kill_cases import all_cases, case_of
from tests.support.kill_ways import SHORT, WAYS, Way
from tests.support.kills import KillCase

NAMES = [procedure.name for procedure in (*CATALOG, *ERRANDS)]


SAMPLE = 7
"""Of a large procedure `make core` tries each so many-th place, in some of the ways; `make deep` all of both."""


def every_way() -> Iterator[object]:
    """All ways with all procedures at all places. Those of a large one take seconds and are for `make deep`."""
    for name in NAMES:
        case = all_cases().get(name)
        for way in WAYS:
            later = case is not None and case.large
            yield pytest.param(name, way, id=f"{way.__name__}-{name}", marks=[pytest.mark.deep] if later else [])


@pytest.mark.parametrize(("name", "way"), [*every_way()])
def test_whatever_happens_to_its_workers_the_world_is_the_old_or_the_new_one(
    name: str, way: Way, memory_path: Path
) -> None:
    found = way(case_of(name), memory_path)
    assert not found, "\n".join(found[:12])


@pytest.mark.parametrize("way", SHORT)
@pytest.mark.parametrize("case", [case for case in all_cases().values() if case.large], ids=lambda case: case.procedure)
def test_at_some_places_of_a_large_one_nothing_is_left_half_done(case: KillCase, way: Way, memory_path: Path) -> None:
    found = way(replace(case, every=SAMPLE), memory_path)
    assert not found, "\n".join(found[:12])


def test_a_procedure_that_nothing_kills_is_told_what_to_add() -> None:
    with pytest.raises(AssertionError, match=r"tests/core/recoveries/test_minio_restart\.py a KillCase"):
        case_of("minio restart")


def test_each_case_is_of_a_procedure_that_there_is() -> None:
    assert set(all_cases()) == set(NAMES)
