"""Which container a service is in: the one that the settings name, that of its name, or that of its Compose label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from actions.stack.stack import Service

COMPOSE_SERVICE = "com.docker.compose.service"
_OURS = "mayday.role"
"""Marks what a run made beside the stack: no service of it, whatever else it is labelled with."""


def containers_of(
    service: Service, listed: Mapping[str, Mapping[str, str]], services: Sequence[Service] = ()
) -> tuple[str, ...]:
    """The containers that could be the service's, of all that Docker lists with their labels.

    What bears the name of another of the `services` is never this one's: each has a claim of its own.

    One is the answer, none means that it is not there. Of several nobody can know which one is meant, so none of them
    is to be taken.
    """
    named = service.container or service.name
    if named in listed and _OURS not in listed[named]:
        return (named,)
    if service.container:
        return ()
    label = service.compose or service.name
    held = {one.container or one.name for one in services if one.name != service.name}
    found = {name for name, labels in listed.items() if labels.get(COMPOSE_SERVICE) == label and _OURS not in labels}
    return tuple(sorted(found - held))
