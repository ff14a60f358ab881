"""The judge of the deliberate faults: which places are guard clauses, and that a fault is what runs."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from tests.mutants.guards import read
from tests.mutants.swap import Functions

MODULE = """
def refuses(room, need):
    if room < need:
        raise ValueError(f"{need} are needed")
    if room > 100:
        need = 100
    return room - need


def proves(row):
    wrong = []
    if row["system"] != 7:
        wrong.append("another system")
    missing = [name for name in row["names"] if name not in row["kept"]]
    if wrong or missing:
        raise ValueError(wrong)


def finds(names):
    if not names:
        return None
    if len(names) == 1:
        return 0.0
    try:
        return names[1]
    except KeyError:
        return None


def is_live(a, b) -> bool:
    return a == 1 and b == 2


twice = [lambda n: n + 1, lambda n: n + 2]
"""


def guarded() -> set[str]:
    lines = MODULE.splitlines()
    source = read(MODULE)
    return {
        lines[span.start[0] - 1][span.start[1] : span.end[1] if span.start[0] == span.end[0] else None]
        for span in source.guards
    }


def test_a_guard_is_what_refuses_or_says_no_or_is_asked_by_what_refuses() -> None:
    assert guarded() == {
        "room < need",
        'row["system"] != 7',
        "room > 100",
        'name not in row["kept"]',
        "wrong or missing",
        "not names",
        "except KeyError:",
        "a == 1 and b == 2",
    }


def test_a_place_has_its_function_and_the_lines_of_its_statement() -> None:
    source = read(MODULE)
    assert (source.function((3, 10)), source.function((33, 5)), source.function((2, 1))) == ("refuses", "", "")
    assert source.lines((3, 10)) == range(3, 5)


@pytest.fixture
def module(tmp_path: Path) -> ModuleType:
    path = tmp_path / "guarded.py"
    path.write_text(MODULE)
    spec = importlib.util.spec_from_file_location("guarded", path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def test_whoever_holds_a_function_runs_the_mutant(module: ModuleType) -> None:
    refuses, live, (one, other) = module.refuses, module.is_live, module.twice
    functions = Functions([str(module.__file__)])
    assert functions.swap(str(module.__file__), MODULE, MODULE.replace("room < need", "room <= need")) == 1
    with pytest.raises(ValueError, match="3 are needed"):
        refuses(3, 3)
    assert live(1, 2)
    assert (one(1), other(1)) == (2, 3)


def test_two_lambdas_in_a_line_are_told_apart(module: ModuleType) -> None:
    one, other = module.twice
    Functions([str(module.__file__)]).swap(str(module.__file__), MODULE, MODULE.replace("n + 2", "n - 2"))
    assert (one(1), other(1)) == (2, -1)
