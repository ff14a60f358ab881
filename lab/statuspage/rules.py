"""What Statuspage accepts in a body; everything else is refused with 422 and says why."""

from __future__ import annotations

from typing import Any

from lab.statuspage.errors import Refusal
from lab.statuspage.world import Json, World

STATUSES = ("investigating", "identified", "monitoring", "resolved")
IMPACTS = ("none", "maintenance", "minor", "major", "critical")
COMPONENT_STATUSES = ("operational", "under_maintenance", "degraded_performance", "partial_outage", "major_outage")
NAME_LIMIT = 255
BODY_LIMIT = 25_000


def incident_given(world: World, body: Any, *, new: bool) -> Json:
    """The incident in a body.

    Raises:
        Refusal: 422 with everything that is wrong, 400 where there is no incident in it.
    """
    given = _inner(body, "incident")
    wrong = [*_name(given, new), *_words(given), *_components(world, given), *_metadata(given)]
    if wrong:
        raise Refusal(422, *wrong)
    return given


def component_given(body: Any) -> Json:
    """The component in a body."""
    given = _inner(body, "component")
    if "status" in given and given["status"] not in COMPONENT_STATUSES:
        raise Refusal(422, "Status is not included in the list")
    if "name" in given and not given["name"]:
        raise Refusal(422, "Name can't be blank")
    return given


def _inner(body: Any, name: str) -> Json:
    given = body.get(name) if isinstance(body, dict) else None
    if not isinstance(given, dict):
        raise Refusal(400, f"param is missing or the value is empty: {name}")
    return given


def _name(given: Json, new: bool) -> list[str]:
    if (new or "name" in given) and not str(given.get("name") or "").strip():
        return ["Name can't be blank"]
    too_long = len(str(given.get("name") or "")) > NAME_LIMIT
    return [f"Name is too long (maximum is {NAME_LIMIT} characters)"] if too_long else []


def _words(given: Json) -> list[str]:
    wrong = []
    if given.get("status", "investigating") not in STATUSES:
        wrong.append("Status is not included in the list")
    if given.get("impact_override") not in (None, *IMPACTS):
        wrong.append("Impact override is not included in the list")
    if len(str(given.get("body") or "")) > BODY_LIMIT:
        wrong.append(f"Body is too long (maximum is {BODY_LIMIT} characters)")
    if not isinstance(given.get("deliver_notifications", True), bool):
        wrong.append("Deliver notifications is not included in the list")
    return wrong


def _components(world: World, given: Json) -> list[str]:
    statuses, ids = given.get("components", {}), given.get("component_ids", [])
    if not isinstance(statuses, dict) or not isinstance(ids, list):
        return ["Components must be a map of ids to statuses, component_ids a list of ids"]
    known = {c.id for c in world.components}
    wrong = [f"Component {id} could not be found" for id in dict.fromkeys((*statuses, *ids)) if id not in known]
    bad = any(status not in COMPONENT_STATUSES for status in statuses.values())
    return [*wrong, *(["Component status is not included in the list"] if bad else [])]


def _metadata(given: Json) -> list[str]:
    metadata = given.get("metadata", {})
    fits = isinstance(metadata, dict) and all(isinstance(value, dict) for value in metadata.values())
    return [] if fits else ["Metadata must be an object whose top-level values are objects"]
