"""A Docker that hangs is not absent: its connections stand, and nothing comes. It is noticed all the same, and soon."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import docker
import pytest
from docker.models.containers import Container

from actions.engine.errors import RecoveryError
from actions.postgres.server import Server
from actions.tools.folders import DataHome
from actions.tools.names import Names
from tests.support.between import Freeze, daemon_behind
from tests.support.small_server import IMAGE
from workers.docker import client as clients
from workers.docker import command_watch
from workers.docker.containers import DockerHost
from workers.docker.daemon import host_of
from workers.docker.errors import Hanging, TakenDown, speaking
from workers.docker.exec import Inside, shell
from workers.postgres.server_helper import ServerHelper

pytestmark = pytest.mark.parts

SOON = 25
COUNT = 'cat /proc/[0-9]*/environ 2>/dev/null | tr "\\0" "\\n" | grep -cxF "MAYDAY_EXEC=$1"'


@pytest.fixture
def container() -> Iterator[Container]:
    made = docker.from_env().containers.run(
        IMAGE,
        ["-c", "trap '' TERM INT; while :; do sleep 1; done"],
        entrypoint="sh",
        init=True,
        detach=True,
        name=f"mayday-test-{uuid.uuid4().hex[:8]}",
        network_mode="none",
        tmpfs={"/var/lib/postgresql/data": "size=1m"},
    )
    yield made
    made.remove(force=True, v=True)


@pytest.fixture
def freeze() -> Freeze:
    return Freeze()


@pytest.fixture
def address(tmp_path: Path, freeze: Freeze) -> Iterator[str]:
    with daemon_behind(tmp_path / "docker.sock", freeze=freeze) as address:
        yield address


def test_a_command_under_which_docker_hangs_says_so(container: Container, address: str, freeze: Freeze) -> None:
    here = Inside(clients.connect(address).api, container.id)
    command = here.command(shell('echo "$MAYDAY_EXEC"; exec sleep 300'), seconds=600)
    lines = command.lines()
    mark = next(lines)
    freeze.on()
    with pytest.raises(Hanging, match="Docker did not answer while running sh") as hangs:
        next(lines)
    assert freeze.seconds() < SOON
    assert "docker info" in hangs.value.hint
    assert command.code is None
    freeze.off()
    # What was left to its own limit is found by its mark, as by whoever comes back to a base backup.
    again = Inside(docker.from_env().api, container.id)
    assert again.script(COUNT, mark).out != "0"
    again.end(mark)
    assert again.script(COUNT, mark).out == "0"


def test_a_command_whose_output_hangs_in_its_midst_says_so(container: Container, address: str, freeze: Freeze) -> None:
    here = Inside(clients.connect(address).api, container.id)
    with closing(here.command(shell("while :; do echo more; sleep 0.1; done"), seconds=600).lines()) as lines:
        for _ in range(10):
            next(lines)
        freeze.on()
        with pytest.raises(Hanging, match="Docker did not answer while running sh"):
            list(lines)
    assert freeze.seconds() < SOON


def test_a_command_that_docker_does_not_even_take_says_so(container: Container, address: str, freeze: Freeze) -> None:
    here = Inside(clients.connect(address).api, container.id)
    freeze.at = f"/containers/{container.id}/exec HTTP/1.1".encode()
    with pytest.raises(Hanging, match="Docker did not answer while running true"):
        here.run(["true"])
    assert freeze.seconds() < SOON


def test_whoever_leaves_a_command_of_a_docker_that_hangs_keeps_the_reason(
    container: Container, address: str, freeze: Freeze
) -> None:
    lines = Inside(clients.connect(address).api, container.id).command(shell("yes"), seconds=600).lines()

    def leave() -> None:
        with closing(lines):
            next(lines)
            freeze.on()
            raise RecoveryError("The step took longer than its limit.", hint="Retry.")

    with pytest.raises(RecoveryError, match="The step took longer"):
        leave()
    assert freeze.seconds() < SOON


def test_a_stop_under_which_docker_hangs_has_its_grace_and_little_more(
    container: Container, address: str, freeze: Freeze
) -> None:
    host = DockerHost(clients.connect(address))
    freeze.at = b"/stop?t=3"
    with pytest.raises(Hanging, match=f"Docker did not answer while stopping {container.name}"):
        host.stop(container.name, container.id, 3)
    assert 3 < freeze.seconds() < 3 + clients.ANSWER_SECONDS + 5


def test_a_stop_whose_grace_is_long_says_soon_that_docker_hangs(
    container: Container, address: str, freeze: Freeze
) -> None:
    host = DockerHost(clients.connect(address))
    freeze.at = b"/stop?t=120"
    with pytest.raises(Hanging, match=f"Docker did not answer while stopping {container.name}") as hangs:
        host.stop(container.name, container.id, 120)
    assert freeze.seconds() < SOON
    assert "does not say that it is there" in hangs.value.detail


def test_a_restart_under_which_docker_hangs_says_so_soon(container: Container, address: str, freeze: Freeze) -> None:
    host = DockerHost(clients.connect(address))
    freeze.at = f"/containers/{container.id}/restart?t=30".encode()
    with pytest.raises(Hanging, match=f"Docker did not answer while restarting {container.name}"):
        host.restart(container.name, container.id)
    assert freeze.seconds() < SOON


def test_a_stop_that_takes_long_is_waited_for_while_docker_answers(
    container: Container, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command_watch, "QUIET_SECONDS", 0.5)
    monkeypatch.setattr(clients, "_TOLD_EVERY", 0.1)
    client, told = clients.connect(address), list[float]()
    client.api.answered = lambda: told.append(time.monotonic())
    DockerHost(client).stop(container.name, container.id, 3)
    assert len(told) > 4
    container.reload()
    assert container.status == "exited"


def test_a_docker_that_hangs_is_not_connected_to_for_long(address: str, freeze: Freeze) -> None:
    freeze.on()
    with pytest.raises(Hanging, match="while connecting"), speaking("connecting to it"):
        clients.connect(address)
    assert freeze.seconds() < clients.ANSWER_SECONDS + 5


def test_a_command_whose_output_alone_hangs_ends_at_its_limit(
    container: Container, address: str, freeze: Freeze, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command_watch, "GRACE_SECONDS", 2.0)
    freeze.commands = True
    here = Inside(clients.connect(address).api, container.id)
    command = here.command(shell("while :; do echo more; sleep 0.1; done"), seconds=3)
    for n, _ in enumerate(command.lines()):
        if n == 5:
            freeze.on()
    assert command.over
    assert 4 < freeze.seconds() < 10


def test_a_command_that_is_silent_for_long_is_waited_for_and_docker_is_asked_meanwhile(
    container: Container, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command_watch, "QUIET_SECONDS", 0.5)
    monkeypatch.setattr(clients, "_TOLD_EVERY", 0.1)
    client, told = clients.connect(address), list[float]()
    client.api.answered = lambda: told.append(time.monotonic())
    assert Inside(client.api, container.id).script("sleep 3; echo done").out == "done"
    assert len(told) > 4


@pytest.mark.parametrize("ends", ["remove", "stop"])
def test_a_container_that_goes_under_a_command_is_no_failure_of_it(ends: str) -> None:
    client = clients.connect()
    made = client.containers.run(
        IMAGE,
        ["-f", "/dev/null"],
        entrypoint="tail",
        detach=True,
        network_mode="none",
        stop_signal="SIGKILL",
        tmpfs={"/var/lib/postgresql/data": "size=1m"},
    )
    here = Inside(client.api, made.id)
    try:
        away = made.stop if ends == "stop" else lambda: made.remove(force=True, v=True)
        going = threading.Timer(0.7, away)
        going.start()
        with pytest.raises(TakenDown):
            here.script("sleep 30")
        going.join()
        with pytest.raises(TakenDown, match="taken down while running true") as gone:
            here.run(["true"])
        assert ("is not running" if ends == "stop" else "No such container") in gone.value.detail
    finally:
        if ends == "stop":
            made.remove(force=True, v=True)


def test_a_helper_that_is_removed_under_a_look_is_made_anew_by_the_next_one(tmp_path: Path) -> None:
    client, names = clients.connect(), Names(f"t{uuid.uuid4().hex[:8]}")
    for name in ("d", "archive", "bases"):
        (tmp_path / name).mkdir()
    server = Server(
        service="-",
        host=host_of(client),
        container="",
        image=IMAGE,
        image_id=client.images.get(IMAGE).id,
        command=(),
        restart_policy="no",
        home=DataHome(str(tmp_path), "d", "/d"),
        archive=f"{tmp_path}/archive",
        bases=f"{tmp_path}/bases",
        inside_archive="/archive",
        inside_bases="/bases",
        user="postgres",
        database="town",
        version=15,
        system_identifier="",
        timeline=1,
        segment_size=0,
    )
    helper = ServerHelper(client, names)
    try:
        first = helper.inside(server)
        threading.Timer(0.7, lambda: client.api.remove_container(first.container, force=True, v=True)).start()
        with pytest.raises(TakenDown):
            first.script("sleep 30")
        again = helper.inside(server)
        assert again.container != first.container
        assert again.script("ls /mayday").out.split() == ["archive", "bases", "home"]
    finally:
        helper.close()
