"""What a request does to the page."""

from __future__ import annotations

from typing import Any

from lab.statuspage import rules
from lab.statuspage.errors import not_found
from lab.statuspage.world import Incident, Json, Update, World, new_id


def create(world: World, body: Any) -> Incident:
    """A new incident with its first update."""
    given = rules.incident_given(world, body, new=True)
    now = world.now()
    made = Incident(new_id(), given["name"].strip(), "", created_at=now, updated_at=now)
    _take(world, made, {"status": "investigating", **given})
    world.incidents.append(made)
    return made


def update(world: World, id: str, body: Any) -> Incident:
    """Change an incident; with a status or a body in it, that is a new update."""
    found = world.incident(id)
    _take(world, found, rules.incident_given(world, body, new=False))
    return found


def reword(world: World, id: str, update_id: str, body: Any) -> Update:
    """Change the text of an update that stands there."""
    given = rules.incident_given(world, {"incident": (body or {}).get("incident_update")}, new=False)
    found = next((u for u in world.incident(id).updates if u.id == update_id), None)
    if found is None:
        raise not_found()
    found.body = given.get("body", found.body)
    return found


def set_component(world: World, id: str, body: Any) -> None:
    """Change a component by hand."""
    found = world.component(id)
    given = rules.component_given(body)
    for name in ("name", "description", "status"):
        setattr(found, name, given.get(name, getattr(found, name)))
    found.updated_at = world.now()


def _take(world: World, incident: Incident, given: Json) -> None:
    now = world.now()
    incident.name = str(given.get("name") or incident.name).strip()
    incident.impact_override = given.get("impact_override", incident.impact_override)
    incident.metadata |= given.get("metadata") or {}
    statuses: dict[str, str] = given.get("components") or {}
    ids = (*incident.components, *(given.get("component_ids") or ()), *statuses)
    incident.components = list(dict.fromkeys(ids))
    affected = _set_components(world, statuses)
    if "status" in given or "body" in given:
        incident.status = given.get("status") or incident.status
        told = bool(given.get("deliver_notifications", True))
        incident.updates.insert(0, Update(new_id(), incident.status, _text(given), now, told, affected))
    _stamp(incident, now)


def _text(given: Json) -> str:
    return str(given.get("body") or "").replace("\r\n", "\n").strip()


def _set_components(world: World, statuses: dict[str, str]) -> list[Json]:
    affected = []
    for id, status in statuses.items():
        found = world.component(id)
        affected.append({"code": id, "name": found.name, "old_status": found.status, "new_status": status})
        found.status, found.updated_at = status, world.now()
    return affected


def _stamp(incident: Incident, now: str) -> None:
    incident.updated_at = now
    if incident.status == "monitoring":
        incident.monitoring_at = incident.monitoring_at or now
    incident.resolved_at = (incident.resolved_at or now) if incident.status == "resolved" else None
