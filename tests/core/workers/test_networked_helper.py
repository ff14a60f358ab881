"""The helper of a standby is where its container is: in the same networks, with the same names."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from actions.tools.folders import DataFolder, DataHome
from actions.tools.names import Names
from workers.docker.networked_helper import NetworkedHelper

DATA = DataFolder("db-2", "host", "c0ffee", "postgres:15", "sha256:15", DataHome("/srv", "data", "/data"))


class Joining(NetworkedHelper):
    """Without a daemon: what it asks Docker for is kept."""

    def options(self) -> dict[str, Any]:
        return self.network(DATA)

    def joins(self) -> list[str]:
        joined: list[str] = []
        self.client.api = SimpleNamespace(connect_container_to_network=lambda made, name: joined.append(name))
        self._join(DATA, "made")
        return joined


def helper(mode: str, *networks: str, **host: Any) -> Joining:
    attrs = {
        "HostConfig": {"NetworkMode": mode, **host},
        "NetworkSettings": {"Networks": {name: {"NetworkID": f"id of {name}"} for name in networks}},
    }
    found = SimpleNamespace(id="c0ffee", attrs=attrs)
    return Joining(SimpleNamespace(containers=SimpleNamespace(get=lambda name: found)), Names("r1"), "network")


@pytest.mark.parametrize(
    ("made", "joined"),
    [
        (helper("shop_default", "shop_default"), []),
        (helper("shop_default", "shop_default", "replication"), ["id of replication"]),
        (helper("id of shop_default", "shop_default"), []),
        (helper("default", "bridge"), []),
        (helper("host"), []),
        (helper("none"), []),
        (helper("container:abc", "shop_default"), []),
    ],
)
def test_further_networks_are_joined_each_once(made: Joining, joined: list[str]) -> None:
    assert made.joins() == joined


def test_names_of_hosts_come_along_but_not_into_the_network_of_another_container() -> None:
    hosts = {"ExtraHosts": ["db:10.0.0.5"], "Dns": ["10.0.0.1"]}
    assert helper("shop", **hosts).options() == {
        "network_mode": "shop",
        "extra_hosts": ["db:10.0.0.5"],
        "dns": ["10.0.0.1"],
    }
    assert helper("container:abc", **hosts).options() == {"network_mode": "container:abc"}
