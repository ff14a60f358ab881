"""Where each procedure says how it can be killed: `CASES` in the files of its tests."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from tests.support.kills import KillCase
from tests.support.paths import ROOT

FOLDERS = ("recoveries", "errands")


@cache
def all_cases() -> dict[str, KillCase]:
    """The cases of all files of tests of recoveries and errands, by procedure."""
    files = (file for folder in FOLDERS for file in sorted((ROOT / "tests" / "core" / folder).glob("test_*.py")))
    modules = [import_module(".".join(file.relative_to(ROOT).with_suffix("").parts)) for file in files]
    return {case.procedure: case for module in modules for case in getattr(module, "CASES", ())}


def case_of(procedure: str) -> KillCase:
    """The case of a procedure.

    Raises:
        AssertionError: it has none, with what to add.
    """
    assert procedure in all_cases(), (
        f"Nothing kills the worker of '{procedure}'. Give CASES in tests/core/recoveries/test_"
        f"{procedure.replace(' ', '_')}.py a KillCase with a world that carries it: docs/adding-a-recovery.md, part 4."
    )
    return all_cases()[procedure]
