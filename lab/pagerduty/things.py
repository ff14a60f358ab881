"""What PagerDuty keeps: incidents with alerts and notes, webhook subscriptions, status-page posts.

Times are seconds since 1970. Everything here can be written as JSON and read again.
"""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

Json = dict[str, Any]
Status = Literal["triggered", "acknowledged", "resolved"]
_ALPHABET = string.ascii_uppercase + string.digits


def new_id(first: str = "Q") -> str:
    """An id as PagerDuty makes them."""
    return first + "".join(secrets.choice(_ALPHABET) for _ in range(13))


def as_time(seconds: float | None) -> str | None:
    """ISO 8601 in UTC, to the second as REST gives it; None stays None."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Alert:
    """One problem that a monitor reported; `triggers` counts how often it did."""

    id: str
    key: str
    summary: str
    severity: str
    created_at: float
    status: Literal["triggered", "resolved"] = "triggered"
    source: str = ""
    details: Json = field(default_factory=dict)
    client_url: str = ""
    triggers: int = 1


@dataclass
class Note:
    """What somebody wrote on an incident; `user` is their id."""

    id: str
    user: str
    content: str
    created_at: float


@dataclass
class Incident:
    """An incident. `key` deduplicates; `level` is the escalation level that was reached last."""

    id: str
    number: int
    title: str
    service: str
    policy: str
    key: str
    created_at: float
    status: Status = "triggered"
    urgency: str = "high"
    priority: str = ""
    level: int = 1
    updated_at: float = 0.0
    changed_at: float = 0.0
    changed_by: Json | None = None
    resolved_at: float | None = None
    assigned: list[str] = field(default_factory=list)
    acknowledged: list[tuple[str, float]] = field(default_factory=list)
    merged_into: str = ""
    alerts: list[Alert] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        return self.status != "resolved"

    def alert_of(self, key: str) -> Alert | None:
        return next((a for a in self.alerts if a.key == key and a.status == "triggered"), None)


@dataclass
class Subscription:
    """Where webhooks go. Several `secrets` sign side by side while one replaces the other."""

    id: str
    url: str
    secrets: list[str]
    events: list[str]
    filter: Json
    description: str = ""
    active: bool = True
    temporarily_disabled: bool = False
    disabled_until: float = 0.0
    drops: int = 0
    custom_headers: list[Json] = field(default_factory=list)

    def wants(self, event_type: str, service: str) -> bool:
        if event_type not in self.events or not self.active:
            return False
        return self.filter.get("type") != "service_reference" or self.filter.get("id") == service


@dataclass
class Post:
    """A post on PagerDuty's own status page, with its updates as they were sent."""

    id: str
    page: str
    title: str
    post_type: str
    starts_at: str | None
    ends_at: str | None
    updates: list[Json] = field(default_factory=list)
