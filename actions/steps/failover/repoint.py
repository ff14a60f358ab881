"""How clients find the new primary: by the names of the old one, in Docker's own networks.

The container of the new primary takes the old one's names on, as aliases. They stay with it over restarts, until its
container is made anew.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from actions.engine.errors import RecoveryError
from actions.postgres.server import Server
from actions.steps.failover.old_primary import OldPrimary
from actions.steps.postgres.look_at_server import Writer, Writers
from actions.steps.writers import resume, serving
from actions.tools.networks import Attachment, Networks
from actions.tools.polling import Polling
from actions.tools.progress import Progress
from actions.tools.registry import SiteTools

_SETTLED_SECONDS = 10.0


@dataclass(frozen=True)
class Route:
    """What the new primary is attached as. Empty where the old one's networks cannot reach it; `why` says so."""

    places: tuple[Attachment, ...] = ()
    names: tuple[str, ...] = ()
    why: str = ""

    def says(self) -> str:
        """For example: nself-postgres on nself-net."""
        if not self.places:
            return f"by hand: {self.why}"
        return f"{', '.join(self.names)} on {', '.join(place.network for place in self.places)}"


def find_route(old: OldPrimary, server: Server, networks: Networks) -> Route:
    """The networks of the old primary, and the names under which others find it there."""
    names = tuple(dict.fromkeys(name for place in old.networks for name in place.names))
    if old.host != server.host:
        return Route(names=names, why=f"{old.name} is on {old.host}, {server.service} on {server.host}")
    if not old.networks:
        return Route(why=f"{old.name} is in no network of Docker")
    mine = {place.id: place for place in networks.of(server.service, server.container)}
    places = (_joined(mine.get(place.id), place, server.service) for place in old.networks)
    return Route(tuple(places), names)


def _joined(mine: Attachment | None, old: Attachment, own: str) -> Attachment:
    """The standby's own place in a network with the names of the old primary beside its own."""
    names = tuple(dict.fromkeys((*(mine.names if mine else (own,)), *old.names)))
    return replace(mine, names=names) if mine else replace(old, names=names, fixed="", address="")


def repoint(route: Route, server: Server, networks: Networks, progress: Progress) -> None:
    """Take the names of the old primary on. Whoever was connected to the standby connects anew."""
    for n, place in enumerate(route.places):
        progress(n, len(route.places), f"taking over its names on {place.network}")
        networks.attach(server.service, server.container, place)


def is_repointed(
    route: Route, server: Server, writers: Writers, networks: Networks, there: SiteTools, polling: Polling
) -> bool:
    """Whether the names lead to the new primary, seen from each writer that runs in one of these networks."""
    mine = {place.id: place for place in networks.of(server.service, server.container)}
    if not all(place.id in mine and set(place.names) <= set(mine[place.id].names) for place in route.places):
        return False
    addresses = {place.address for place in mine.values()}
    return polling.until(lambda: not _elsewhere(route, writers, addresses, there), seconds=_SETTLED_SECONDS, every=0.2)


def _elsewhere(route: Route, writers: Writers, addresses: set[str], there: SiteTools) -> list[str]:
    """Writers that find something else under one of the names."""
    return [one.name for one in writers.all if any(_found(one, name, there) - addresses for name in route.names)]


def _found(writer: Writer, name: str, there: SiteTools) -> set[str]:
    """The address that a writer finds; nothing where it does not run, is elsewhere, or cannot be asked."""
    found = there.docker.find(writer.name)
    if found is None or found.state != "running":
        return set()
    try:
        return {there.networks.resolved(writer.name, writer.container, name)} - {""}
    except RecoveryError:
        return set()  # What it can do is shown by the smoke test and by its own health check.


def leave_to_people(route: Route) -> str:
    """Why the names are not taken over here; empty where they are."""
    return "" if route.places else f"left out: {route.why}"


def leave_to_docker(route: Route) -> str:
    """Why nobody has to do it by hand; empty where somebody has to."""
    return "left out: the names were taken over" if route.places else ""


def instruction(route: Route, server: Server, old: OldPrimary) -> str:
    """What a person does where the names cannot be taken over."""
    names = ", ".join(route.names) or old.name
    return (
        f"Have the clients of {names} use {server.service} on {server.host} instead: its address in DNS, in the proxy "
        f"or in their configuration. Docker cannot do it: {route.why}. Press Done once they do."
    )


def reconnect(writers: Writers, there: SiteTools, polling: Polling, progress: Progress) -> None:
    """See that everybody who writes serves again; who still holds connections to the old primary is restarted."""
    resume(writers, there.docker, polling, progress)


def is_reconnected(writers: Writers, there: SiteTools) -> bool:
    """Whether everybody who writes serves."""
    return serving(writers, there.docker)
