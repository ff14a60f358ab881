"""The example of `docs/adding-a-recovery.md`, out of the page: in this process, or built into a copy of the tree."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from actions import catalog
from actions.engine.procedure import Procedure
from tests.support import kill_cases
from tests.support.kills import KillCase
from tests.support.paths import ROOT

PAGE = "docs/adding-a-recovery.md"
CATALOG, README = "actions/catalog.py", "README.md"
_TREE = ("actions", "bot", "workers", "lab", "tests", "docs")
_NEXT_ROW = "\n| `/backup run base`"
"""Before this row of the README the new one stands."""
_WIDEST = 120 - len("from actions.recoveries import ")
_PART = re.compile(r"^## \d\. [^\n]*?: `([\w./-]+)`\n(.*?)(?=^## )", re.MULTILINE | re.DOTALL)
_BLOCK = re.compile(r"^```(?:python|text|markdown)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def parts() -> dict[str, str]:
    """The one block of each numbered part, by the file that the part's heading names."""
    found = {}
    for file, text in _PART.findall((ROOT / PAGE).read_text()):
        (found[file],) = _BLOCK.findall(text)
    return found


def new_files() -> dict[str, str]:
    """The blocks that are whole files."""
    return {file: text for file, text in parts().items() if file not in (CATALOG, README)}


def procedure(monkeypatch: pytest.MonkeyPatch) -> Procedure:
    """The example's procedure, in the catalog of this process for one test."""
    made: Procedure = _module("actions.recoveries.", monkeypatch).PROCEDURE
    monkeypatch.setattr(catalog, "CATALOG", (*catalog.CATALOG, made))
    return made


def case(monkeypatch: pytest.MonkeyPatch) -> tuple[KillCase, ModuleType]:
    """Its case of killing and the module of its tests; it is in the catalog for one test, and so is its case."""
    procedure(monkeypatch)
    module = _module("tests.core.", monkeypatch)
    (made,) = module.CASES
    cases = {**kill_cases.all_cases(), made.procedure: made}
    monkeypatch.setattr(kill_cases, "all_cases", lambda: cases)
    return made, module


def _module(prefix: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module of the example whose name begins so, with those that it imports."""
    names = {file.removesuffix(".py").replace("/", "."): text for file, text in new_files().items()}
    for name, source in names.items():
        if name not in sys.modules:
            _run_as(name, source, monkeypatch)
    return sys.modules[next(name for name in names if name.startswith(prefix))]


def _run_as(name: str, source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType(name)
    monkeypatch.setitem(sys.modules, name, module)
    parent, _, leaf = name.rpartition(".")
    if parent in sys.modules:
        monkeypatch.setattr(sys.modules[parent], leaf, module, raising=False)
    exec(compile(source, name, "exec"), module.__dict__)


def build(tree: Path) -> list[str]:
    """A copy of the whole tree with the example in it, made as the page says; the files that were touched."""
    for name in _TREE:
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for file in (one for one in ROOT.iterdir() if one.is_file()):
        shutil.copy2(file, tree / file.name)
    blocks = parts()
    for name, text in new_files().items():
        assert not (tree / name).exists(), f"{name} is there already"
        (tree / name).write_text(text)
    module = next(Path(name).stem for name in blocks if "/recoveries/" in name)
    _change(tree / CATALOG, lambda text: _with_line(_with_import(text, module), blocks[CATALOG]))
    _change(tree / README, lambda text: text.replace(_NEXT_ROW, f"\n{blocks[README]}{_NEXT_ROW[1:]}", 1))
    return list(blocks)


def _change(file: Path, how: Callable[[str], str]) -> None:
    before = file.read_text()
    after = how(before)
    assert after != before, f"{file.name} has no place for what the page says"
    file.write_text(after)


def _with_import(text: str, module: str) -> str:
    """The names that are imported from the recoveries, with one more in its place."""
    (there,) = re.findall(r"^from actions\.recoveries import (\([^)]*\)|.*)$", text, re.MULTILINE)
    names = ", ".join(sorted({module, *re.findall(r"\w+", there)}))
    if len(names) > _WIDEST:
        names = "(\n" + "".join(f"    {name},\n" for name in names.split(", ")) + ")"
    return text.replace(f"from actions.recoveries import {there}", f"from actions.recoveries import {names}")


def _with_line(text: str, line: str) -> str:
    """A last line in the table of recoveries."""
    return re.sub(r"(^CATALOG: .*\n(?:    .*\n)*)", rf"\g<1>{line}", text, count=1, flags=re.MULTILINE)
