"""Where the source makes errors: every construction of RecoveryError or of a class that is made of it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.paths import ROOT

PLACES = ("actions", "bot", "workers", "mayday.py")


@dataclass(frozen=True)
class Raise:
    """One construction: in which file (a path from the root), of which class, within which function, if any."""

    place: str
    name: str
    call: ast.Call
    module: ast.Module
    function: ast.AST | None

    @property
    def code(self) -> str | None:
        """The code as it stands there; None without one, "" where it is that of another error."""
        given = next((word.value for word in self.call.keywords if word.arg == "code"), None)
        if given is None:
            return None
        if isinstance(given, ast.Constant) and isinstance(given.value, str):
            return given.value
        return "" if isinstance(given, ast.Attribute) and given.attr == "code" else None

    @property
    def where(self) -> str:
        """The file and the line."""
        return f"{self.place}:{self.call.lineno}"


def product() -> dict[str, str]:
    """The text of each file in which errors have codes, by its path from the root."""
    tops = [ROOT / name for name in PLACES]
    paths = [path for top in tops for path in ([top] if top.is_file() else sorted(top.rglob("*.py")))]
    return {str(path.relative_to(ROOT)): path.read_text() for path in paths}


def raises(texts: Mapping[str, str]) -> list[Raise]:
    """Every construction in these files, in their order."""
    modules = {place: ast.parse(text) for place, text in texts.items()}
    names = classes(modules.values())
    return [one for place, module in modules.items() for one in _within(place, module, names)]


def classes(modules: Iterable[ast.Module]) -> dict[str, str]:
    """RecoveryError and each class that is made of it, with the name of what it is made of."""
    bases = {
        node.name: [_last(base) for base in node.bases]
        for module in modules
        for node in ast.walk(module)
        if isinstance(node, ast.ClassDef)
    }
    known = {"RecoveryError": ""}
    # Each round finds the children of those found before; as many rounds as classes are always enough.
    for _ in bases:
        known |= {name: base for name, above in bases.items() for base in above if base in known and name not in known}
    return known


def _within(place: str, module: ast.Module, names: Mapping[str, str]) -> list[Raise]:
    found: list[Raise] = []

    def walk(node: ast.AST, function: ast.AST | None) -> None:
        if isinstance(node, ast.FunctionDef):
            function = node
        if isinstance(node, ast.Call) and _last(node.func) in names:
            found.append(Raise(place, _last(node.func), node, module, function))
        for child in ast.iter_child_nodes(node):
            walk(child, function)

    walk(module, None)
    return sorted(found, key=lambda one: (one.call.lineno, one.call.col_offset))


def _last(node: ast.expr) -> str:
    return str(getattr(node, "id", getattr(node, "attr", "")))


def write(texts: Mapping[str, str], root: Path = ROOT) -> None:
    """Keep the files that are different now."""
    for place, text in texts.items():
        if (root / place).read_text() != text:
            (root / place).write_text(text)
