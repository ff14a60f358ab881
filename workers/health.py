"""How the containers of a site are, from one question to Docker."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from actions.incidents.condition import Health
from actions.tools import Site
from workers.daemon import speaking

_PROJECT, _ROLE = "com.docker.compose.project", "mayday.role"
_CHECK = re.compile(r"\((?:health: )?(healthy|unhealthy|starting)\)")
_ENDED = ("exited", "created", "dead", "removing")


def look(client: Any, site: Site) -> tuple[Health, ...]:
    """The site's containers: those that the settings name, and those of the same Compose project or name.

    Raises:
        RecoveryError: Docker does not answer.
    """
    with speaking("looking at the containers of the site"):
        listed = client.api.containers(all=True)
    return healths(listed, site)


def healths(listed: Sequence[Mapping[str, Any]], site: Site) -> tuple[Health, ...]:
    """The same, from what Docker listed; what a run made beside the stack is left out."""
    found = {_name(one): one for one in listed if _ROLE not in (one.get("Labels") or {})}
    project = _project(found.get(site.postgres))
    first, dash, _ = site.postgres.rpartition("-")
    named = (site.postgres, *site.writers)
    mine = [name for name, one in found.items()
            if (project and _project(one) == project) or (dash and name.startswith(f"{first}-"))]  # fmt: skip
    wanted = dict.fromkeys((*named, *sorted(mine)))
    return tuple(_health(name, found.get(name)) for name in wanted)


def _name(one: Mapping[str, Any]) -> str:
    names = one.get("Names") or ["/?"]
    return str(names[0]).lstrip("/")


def _project(one: Mapping[str, Any] | None) -> str:
    return str(((one or {}).get("Labels") or {}).get(_PROJECT) or "")


def _health(name: str, one: Mapping[str, Any] | None) -> Health:
    if one is None:
        return Health(name, "missing", "There is no container of that name.")
    state, status = str(one.get("State") or ""), str(one.get("Status") or "")
    if state in _ENDED:
        # "Exited (137) 5 minutes ago": the age would be another every minute.
        return Health(name, "stopped", status.partition(")")[0] + ")" if ")" in status else "")
    check = _CHECK.search(status)
    return Health(name, check[1] if check and state == "running" else state or "stopped")
