"""When transactions ended, read from a real server's WAL: plain, packed, and segments in which none ended."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import timedelta

import pytest

from actions.postgres.segments import segment_of
from actions.postgres.waldump import transaction_ends
from actions.tools.postgres_files import CommitTimes, Stretch
from tests.support.small_server import SmallServer, small_server, tidy

pytestmark = pytest.mark.parts


@pytest.fixture
def world() -> Iterator[SmallServer]:
    with small_server() as made:
        yield made
        tidy(made)


def test_a_moment_is_found_among_many_segments(world: SmallServer) -> None:
    world.psql("create table t (x text)")
    world.switch()
    before = set(world.archived())
    for number in range(7):
        if number not in (2, 3):
            world.psql(f"insert into t values ('{number}')")
        else:
            world.psql("select pg_logical_emit_message(false, 'a', 'no transaction ends here')")
        world.switch()
    names = sorted(set(world.archived()) - before)
    server = world.server
    ends = list(transaction_ends(world.files.waldump(server, 1, names)))
    stretch = Stretch(1, tuple(names))

    def told() -> list[CommitTimes]:
        asked = [ends[0].at - timedelta(microseconds=1), *(end.at for end in ends), ends[-1].at + timedelta(hours=1)]
        return [world.files.moments(server, [stretch], at)[0] for at in asked]

    wanted = [CommitTimes(None, None, ends[-1].at, "", None)]
    wanted += [
        CommitTimes(None, None, ends[-1].at, segment_of(1, end.lsn, server.segment_size), end.at) for end in ends
    ]
    wanted.append(wanted[-1])
    assert told() == wanted
    for name in names[1::2]:
        subprocess.run(["gzip", str(world.root / "backups/wal" / name)], check=True)
    world.files.fresh()
    assert told() == wanted


def test_a_stretch_that_begins_in_a_segment_leaves_out_what_lies_before(world: SmallServer) -> None:
    world.psql("create table t (x text)", "insert into t values ('before')")
    place = world.psql("select pg_current_wal_lsn()")
    world.psql("insert into t values ('behind')")
    world.switch()
    name = world.archived()[-1]
    ends = list(transaction_ends(world.files.waldump(world.server, 1, [name], start=place)))
    (found,) = world.files.moments(world.server, [Stretch(1, (name,), place)])
    assert (found.first, found.last) == (ends[0].at, ends[-1].at)
