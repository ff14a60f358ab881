"""Paging one person or one escalation policy alone: an incident made by REST, since an event goes by its service.

Facts: developer.pagerduty.com, "Create an Incident": a service is required, assignments and a policy exclude each
other, and an open incident of the same `incident_key` refuses a second one.
"""

from __future__ import annotations

from typing import Any

from actions.engine.errors import RecoveryError
from actions.redact import excerpt, redact
from actions.settings.outside import PagerDutySettings
from actions.wording import shortened
from workers.pagerduty.pagerduty_client import speaking, trouble

_TITLE_AT_MOST = 1024


def call(client: Any, settings: PagerDutySettings, key: str, title: str, contact: str, text: str) -> None:
    """Page them; an open page of that key stands already and is left as it is.

    Raises:
        RecoveryError: PagerDuty has no service to make it for, or said no.
    """
    doing = f"paging {contact}"
    if _stands(client, key):
        return
    asked = {
        "type": "incident",
        "title": shortened(redact(title), _TITLE_AT_MOST),
        "incident_key": key,
        "urgency": "high",
        "service": {"id": _service(client, settings), "type": "service_reference"},
        "body": {"type": "incident_body", "details": excerpt(text)},
        **_whom(client, contact),
    }
    with speaking(doing):
        answer = client.post("/incidents", json={"incident": asked})
    # An answer that was lost: the incident may stand all the same.
    if not answer.is_success and not _stands(client, key):
        raise trouble(answer, doing)


def _stands(client: Any, key: str) -> bool:
    wanted = {"incident_key": key, "statuses[]": ["triggered", "acknowledged"], "date_range": "all"}
    with speaking("looking for a page"):
        return any(True for _ in client.iter_all("incidents", params=wanted))


def _whom(client: Any, contact: str) -> dict[str, Any]:
    """A contact's id may be a user's or a policy's; PagerDuty knows which."""
    with speaking("looking a contact up"):
        person = client.get(f"/users/{contact}").is_success
    if person:
        return {"assignments": [{"assignee": {"id": contact, "type": "user_reference"}}]}
    return {"escalation_policy": {"id": contact, "type": "escalation_policy_reference"}}


def _service(client: Any, settings: PagerDutySettings) -> str:
    """Whichever service: who is paged does not depend on it. One that the settings name by its id comes first."""
    with speaking("listing the services"):
        known = [str(one["id"]) for one in client.iter_all("services")]
    found = next((one for one in known if one in settings.services), next(iter(known), ""))
    if not found:
        raise RecoveryError(
            "PagerDuty has no service, so nobody can be paged.",
            code="MD-PD-004",
            detail="GET /services is empty.",
            hint="Make a service in PagerDuty, or call by phone.",
        )
    return found
