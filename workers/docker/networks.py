"""`Networks` on a real Docker host."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from docker.errors import APIError, NotFound

from actions.engine.errors import RecoveryError
from actions.tools.networks import Attachment
from workers.docker.confirmations import confirm
from workers.docker.errors import speaking
from workers.docker.exec import Inside

_NONE = ("host", "none")
_SECONDS = 5.0
# getent(1): 2 says that the name is not known.
_UNKNOWN = 2


class HostNetworks:
    """The networks of one Docker host, as its daemon tells of them."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def of(self, name: str, id: str) -> tuple[Attachment, ...]:
        return tuple(sorted(_attachments(confirm(self._client, name, id)), key=lambda one: one.network))

    def detach(self, name: str, id: str, network: str) -> None:
        if any(one.id == network for one in self.of(name, id)):
            self._disconnect(name, id, network)

    def attach(self, name: str, id: str, place: Attachment) -> None:
        there = next((one for one in self.of(name, id) if one.id == place.id), None)
        if there is not None and set(place.names) <= set(there.names):
            return
        if there is not None:
            self._disconnect(name, id, place.id)
        with speaking(f"connecting {name} to the network {place.network}"):
            self._client.api.connect_container_to_network(
                id, place.id, aliases=[one for one in place.names if one != name], ipv4_address=place.fixed or None
            )

    def resolved(self, name: str, id: str, host: str) -> str:
        found = confirm(self._client, name, id)
        done = Inside(self._client.api, found.id, "").run(["getent", "hosts", host], seconds=_SECONDS)
        if done.code not in (0, _UNKNOWN):
            raise RecoveryError(
                f"What {name} finds under {host} could not be asked.",
                code="MD-DK-020",
                detail=done.said() or f"getent ended with {done.code}",
                hint=f"See it by hand: docker exec {name} getent hosts {host}",
            )
        return (done.out.split() or [""])[0]

    def _disconnect(self, name: str, id: str, network: str) -> None:
        with speaking(f"disconnecting {name} from a network"):
            try:
                self._client.api.disconnect_container_from_network(id, network, force=True)
            except NotFound:
                return
            except APIError as refused:
                if "is not connected" not in str(refused.explanation):
                    raise


def _attachments(found: Any) -> Iterator[Attachment]:
    """A container made by Compose has the service's name among its aliases."""
    networks: Mapping[str, Any] = found.attrs["NetworkSettings"]["Networks"] or {}
    for network, place in networks.items():
        if network in _NONE or not place.get("NetworkID"):
            continue
        said = [found.name, *(place.get("Aliases") or ()), *(place.get("DNSNames") or ())]
        names = tuple(name for name in dict.fromkeys(said) if not found.id.startswith(name))
        fixed = str((place.get("IPAMConfig") or {}).get("IPv4Address") or "")
        yield Attachment(network, place["NetworkID"], names, fixed, place.get("IPAddress") or "")
