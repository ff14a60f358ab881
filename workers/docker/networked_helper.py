"""A helper in the networks of a container: what it reaches that container will reach, and under the same names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from actions.tools.folders import DataFolder
from workers.docker.confirmations import confirm
from workers.docker.errors import speaking
from workers.docker.helper import Helper, Place

_KEPT = {"ExtraHosts": "extra_hosts", "Dns": "dns", "DnsSearch": "dns_search", "DnsOptions": "dns_opt"}
"""What else decides which names a container can resolve, by the names that Docker's API and its SDK give it."""


class NetworkedHelper(Helper):
    """The same helper, but in the networks of the data's own container, which may be stopped."""

    def network(self, data: DataFolder) -> dict[str, Any]:
        host = self._host_config(data)
        mode = str(host.get("NetworkMode") or "bridge")
        # Whoever shares another container's network has that one's names too.
        own = {} if mode.startswith("container:") else {new: host[old] for old, new in _KEPT.items() if host.get(old)}
        return {"network_mode": mode, **own}

    def _start(self, data: DataFolder, wanted: Sequence[Place]) -> str:
        made = super()._start(data, wanted)
        with speaking("joining the networks of the container"):
            self._join(data, made)
        return made

    def _join(self, data: DataFolder, container: str) -> None:
        seen = confirm(self.client, data.service, data.container).attrs
        mode = str(seen["HostConfig"].get("NetworkMode") or "bridge")
        if mode in ("none", "host") or mode.startswith("container:"):
            return
        for name, one in (seen["NetworkSettings"].get("Networks") or {}).items():
            if mode not in (name, one.get("NetworkID")) and (mode, name) != ("default", "bridge"):
                self.client.api.connect_container_to_network(container, one.get("NetworkID") or name)

    def _host_config(self, data: DataFolder) -> dict[str, Any]:
        return dict(confirm(self.client, data.service, data.container).attrs["HostConfig"])
