"""The rules that every module keeps: layers, hints, no hidden clock, words, sizes. `make lint` asks for them."""

from __future__ import annotations

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.support.paths import ROOT

pytestmark = pytest.mark.rules

TREE = ("actions", "bot", "workers", "lab")
PRODUCT = ("actions", "bot", "workers")
PAGES = ("*.md", "docs/*.md", "mayday.py", "manifest.yml", "compose.yaml", "Makefile")

OUT = (
    (r"doorbells?", "queue"),
    (r"bells?", "queue"),
    (r"rung for", "enqueued"),
    (r"workshops?", "toolbox"),
    (r"desks?", "context"),
    (r"glances?", "look, or search"),
    (r"deeds?", "action"),
    (r"retellings?", "summary"),
    (r"carrying-out", "execution"),
    (r"(?:the|its|our|these|those) hands|hands (?:as|of|on)|hands:", "adapters"),
    (r"slips? of the (?:fingers|pen)", "typing mistake"),
)
"""Words that are out, as patterns, each with the word to use: an engineer looks for the field's own."""

LONGEST = 250

STORE = {
    ROOT / "actions/store" / name
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


@pytest.mark.parametrize(
    ("room", "above"),
    [
        ("actions/engine", ("actions.store", "actions.control", "actions.chores")),
        ("actions/store", ("actions.control", "actions.chores")),
        ("actions/control", ("actions.chores",)),
    ],
)
def test_rooms_of_runs_stand_one_on_the_other(room: str, above: tuple[str, ...]) -> None:
    """What a run is knows nothing of where it is kept, and neither knows of who asks."""
    assert [f"{path.name}: {name}" for path in modules(room) for name in imported(path) if name.startswith(above)] == []


def test_knowledge_imports_the_standard_library_and_pydantic_alone() -> None:
    allowed = {*sys.stdlib_module_names, "pydantic", "actions"}
    wrong = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in modules("actions")
        for name in imported(path)
        if name.split(".")[0] not in allowed and not (path in STORE and name.split(".")[0] == "sqlalchemy")
        # Documents are filled in from templates there alone, expressions of cron are read there alone.
        if (path.name, name) not in (("document_rendering.py", "jinja2"), ("cron.py", "cronsim"))
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


def texts() -> list[Path]:
    """What people read: code, tests and pages. This file alone names what is out."""
    tests = [path for path in modules("tests") if path != Path(__file__).resolve()]
    scripts = [path for kind in ("*.sh", "*.sql", "*.js", "*.html", "*.css") for path in (ROOT / "lab").rglob(kind)]
    return [*modules(*TREE), *tests, *sorted(scripts), *sorted(path for pages in PAGES for path in ROOT.glob(pages))]


def words_out_in(line: str) -> list[str]:
    """What to use for each word of a line that is out, also within a name like `the_bell`."""
    letters = "a-zA-Z"
    return [use for out, use in OUT if re.search(rf"(?<![{letters}])(?:{out})(?![{letters}])", line, re.IGNORECASE)]


def test_no_word_is_used_that_is_out() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: say {', '.join(use)}"
        for path in texts()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if (use := words_out_in(line))
    ]
    assert found == []


@pytest.mark.parametrize(
    ("line", "use"),
    [
        ("The Doorbell between bot and worker", ["queue"]),
        ("self.the_bell.ring()", ["queue"]),
        ("the hands as protocols", ["adapters"]),
        ("A worker hands what it wrote over", []),
        ("The label belies it", []),
        ("One carrying-out of a run", ["execution"]),
    ],
)
def test_a_word_that_is_out_would_be_found(line: str, use: list[str]) -> None:
    assert words_out_in(line) == use


def test_a_public_class_name_means_one_thing() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for path in modules(*PRODUCT):
        for node in nodes(path):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def test_no_module_is_longer_than_a_few_screens() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in modules(*TREE)}
    assert [path for path, lines in lengths.items() if lines > LONGEST] == []


def test_no_function_is_longer_than_a_screen() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in modules(*TREE)
        for node in nodes(path)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno
        and node.end_lineno - node.lineno >= 40
    ]
    assert long == []


def facts_by_name(tree: ast.AST) -> Iterator[int]:
    """The lines in which a fact of a run is read by the name that one procedure gives it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript):
            of, key = node.value, node.slice
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get":
            of, key = node.func.value, (node.args or [node])[0]
        elif isinstance(node, ast.Compare):
            of, key = node.left, node.comparators[0]
            if _is_text(of):
                of, key = key, of
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "giving":
            of, key = node.func, (node.args or [node])[0]
        else:
            continue
        named = last_name_of(of) in ("facts", "gives", "giving") or (
            "gives" in ast.unparse(of).replace("'", '"').split('"')
        )
        if named and _is_text(key):
            yield node.lineno


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and bool(node.value)


def test_nobody_but_its_own_steps_reads_a_fact_by_its_name() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in modules(*PRODUCT)
        for line in facts_by_name(ast.parse(path.read_text()))
    ]
    assert found == [], "find it by its role: actions/engine/fact_roles.py"


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('after = run.facts.get("after") or {}', True),
        ('run.facts["kept"]["path"]', True),
        ('if "lost" in run.facts: pass', True),
        ('entry.data.get("gives") == "integrity"', True),
        ('entry.data["gives"] != "integrity"', True),
        ('at = procedure.giving("approval")', True),
        ("run.facts[look.gives]", False),
        ('fact_with(procedure, run, FactRole.KEPT)["path"]', False),
        ('entry.data.get("gives", "")', False),
        ("e.data['fact']['verdict']", False),
    ],
)
def test_a_fact_that_is_read_by_its_name_would_be_found(line: str, found: bool) -> None:
    assert bool(list(facts_by_name(ast.parse(line)))) is found
