"""PagerDuty's REST API as `actions.tools.outside.PagerDuty`.

Facts: developer.pagerduty.com, "REST API v2"; error codes 1001 (already resolved) and 1002 (already
acknowledged) mean that what was asked for holds.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import structlog
from pagerduty import RestApiV2Client

from actions.engine.errors import NOT_READ, Away, RecoveryError, why_not
from actions.settings.outside import PagerDutySettings
from actions.tools.outside import OnCall, Paged, Unread
from actions.wording import shortened
from workers.pagerduty import read_json as read
from workers.pagerduty.call_person import call
from workers.pagerduty.pagerduty_client import SECONDS, error_code, rest_client, speaking, trouble

log = structlog.get_logger("mayday.pagerduty")

_DONE_ALREADY = (1001, 1002)
_CLOCK_SKEW = timedelta(minutes=2)
# Each incident of a list asks for the levels of its policy, and PagerDuty takes 960 calls a minute.
_LEVELS_KEPT = 60.0
_NOTE_AT_MOST = 25_000


class PagerDutyRest:
    """One PagerDuty account. Safe in several threads; all of them together keep the account's rate limit."""

    def __init__(self, settings: PagerDutySettings, clock: Callable[[], datetime], seconds: float = SECONDS) -> None:
        self._client = rest_client(settings, seconds=seconds)
        self._once = rest_client(settings, retries=False, seconds=seconds)
        self._clock, self._settings = clock, settings
        self._levels: dict[str, tuple[float, dict[str, int]]] = {}

    def incident(self, id: str) -> Paged | None:
        with speaking(f"reading incident {id}"):
            answer = self._client.get(_path(id))
        if answer.status_code == 404:
            return None
        if not answer.is_success:
            raise trouble(answer, f"reading incident {id}")
        return self._paged(answer.json()["incident"])

    def updated_since(self, since: datetime, unread: Unread | None = None) -> Sequence[Paged]:
        """What is open now, and what was resolved since then; an incident has changed in no other way."""
        with speaking("listing incidents"):
            found = {str(one.get("id")): one for one in self._incidents("triggered", "acknowledged")}
            found |= {str(one.get("id")): one for one in self._resolved_since(since)}
        return sorted(self._readable(found.values(), unread), key=lambda one: one.created_at)

    def _readable(self, listed: Iterable[dict[str, Any]], unread: Unread | None) -> Iterator[Paged]:
        for one in listed:
            try:
                yield self._paged(one)
            except NOT_READ as trouble:
                log.error("an incident of PagerDuty cannot be read; it is passed over", why=why_not(trouble))
                if unread is not None:
                    unread(str(one.get("id")), why_not(trouble))

    def _incidents(self, *statuses: str, sort_by: str = "created_at:asc") -> Iterator[dict[str, Any]]:
        asked = {"statuses[]": list(statuses), "date_range": "all", "sort_by": sort_by}
        return self._client.iter_all("incidents", params=asked)

    def _resolved_since(self, since: datetime) -> Iterator[dict[str, Any]]:
        for one in self._incidents("resolved", sort_by="resolved_at:desc"):
            resolved = one.get("resolved_at") or one.get("last_status_change_at") or one.get("created_at")
            # PagerDuty's times are cut to whole seconds; with a fraction the rest of that second would be passed over.
            if _before(str(resolved), since.replace(microsecond=0)):
                return
            yield one

    def acknowledge(self, id: str) -> None:
        self._change(self._client, id, f"acknowledging incident {id}", status="acknowledged")

    def resolve(self, id: str, resolution: str = "") -> None:
        said = {"resolution": resolution} if resolution else {}
        self._change(self._client, id, f"resolving incident {id}", status="resolved", **said)

    def escalate(self, id: str, level: int) -> None:
        """Sent once: whoever is on that level would be paged again. Who hears no outcome looks how it stands."""
        self._change(self._once, id, f"escalating incident {id} to level {level}", escalation_level=level)

    def _change(self, client: RestApiV2Client, id: str, doing: str, **what: Any) -> None:
        with speaking(doing):
            answer = client.put(_path(id), json={"incident": {"type": "incident_reference", **what}})
        if not answer.is_success and not ("status" in what and error_code(answer) in _DONE_ALREADY):
            raise trouble(answer, doing)

    def call(self, key: str, title: str, contact: str, text: str = "") -> None:
        call(self._once, self._settings, key, title, contact, text)

    def note(self, id: str, text: str) -> None:
        """Sent once. Where the outcome is unknown, look whether it stands there before calling it a failure."""
        doing, began = f"writing a note on incident {id}", self._clock()
        content = shortened(text, _NOTE_AT_MOST)
        try:
            with speaking(doing):
                answer = self._once.post(f"{_path(id)}/notes", json={"note": {"content": content}})
            if not answer.is_success:
                raise trouble(answer, doing)
        except Away:
            if not self._stands(id, content, began - _CLOCK_SKEW):
                raise

    def _stands(self, id: str, content: str, since: datetime) -> bool:
        return any(one["content"] == content and read.moment(one["created_at"]) >= since for one in self._notes(id))

    def notes(self, id: str) -> Sequence[str]:
        """The notes, oldest first."""
        return [str(one["content"]) for one in reversed(self._notes(id))]

    def _notes(self, id: str) -> list[dict[str, Any]]:
        doing = f"reading the notes of incident {id}"
        with speaking(doing):
            answer = self._client.get(f"{_path(id)}/notes")
        if not answer.is_success:
            raise trouble(answer, doing)
        notes: list[dict[str, Any]] = answer.json()["notes"]
        return notes

    def on_call(self, policies: Sequence[str] = ()) -> Sequence[OnCall]:
        asked: dict[str, Any] = {"include[]": ["users"], "earliest": "true"}
        if policies:
            asked["escalation_policy_ids[]"] = list(policies)
        with speaking("asking who is on call"):
            entries = [read.on_call(one) for one in self._client.iter_all("oncalls", params=asked)]
        unique = {(one.policy, one.level, one.id): one for one in entries}
        return [unique[key] for key in sorted(unique)]

    def _paged(self, incident: dict[str, Any]) -> Paged:
        return read.paged(incident, self._level(incident))

    def _level(self, incident: dict[str, Any]) -> int:
        """How far it was escalated: the level of the policy on which those are who have it."""
        policy = str((incident.get("escalation_policy") or {}).get("id") or "")
        people = [str(one.get("id")) for one in read.assignees(incident)]
        if not policy or not people:
            return 1
        levels = self._levels_of(policy)
        return max((levels.get(person, 1) for person in people), default=1)

    def _levels_of(self, policy: str) -> dict[str, int]:
        at, known = self._levels.get(policy, (-_LEVELS_KEPT, {}))
        if time.monotonic() - at < _LEVELS_KEPT:
            return known
        # The level is a nicety: what was known before will do, and nobody is asked again at once.
        with contextlib.suppress(RecoveryError):
            known = {one.id: one.level for one in reversed(self.on_call((policy,)))}
        self._levels[policy] = (time.monotonic(), known)
        return known


def _before(resolved: str, since: datetime) -> bool:
    """Whether it is older; what cannot be read ends no list."""
    try:
        return read.moment(resolved) < since
    except NOT_READ:
        return False


def _path(id: str) -> str:
    return f"/incidents/{quote(id, safe='')}"
