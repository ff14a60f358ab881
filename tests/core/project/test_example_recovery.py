"""The page on adding a recovery is true: its example is five files, runs, and every field that it may use is named."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, get_args

import pytest

from actions.engine.injection import check
from actions.engine.procedure import Act, Option, Procedure, Step
from actions.engine.reading import Words
from actions.tools.registry import TOOLS
from tests.support import example_recovery
from tests.support.kill_ways import WAYS, Way, failed_and_undone, killed_anywhere, stopped_and_undone
from tests.support.kills import KillCase, in_peace
from tests.support.paths import ROOT
from tests.support.worlds.planned import Company

MOST_FILES = 5


def page() -> str:
    return (ROOT / example_recovery.PAGE).read_text()


def test_the_example_touches_few_files_and_its_table_is_wired(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(example_recovery.parts()) <= MOST_FILES
    made = example_recovery.procedure(monkeypatch)
    check(made, TOOLS)
    assert (made.name, made.about, made.plan_length) == ("redis restart", "redis", 1)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_killed_everywhere_the_example_holds(way: Way, monkeypatch: pytest.MonkeyPatch, memory_path: Path) -> None:
    case, _ = example_recovery.case(monkeypatch)
    assert way(case, memory_path) == []


def test_its_worker_is_killed_in_the_middle_of_the_restart_too(monkeypatch: pytest.MonkeyPatch) -> None:
    case, _ = example_recovery.case(monkeypatch)
    _, places = in_peace(case)
    between = next(here for place, here in places if place.startswith("in the middle"))
    assert between.world.containers["redis-7"].state == "exited"


def test_the_tests_of_the_example_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    _, module = example_recovery.case(monkeypatch)
    own = [test for name, test in vars(module).items() if name.startswith("test_")]
    for test in own:
        test()
    assert len(own) >= 3


def with_act(case: KillCase, **changes: Any) -> KillCase:
    """The same case, with another act in its table."""

    def asked() -> Company:
        here = case.asked()
        find = here.find

        def other(name: str) -> Procedure:
            steps = tuple(replace(step, **changes) if isinstance(step, Act) else step for step in find(name).steps)
            return replace(find(name), steps=steps)

        return Company(here.world, here.store, other, here.toolbox)

    return replace(case, asked=asked)


def test_a_verify_that_holds_without_the_act_is_found(monkeypatch: pytest.MonkeyPatch, memory_path: Path) -> None:
    case, _ = example_recovery.case(monkeypatch)
    found = killed_anywhere(with_act(case, verify=lambda found: True), memory_path)
    assert any("never done: ['restart redis-7']" in one for one in found), found


def test_a_restart_that_was_broken_off_and_is_not_taken_back_is_found(
    monkeypatch: pytest.MonkeyPatch, memory_path: Path
) -> None:
    case, _ = example_recovery.case(monkeypatch)
    found = stopped_and_undone(with_act(case, undo=None), memory_path)
    assert any("in the middle of 'restart redis-7', undone: containers: " in one for one in found), found


def test_an_undo_that_leaves_the_service_down_is_found(monkeypatch: pytest.MonkeyPatch, memory_path: Path) -> None:
    case, _ = example_recovery.case(monkeypatch)

    def stays_down(found: Any, docker: Any) -> None:
        docker.stop(found.name, found.container)

    found = failed_and_undone(with_act(case, undo=stays_down), memory_path)
    assert any("containers: " in one for one in found), found


@pytest.mark.parametrize("kind", [Procedure, Words, Option, *get_args(Step)], ids=lambda kind: kind.__name__)
def test_every_field_that_a_recovery_may_use_is_named(kind: type) -> None:
    named = {*re.findall(r"`([a-z_]+)`", page()), *re.findall(r"(\w+)=", page()), "read"}
    assert {field.name for field in fields(kind)} - named == set()


def test_every_tool_that_its_steps_may_take_is_named() -> None:
    named = {*re.findall(r"`(\w+)`", page().partition("```python")[0])}
    assert named >= {*TOOLS}


@pytest.mark.deep
def test_built_into_a_copy_of_the_tree_it_is_in_order_and_nothing_else_had_to_be_touched(tmp_path: Path) -> None:
    touched = example_recovery.build(tmp_path)
    tested = [
        *("tests/core/recoveries/test_killed_everywhere.py", "tests/core/engine/test_catalog.py"),
        *(
            "tests/core/project/test_readme.py",
            "tests/core/project/test_rules.py",
            "tests/core/project/test_dashboard.py",
            "tests/core/project/test_error_codes.py",
            "tests/core/project/test_errors_page.py",
        ),
        *(file for file in touched if "/test_" in file),
    ]
    asked: Mapping[str, tuple[str, ...]] = {
        "codes for its errors": ("tests.errors",),
        "its layout": ("ruff", "format", "--check", *[file for file in touched if file.endswith(".py")]),
        "ruff": ("ruff", "check", "."),
        "mypy": ("mypy", "--cache-dir", str(ROOT / ".mypy_cache")),
        "its tests": ("pytest", "-q", "-m", "not deep", *tested),
    }
    for what, command in asked.items():
        done = run_in(tmp_path, *command)
        assert done.returncode == 0, f"{what}: {done.stdout[-3000:]}{done.stderr[-1000:]}"


def run_in(tree: Path, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A module of Python, in that tree and with its packages before all others."""
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(
        command, cwd=tree, env={**os.environ, "PYTHONPATH": str(tree)}, capture_output=True, text=True, check=False
    )
