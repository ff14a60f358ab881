"""A clone is swapped in and out again on a real server in each layout, also after a death in between."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest

from actions.engine.errors import RecoveryError
from actions.postgres.controldata import parse_controldata
from actions.postgres.lsn import parse_lsn
from actions.postgres.recovery_conf import CloneLimits, as_flags, clone_settings
from actions.postgres.stops import Stop
from actions.postgres.waldump import TransactionEnd
from actions.tools.postgres_servers import CloneSpec
from tests.support.small_server import SmallServer, eventually, quiet, small_server, tidy, with_history

pytestmark = pytest.mark.parts
LABEL = {"run": "r1", "why": "test", "kept_until": "2026-12-06"}


@pytest.fixture
def world() -> Iterator[SmallServer]:
    with small_server() as made:
        yield made
        tidy(made)


def prepare(world: SmallServer, keep: TransactionEnd) -> str:
    """A sealed clone; returns the stopping point."""
    files, server, names = world.files, world.server, world.names
    own = [file.name for file in files.tail(server) if len(file.name) == 24 and file.name not in world.archived()]
    files.save_tail(server, names, own[:1])
    files.copy_base(server, names, "b1", 1, quiet)
    assert files.verify_base(server, names) == ""
    files.lay_wal(server, names, [*world.archived(), *own[:1]], [], quiet)
    stop = f"{keep.lsn >> 32:X}/{keep.lsn & 0xFFFFFFFF:X}"
    label = files.backups(server)[0].label or ""
    assert files.verify_wal(server, names, 1, label.split()[3], stop) == ""
    files.seal_clone(server, names)
    files.seal_clone(server, names)
    return stop


@pytest.mark.parametrize("layout", ["bind", "volume", "subdir"])
def test_a_clone_is_made_beside_swapped_in_and_swapped_back(layout: str) -> None:
    with small_server(layout) as world:
        server, names, files, docker = world.server, world.names, world.files, world.docker
        stop = prepare(world, with_history(world))
        limits = CloneLimits.of(1 << 30, parse_controldata(files.control(server, names.clone_leaf(server.home))))
        settings = clone_settings(15, limits, Stop(parse_lsn(stop), True), 1)
        place = ("data_directory", server.home.inside)
        world.servers.run_clone(server, names, CloneSpec(tuple(as_flags((place, *settings)))))
        eventually(lambda: paused(world))
        assert world.sql.rows(names.clone, server, "select count(*) as n from t") == [{"n": 2001}]
        world.sql.rows(names.clone, server, "select pg_promote(true, 30)")
        world.servers.stop_clone(names)
        with pytest.raises(RecoveryError, match="running container"):
            files.swap(server, names, LABEL)
        files.archive_history(server, names, "00000002.history")
        docker.stop(world.name, server.container)
        world.servers.remove_clone(names)
        for _ in range(2):
            files.swap(server, names, LABEL)
        assert files.leaves(server, names).live_is_clone_of == names.run
        assert json.loads((world.parent / f"{names.before_leaf(server.home)}.mayday.json").read_text()) == LABEL
        world.start_again()
        assert world.psql("select count(*) from t") == "2001"
        eventually(lambda: (world.root / "backups/wal/00000002.history").exists())
        docker.stop(world.name, server.container)
        for _ in range(2):
            files.swap_back(server, names)
        world.start_again()
        assert world.psql("select count(*) from t") == "502"
        for _ in range(2):
            files.set_aside(server, names, LABEL)
        seen = files.leaves(server, names)
        assert (seen.live, seen.clone, seen.before, seen.aside) == (True, False, False, True)
        tidy(world)


def paused(world: SmallServer) -> bool:
    try:
        said = world.sql.rows(world.names.clone, world.server, "select pg_get_wal_replay_pause_state() as said")
    except RecoveryError:
        return False
    return bool(said == [{"said": "paused"}])


def test_a_swap_goes_on_after_a_death_between_the_two_renames(world: SmallServer) -> None:
    home, names = world.server.home, world.names
    prepare(world, with_history(world))
    world.docker.stop(world.name, world.server.container)
    os.rename(world.parent / home.leaf, world.parent / names.before_leaf(home))
    world.files.swap(world.server, names, LABEL)
    assert world.files.leaves(world.server, names).live_is_clone_of == names.run
    os.rename(world.parent / home.leaf, world.parent / names.clone_leaf(home))
    world.files.swap_back(world.server, names)
    world.start_again()
    assert world.psql("select count(*) from t") == "502"


def test_an_unsealed_clone_is_not_swapped_in(world: SmallServer) -> None:
    with_history(world)
    world.files.copy_base(world.server, world.names, "b1", 1, quiet)
    world.docker.stop(world.name, world.server.container)
    with pytest.raises(RecoveryError, match="not complete"):
        world.files.swap(world.server, world.names, LABEL)
    assert world.files.leaves(world.server, world.names).live
