"""The rules that every module keeps: layers, hints, no hidden clock. `make lint` asks them of the tree."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.support.paths import ROOT

pytestmark = pytest.mark.rules

TREE = ("actions", "bot", "workers", "lab")
STORE = {
    ROOT / "actions/engine" / name
    for name in ("database.py", "migrations.py", "sql_transaction.py", "store.py", "statements.py", "tables.py")
}


def modules(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    # Walked once: the rules below look at every module many times over.
    return tuple(ast.walk(ast.parse(path.read_text())))


def imported(path: Path) -> Iterator[str]:
    for node in nodes(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def calls(path: Path) -> Iterator[ast.Call]:
    return (node for node in nodes(path) if isinstance(node, ast.Call))


def name_of(node: ast.expr) -> str:
    return ast.unparse(node)


def last_name_of(node: ast.expr) -> str:
    return str(getattr(node, "id", getattr(node, "attr", "")))


@cache
def errors() -> set[str]:
    """The names of RecoveryError and of all that is made of it, wherever in the tree."""
    classes = [node for path in modules(*TREE) for node in nodes(path) if isinstance(node, ast.ClassDef)]
    known = {"RecoveryError"}
    # Each round finds the children of those found before; as many rounds as classes are always enough.
    for _ in classes:
        children = {made.name for made in classes if known & set(map(last_name_of, made.bases))}
        if children <= known:
            break
        known |= children
    return known


def is_silent(call: ast.Call) -> bool:
    """Whether it makes one of our errors without a word on what to do next. A person's own stop needs none."""
    hints = [word.value for word in call.keywords if word.arg in ("hint", None)]
    said = any(not (isinstance(hint, ast.Constant) and not hint.value) for hint in hints)
    return last_name_of(call.func) in errors() - {"Stopped"} and not said


def test_every_error_says_what_to_do_next() -> None:
    silent = [
        f"{path.relative_to(ROOT)}:{call.lineno}" for path in modules(*TREE) for call in calls(path) if is_silent(call)
    ]
    assert silent == []


@pytest.mark.parametrize("text", ["RecoveryError('No.')", "errors.Busy('No.', run='r1')", "WhenError('No.', hint='')"])
def test_an_error_that_leaves_people_alone_would_be_found(text: str) -> None:
    (call,) = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call))
    assert is_silent(call)


@pytest.mark.parametrize(
    ("layer", "others"),
    [
        ("bot", ("workers", "lab", "mayday")),
        ("workers", ("bot", "lab", "mayday")),
        ("actions", ("bot", "workers", "lab", "mayday")),
    ],
)
def test_layers_import_downwards_only(layer: str, others: tuple[str, ...]) -> None:
    wrong = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in modules(layer)
        for name in imported(path)
        if name.split(".")[0] in others
    ]
    assert wrong == []


def test_knowledge_imports_the_standard_library_and_pydantic_alone() -> None:
    allowed = {*sys.stdlib_module_names, "pydantic", "actions"}
    wrong = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in modules("actions")
        for name in imported(path)
        if name.split(".")[0] not in allowed and not (path in STORE and name.split(".")[0] == "sqlalchemy")
        if (path.name, name)
        != ("document_rendering.py", "jinja2")  # Documents are filled in from templates there alone.
    ]
    assert wrong == []


@pytest.mark.parametrize(
    "hidden",
    [
        "os.environ",
        "os.getenv",
        "time.sleep",
        "time.time",
        "time.monotonic",
        "datetime.now",
        "datetime.utcnow",
        "date.today",
    ],
)
def test_knowledge_has_no_clock_and_no_environment_of_its_own(hidden: str) -> None:
    called = hidden.rpartition(".")[2]
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in modules("actions")
        for node in nodes(path)
        if isinstance(node, ast.Attribute) and node.attr == called and name_of(node).endswith(hidden)
    ]
    assert wrong == []


def test_no_module_hides_an_import_in_a_function() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{inner.lineno}"
        for path in modules("actions", "bot", "workers")
        for node in nodes(path)
        if isinstance(node, ast.FunctionDef)
        for inner in ast.walk(node)
        if isinstance(inner, (ast.Import, ast.ImportFrom))
    ]
    assert wrong == []
