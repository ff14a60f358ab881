"""Docker's networks: where a container is attached, under which names others find it there, and moving both.

Docker's own name server answers each attached container for its own name, its aliases and its short id
(https://docs.docker.com/engine/network/#dns-services). A container that is attached nowhere can be reached by nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from actions.engine.facts import volatile


@dataclass(frozen=True)
class Attachment:
    """A container's place in one network.

    `id` is the network's, `names` are those by which others find the container there, `fixed` is the address that it
    was given for good, empty where Docker chose one. `address` is the one that it has now, empty while it is stopped.
    """

    network: str
    id: str
    names: tuple[str, ...] = ()
    fixed: str = ""
    address: str = volatile(default="")


class Networks(Protocol):
    """The networks of one Docker host. Whatever changes one may be repeated, and confirms the container's id first."""

    def of(self, name: str, id: str) -> tuple[Attachment, ...]:
        """Where a container is attached, by the networks' names. Those of the host itself are no networks here."""

    def detach(self, name: str, id: str, network: str) -> None:
        """Take a container out of a network, by that one's id; also one that hangs. Finds nothing to do outside."""

    def attach(self, name: str, id: str, place: Attachment) -> None:
        """Put a container into a network under these names; one that is in it under others is taken out before."""

    def resolved(self, name: str, id: str, host: str) -> str:
        """Which address a running container finds for a host's name, from where it stands; empty where none.

        Raises:
            RecoveryError: it has nothing in it to ask with (getent).
        """
