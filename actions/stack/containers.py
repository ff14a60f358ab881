"""Which container a service is in: the one that the settings name, that of its name, or that of its Compose label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from actions.stack.stack import Service

COMPOSE_SERVICE = "com.docker.compose.service"
COMPOSE_PROJECT = "com.docker.compose.project"
_OURS = "mayday.role"
"""Marks what a run made beside the stack: no service of it, whatever else it is labelled with."""

Listed = Mapping[str, Mapping[str, str]]
"""All that Docker lists: the labels of each container, by its name."""


def containers_of(
    service: Service, listed: Listed, services: Sequence[Service] = (), project: str = ""
) -> tuple[str, ...]:
    """The containers that could be the service's.

    What bears the name of another of the `services` is never this one's: each has a claim of its own. Another project
    of the same host may have a Compose service of the same name, and its data is somebody else's: a label counts in
    the stack's own `project` alone; where that is not known, in those of the services that are there by their names.

    One is the answer, none means that it is not there. Of several nobody can know which one is meant, so none of them
    is to be taken.
    """
    named = service.container or service.name
    if named in listed and _OURS not in listed[named]:
        return (named,)
    if service.container:
        return ()
    held = {one.container or one.name for one in services if one.name != service.name}
    own = {project} if project else _projects_of_named(listed, services)
    found = _labelled(service, listed) - held
    return tuple(sorted(name for name in found if not own or listed[name].get(COMPOSE_PROJECT, "") in own))


def unclaimed(service: Service, listed: Listed, services: Sequence[Service] = (), project: str = "") -> tuple[str, ...]:
    """The containers that bear the label of a service that is not there, and are another project's."""
    if service.container or containers_of(service, listed, services, project):
        return ()
    held = {one.container or one.name for one in services if one.name != service.name}
    return tuple(sorted(_labelled(service, listed) - held))


def project_of(listed: Listed, services: Sequence[Service], known: str = "") -> str:
    """The Compose project of a stack: that of the services that are there by their names, else the `known` one, else
    the only one in which any of them is found; empty where none can be told.
    """
    named = _projects_of_named(listed, services)
    if len(named) == 1:
        return named.pop()
    if known or named:
        return known
    found = {listed[name].get(COMPOSE_PROJECT, "") for one in services for name in _labelled(one, listed)}
    return found.pop() if len(found) == 1 else ""


def _labelled(service: Service, listed: Listed) -> set[str]:
    label = service.compose or service.name
    return {name for name, labels in listed.items() if labels.get(COMPOSE_SERVICE) == label and _OURS not in labels}


def _projects_of_named(listed: Listed, services: Sequence[Service]) -> set[str]:
    names = {one.container or one.name for one in services} & listed.keys()
    return {listed[name][COMPOSE_PROJECT] for name in names if listed[name].get(COMPOSE_PROJECT)}
