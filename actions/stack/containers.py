"""Which container a service is in: the one that the settings name, that of its name, or that of its Compose label."""

from __future__ import annotations

from collections.abc import Mapping

from actions.stack.stack import Service

COMPOSE_SERVICE = "com.docker.compose.service"
_OURS = "mayday.role"
"""Marks what a run made beside the stack: no service of it, whatever else it is labelled with."""


def containers_of(service: Service, listed: Mapping[str, Mapping[str, str]]) -> tuple[str, ...]:
    """The containers that could be the service's, of all that Docker lists with their labels.

    One is the answer, none means that it is not there. Of several nobody can know which one is meant, so none of them
    is to be taken.
    """
    named = service.container or service.name
    if named in listed and _OURS not in listed[named]:
        return (named,)
    if service.container:
        return ()
    label = service.compose or service.name
    found = (name for name, labels in listed.items() if labels.get(COMPOSE_SERVICE) == label and _OURS not in labels)
    return tuple(sorted(found))
