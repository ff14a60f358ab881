"""Containers that live for one command leave neither themselves nor the volumes that their image declares."""

from __future__ import annotations

import re
from pathlib import Path

import docker
import pytest
from docker.errors import ContainerError

from lab.engine import connect
from lab.images import ensure_images
from lab.passing import in_passing

pytestmark = pytest.mark.parts
MOUNTED = re.compile(r"/(?P<volume>[0-9a-f]{64})/_data /data ")


@pytest.fixture(scope="module")
def client() -> docker.DockerClient:
    return connect()


def test_a_command_in_passing_works_on_the_folder_and_leaves_no_anonymous_volume(
    client: docker.DockerClient, tmp_path: Path
) -> None:
    in_passing(client, ensure_images(client).redis, ["cp", "/proc/self/mountinfo", "/there/mounts"], tmp_path, "/there")

    found = MOUNTED.search((tmp_path / "mounts").read_text())
    assert found, "the image declares a volume, else this proves nothing"
    assert found["volume"] not in {volume.name for volume in client.volumes.list()}


def test_a_command_in_passing_that_fails_says_what_it_printed(client: docker.DockerClient, tmp_path: Path) -> None:
    with pytest.raises(ContainerError, match="No such file"):
        in_passing(client, ensure_images(client).redis, ["ls", "/nowhere"], tmp_path, "/there")
