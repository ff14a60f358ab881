"""What is read of PagerDuty's JSON, where parts of it are left empty; what is asked of its webhook."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from workers.pagerduty.read_json import assignees, paged
from workers.pagerduty.webhook_subscription import EVENTS, Hooked, subscription_hint

INCIDENT = {"id": "P1", "created_at": "2026-11-22T14:00:00Z", "last_status_change_at": "2026-11-22T14:05:00Z"}


@pytest.mark.parametrize("nobody", [[], None, [None], [{}], [{"assignee": None}]])
def test_no_assignee_is_nobody(nobody: Any) -> None:
    told = {**INCIDENT, "assignments": nobody}
    assert paged(told).assignees == ()
    assert assignees(told) == []


def test_since_when_it_stands_so_is_when_it_was_resolved_or_its_status_changed() -> None:
    assert paged(INCIDENT).changed_at == datetime(2026, 11, 22, 14, 5, tzinfo=UTC)
    resolved = {**INCIDENT, "status": "resolved", "resolved_at": "2026-11-22T14:09:00Z"}
    assert paged(resolved).changed_at == datetime(2026, 11, 22, 14, 9, tzinfo=UTC)
    assert paged({"id": "P1", "created_at": INCIDENT["created_at"]}).changed_at is None


def test_a_subscription_that_is_older_than_an_event_is_named() -> None:
    assert "incident.service_updated" in EVENTS
    old = Hooked("PHOOK", "https://mayday.example/pagerduty/webhook", True, False, ("incident.service_updated",))
    assert (old.works, old.ails) == (False, "not told of incident.service_updated")
    assert "--renew" in subscription_hint(old)
