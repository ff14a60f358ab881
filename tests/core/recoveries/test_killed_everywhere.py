"""Every procedure of the catalog, with its worker killed everywhere, its lease taken, Stop pressed and undone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from actions.catalog import CATALOG, ERRANDS
from tests.support.kill_cases import all_cases, case_of
from tests.support.kill_ways import SHORT, WAYS, Way

NAMES = [procedure.name for procedure in (*CATALOG, *ERRANDS)]


def every_way() -> Iterator[object]:
    """All ways with all procedures. What takes seconds of a large one is for `make deep`."""
    for name in NAMES:
        case = all_cases().get(name)
        for way in WAYS:
            later = case is not None and case.large and way not in SHORT
            yield pytest.param(name, way, id=f"{way.__name__}-{name}", marks=[pytest.mark.deep] if later else [])


@pytest.mark.parametrize(("name", "way"), [*every_way()])
def test_whatever_happens_to_its_workers_the_world_is_the_old_or_the_new_one(
    name: str, way: Way, memory_path: Path
) -> None:
    found = way(case_of(name), memory_path)
    assert not found, "\n".join(found[:12])


def test_a_procedure_that_nothing_kills_is_told_what_to_add() -> None:
    with pytest.raises(AssertionError, match=r"tests/core/recoveries/test_minio_restart\.py a KillCase"):
        case_of("minio restart")


def test_each_case_is_of_a_procedure_that_there_is() -> None:
    assert set(all_cases()) == set(NAMES)
