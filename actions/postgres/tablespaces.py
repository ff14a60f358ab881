"""Tablespaces: where their files lie, on the Docker host and as the server sees them.

``pg_tblspc/<oid>`` in the data directory is a link to the location that CREATE TABLESPACE named. There a server uses
one folder alone, named after its major version and its catalogue version (TABLESPACE_VERSION_DIRECTORY of
src/include/common/relpath.h). So that folder is what is copied, swapped and kept; whatever else lies in the location
(a ``lost+found``, the folder of another version) stays where it is, and the location may be a disk of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

_MADE = re.compile(r'desc: CREATE (?P<oid>\d{1,10}) "(?P<location>/[^"]*)"', re.ASCII)
CATALOGS = {13: 202007201, 14: 202107181, 15: 202209061, 16: 202307071, 17: 202406281, 18: 202506291}
"""The catalogue version of each major release, from src/include/catalog/catversion.h of its branch."""

MAP_NAME = "mayday.tablespaces"
"""Beside a base backup whose tablespaces lie within it: lines of `oid location`, as in a tablespace_map."""


@dataclass(frozen=True)
class Tablespace:
    """One location: `location` as the server sees it, `parent` on the Docker host (empty: on no mount).

    `leaf` is the version folder within it, `oids` whose tablespaces lie or lay there. `problem` says why the
    files there cannot be swapped by a rename; it is empty where they can.
    """

    location: str
    parent: str
    leaf: str
    oids: tuple[int, ...]
    problem: str = ""


def version_leaf(version: int) -> str:
    """The folder that a server of this major version uses in a location: PG_15_202209061."""
    return f"PG_{version}_{CATALOGS[version]}"


def parse_map(text: str) -> dict[int, str]:
    """A ``tablespace_map``: a line for each tablespace, its oid and its location.

    A newline, a carriage return or a backslash in a path is written with a backslash before it (do_pg_backup_start).
    """
    found: dict[int, str] = {}
    lines: list[str] = []
    line, escaped = "", False
    for sign in text:
        if escaped or sign not in "\\\r\n":
            line, escaped = line + sign, False
        elif sign == "\\":
            escaped = True
        else:
            lines, line = [*lines, line], ""
    for one in (*lines, line):
        oid, _, path = one.partition(" ")
        if oid.isdigit() and path:
            found[int(oid)] = path
    return found


def made_in(lines: Iterable[str]) -> dict[int, str]:
    """The tablespaces that WAL makes, by lines of ``pg_waldump -r Tablespace`` (tblspc_desc of rmgrdesc)."""
    found = (_MADE.search(line) for line in lines)
    return {int(one["oid"]): one["location"] for one in found if one}


def map_text(locations: Mapping[int, str]) -> str:
    """The text that `parse_map` reads."""
    escape = str.maketrans({"\\": "\\\\", "\n": "\\\n", "\r": "\\\r"})
    return "".join(f"{oid} {path.translate(escape)}\n" for oid, path in sorted(locations.items()))


def merged(spaces: Iterable[Tablespace]) -> tuple[Tablespace, ...]:
    """One for each location, with every oid that lies there."""
    found: dict[str, Tablespace] = {}
    for space in spaces:
        there = found.get(space.location)
        oids = tuple(sorted({*space.oids, *(there.oids if there else ())}))
        found[space.location] = Tablespace(space.location, space.parent, space.leaf, oids, space.problem)
    return tuple(found[location] for location in sorted(found))


def within(path: str, folder: str) -> bool:
    """Whether a path lies in a folder, or is it."""
    return PurePosixPath(path).is_relative_to(PurePosixPath(folder))
