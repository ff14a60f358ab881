"""The data of a container that is no database of ours, swapped by renames on a real Docker host, and back."""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import pytest

from actions.engine.errors import RecoveryError
from actions.tools.folders import DataFolder, DataHome
from actions.tools.names import Names
from tests.support.waiting import within
from workers.docker.containers import DockerHost
from workers.docker.host_folders import HostFolders

pytestmark = pytest.mark.parts
IMAGE = "redis:7-bookworm"
LABEL = {"run": "-", "why": "a test", "kept_until": "2026-12-14"}
eventually = within(20, every=0.1)


@dataclass
class Store:
    """A Redis whose data lies in a folder of the host."""

    client: Any
    root: Path
    name: str
    names: Names
    docker: DockerHost
    folders: HostFolders

    @property
    def data(self) -> DataFolder:
        found = self.docker.find(self.name)
        assert found is not None
        home = DataHome(str(self.root), "redis", "/data")
        return DataFolder(self.name, found.host, found.id, found.image, found.image_id, home)

    def cli(self, *words: str) -> str:
        return str(self.client.containers.get(self.name).exec_run(["redis-cli", *words]).output.decode().strip())

    def stop(self) -> None:
        self.docker.stop(self.name, self.data.container)

    def start(self) -> None:
        self.docker.start(self.name, self.data.container)
        eventually(lambda: self.cli("ping") == "PONG")

    def helpers(self) -> list[str]:
        label = {"label": [f"mayday.run={self.names.run}", "mayday.role=helper"]}
        return [str(one.name) for one in self.client.containers.list(filters=label)]

    @property
    def clone(self) -> Path:
        return self.root / self.names.clone_leaf(self.data.home)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    client, name, names = docker.from_env(), f"mtf{uuid.uuid4().hex[:6]}", Names(f"t{uuid.uuid4().hex[:8]}")
    (tmp_path / "redis").mkdir()
    container = client.containers.run(
        IMAGE,
        ["redis-server", "--save", "", "--appendonly", "no"],
        name=name,
        detach=True,
        network_mode="none",
        volumes={str(tmp_path / "redis"): {"bind": "/data"}},
    )
    folders = HostFolders(client, names)
    made = Store(client, tmp_path, name, names, DockerHost(client), folders)
    try:
        eventually(lambda: made.cli("ping") == "PONG")
        yield made
    finally:
        folders.close()
        container.remove(force=True, v=True)
        client.close()


def snapshot(store: Store) -> None:
    """A copy of what the store holds now, beside it."""
    assert store.cli("save") == "OK"
    shutil.copytree(store.root / "redis", store.clone)


def test_the_data_of_any_container_is_swapped_for_its_clone_and_back(store: Store) -> None:
    folders, names = store.folders, store.names
    store.cli("set", "town", "before")
    snapshot(store)
    store.cli("set", "town", "after")
    assert store.cli("save") == "OK"
    assert folders.swappable(store.data, names) == ""
    assert folders.room(store.data).free > 1 << 20
    with pytest.raises(RecoveryError, match="running container"):
        folders.swap(store.data, names, LABEL)
    store.stop()
    with pytest.raises(RecoveryError, match="not complete"):
        folders.swap(store.data, names, LABEL)
    for _ in range(2):
        folders.complete(store.data, names)
    for _ in range(2):
        folders.swap(store.data, names, LABEL)
    before = store.root / names.before_leaf(store.data.home)
    assert json.loads(Path(f"{before}.mayday.json").read_text()) == LABEL
    assert folders.leaves(store.data, names).live_is_clone_of == names.run
    store.start()
    assert store.cli("get", "town") == "before"
    store.stop()
    for _ in range(2):
        folders.swap_back(store.data, names)
    store.start()
    assert store.cli("get", "town") == "after"
    for _ in range(2):
        folders.set_aside(store.data, names, LABEL)
    seen = folders.leaves(store.data, names)
    assert (seen.live, seen.clone, seen.before, seen.aside) == (True, False, False, True)


def test_a_clone_is_complete_only_as_long_as_nobody_writes_to_it(store: Store) -> None:
    store.clone.mkdir()
    source = {str(store.clone): {"bind": "/data"}}
    writer = store.client.containers.run(IMAGE, ["sleep", "60"], detach=True, volumes=source, network_mode="none")
    try:
        with pytest.raises(RecoveryError, match="running container"):
            store.folders.complete(store.data, store.names)
        assert store.folders.users(store.data) == []
    finally:
        writer.remove(force=True, v=True)
    store.folders.complete(store.data, store.names)
    assert store.folders.leaves(store.data, store.names).clone_complete


def test_another_container_than_that_of_the_plan_keeps_its_data(store: Store) -> None:
    planned = store.data
    store.client.containers.get(store.name).rename(f"{store.name}-old")
    try:
        with pytest.raises(RecoveryError, match="is gone"):
            store.folders.set_aside(planned, store.names, LABEL)
    finally:
        store.client.containers.get(f"{store.name}-old").rename(store.name)


def test_folders_in_two_places_are_worked_on_side_by_side_and_what_a_dead_worker_left_is_removed(store: Store) -> None:
    other = DataHome(str(store.root / "redis"), "below", "/data/below")
    Path(other.parent, other.leaf).mkdir()
    here, there = store.data, DataFolder(**{**vars(store.data), "home": other})
    assert [store.folders.leaves(one, store.names).live for one in (here, there, here)] == [True] * 3
    made = store.helpers()
    assert len(made) == 2
    HostFolders(store.client, store.names).fresh()
    assert store.helpers() == []
    assert store.folders.leaves(here, store.names).live
    store.folders.close()
    assert store.helpers() == []
