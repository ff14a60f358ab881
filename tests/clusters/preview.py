"""What the preview said of each table, held against the two pictures: the clone's at the target, the live one's before.

Exact wherever the preview does not say *about*. A table whose columns or key are not the same on both sides only has
to be named.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.clusters.picture import Difference, Objects, Picture

_DATA = "TABLE DATA "
_COPY = re.compile(r"^COPY .*? \((.*)\) FROM stdin;$")
_KEY = re.compile(r"ADD CONSTRAINT .* PRIMARY KEY \((.*)\);")
_SAID = re.compile(r"([\d,]+) rows? (comes? back|goe?s?|changes? back)")


@dataclass(frozen=True)
class Rows:
    """Rows of a table that come back, go, and change back."""

    comes: int
    goes: int
    changes: int

    def __str__(self) -> str:
        return f"{self.comes} come back, {self.goes} go, {self.changes} change back"


def wrong_claims(clone: Picture, live: Picture, said: Mapping[str, Any], own: str) -> Iterator[Difference]:
    """Tables of which the preview (the fact `difference`) says what is not so, or nothing though they differ."""
    told = {table["name"]: str(table["words"]) for table in said.get("tables") or ()}
    unread = " ".join(said.get("not_compared") or ())
    for database in sorted(clone.objects.keys() & live.objects.keys()):
        ours, theirs = clone.objects[database], live.objects[database]
        for name in sorted({*_tables(ours), *_tables(theirs)}):
            shown = name if database == own else f"{database}.{name}"
            if shown not in unread:
                yield from _claim(shown, told.get(shown), ours, theirs, name)


def _claim(shown: str, words: str | None, ours: Objects, theirs: Objects, name: str) -> Iterator[Difference]:
    right = truth_of(ours, theirs, name)
    if right is None:
        if words is None and ours.get(_DATA + name) != theirs.get(_DATA + name):
            yield Difference("preview", shown, "differs, and is called alike")
    elif words is None:
        if right != Rows(0, 0, 0):
            yield Difference("preview", shown, f"is called alike, but {right}")
    elif not words.startswith("about") and _numbers(words) != right:
        yield Difference("preview", shown, f"says {words!r}, but {right}")


def _tables(objects: Objects) -> set[str]:
    return {name.removeprefix(_DATA) for name in objects if name.startswith(_DATA)}


def _numbers(words: str) -> Rows:
    found = {what[:2]: int(number.replace(",", "")) for number, what in _SAID.findall(words)}
    return Rows(found.get("co", 0), found.get("go", 0), found.get("ch", 0))


def truth_of(clone: Objects, live: Objects, name: str) -> Rows | None:
    """What really comes back, goes and changes; None where the columns or the key differ."""
    ours, theirs = clone.get(_DATA + name, ()), live.get(_DATA + name, ())
    alike = clone.get(f"TABLE {name}") == live.get(f"TABLE {name}")
    if ours and theirs and not (alike and _shape(clone, name, ours) == _shape(live, name, theirs)):
        return None
    here, there = Counter(_rows(ours)), Counter(_rows(theirs))
    back, gone = here - there, there - here
    columns, key = _shape(clone, name, ours) if ours else _shape(live, name, theirs)
    if not key or not ours or not theirs:
        return Rows(back.total(), gone.total(), 0)
    at = [columns.index(column) for column in key]
    changed = Counter(_key(row, at) for row in back.elements()) & Counter(_key(row, at) for row in gone.elements())
    return Rows(back.total() - changed.total(), gone.total() - changed.total(), changed.total())


def _shape(objects: Objects, name: str, data: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """The columns in their order, and those of the primary key."""
    columns = next(found[1].split(", ") for line in data if (found := _COPY.match(line)))
    keys = (
        line for kind, lines in objects.items() if kind.startswith("CONSTRAINT ") and _of(kind, name) for line in lines
    )
    key = next((found[1].split(", ") for line in keys if (found := _KEY.search(line))), [])
    return columns, key


def _of(constraint: str, name: str) -> bool:
    """`CONSTRAINT public.accounts accounts_pkey` is one of `public.accounts`."""
    return constraint.removeprefix("CONSTRAINT ").startswith(f"{name} ")


def _rows(data: tuple[str, ...]) -> list[str]:
    return [line for line in data if line != "\\." and not _COPY.match(line)]


def _key(row: str, at: list[int]) -> tuple[str, ...]:
    parts = row.split("\t")
    return tuple(parts[n] for n in at)
