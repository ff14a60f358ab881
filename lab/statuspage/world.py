"""The state of one status page: components, incidents and their updates."""

from __future__ import annotations

import secrets
import string
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from lab.statuspage.errors import not_found
from lab.statuspage.faults import Faults
from lab.statuspage.limits import Limiter

Json = dict[str, Any]

PAGE = "nself0status"
TOKEN = "practice-statuspage-key"
MAINTENANCE = ("in_progress", "verifying")
_ALPHABET = string.ascii_lowercase + string.digits


@dataclass
class Component:
    """Something that customers know by name. `id` is what settings map a container to."""

    id: str
    name: str
    description: str
    status: str = "operational"
    updated_at: str = ""


@dataclass
class Update:
    """One text under an incident; `affected` is what became of the components with it."""

    id: str
    status: str
    body: str
    at: str
    notified: bool = True
    affected: list[Json] = field(default_factory=list)


@dataclass
class Incident:
    """One incident; the newest update comes first, as Statuspage lists them."""

    id: str
    name: str
    status: str
    created_at: str
    updated_at: str
    impact_override: str | None = None
    metadata: Json = field(default_factory=dict)
    components: list[str] = field(default_factory=list)
    updates: list[Update] = field(default_factory=list)
    monitoring_at: str | None = None
    resolved_at: str | None = None


# Which container of the practice company stands behind which component.
SERVICES = {
    "hasura": ("9qkm4tzw0api", "API", "What the apps speak to"),
    "postgres": ("k3v8hmsg0dat", "Messages", "Channels, messages and their history"),
    "auth": ("w5t2signin0x", "Sign-in", "Accounts and sessions"),
    "redis": ("b7r1live0upd", "Live updates", "Presence and typing"),
    "minio": ("f4p9files0up", "Files", "Uploads and pictures"),
    "meilisearch": ("c2n6search0q", "Search", "Finding old messages"),
    "functions": ("h8d3autom0fn", "Automations", "Reminders and integrations"),
}


def practice_components() -> list[Component]:
    return [Component(id, name, words) for id, name, words in SERVICES.values()]


@dataclass
class World:
    """Everything that one page knows. `changed` is called after each write, to keep it."""

    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    page: str = PAGE
    name: str = "nself"
    token: str = TOKEN
    base_url: str = ""
    components: list[Component] = field(default_factory=practice_components)
    incidents: list[Incident] = field(default_factory=list)
    faults: Faults = field(default_factory=Faults)
    asked: deque[Json] = field(default_factory=lambda: deque(maxlen=500))
    limiter: Limiter = field(init=False)
    changed: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self.limiter = Limiter(lambda: self.clock().timestamp())

    def now(self) -> str:
        return self.clock().astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def incident(self, id: str) -> Incident:
        found = next((i for i in self.incidents if i.id == id), None)
        if found is None:
            raise not_found()
        return found

    def component(self, id: str) -> Component:
        found = next((c for c in self.components if c.id == id), None)
        if found is None:
            raise not_found()
        return found

    def newest_first(self) -> list[Incident]:
        return self.incidents[::-1]

    def unresolved(self) -> list[Incident]:
        return [i for i in self.newest_first() if i.status not in ("resolved", *MAINTENANCE)]

    def maintained(self) -> list[Incident]:
        return [i for i in self.newest_first() if i.status in MAINTENANCE]


def new_id() -> str:
    """Twelve small letters and digits, as Statuspage's ids."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(12))
