"""Containers are taken away for sure, also where somebody else is just doing it."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor

import docker
import pytest
from docker.errors import NotFound

from lab.engine import connect
from tests.support.small_server import IMAGE
from workers.docker.daemon import remove

pytestmark = pytest.mark.parts


def test_a_container_that_others_are_removing_too_is_gone_when_each_call_returns() -> None:
    client, name = connect(), f"mayday-test-{uuid.uuid4().hex[:8]}"
    client.containers.run(
        IMAGE,
        ["-f", "/dev/null"],
        entrypoint="tail",
        name=name,
        detach=True,
        network_mode="none",
        tmpfs={"/var/lib/postgresql/data": "size=1m"},
    )
    with ThreadPoolExecutor(6) as several:
        left = list(several.map(lambda _: _after_removing(client, name), range(6)))

    assert left == [None] * 6


def _after_removing(client: docker.DockerClient, name: str) -> object:
    remove(client, name, "a test's container")
    try:
        return client.api.inspect_container(name)
    except NotFound:
        return None
