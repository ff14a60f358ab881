"""What a cluster holds, in full: every database object by object and row by row, roles, sequences, open transactions.

Taken of a moment (through exported snapshots) and of the recovered server, and compared without a server.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

_HEAD = re.compile(r"^-- (?:Data for )?Name: (.*); Type: (.*?); Schema: (.*?); Owner: .*$")
_NO_CONTENT = re.compile(r"^(--.*|\\(un)?restrict .*|SET .*|SELECT pg_catalog\.set(_config|val).*|)$")
# A server writes a sequence ahead to WAL, so that many values (and what a session had cached) may be passed over.
_AHEAD = 33

Objects = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Sequence:
    """Where a sequence stands; `value` is None where it was never used."""

    value: int | None
    step: int = 1
    cache: int = 1


@dataclass(frozen=True)
class Picture:
    """All of a cluster. The names of `databases` with their own settings, as pg_database has them."""

    databases: Mapping[str, str]
    objects: Mapping[str, Objects]
    roles: tuple[str, ...] = ()
    sequences: Mapping[str, Mapping[str, Sequence]] = field(default_factory=dict)
    prepared: tuple[str, ...] = ()


@dataclass(frozen=True)
class Difference:
    """One thing that is not as it should be: where, its name, and in what way."""

    place: str
    name: str
    what: str

    def __str__(self) -> str:
        return f"{self.place}: {self.name}: {self.what}"


def parse_dump(text: str) -> dict[str, tuple[str, ...]]:
    """The objects of what pg_dump printed: its lines by type and name; the rows of a table sorted."""
    objects: dict[str, list[str]] = {}
    name, rows = "", False
    for line in text.splitlines():
        head = None if rows else _HEAD.match(line)
        if head:
            name = f"{head[2]} {head[3]}.{head[1]}"
            continue
        if rows or not _NO_CONTENT.match(line):
            objects.setdefault(name, []).append(line)
        if line == "\\.":
            rows = False
        elif not rows:
            rows = line.startswith("COPY ") and line.endswith("FROM stdin;")
    return {key: tuple(sorted(lines) if key.startswith("TABLE DATA") else lines) for key, lines in objects.items()}


def differences(right: Picture, seen: Picture) -> list[Difference]:
    """Everything in which the picture that was seen is not the right one."""
    found = [Difference("cluster", f"database {name}", what) for name, what in _unlike(right.databases, seen.databases)]
    found += [Difference("cluster", "roles", what) for what in _lines(right.roles, seen.roles)]
    for database in right.objects.keys() & seen.objects.keys():
        ours, theirs = right.objects[database], seen.objects[database]
        found += [Difference(database, name, what) for name, what in _objects(ours, theirs)]
        places = right.sequences.get(database, {}), seen.sequences.get(database, {})
        found += [Difference(database, name, what) for name, what in _sequences(*places)]
    found += [
        Difference("cluster", f"prepared transaction {gid}", "is lost")
        for gid in right.prepared
        if gid not in seen.prepared
    ]
    found += [
        Difference("cluster", f"prepared transaction {gid}", "should not be open")
        for gid in seen.prepared
        if gid not in right.prepared
    ]
    return found


def _unlike(right: Mapping[str, str], seen: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    for name in sorted({*right, *seen}):
        if name not in seen:
            yield name, "is missing"
        elif name not in right:
            yield name, "should not be there"
        elif right[name] != seen[name]:
            yield name, f"is {seen[name]} instead of {right[name]}"


def _objects(right: Objects, seen: Objects) -> Iterable[tuple[str, str]]:
    for name in sorted({*right, *seen}):
        ours, theirs = right.get(name), seen.get(name)
        if theirs is None:
            yield name, "is missing"
        elif ours is None:
            yield name, "should not be there"
        elif ours != theirs:
            yield name, "; ".join(_lines(ours, theirs)) or "has its lines in another order"


def _lines(right: Iterable[str], seen: Iterable[str]) -> Iterable[str]:
    ours, theirs = Counter(right), Counter(seen)
    missing, extra = ours - theirs, theirs - ours
    if missing or extra:
        yield (
            f"{missing.total()} lines missing, {extra.total()} too many"
            f" (for example {next(iter(missing), '')!r:.90} / {next(iter(extra), '')!r:.90})"
        )


def _sequences(right: Mapping[str, Sequence], seen: Mapping[str, Sequence]) -> Iterable[tuple[str, str]]:
    for name in sorted(right.keys() & seen.keys()):
        ours, theirs = right[name], seen[name]
        if not _near(ours, theirs):
            yield f"SEQUENCE {name}", f"stands at {theirs.value} instead of {ours.value}"


def _near(right: Sequence, seen: Sequence) -> bool:
    """Never behind; ahead by no more than what the server writes ahead."""
    if right.value is None or seen.value is None:
        return right.value == seen.value
    ahead = (seen.value - right.value) / right.step
    return 0 <= ahead <= _AHEAD + right.cache
