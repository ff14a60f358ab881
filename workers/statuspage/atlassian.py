"""Atlassian Statuspage.

Our incident's id stands in the incident's metadata, and whatever is published is looked for first. One
request a second for each token; Statuspage has no idempotency keys (its OpenAPI description, 2026-07).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from actions.engine.errors import RecoveryError
from actions.incidents.public_text import stands
from actions.tools.outside import Draft, Published
from workers.statuspage.before import MAINTAINED, Before, restored, taken
from workers.statuspage.rest import Doubt, Rest

_TRIES = 3
_MOST = 100
_PAGES = 50
"""No status page has so many; one that answers the same page for ever is left."""
_DOUBLE = "This report was made twice by mistake. Please see the other one."


class _Update(BaseModel):
    body: str | None = ""


class _Component(BaseModel):
    id: str
    name: str = ""
    status: str = ""


class _Incident(BaseModel):
    id: str
    name: str = ""
    status: str
    created_at: str = ""
    shortlink: str | None = ""
    metadata: dict[str, Any] | None = None
    components: list[_Component] | None = None
    incident_updates: list[_Update] | None = None

    @property
    def ours(self) -> str:
        """Mayday's own id in the metadata, empty for somebody else's incident."""
        mine = (self.metadata or {}).get("mayday")
        return str(mine.get("incident", "")) if isinstance(mine, dict) else ""

    @property
    def before(self) -> dict[str, Before]:
        """What the components were before ours touched them, as far as they were not well."""
        mine = (self.metadata or {}).get("mayday")
        kept = mine.get("before") if isinstance(mine, dict) else None
        return _BEFORE.validate_python(kept or {})

    @property
    def touched(self) -> dict[str, str]:
        return {c.id: c.status for c in self.components or ()}


_T = TypeVar("_T")
_INCIDENT = TypeAdapter(_Incident)
_INCIDENTS = TypeAdapter(list[_Incident])
_COMPONENTS = TypeAdapter(list[_Component])
_BEFORE = TypeAdapter(dict[str, Before])


class AtlassianPage:
    """One page. `public_url` is where customers see it, for incidents whose answer names no link."""

    name = "Statuspage"

    def __init__(self, rest: Rest, page: str, public_url: str = "") -> None:
        self._rest, self._page, self._public_url = rest, f"pages/{page}", public_url.rstrip("/")

    def find(self, incident: str) -> Published | None:
        """What was published for it: the unresolved one, else the one that was resolved lately."""
        found = self._ours(incident, self._unresolved())
        return self._published(found[0]) if found else None

    def publish(self, draft: Draft) -> Published:
        """Create the incident or add the update, once; doubt about an attempt is settled by looking."""
        for _ in range(_TRIES - 1):
            try:
                return self._put(draft)
            except Doubt:
                continue
        return self._put(draft)

    def components(self) -> dict[str, str]:
        """The page's components, by id."""
        return {c.id: c.name for c in self._all("components", _COMPONENTS)}

    def close(self) -> None:
        """Close its connections."""
        self._rest.close()

    def _put(self, draft: Draft) -> Published:
        others = self._unresolved()
        found = self._ours(draft.incident, others)
        if not found:
            before = self._before(draft, None, others)
            body = {"incident": self._fields(draft, dict(draft.components), before)}
            made = self._one(self._rest.send("POST", f"{self._page}/incidents", body))
            # Looked at again: another worker, or a proxy that sends twice, may have made one as well.
            others = self._unresolved()
            found = self._ours(draft.incident, others) or [made]
        first, *doubles = found
        for double in doubles:
            self._close_double(double)
        return self._published(self._bring_up_to_date(first, draft, others))

    def _bring_up_to_date(self, there: _Incident, draft: Draft, unresolved: Sequence[_Incident]) -> _Incident:
        before = self._before(draft, there, unresolved)
        wanted = self._components_of(there, draft, unresolved, before)
        now = there.touched
        settled = all(now.get(id) == status for id, status in wanted.items())
        said = stands(draft, self._published(there))
        if said and settled:
            return there
        fields = self._fields(draft, wanted, before)
        if said:
            fields = {name: fields[name] for name in ("components", "metadata")}
        fields["component_ids"] = list(dict.fromkeys((*now, *wanted)))
        return self._one(self._rest.send("PATCH", f"{self._page}/incidents/{there.id}", {"incident": fields}))

    def _components_of(
        self, there: _Incident, draft: Draft, unresolved: Sequence[_Incident], before: dict[str, Before]
    ) -> dict[str, str]:
        """What becomes of the components. Resolving sets them back, but for those that another incident holds."""
        if draft.status != "resolved":
            return dict(draft.components)
        others = [other for other in unresolved if other.ours != draft.incident]
        others += self._maintenances() if before else []
        return restored((*there.touched, *draft.components), before, others)

    def _before(self, draft: Draft, there: _Incident | None, unresolved: Sequence[_Incident]) -> dict[str, Before]:
        """What its components were before: as it was noted, and of those that it touches only now as they are."""
        over = there is None or there.status == "resolved"
        if there is not None and draft.status == "resolved":
            return there.before
        known, held = ({}, {}) if there is None or over else (there.before, there.touched)
        fresh = [id for id in draft.components if id not in held]
        if not fresh:
            return known
        now = {one.id: one.status for one in self._all("components", _COMPONENTS)}
        others = [other for other in unresolved if other.ours != draft.incident]
        others += self._maintenances() if MAINTAINED in map(now.get, fresh) else []
        return known | taken(fresh, now, others)

    def _maintenances(self) -> list[_Incident]:
        return self._all("incidents/active_maintenance", _INCIDENTS)

    @staticmethod
    def _fields(draft: Draft, components: dict[str, str], before: dict[str, Before]) -> dict[str, Any]:
        # How bad it was stays on the record when it is over.
        impact = {} if draft.status == "resolved" else {"impact_override": draft.impact}
        kept = {"before": {id: was.model_dump() for id, was in before.items()}} if before else {}
        return {
            "name": draft.title,
            "status": draft.status,
            "body": draft.text,
            "deliver_notifications": draft.notify,
            "components": components,
            "component_ids": list(components),
            "metadata": {"mayday": {"incident": draft.incident, **kept}},
            **impact,
        }

    def _close_double(self, double: _Incident) -> None:
        if double.status != "resolved":
            fields = {"status": "resolved", "body": _DOUBLE, "deliver_notifications": False}
            self._rest.send("PATCH", f"{self._page}/incidents/{double.id}", {"incident": fields})

    def _unresolved(self) -> list[_Incident]:
        return self._all("incidents/unresolved", _INCIDENTS)

    def _ours(self, incident: str, unresolved: Sequence[_Incident]) -> list[_Incident]:
        """Ours, the oldest first: so everybody who looks goes on with the same one."""
        ours = [i for i in unresolved if i.ours == incident]
        if not ours:
            recent = self._read(_INCIDENTS, self._rest.get(f"{self._page}/incidents", limit=_MOST))
            ours = [i for i in recent if i.ours == incident]
        return sorted(ours, key=lambda i: (i.created_at, i.id))

    def _published(self, found: _Incident) -> Published:
        updates = found.incident_updates or []
        url = found.shortlink or (f"{self._public_url}/incidents/{found.id}" if self._public_url else "")
        return Published(found.id, url, found.status, len(updates), (updates[0].body or "") if updates else "")

    def _all(self, what: str, kind: TypeAdapter[list[_T]]) -> list[_T]:
        """A list to its last page, which is the first one that is not full."""
        found: list[_T] = []
        for page in range(1, _PAGES + 1):
            part = self._read(kind, self._rest.get(f"{self._page}/{what}", per_page=_MOST, page=page))
            found += part
            if len(part) < _MOST:
                break
        return found

    def _one(self, answer: Any) -> _Incident:
        return self._read(_INCIDENT, answer)

    @staticmethod
    def _read(kind: TypeAdapter[_T], answer: Any) -> _T:
        try:
            return kind.validate_python(answer)
        except ValidationError as odd:
            raise RecoveryError(
                "Statuspage answered something unknown.",
                code="MD-SP-002",
                detail=str(odd)[:300],
                hint="Check `statuspage.api_url` in the settings.",
            ) from odd
