"""How the containers of a site are, from one question to Docker."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from docker.errors import NotFound

from actions.stack.containers import COMPOSE_PROJECT, Listed, containers_of, project_of, unclaimed
from actions.stack.stack import Service
from actions.watch.service_condition import Health
from workers.docker.errors import speaking

_ROLE = "mayday.role"
_CHECK = re.compile(r"\((?:health: )?(healthy|unhealthy|starting)\)")
_ENDED = ("exited", "created", "dead", "removing")
_CODE = re.compile(r"\((\d+)\)")
_KILLED = "Exited (137)"


def look(
    client: Any, services: Sequence[Service], elsewhere: Sequence[Service], own_project: Callable[[Listed], str]
) -> tuple[Health, ...]:
    """The services of a site, and whatever else is of its own Compose project and no service `elsewhere`.

    `own_project` tells which one that is, of all that Docker lists.

    Raises:
        RecoveryError: Docker does not answer.
    """
    with speaking("looking at the containers of the site"):
        listed = client.api.containers(all=True)
        found = healths(listed, services, elsewhere, own_project(_labels(listed)))
        return tuple(_why_killed(client, one) if one.detail == _KILLED else one for one in found)


def healths(
    listed: Sequence[Mapping[str, Any]],
    services: Sequence[Service],
    elsewhere: Sequence[Service] = (),
    project: str = "",
) -> tuple[Health, ...]:
    """The same, from what Docker listed; what a run made beside the stack is left out.

    Two sites may share a Docker, and what is a service of the other one is none of this one's.

    Of what is no service of the stack only the name is known, and that it belongs to the same project.
    """
    rows = {_name(one): one for one in listed if _ROLE not in (one.get("Labels") or {})}
    labels = _labels(listed)
    found = {one.name: containers_of(one, labels, services, project) for one in services}
    told = [
        _missing(one, labels, services, project) if not found[one.name] else _of_service(one, found[one.name], rows)
        for one in services
        if found[one.name] or not one.optional
    ]
    taken = [name for names in found.values() for name in names]
    others = {one.container or one.name for one in elsewhere}
    here = project or project_of(labels, services)
    members = (name for name in rows if here and labels[name].get(COMPOSE_PROJECT) == here)
    beside = sorted(name for name in members if name not in taken and name not in others)
    return (*told, *(_health(name, rows[name]) for name in beside))


def _labels(listed: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    named = {_name(one): dict(one.get("Labels") or {}) for one in listed}
    return {name: labels for name, labels in named.items() if _ROLE not in labels}


def _missing(service: Service, labels: Listed, services: Sequence[Service], project: str) -> Health:
    said = "There is no container of that name."
    if others := unclaimed(service, labels, services, project):
        there = labels[others[0]].get(COMPOSE_PROJECT) or "no project"
        said += (
            f" {others[0]} has its Compose label, but in {there} and not in {project or 'its project'}, so "
            "it is not taken for it. Where it is this stack's, name it as container in its [[services]] table; where "
            "the stack has moved there, write compose_project into the site's table."
        )
    return Health(service.name, "missing", said, kind=service.kind)


def _of_service(service: Service, found: Sequence[str], rows: Mapping[str, Mapping[str, Any]]) -> Health:
    if len(found) > 1:
        said = f"Its Compose service has the containers {', '.join(found)}; name one in the settings as its container."
        return Health(service.name, "missing", said, kind=service.kind)
    [name] = found
    seen = _health(service.name, rows[name])
    return replace(seen, kind=service.kind, container=name if name != service.name else "")


def _why_killed(client: Any, health: Health) -> Health:
    """Whether the kernel ended it for want of memory: the exit code is the same for whoever kills it.

    Docker's mark says that of any process in the container since its last start. It is not set on every kernel, nor
    where the host itself ran out of memory, so without it nothing is known.
    """
    try:
        state = client.api.inspect_container(health.inside)["State"]
    except NotFound:
        return health
    return replace(health, detail=f"{_KILLED}, out of memory", starved=True) if state.get("OOMKilled") else health


def _name(one: Mapping[str, Any]) -> str:
    names = one.get("Names") or ["/?"]
    return str(names[0]).lstrip("/")


def _health(name: str, one: Mapping[str, Any]) -> Health:
    state, status = str(one.get("State") or ""), str(one.get("Status") or "")
    if state in (*_ENDED, "restarting"):
        # "Exited (137) 5 minutes ago", "Restarting (1) 3 seconds ago": the age would be another every minute.
        code = _CODE.search(status)
        return Health(name, "restarting" if state == "restarting" else "stopped", f"Exited ({code[1]})" if code else "")
    check = _CHECK.search(status)
    return Health(name, check[1] if check and state == "running" else state or "stopped")
