"""What the practice PagerDuty answers, and what Mayday asks, fits PagerDuty's own descriptions."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from pagerduty import RestApiV2Client

from lab.pagerduty.client import RunningPracticePagerDuty
from lab.pagerduty.company import READ_ONLY_TOKEN
from lab.pagerduty.limits import Limiter
from tests.support.openapi import EVENTS, REST, parameters, request_errors, response_errors
from tests.support.paging import certificates, monitor, pagerduty, rest, settings_for
from tests.support.waiting import now
from workers.pagerduty.events_api import EventsPager
from workers.pagerduty.rest_api import PagerDutyRest
from workers.pagerduty.webhook_subscription import Webhooks

__all__ = ["certificates", "pagerduty"]
pytestmark = pytest.mark.parts
LISTS = (
    "/incidents",
    "/users",
    "/services",
    "/escalation_policies",
    "/priorities",
    "/oncalls",
    "/abilities",
    "/webhook_subscriptions",
    "/status_pages",
)
STATUS_PAGE = ("posts", "statuses", "severities", "impacts", "services")


@pytest.fixture
def incident(pagerduty: RunningPracticePagerDuty) -> str:
    """An incident with everything: alerts, a note, an acknowledgement, a priority."""
    monitor(pagerduty).trigger("Rows vanished", "db01", dedup_key="rows", custom_details={"table": "messages"})
    pagerduty.act("acknowledge")
    pagerduty.act("note", text="Looking")
    pagerduty.act("priority", priority="P1")
    return str(pagerduty.state()["incidents"][0]["id"])


def fits(client: RestApiV2Client, verb: str, path: str, **sent: Any) -> Any:
    """The answer to a request that fits its description, as the answer does; ids are read as placeholders."""
    shape = path
    for name, id in (sent.pop("ids", {})).items():
        path = path.replace(f"{{{name}}}", id)
    answer: httpx.Response = client.request(verb, path, **sent)
    body = answer.json() if answer.content else None
    assert response_errors(REST, verb, shape, answer.status_code, body) == []
    return body


@pytest.mark.parametrize("path", LISTS)
def test_lists_fit(pagerduty: RunningPracticePagerDuty, incident: str, path: str) -> None:
    assert fits(rest(pagerduty), "GET", path, params={"total": "true"})


@pytest.mark.parametrize("status", ["triggered", "acknowledged", "resolved"])
def test_an_incident_fits_in_every_state(pagerduty: RunningPracticePagerDuty, incident: str, status: str) -> None:
    if status == "triggered":
        pagerduty.act("escalate")
    if status == "resolved":
        pagerduty.act("resolve")
    client, ids = rest(pagerduty), {"id": incident}
    assert fits(client, "GET", "/incidents/{id}", ids=ids)["incident"]["status"] == status
    for part in ("notes", "alerts"):
        assert fits(client, "GET", f"/incidents/{{id}}/{part}", ids=ids)[part]


def test_a_merged_incident_fits(pagerduty: RunningPracticePagerDuty) -> None:
    first, second = pagerduty.page("A", count=2)["incidents"]
    sent = {"source_incidents": [{"id": second, "type": "incident_reference"}]}
    assert request_errors(REST, "PUT", "/incidents/{id}/merge", sent) == []
    fits(rest(pagerduty), "PUT", "/incidents/{id}/merge", ids={"id": first}, json=sent)
    assert fits(rest(pagerduty), "GET", "/incidents/{id}", ids={"id": second})["incident"]["resolve_reason"]


@pytest.mark.parametrize(
    ("path", "id"),
    [("/users/{id}", "PDBAONE"), ("/services/{id}", "PSVCREDIS"), ("/escalation_policies/{id}", "PEPOPSX")],
)
def test_single_things_fit(pagerduty: RunningPracticePagerDuty, path: str, id: str) -> None:
    assert fits(rest(pagerduty), "GET", path, ids={"id": id})


def test_errors_fit(pagerduty: RunningPracticePagerDuty, incident: str) -> None:
    wrong = {"json": {"incident": {"type": "incident_reference", "status": "asleep"}}, "ids": {"id": incident}}
    assert fits(rest(pagerduty), "PUT", "/incidents/{id}", **wrong)["error"]["code"] == 2001
    assert fits(rest(pagerduty, READ_ONLY_TOKEN), "PUT", "/incidents/{id}", **wrong)["error"]["code"] == 2010
    nothing = fits(rest(pagerduty), "GET", "/incidents/{id}", ids={"id": "Q0NOTHING"})
    assert nothing["error"]["code"] == 2100
    pagerduty.stand_in.account.rest_limit = Limiter(pagerduty.stand_in.account.clock, 1)
    client = rest(pagerduty)
    client.retry[429] = 1
    client.get("/abilities")
    assert fits(client, "GET", "/abilities")["error"]["code"] == 2020


def test_subscriptions_fit(pagerduty: RunningPracticePagerDuty) -> None:
    made = Webhooks(settings_for(pagerduty)).create("https://mayday.example/pagerduty/webhook")
    client, ids = rest(pagerduty), {"id": made.id}
    assert fits(client, "GET", "/webhook_subscriptions/{id}", ids=ids)["webhook_subscription"]["active"]
    assert fits(client, "POST", "/webhook_subscriptions/{id}/enable", ids=ids)
    fits(client, "POST", "/webhook_subscriptions/{id}/ping", ids=ids)
    changed = {"webhook_subscription": {"active": False}}
    assert fits(client, "PUT", "/webhook_subscriptions/{id}", ids=ids, json=changed)
    fits(client, "DELETE", "/webhook_subscriptions/{id}", ids=ids)


@pytest.mark.parametrize("part", STATUS_PAGE)
def test_status_pages_fit(pagerduty: RunningPracticePagerDuty, part: str) -> None:
    client, ids = rest(pagerduty), {"id": "PSTATUS"}
    update = {
        "type": "status_page_post_update",
        "message": "Looking",
        "notify_subscribers": True,
        "status": {"id": "PSTA001", "type": "status_page_status"},
        "update_frequency_ms": None,
        "severity": {"id": "PSEV003", "type": "status_page_severity"},
        "impacted_services": [],
        "post": {"id": "PNEW", "type": "status_page_post"},
    }
    sent = {
        "post": {
            "type": "status_page_post",
            "title": "Database",
            "post_type": "incident",
            "starts_at": None,
            "ends_at": None,
            "updates": [update],
            "status_page": {"id": "PSTATUS", "type": "status_page"},
        }
    }
    assert request_errors(REST, "POST", "/status_pages/{id}/posts", sent) == []
    post = fits(client, "POST", "/status_pages/{id}/posts", ids=ids, json=sent)["post"]
    assert fits(client, "GET", f"/status_pages/{{id}}/{part}", ids=ids)[part]
    ids |= {"post_id": post["id"]}
    more = "/status_pages/{id}/posts/{post_id}/post_updates"
    assert fits(client, "POST", more, ids=ids, json={"post_update": update})
    assert fits(client, "GET", more, ids=ids)["post_updates"]
    assert fits(client, "GET", "/status_pages/{id}/posts/{post_id}", ids=ids)


def test_answers_of_the_events_api_fit(pagerduty: RunningPracticePagerDuty) -> None:
    client = monitor(pagerduty)
    good = {
        "event_action": "trigger",
        "dedup_key": "k",
        "payload": {"summary": "x", "source": "db01", "severity": "critical"},
    }
    for status, event in ((202, good), (400, good | {"event_action": "shout"})):
        answer = client.post("/v2/enqueue", json=event)
        assert answer.status_code == status
        assert response_errors(EVENTS, "POST", "/enqueue", status, answer.json()) == []


def test_all_that_mayday_asks_fits(pagerduty: RunningPracticePagerDuty) -> None:
    """Each request of the adapters, with its query, its body and its sender."""
    settings = settings_for(pagerduty)
    adapter, pager, hooks = PagerDutyRest(settings, now), EventsPager(settings, now), Webhooks(settings)
    began = now()
    pager.trigger("run 7 failed", "A run failed", details={"run": "7"}, link="https://example.org/thread")
    id = str(pagerduty.state()["incidents"][0]["id"])
    adapter.acknowledge(id)
    adapter.escalate(id, 2)
    adapter.note(id, "Recovered to 14:30:00")
    adapter.resolve(id, "Recovered")
    assert adapter.incident(id)
    assert adapter.updated_since(began)
    assert adapter.notes(id)
    assert adapter.on_call(("PEPOPSX",))
    made = hooks.create("https://mayday.example/pagerduty/webhook", "PSVCPOSTGRES")
    hooks.enable(made.id)
    hooks.ping(made.id)
    assert hooks.all()
    hooks.delete(made.id)
    pager.resolve("run 7 failed")
    calls = list(pagerduty.stand_in.account.calls)
    assert len({(call["verb"], call["route"]) for call in calls}) >= 12
    assert [wrong for call in calls for wrong in _wrong_with(call)] == []


def _wrong_with(call: dict[str, Any]) -> list[str]:
    what = f"{call['verb']} {call['route']}"
    if call["route"] == "/v2/enqueue":
        # Their server's address holds /v2 already.
        return [f"{what} {wrong}" for wrong in request_errors(EVENTS, "POST", "/enqueue", call["body"])]
    taken = parameters(REST, call["verb"], call["route"])
    names = {one["name"] for one in taken if one["in"] == "query"}
    found = [f"query {name}" for name, _ in call["query"] if name not in names]
    if any(one["name"] == "From" for one in taken) and not call["from"]:
        found.append("no From")
    return [f"{what} {wrong}" for wrong in (*found, *request_errors(REST, call["verb"], call["route"], call["body"]))]


def test_a_request_that_does_not_fit_is_noticed() -> None:
    """The check itself can fail."""
    asleep = {"incident": {"type": "incident_reference", "status": "asleep"}}
    assert request_errors(REST, "PUT", "/incidents/{id}", asleep)
    assert response_errors(REST, "GET", "/incidents/{id}", 200, {"incident": {"incident_number": "one"}})
    assert response_errors(REST, "GET", "/incidents/{id}", 418, {})
    assert request_errors(EVENTS, "POST", "/enqueue", {"event_action": "trigger"})
