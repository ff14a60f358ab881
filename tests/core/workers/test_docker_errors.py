"""How Docker's refusals and silences are told: what goes by itself is tried again, the rest is for people."""

from __future__ import annotations

import pytest
import requests
from docker.errors import APIError, DockerException, NotFound

from actions.engine.errors import Away, RecoveryError
from workers.docker.errors import Hanging, TakenDown, speaking

HELPER = "0f" * 32


def told(problem: Exception, within: str = HELPER) -> RecoveryError:
    with pytest.raises(RecoveryError) as raised, speaking("running sh", within):
        raise problem
    return raised.value


@pytest.mark.parametrize(
    "said",
    [
        f"No such exec instance: {HELPER}",
        f"No such container: {HELPER}",
        f"Container {HELPER} is not running",
        f"container {HELPER} is not running: Exited (137) 2 seconds ago",
        "OCI runtime exec failed: exec failed: cannot exec in a stopped container: unknown",
    ],
)
def test_a_container_that_went_under_a_command_is_away(said: str) -> None:
    away = told(APIError("409", explanation=said))
    assert type(away) is TakenDown
    assert not away.crashing
    assert away.detail == said


def test_one_that_is_started_again_and_again_is_told_as_such() -> None:
    said = f"Container {HELPER} is restarting, wait until the container is running"
    away = told(APIError("409", explanation=said))
    assert isinstance(away, TakenDown)
    assert away.crashing


@pytest.mark.parametrize(
    ("said", "within"),
    [
        ("No such container: postgres", ""),
        ("No such image: postgres:15", HELPER),
        (f"Container {HELPER} is paused, unpause the container before exec", HELPER),
        ("Could not find the file /x in container", HELPER),
    ],
)
def test_all_other_refusals_are_for_people(said: str, within: str) -> None:
    assert type(told(NotFound("404", explanation=said), within)) is RecoveryError


def read_timed_out() -> DockerException:
    wrapped = DockerException("Error while fetching server API version: Read timed out.")
    wrapped.__cause__ = requests.ReadTimeout()
    return wrapped


@pytest.mark.parametrize(
    "problem", [requests.ReadTimeout(), requests.ConnectTimeout(), TimeoutError(), read_timed_out()]
)
def test_a_docker_that_hangs_is_told_from_one_that_is_gone(problem: Exception) -> None:
    hangs = told(problem)
    assert isinstance(hangs, Hanging)
    assert "hangs" in hangs.hint


@pytest.mark.parametrize("problem", [requests.ConnectionError(), ConnectionRefusedError(), DockerException("gone")])
def test_one_that_is_gone_is_away_and_does_not_hang(problem: Exception) -> None:
    assert type(told(problem)) is Away
