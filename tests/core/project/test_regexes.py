"""No regular expression of the product takes longer over a hostile text than over a harmless one of its length.

Anybody in a channel, a container's log or a webhook may write such a text, and a pattern holds the interpreter.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import time
from collections.abc import Iterator
from itertools import islice, product
from pathlib import Path
from typing import Any

import pytest

import actions
import bot
import workers

_INLINE = {"search", "match", "fullmatch", "findall", "finditer", "sub", "split"}
_SHORT, _LONG = 750, 3_000
_PIECES = ("a", "0", "A", " ", "'", '"', "\\", "-", "/", ".", ":", "=", "<", "|", "&", "@", "\n", "1:", "a=", "a-", "é")
_NOTICED = 0.04


def modules() -> Iterator[Any]:
    for package in (actions, bot, workers):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            yield importlib.import_module(found.name)


def held(value: Any, depth: int = 3) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    elif depth and isinstance(value, (tuple, list, set, frozenset)):
        for one in value:
            yield from held(one, depth - 1)
    elif depth and isinstance(value, dict):
        yield from held(list(value.values()) + list(value), depth - 1)


def inline(source: str) -> Iterator[re.Pattern[str]]:
    """Patterns that are given to a function of `re` where they are used."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _INLINE:
            owner, first = node.func.value, node.args[0] if node.args else None
            named = isinstance(owner, ast.Name) and owner.id == "re"
            if named and isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield re.compile(first.value)


def patterns() -> dict[str, re.Pattern[Any]]:
    found: dict[str, re.Pattern[Any]] = {}
    for module in modules():
        for pattern in (*held(list(vars(module).values())), *inline(Path(str(module.__file__)).read_text())):
            found.setdefault(f"{module.__name__}: {str(pattern.pattern)[:60]}", pattern)
    return found


def seconds(pattern: re.Pattern[Any], text: Any) -> float:
    began = time.process_time()
    for _ in islice(pattern.finditer(text), 100_000):
        pass
    pattern.fullmatch(text)
    return time.process_time() - began


def grows(pattern: re.Pattern[Any], start: str, pump: str) -> bool:
    """Whether four times the text takes far more than four times as long, and long enough to be noticed."""

    def text(length: int) -> Any:
        made = start + pump * (length // len(pump)) + "\x00"
        return made.encode() if isinstance(pattern.pattern, bytes) else made

    took = seconds(pattern, text(_LONG))
    if took > _NOTICED:
        took = min(took, *(seconds(pattern, text(_LONG)) for _ in range(2)))  # Once it may have been the machine's.
    return took > _NOTICED and took > 7 * min(seconds(pattern, text(_SHORT)) for _ in range(2))


def words_of(pattern: re.Pattern[Any]) -> list[str]:
    said = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode()
    return list(dict.fromkeys(re.findall(r"[A-Za-z_]{2,}|[:/=#<|@;,]+", said)))[:12]


@pytest.mark.deep
def test_no_pattern_of_the_product_is_slow_over_what_somebody_may_write() -> None:
    slow = []
    for name, pattern in patterns().items():
        words = words_of(pattern)
        pumps = [*_PIECES, *words, *(a + b for a, b in product(words[:6], _PIECES[:12]))]
        slow += [
            f"{name} over {start + pump!r}…"
            for start, pump in product(("", *words[:3]), pumps)
            if grows(pattern, start, pump)
        ]
    assert slow == []


@pytest.mark.deep
def test_a_pattern_that_is_slow_would_be_seen() -> None:
    assert grows(re.compile(r"\b[\w-]*secret[\w-]*\s*="), "", "secret-")
    assert not grows(re.compile(r"(?<![\w-])[\w-]++="), "", "secret-")
