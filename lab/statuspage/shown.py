"""Incidents and components in the shapes that Statuspage answers with."""

from __future__ import annotations

from lab.statuspage.world import Component, Incident, Json, Update, World

_IMPACT_OF = {
    "major_outage": "critical",
    "partial_outage": "major",
    "degraded_performance": "minor",
    "under_maintenance": "maintenance",
}
_ORDER = ("none", "maintenance", "minor", "major", "critical")


def component(world: World, one: Component) -> Json:
    return {
        "id": one.id,
        "page_id": world.page,
        "name": one.name,
        "description": one.description,
        "status": one.status,
        "position": world.components.index(one) + 1,
        "group": False,
        "showcase": True,
        "only_show_if_degraded": False,
        "updated_at": one.updated_at or world.now(),
    }


def incident(world: World, one: Incident) -> Json:
    more = {"impact_override": one.impact_override} if one.impact_override else {}
    times = {"monitoring_at": one.monitoring_at, "resolved_at": one.resolved_at}
    return {
        "id": one.id,
        "page_id": world.page,
        "name": one.name,
        "status": one.status,
        "impact": impact(one),
        "created_at": one.created_at,
        "updated_at": one.updated_at,
        "metadata": one.metadata,
        "shortlink": f"{world.base_url}/incidents/{one.id}",
        "components": [component(world, world.component(id)) for id in one.components],
        "incident_updates": [update(one, each) for each in one.updates],
        **more,
        **{name: at for name, at in times.items() if at},
    }


def update(of: Incident, one: Update) -> Json:
    return {
        "id": one.id,
        "incident_id": of.id,
        "status": one.status,
        "body": one.body,
        "created_at": one.at,
        "updated_at": one.at,
        "display_at": one.at,
        "deliver_notifications": one.notified,
        "affected_components": one.affected,
    }


def impact(one: Incident) -> str:
    """How bad it is: what somebody said, else the worst that became of a component."""
    if one.impact_override:
        return one.impact_override
    seen = [_IMPACT_OF.get(a["new_status"], "none") for u in one.updates for a in u.affected]
    return max(seen, key=_ORDER.index, default="none")


def public(world: World) -> Json:
    """What the public sees: whether all is well, the components, the incidents, the newest first."""
    return {
        "page": {"id": world.page, "name": world.name, "url": world.base_url},
        "status": {"indicator": indicator(world), "description": DESCRIPTIONS[indicator(world)]},
        "components": [
            {"id": c.id, "name": c.name, "description": c.description, "status": c.status} for c in world.components
        ],
        "incidents": [_public_incident(world, i) for i in world.newest_first()],
    }


def _public_incident(world: World, one: Incident) -> Json:
    return {
        "id": one.id,
        "name": one.name,
        "status": one.status,
        "impact": impact(one),
        "created_at": one.created_at,
        "resolved_at": one.resolved_at,
        "url": f"{world.base_url}/incidents/{one.id}",
        "metadata": one.metadata,
        "components": [world.component(id).name for id in one.components],
        "updates": [{"status": u.status, "body": u.body, "at": u.at, "notified": u.notified} for u in one.updates],
    }


DESCRIPTIONS = {
    "none": "All services work",
    "maintenance": "Under maintenance",
    "minor": "Some services are slow",
    "major": "Some services do not work fully",
    "critical": "Some services are down",
}


def indicator(world: World) -> str:
    """The worst of the components now and of what is not resolved yet."""
    now = [_IMPACT_OF.get(c.status, "none") for c in world.components]
    return max([*now, *(impact(i) for i in world.unresolved())], key=_ORDER.index, default="none")
