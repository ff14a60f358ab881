"""What the world outside of the stack is to us: PagerDuty and the status page, as values and Protocols.

The adapters are in `workers/`. They are best effort: a recovery never waits for one of them. All methods
raise `Away` where nobody answers for the moment and RecoveryError, with what was seen and what to do,
where the answer was no. Times are aware UTC datetimes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class Paged:
    """An incident as PagerDuty tells it now. `status`: triggered, acknowledged, resolved.

    `service` and `policy` are PagerDuty's ids, `key` is the deduplication key, `level` where the
    escalation stands (1 is the first). `acknowledger` is the name of who acknowledged it last, `changed_at` when its
    status became what it is, where REST tells it.
    """

    id: str
    number: int
    title: str
    status: str
    urgency: str
    service: str
    service_name: str
    url: str
    created_at: datetime
    priority: str = ""
    policy: str = ""
    assignees: tuple[str, ...] = ()
    key: str = ""
    alerts: int = 0
    level: int = 1
    merged_into: str = ""
    acknowledger: str = ""
    changed_at: datetime | None = None


@dataclass(frozen=True)
class OnCall:
    """Somebody on call. `level` 1 is the first to be paged; `until` is None where it has no end."""

    id: str
    name: str
    email: str
    level: int
    policy: str
    until: datetime | None = None


Unread = Callable[[str, str], object]
"""Is told the id of what cannot be read, and why."""


class PagerDuty(Protocol):
    """PagerDuty's REST API. Repeating what is done already is success (error codes 1001 and 1002)."""

    def incident(self, id: str) -> Paged | None:
        """The incident as it stands now, None where PagerDuty has none of that id."""

    def updated_since(self, since: datetime, unread: Unread | None = None) -> Sequence[Paged]:
        """Incidents that were created, or are open, since that moment; the oldest first.

        One that cannot be read is left out, and `unread` is told of it.
        """

    def acknowledge(self, id: str) -> None: ...
    def resolve(self, id: str, resolution: str = "") -> None: ...
    def escalate(self, id: str, level: int) -> None: ...
    def call(self, key: str, title: str, contact: str, text: str = "") -> None:
        """Page one person, or one escalation policy, alone: `contact` is their id. The same key is the same page."""

    def note(self, id: str, text: str) -> None:
        """Add a note. It has no idempotency key: look at `notes` first where the outcome is unknown."""

    def notes(self, id: str) -> Sequence[str]: ...
    def on_call(self, policies: Sequence[str] = ()) -> Sequence[OnCall]:
        """Who is on call now, by policy and level; all policies where none is named."""


class Pager(Protocol):
    """PagerDuty's Events API v2: Mayday itself pages, and takes the page back. Both may be repeated."""

    def trigger(
        self,
        key: str,
        summary: str,
        *,
        severity: str = "critical",
        details: Mapping[str, str] | None = None,
        link: str = "",
    ) -> None: ...
    def resolve(self, key: str) -> None: ...


@dataclass(frozen=True)
class Draft:
    """A status-page update before somebody publishes it.

    `incident` is Mayday's own incident or run id, kept in the page's metadata so that a second attempt
    finds the first. `status`: investigating, identified, monitoring, resolved. `components` maps the
    page's component ids to operational, degraded_performance, partial_outage or major_outage.
    """

    incident: str
    title: str
    status: str
    text: str
    impact: str = "major"
    components: Mapping[str, str] = field(default_factory=dict)
    notify: bool = True


@dataclass(frozen=True)
class Published:
    """What stands on a status page: the page's own id, the address, the status and how many updates."""

    id: str
    url: str
    status: str
    updates: int = 1
    last_text: str = ""


class StatusPage(Protocol):
    """One status page. `publish` creates the incident or adds an update to the one it finds."""

    name: str

    def find(self, incident: str) -> Published | None:
        """What was published for that incident of ours, None where nothing was."""

    def publish(self, draft: Draft) -> Published:
        """Put the update on the page; the same text and status as the last one are not posted twice."""
