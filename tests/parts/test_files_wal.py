"""Base backups and WAL that are damaged, packed, short or missing, on a real server."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from actions.engine.errors import RecoveryError
from actions.postgres.controldata import is_damaged, parse_controldata
from actions.postgres.walheader import identity_of
from tests.support.small_server import SmallServer, eventually, processes, quiet, small_server, tidy, with_history
from workers.docker.exec import Inside

pytestmark = pytest.mark.parts


@pytest.fixture
def world() -> Iterator[SmallServer]:
    with small_server() as made:
        yield made
        tidy(made)


def test_a_flipped_bit_in_the_base_backup_is_found(world: SmallServer) -> None:
    with_history(world)
    assert world.files.verify_backup(world.server, "b1") == ""
    world.files.write_inventory(world.server, "b1", json.dumps({"tables": "ü" * 40_000}))
    assert world.files.verify_backup(world.server, "b1") == ""
    flip(world.root / "backups/base/b1/PG_VERSION", 0)
    assert "PG_VERSION" in world.files.verify_backup(world.server, "b1")


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(bytes(content))


def test_damaged_wal_is_named_but_the_end_of_wal_is_no_error(world: SmallServer) -> None:
    with_history(world)
    server, archived = world.server, world.archived()
    own = [file.name for file in world.files.tail(server) if len(file.name) == 24]
    assert list(world.files.waldump(server, 1, sorted({*archived, *own})))
    assert len(list(world.files.waldump(server, 1, archived, rmgrs=("Heap", "Transaction"), limit=5))) == 5
    flip(world.root / "backups/wal" / archived[0], 1_200_000)
    (world.parent / server.home.leaf / "pg_wal" / archived[0]).unlink(missing_ok=True)
    with pytest.raises(RecoveryError, match=archived[0]):
        list(world.files.waldump(server, 1, archived))


def test_leaving_a_dump_early_ends_it(world: SmallServer) -> None:
    with_history(world)
    lines = world.files.waldump(world.server, 1, world.archived(), rmgrs=("Heap", "Btree", "Heap2"))
    assert next(lines).startswith("rmgr: ")
    lines.close()  # type: ignore[attr-defined]
    eventually(lambda: "pg_waldump" not in processes(world), 5)


def test_a_truncated_or_missing_segment_is_refused_before_the_clone_runs(world: SmallServer) -> None:
    with_history(world)
    server, names, files, archived = world.server, world.names, world.files, world.archived()
    files.copy_base(server, names, "b1", 1, quiet)
    os.truncate(world.root / "backups/wal" / archived[-1], 4096)
    os.unlink(world.parent / server.home.leaf / "pg_wal" / archived[-1])
    with pytest.raises(RecoveryError, match=archived[-1]) as short:
        files.lay_wal(server, names, archived, [], quiet)
    assert "cut short: 4,096 bytes of 16 MB" in short.value.detail
    with pytest.raises(RecoveryError) as absent:
        files.lay_wal(server, names, ["0000000100000000000000AA"], [], quiet)
    assert "0000000100000000000000AA" in absent.value.detail


def test_packed_wal_is_laid_like_any_other(world: SmallServer) -> None:
    with_history(world)
    archived = world.archived()
    subprocess.run(["gzip", str(world.root / "backups/wal" / archived[-1])], check=True)
    world.files.copy_base(world.server, world.names, "b1", 1, quiet)
    world.files.lay_wal(world.server, world.names, archived, [], quiet)


def test_a_missing_archive_is_said_and_the_rest_still_works(world: SmallServer) -> None:
    os.rename(world.root / "backups/wal", world.root / "backups/elsewhere")
    world.files.close()
    assert "Database system identifier" in world.files.control(world.server, world.server.home.leaf)
    with pytest.raises(RecoveryError) as absent:
        world.files.archive(world.server)
    assert absent.value.detail == world.server.archive


def test_the_servers_own_wal_tells_which_cluster_it_is(world: SmallServer) -> None:
    control = parse_controldata(world.files.control(world.server, world.server.home.leaf))
    found = identity_of(world.files.wal_headers(world.server))
    assert found is not None
    assert (found.system_identifier, found.timeline) == (control.system_identifier, control.timeline)
    assert (found.version, found.segment_size) == (world.server.version, control.segment_size)


def test_a_control_file_that_was_zeroed_is_known_to_be_damaged(world: SmallServer) -> None:
    file = Path(world.server.home.parent) / world.server.home.leaf / "global/pg_control"
    file.write_bytes(bytes(512) + file.read_bytes()[512:])
    assert is_damaged(world.files.control(world.server, world.server.home.leaf))


def test_an_interrupted_base_backup_is_put_out_of_the_way(world: SmallServer) -> None:
    bases = world.root / "backups/base"
    (bases / ".b2.partial").mkdir()
    world.files.take_base(world.server, "b2", 1, quiet, "512M")
    world.files.take_base(world.server, "b2", 1, quiet)
    assert sorted(path.name for path in bases.iterdir()) == [".b2.abandoned-1", "b2"]


def test_what_killed_base_backups_of_this_cluster_left_is_removed_by_the_next(world: SmallServer) -> None:
    bases = world.root / "backups/base"
    left = {"killed": world.server.system_identifier, "other": "another cluster", "b3": world.server.system_identifier}
    for name, cluster in left.items():
        (bases / f".{name}.partial/base").mkdir(parents=True)
        (bases / f".{name}.label").write_text(cluster)
    world.files.take_base(world.server, "b3", 1, quiet)
    assert sorted(path.name for path in bases.iterdir()) == [".other.label", ".other.partial", "b3"]


def test_the_helper_has_no_capability_but_those_for_files_and_its_own_commands(world: SmallServer) -> None:
    world.files.control(world.server, world.server.home.leaf)
    status = Inside(world.client.api, world.names.helper, "0:0").script("cat /proc/self/status").out
    told = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    # The bits of linux/capability.h: CHOWN 0, DAC_OVERRIDE 1, FOWNER 3, FSETID 4, KILL 5.
    assert int(told["CapEff"], 16) == int(told["CapBnd"], 16) == 0b111011
    assert told["NoNewPrivs"] == "1"
