"""Commands in a container: whatever the network does, their output is whole, or it is said that it is not."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import docker
import pytest
from docker.models.containers import Container

from actions.engine.errors import Away
from actions.postgres.server import Server
from actions.tools.folders import DataHome
from actions.tools.sql import NotServing
from tests.support.between import daemon_behind
from tests.support.small_server import IMAGE
from workers.docker.errors import TakenDown
from workers.docker.exec import Inside, shell
from workers.postgres import main_process
from workers.postgres.container_sql import ContainerSql

pytestmark = pytest.mark.parts


@pytest.fixture(scope="module")
def container() -> Iterator[str]:
    name = f"mayday-test-{uuid.uuid4().hex[:8]}"
    made = docker.from_env().containers.run(
        IMAGE,
        ["-f", "/dev/null"],
        entrypoint="tail",
        name=name,
        detach=True,
        network_mode="none",
        tmpfs={"/var/lib/postgresql/data": "size=1m"},
    )
    yield name
    made.remove(force=True, v=True)


def inside(container: str, address: str) -> Inside:
    return Inside(docker.DockerClient(base_url=address, timeout=5).api, container)


def test_an_output_that_comes_in_one_piece_with_the_header_is_not_lost(container: str, tmp_path: Path) -> None:
    with daemon_behind(tmp_path / "docker.sock", pause=0.5) as address:
        done = inside(container, address).script("echo yes; echo no >&2; exit 3")
    assert (done.code, done.out, done.err) == (3, "yes", "no\n")


def test_a_long_output_is_whole_wherever_the_pieces_end(container: str, tmp_path: Path) -> None:
    with daemon_behind(tmp_path / "docker.sock", pause=0.05) as address:
        done = inside(container, address).script("seq 1 100000")
    assert done.out.split("\n") == [str(n) for n in range(1, 100001)]


def test_a_command_that_is_silent_for_longer_than_docker_may_take_to_answer_is_waited_for(
    container: str, tmp_path: Path
) -> None:
    with daemon_behind(tmp_path / "docker.sock") as address:
        assert inside(container, address).script("sleep 6; echo done").out == "done"


def test_a_connection_that_breaks_in_the_middle_of_an_output_is_no_end_of_it(container: str, tmp_path: Path) -> None:
    with (
        daemon_behind(tmp_path / "docker.sock", cut_after=3000) as address,
        pytest.raises(Away, match="did not answer"),
    ):
        inside(container, address).script("seq 1 100000")


@pytest.mark.parametrize(("major", "found"), [("15", "/usr/lib/postgresql/15/bin/psql"), ("", "/usr/bin/psql")])
def test_programs_are_those_of_the_version_that_the_image_names(
    container: str, tmp_path: Path, major: str, found: str
) -> None:
    with daemon_behind(tmp_path / "docker.sock") as address:
        assert inside(container, address).script("command -v psql", env={"PG_MAJOR": major}).out == found


def test_a_command_whose_lines_are_left_early_is_ended_with_all_that_it_started(container: str) -> None:
    here = Inside(docker.from_env().api, container)
    lines = here.command(shell('echo "$MAYDAY_EXEC"; yes & yes'), seconds=60).lines()
    mark = next(lines)
    count = 'cat /proc/[0-9]*/environ 2>/dev/null | tr "\\0" "\\n" | grep -cxF "MAYDAY_EXEC=$1"'
    assert int(here.script(count, mark).out) > 1
    lines.close()
    assert here.script(count, mark).out == "0"


@pytest.fixture
def crashing() -> Iterator[Container]:
    """A container that is started again and again: up for 0.4 s, then away for longer and longer."""
    client, name = docker.from_env(), f"mayday-test-{uuid.uuid4().hex[:8]}"
    made = client.containers.run(
        IMAGE,
        ["-c", "mkdir -p /d; sleep 0.4; exit 1"],
        entrypoint="sh",
        name=name,
        detach=True,
        network_mode="none",
        restart_policy={"Name": "always"},
        tmpfs={"/var/lib/postgresql/data": "size=1m"},
    )
    yield made
    made.remove(force=True, v=True)


def test_a_server_that_crashes_again_and_again_is_down_for_every_question(crashing: Container) -> None:
    """Whatever of a question the crash meets: its preparation, its command, its end."""
    client, ends, seen = docker.from_env(), time.monotonic() + 8, set()
    server = Server(
        service=crashing.name,
        host="",
        container=crashing.id,
        image=IMAGE,
        image_id="",
        command=(),
        restart_policy="always",
        home=DataHome("/srv", "d", "/d"),
        archive="",
        bases="",
        inside_archive="",
        inside_bases="",
        user="postgres",
        database="town",
        version=15,
        system_identifier="",
        timeline=1,
        segment_size=0,
    )
    while time.monotonic() < ends:
        with pytest.raises((NotServing, TakenDown)) as down:
            ContainerSql(client).rows(crashing.name, server, "select 1")
        seen.add((down.type, getattr(down.value, "crashing", False)))
        with suppress(TakenDown):
            assert main_process.find(client.api, crashing.id) is None
    # Taken down and up again at once: the next question finds out which of both it is.
    assert (NotServing, False) in seen
    assert (TakenDown, True) not in seen


def test_a_command_whose_container_was_started_anew_under_it_has_not_ended_by_itself(container: str) -> None:
    client = docker.from_env()
    restart = threading.Timer(0.7, lambda: client.containers.get(container).restart(timeout=0))
    restart.start()
    with pytest.raises(TakenDown, match="in which sh ran was taken down"):
        Inside(client.api, container).script("sleep 30")
    restart.join()


def test_a_command_that_was_killed_in_a_container_that_stands_is_believed(container: str) -> None:
    assert Inside(docker.from_env().api, container).script("sleep 0.2; kill -9 $$").code == 137
