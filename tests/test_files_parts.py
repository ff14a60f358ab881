"""The hands on files, on a real server in each layout."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_server import SmallServer, eventually, processes, quiet, small_server, tidy, with_history

from actions.containers import CloneSpec
from actions.engine.errors import RecoveryError, Stopped
from actions.postgres.recovery_conf import clone_command
from actions.postgres.waldump import TransactionEnd
from workers.files import HostFiles

pytestmark = pytest.mark.parts

# A worker of its own, so that it can be killed.
_COPIES = """
import pickle, sys
import docker
from workers.files import HostFiles
server, names = pickle.load(sys.stdin.buffer)
HostFiles(docker.from_env(), names).copy_base(server, names, "b1", 1, lambda *_: print("copying", flush=True))
"""
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
        settings = (("archive_mode", "off"), ("restore_command", "false"), ("listen_addresses", ""),
                    ("recovery_target_lsn", stop), ("recovery_target_action", "pause"))  # fmt: skip
        docker.run_clone(server, names, CloneSpec(tuple(clone_command(server.command, settings))))
        eventually(lambda: paused(world))
        assert world.sql.rows(names.clone, server, "select count(*) as n from t") == [{"n": 2001}]
        world.sql.rows(names.clone, server, "select pg_promote(true, 30)")
        docker.stop_clone(names)
        with pytest.raises(RecoveryError, match="running container"):
            files.swap(server, names, LABEL)
        files.archive_history(server, names, "00000002.history")
        docker.stop(world.name, server.container)
        docker.remove_clone(names)
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


def test_a_stop_ends_the_copy_and_a_later_copy_completes_it(world: SmallServer) -> None:
    with_history(world)
    big = heavy(world)

    def stop(done: float, total: float, text: str = "") -> None:
        raise Stopped("A person pressed Stop.")

    with pytest.raises(Stopped):
        world.files.copy_base(world.server, world.names, "b1", 1, stop)
    assert "cp -a" not in processes(world)
    big.unlink()
    (world.parent / world.names.clone_leaf(world.server.home) / "big").unlink(missing_ok=True)
    world.files.copy_base(world.server, world.names, "b1", 1, quiet)
    assert world.files.verify_base(world.server, world.names) == ""


def heavy(world: SmallServer) -> Path:
    """Something that takes longer to copy than the first report of progress."""
    big = world.root / "backups/base/b1/big"
    subprocess.run(["dd", "if=/dev/zero", f"of={big}", "bs=1M", "count=5000", "status=none"], check=True)
    return big


def test_the_copy_of_a_killed_worker_ends_when_another_takes_over(world: SmallServer) -> None:
    with_history(world)
    heavy(world)
    import_path = os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)}
    world.files.close()
    worker = subprocess.Popen(
        [sys.executable, "-c", _COPIES], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=import_path
    )
    send(worker, world)
    assert worker.stdout is not None
    assert worker.stdout.readline() == b"copying\n"
    worker.kill()
    worker.communicate()
    assert "cp -a" in processes(world)
    HostFiles(world.client, world.names).fresh()
    assert "cp -a" not in processes(world)


def send(worker: subprocess.Popen[bytes], world: SmallServer) -> None:
    assert worker.stdin is not None
    worker.stdin.write(pickle.dumps((world.server, world.names)))
    worker.stdin.close()
    worker.stdin = None


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk takes root")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=220m", "mayday-test", str(tmp_path)], check=True)
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)


def test_a_full_disk_is_said_and_harms_nothing_and_a_retry_works(small_disk: Path) -> None:
    with small_server(parent=small_disk) as world:
        with_history(world)
        filler = small_disk / "filler"
        filler.write_bytes(b"x" * (world.files.free_bytes(world.server) - 10_000_000))
        with pytest.raises(RecoveryError, match="disk is full") as full:
            world.files.copy_base(world.server, world.names, "b1", 1, quiet)
        assert "live data was not touched" in full.value.hint
        filler.unlink()
        assert world.psql("select count(*) from t") == "502"
        world.files.copy_base(world.server, world.names, "b1", 1, quiet)
        assert world.files.verify_base(world.server, world.names) == ""
        tidy(world)
        world.client.api.remove_container(world.name, force=True, v=True)


def test_a_server_that_was_replaced_is_refused(world: SmallServer) -> None:
    with_history(world)
    other = type(world.server)(**{**vars(world.server), "container": "0" * 64})
    with pytest.raises(RecoveryError, match="replaced since the plan"):
        world.files.copy_base(other, world.names, "b1", 1, quiet)
    with pytest.raises(RecoveryError, match="replaced since the plan"):
        world.docker.stop(world.name, "0" * 64)
    elsewhere = type(world.server)(**{**vars(world.server), "host": "another"})
    world.files.close()
    with pytest.raises(RecoveryError, match="not the Docker host"):
        world.files.control(elsewhere, world.server.home.leaf)
