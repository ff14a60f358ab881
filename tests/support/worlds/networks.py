"""The networks of a company in which nobody is moved: each container is in one, under its own name."""

from __future__ import annotations

from actions.tools.networks import Attachment
from tests.support.worlds.company import Violated, World


class WorldNetworks:
    """One network, which stays as it is."""

    def __init__(self, world: World) -> None:
        self.world = world

    def of(self, name: str, id: str) -> tuple[Attachment, ...]:
        return (Attachment("nself-net", "n1", (name,)),) if name in self.world.containers else ()

    def detach(self, name: str, id: str, network: str) -> None:
        raise Violated(f"{name} was taken out of its network")

    def attach(self, name: str, id: str, place: Attachment) -> None:
        raise Violated(f"{name} was put into {place.network}")

    def resolved(self, name: str, id: str, host: str) -> str:
        return host
