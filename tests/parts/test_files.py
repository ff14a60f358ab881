"""The copy of a base backup on a real server: stopped, left behind by a killed worker, on a full disk."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from actions.engine.errors import RecoveryError, Stopped
from tests.support.paths import ROOT
from tests.support.small_server import SmallServer, eventually, processes, quiet, small_server, tidy, with_history
from workers.postgres.host_files import HostFiles

pytestmark = pytest.mark.parts

# A worker of its own, so that it can be killed.
_COPIES = """
import pickle, sys
import docker
from workers.postgres.host_files import HostFiles
server, names = pickle.load(sys.stdin.buffer)
HostFiles(docker.from_env(), names).copy_base(server, names, "b1", 1, lambda *_: print("copying", flush=True))
"""


@pytest.fixture
def world() -> Iterator[SmallServer]:
    with small_server() as made:
        yield made
        tidy(made)


def test_a_stop_ends_the_copy_and_a_later_copy_completes_it(world: SmallServer) -> None:
    with_history(world)
    big = heavy(world)

    def stop(done: float, total: float, text: str = "") -> None:
        raise Stopped("A person pressed Stop.")

    with pytest.raises(Stopped):
        world.files.copy_base(world.server, world.names, "b1", 1, stop)
    # What was killed amid a write to a busy disk is there until the disk has taken it.
    eventually(lambda: "cp -a" not in processes(world))
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
    import_path = os.environ | {"PYTHONPATH": str(ROOT)}
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
        filler.write_bytes(b"x" * (world.files.rooms(world.server)["data"].free - 10_000_000))
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
