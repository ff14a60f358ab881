"""How the containers of a site are, from one question to Docker."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from docker.errors import NotFound

from actions.settings.site import Site
from actions.watch.service_condition import Health
from workers.docker.errors import speaking

_PROJECT, _ROLE = "com.docker.compose.project", "mayday.role"
_CHECK = re.compile(r"\((?:health: )?(healthy|unhealthy|starting)\)")
_ENDED = ("exited", "created", "dead", "removing")
_CODE = re.compile(r"\((\d+)\)")
_KILLED = "Exited (137)"


def look(client: Any, site: Site) -> tuple[Health, ...]:
    """The site's containers: those that the settings name, and those of the same Compose project or name.

    Raises:
        RecoveryError: Docker does not answer.
    """
    with speaking("looking at the containers of the site"):
        found = healths(client.api.containers(all=True), site)
        return tuple(_why_killed(client, one) if one.detail == _KILLED else one for one in found)


def healths(listed: Sequence[Mapping[str, Any]], site: Site) -> tuple[Health, ...]:
    """The same, from what Docker listed; what a run made beside the stack is left out."""
    found = {_name(one): one for one in listed if _ROLE not in (one.get("Labels") or {})}
    project = _project(found.get(site.postgres))
    first, dash, _ = site.postgres.rpartition("-")
    named = (site.postgres, *site.writers)
    mine = [
        name
        for name, one in found.items()
        if (project and _project(one) == project) or (dash and name.startswith(f"{first}-"))
    ]
    wanted = dict.fromkeys((*named, *sorted(mine)))
    return tuple(_health(name, found.get(name)) for name in wanted)


def _why_killed(client: Any, health: Health) -> Health:
    """Whether the kernel ended it for want of memory: the exit code is the same for whoever kills it.

    Docker's mark says that of any process in the container since its last start. It is not set on every kernel, nor
    where the host itself ran out of memory, so without it nothing is known.
    """
    try:
        state = client.api.inspect_container(health.service)["State"]
    except NotFound:
        return health
    return replace(health, detail=f"{_KILLED}, out of memory", starved=True) if state.get("OOMKilled") else health


def _name(one: Mapping[str, Any]) -> str:
    names = one.get("Names") or ["/?"]
    return str(names[0]).lstrip("/")


def _project(one: Mapping[str, Any] | None) -> str:
    return str(((one or {}).get("Labels") or {}).get(_PROJECT) or "")


def _health(name: str, one: Mapping[str, Any] | None) -> Health:
    if one is None:
        return Health(name, "missing", "There is no container of that name.")
    state, status = str(one.get("State") or ""), str(one.get("Status") or "")
    if state in (*_ENDED, "restarting"):
        # "Exited (137) 5 minutes ago", "Restarting (1) 3 seconds ago": the age would be another every minute.
        code = _CODE.search(status)
        return Health(name, "restarting" if state == "restarting" else "stopped", f"Exited ({code[1]})" if code else "")
    check = _CHECK.search(status)
    return Health(name, check[1] if check and state == "running" else state or "stopped")
