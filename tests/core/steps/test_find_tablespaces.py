"""Where tablespaces lie, what a base backup says of its own, and what the plan refuses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.engine.errors import Refused
from actions.engine.facts import from_json
from actions.engine.journal import Kind
from actions.postgres.backups import BackupFiles, HeldTablespace, read_backup
from actions.postgres.segments import segment_name
from actions.postgres.server import Server
from actions.postgres.tablespaces import Tablespace, map_text, merged, parse_map, version_leaf
from actions.steps.postgres.find_tablespaces import Tablespaces, find_tablespaces
from actions.steps.postgres.look_at_server import placed
from actions.steps.postgres.target import Aim, Base
from actions.tools.docker import Container, Mount
from actions.tools.folders import DataHome, Room
from tests.support.worlds.company import SITE
from tests.support.worlds.founding import company, container
from tests.support.worlds.planned import Company
from tests.support.worlds.tablespaces import with_tablespaces

HOME = DataHome("/srv/nself/data", "postgres", "/var/lib/postgresql/data")
LEAF = "PG_15_202209061"


@given(st.dictionaries(st.integers(1, 2**32), st.text("a =/\\\n\rä", min_size=1).map(lambda text: f"/{text}")))
def test_a_map_reads_back_whatever_the_paths_hold(locations: dict[int, str]) -> None:
    assert parse_map(map_text(locations)) == locations


def test_the_version_folder_is_the_one_of_the_server() -> None:
    assert version_leaf(15) == LEAF
    assert version_leaf(18) == "PG_18_202506291"


def server_with(*mounts: Mount) -> Container:
    here = container(SITE.postgres)
    return replace(here, mounts=(*here.mounts, *mounts))


@pytest.mark.parametrize(
    ("mount", "location", "parent", "problem"),
    [
        (Mount("bind", "/srv/fast", "/fast"), "/fast", "/srv/fast", ""),
        (Mount("bind", "/srv/disks", "/disks"), "/disks/a/b", "/srv/disks/a/b", ""),
        (Mount("volume", "/docker/fast/_data", "/fast", "fast", "local"), "/fast", "/docker/fast/_data", ""),
        (Mount("bind", "/srv/fast", "/fast"), "/other", "", "no mount"),
        (Mount("volume", "/x", "/fast", "fast", "rexray"), "/fast", "", "driver 'rexray'"),
        (Mount("bind", "/srv/fast", "/fast"), "/var/lib/postgresql/data/in", "", "inside of the data directory"),
    ],
)
def test_a_location_is_found_on_the_host_or_it_is_said_why_not(
    mount: Mount, location: str, parent: str, problem: str
) -> None:
    found = placed(server_with(mount), HOME, 15, 16400, location)
    assert (found.location, found.parent, found.leaf, found.oids) == (location, parent, LEAF, (16400,))
    assert problem in found.problem
    assert bool(found.problem) is bool(problem)


def test_a_location_that_was_used_again_is_one_place() -> None:
    places = [
        Tablespace("/b", "/srv/b", LEAF, (3,)),
        Tablespace("/a", "/srv/a", LEAF, (2,)),
        Tablespace("/a", "/srv/a", LEAF, (1,)),
    ]
    assert [(place.location, place.oids) for place in merged(places)] == [("/a", (1, 2)), ("/b", (3,))]


# What a base backup says --------------------------------------------------------------------------


def files_of(**changes: Any) -> BackupFiles:
    backup = company().backups["base_morning"]
    return replace(BackupFiles("/bases/b", backup.label(), backup.manifest()), **changes)


def test_a_backup_tells_of_its_tablespaces_by_its_map_and_by_its_links() -> None:
    found = read_backup(files_of(tablespace_map="16400 /fast\n", pieces={16400: "within", 16401: "linked"}))
    assert found.complete
    assert found.tablespaces == (HeldTablespace(16400, "/fast", 0), HeldTablespace(16401, "", 0))


def test_a_backup_whose_files_lie_elsewhere_is_not_usable() -> None:
    found = read_backup(files_of(pieces={16400: "away /fast"}))
    assert not found.complete
    assert "its link leads to /fast" in found.problem


def test_a_backup_whose_archive_is_cut_off_is_not_usable() -> None:
    found = read_backup(files_of(packed=True, problem="its base.tar.gz is cut off"))
    assert (found.complete, found.problem) == (False, "its base.tar.gz is cut off")


# What the plan says -------------------------------------------------------------------------------


class Disks:
    """Locations that are there, but for some."""

    def __init__(self, *missing: str, wal: tuple[str, ...] = ()) -> None:
        self._missing, self._wal = missing, wal

    def waldump(self, *given: Any, **more: Any) -> Iterator[str]:
        return iter(self._wal)

    def rooms(self, server: Server) -> dict[str, Room]:
        devices = {s.location: "none" if s.location in self._missing else "d" for s in server.tablespaces}
        return {location: Room(device, 1 << 40) for location, device in devices.items()}


class OneContainer:
    def __init__(self, *mounts: Mount) -> None:
        self._container = server_with(*mounts)

    def find(self, name: str) -> Container:
        return self._container


FAST = Mount("bind", "/srv/fast", "/fast")


def find(
    live: dict[int, str],
    held: dict[int, str],
    *mounts: Mount,
    missing: str = "",
    wal: tuple[str, ...] = (),
    segments: int = 2,
) -> Tablespaces:
    here = Company(company())
    here.ask("postgres pitr", "latest")
    here.work()
    server: Server = from_json(Server, here.run().facts["server"])
    base: Base = from_json(Base, here.run().facts["base"])
    docker = OneContainer(*mounts)
    spaces = merged(placed(docker.find(""), server.home, 15, oid, location) for oid, location in live.items())
    backup = tuple(HeldTablespace(oid, location, 1) for oid, location in held.items())
    aim: Aim = from_json(Aim, here.run().facts["aim"])
    return find_tablespaces(
        aim,
        replace(server, tablespaces=spaces),
        replace(base, tablespaces=backup, segments=tuple(segment_name(1, number) for number in range(segments))),
        docker,  # type: ignore[arg-type]
        Disks(missing, wal=wal),
    )  # type: ignore[arg-type]


def test_the_plan_knows_the_live_ones_those_of_the_backup_and_where_they_are_now() -> None:
    others = (Mount("bind", "/srv/late", "/late"), Mount("bind", "/srv/gone", "/gone"))
    found = find({1: "/fast", 2: "/late"}, {1: "/where/it/was", 3: "/gone"}, FAST, *others)
    assert [(space.location, space.parent, space.oids) for space in found.all] == [
        ("/fast", "/srv/fast", (1,)),
        ("/gone", "/srv/gone", (3,)),
        ("/late", "/srv/late", (2,)),
    ]


def record(lsn: str, text: str) -> str:
    return f"rmgr: Tablespace  len (rec/tot):     36/    36, tx:        740, lsn: {lsn}, prev 0/01D0, desc: {text}"


def test_of_one_that_came_and_went_the_wal_tells() -> None:
    lines = (record("0/02", 'CREATE 7 "/fast"'), record("0/03", "DROP 7"), record("F/FF000000", 'CREATE 8 "/past"'))
    found = find({}, {}, FAST, wal=lines)
    assert [(space.location, space.oids) for space in found.all] == [("/fast", (7,))]
    with pytest.raises(Refused, match="/inside cannot be recovered"):
        find({}, {}, FAST, wal=(record("0/02", 'CREATE 7 "/inside"'),))


def test_so_much_wal_that_a_plan_would_take_long_is_not_searched() -> None:
    """Before the clone is started all of it is, so nothing goes unnoticed."""
    lines = (record("0/02", 'CREATE 7 "/fast"'),)
    assert [space.location for space in find({}, {}, FAST, wal=lines, segments=8).all] == ["/fast"]
    assert find({}, {}, FAST, wal=lines, segments=9).all == ()


@pytest.mark.parametrize(
    ("live", "held", "mounts", "missing", "said"),
    [
        ({1: "/inside"}, {}, (FAST,), "", "/inside cannot be recovered beside its live files"),
        ({}, {1: "/inside"}, (FAST,), "", "/inside cannot be recovered beside its live files"),
        ({}, {1: ""}, (FAST,), "", "Nothing says where the tablespace 1"),
        ({1: "/fast"}, {}, (FAST,), "/fast", "/fast is missing on the Docker host"),
        ({1: "/fast", 2: "/twice"}, {}, (FAST, Mount("bind", "/srv/fast", "/twice")), "", "in one folder"),
    ],
)
def test_what_cannot_be_swapped_is_refused_in_the_plan(
    live: dict[int, str], held: dict[int, str], mounts: tuple[Mount, ...], missing: str, said: str
) -> None:
    with pytest.raises(Refused) as refused:
        find(live, held, *mounts, missing=missing)
    assert said in refused.value.message
    assert refused.value.hint


def test_the_plan_names_every_tablespace() -> None:
    here = Company(with_tablespaces(company()))
    here.ask("postgres pitr", "latest")
    here.work()
    asked = next(entry for entry in here.store.entries("r1") if entry.kind is Kind.ASKED)
    rows = dict(asked.data["sheets"][0]["rows"])
    assert rows["Tablespace /fast"].startswith("from the base backup; beside /srv/disks/fast/PG_15")
    assert rows["Tablespace /late"].startswith("made after the base backup, from WAL")
    assert rows["Tablespace /gone"].startswith("from the base backup")
