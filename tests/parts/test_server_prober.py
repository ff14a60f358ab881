"""Probes of a real server: over one session while all is well, with the right sign when it is not, nothing left."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import docker
import pytest

from actions.control.requests import Subject
from actions.watch.server_probe import ProbeAnswer, ServerProbe
from tests.support.between import Freeze, daemon_behind
from tests.support.small_server import SmallServer, eventually, small_server
from tests.support.waiting import now
from workers.docker.client import connect
from workers.docker.containers import DockerHost
from workers.docker.exec import Inside
from workers.watch.server_prober import ServerProber

pytestmark = pytest.mark.parts
RIGHT, WRONG, NONE = ProbeAnswer.RIGHT, ProbeAnswer.WRONG, ProbeAnswer.NONE


@pytest.fixture(scope="module")
def world() -> Iterator[SmallServer]:
    with small_server() as made:
        yield made
        made.files.close()


@pytest.fixture
def prober(world: SmallServer) -> Iterator[ServerProber]:
    made = prober_of(world)
    yield made
    made.leave()
    eventually(lambda: not sessions(world))


def prober_of(world: SmallServer, user: str = "postgres", address: str = "") -> ServerProber:
    return ServerProber(Subject("main", world.name), user, lambda: DockerHost(connect(address)), now, 2.0)


def sessions(world: SmallServer) -> list[str]:
    """The processes of psql in the container."""
    seen = Inside(world.client.api, world.name, "root").script(
        'for p in /proc/[0-9]*; do [ "$(cat "$p/comm" 2>/dev/null)" = psql ] && echo "${p#/proc/}"; done; exit 0'
    )
    return seen.out.split()


def seen(probe: ServerProbe) -> tuple[str, ProbeAnswer]:
    return probe.container, probe.answer


def test_probes_share_one_session_and_tell_how_the_server_stands(world: SmallServer, prober: ServerProber) -> None:
    probes = [prober.probe() for _ in range(5)]
    assert {seen(probe) for probe in probes} == {("running", RIGHT)}
    assert len(sessions(world)) == 1
    told = probes[-1].replication
    assert told is not None
    assert (told.standby, told.timeline, told.system) == (False, 1, world.server.system_identifier)
    assert probes[-1].writes
    first = told.at
    world.psql("create table if not exists t ()", "select pg_logical_emit_message(true, 'a', 'b')")
    again = prober.probe().replication
    assert again is not None
    assert again.at is not None
    assert first is not None
    assert again.at > first
    assert not prober.holds_up_a_stop, "this image is stopped with SIGINT, which ends sessions"


def test_a_paused_server_does_not_answer_and_its_late_answer_is_a_slow_one(
    world: SmallServer, prober: ServerProber
) -> None:
    assert seen(prober.probe()) == ("running", RIGHT)
    world.client.api.pause(world.name)
    try:
        first, second = prober.probe(), prober.probe()
    finally:
        world.client.api.unpause(world.name)
    assert (seen(first), seen(second)) == (("paused", NONE), ("paused", NONE))
    assert second.latency > first.latency > 1.0
    late = prober.probe()
    assert seen(late) == ("running", RIGHT)
    assert late.latency > 2.0
    assert prober.probe().latency < 1.0


def test_a_restart_is_noticed_and_over_at_once(world: SmallServer, prober: ServerProber) -> None:
    assert seen(prober.probe()) == ("running", RIGHT)
    world.client.api.restart(world.name, timeout=10)
    eventually(lambda: seen(prober.probe()) == ("running", RIGHT))


def test_a_container_that_was_killed_or_is_gone_is_told_by_dockers_word(
    world: SmallServer, prober: ServerProber
) -> None:
    assert seen(prober.probe()) == ("running", RIGHT)
    world.client.api.kill(world.name)
    try:
        eventually(lambda: seen(prober.probe()) == ("exited", NONE))
        assert prober.probe().said == "exit code 137"
        gone = prober_of(world)
        gone.subject = Subject("main", "mayday-test-nobody")
        assert seen(gone.probe()) == ("gone", NONE)
        gone.leave()
    finally:
        world.start_again()
    eventually(lambda: seen(prober.probe()) == ("running", RIGHT))


def test_a_server_that_refuses_this_user_is_there(world: SmallServer) -> None:
    prober = prober_of(world, user="nobody-knows")
    probe = prober.probe()
    prober.leave()
    assert seen(probe) == ("running", WRONG)
    assert "nobody-knows" in probe.said


def test_a_crash_of_the_server_within_its_container_is_followed_by_right_answers(
    world: SmallServer, prober: ServerProber
) -> None:
    assert seen(prober.probe()) == ("running", RIGHT)
    crash = (
        'for p in /proc/[0-9]*; do grep -q checkpointer "$p/cmdline" 2>/dev/null && kill -9 "${p#/proc/}"; done; exit 0'
    )
    Inside(world.client.api, world.name, "root").script(crash)
    assert prober.probe().container == "running"
    eventually(lambda: seen(prober.probe()) == ("running", RIGHT))


def test_a_session_ends_with_whoever_opened_it(world: SmallServer) -> None:
    prober = prober_of(world)
    prober.probe()
    assert len(sessions(world)) == 1
    prober.rest()
    eventually(lambda: not sessions(world))
    prober.leave()


def test_a_docker_that_hangs_is_no_sign_of_the_server(world: SmallServer, tmp_path: Path) -> None:
    freeze = Freeze()
    with daemon_behind(tmp_path / "docker.sock", freeze=freeze) as address:
        prober = prober_of(world, address=address)
        assert seen(prober.probe()) == ("running", RIGHT)
        freeze.on()
        probe = prober.probe()
        assert (probe.blind, probe.silent) == (True, False)
        freeze.off()
        eventually(lambda: seen(prober.probe()) == ("running", RIGHT))
        prober.leave()


def test_a_broken_connection_of_the_session_alone_is_found_out(world: SmallServer, tmp_path: Path) -> None:
    freeze = Freeze(commands=True)
    with daemon_behind(tmp_path / "docker.sock", freeze=freeze) as address:
        prober = prober_of(world, address=address)
        assert seen(prober.probe()) == ("running", RIGHT)
        freeze.on()
        began = time.monotonic()
        eventually(lambda: prober.probe().answer is RIGHT)
        assert time.monotonic() - began > 5.0, "the frozen session was not asked"
        prober.leave()


def test_no_docker_at_all_is_no_sign_either(world: SmallServer, tmp_path: Path) -> None:
    prober = prober_of(world, address=f"unix://{tmp_path}/nobody.sock")
    prober.docker = partial(_docker, f"unix://{tmp_path}/nobody.sock")
    assert prober.probe().blind


def _docker(address: str) -> DockerHost:
    from workers.docker.errors import speaking

    with speaking("connecting to it"):
        made = connect(address)
    assert isinstance(made, docker.DockerClient)
    return DockerHost(made)
