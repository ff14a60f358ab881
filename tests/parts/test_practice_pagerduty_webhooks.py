"""The webhooks of the practice PagerDuty: signed, in order, again and again; and on bad days otherwise."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.pagerduty import webhooks
from lab.pagerduty.client import RunningPracticePagerDuty, running_practice_pagerduty
from lab.pagerduty.company import WEBHOOK_SECRET
from lab.pagerduty.server import AT_START
from tests.support.paging import Listener, certificates, eventually, listener, pagerduty, rest

__all__ = ["certificates", "listener", "pagerduty"]
pytestmark = pytest.mark.parts


@pytest.fixture
def told(certificates: Path, listener: Listener) -> Iterator[RunningPracticePagerDuty]:
    """A practice PagerDuty that was started with the listener's address."""
    with running_practice_pagerduty(certificates, webhook=listener.url) as running:
        yield running


def signed(listener: Listener, n: int, secret: str) -> bool:
    given = [part.removeprefix("v1=") for part in listener.headers[n]["x-pagerduty-signature"].split(",")]
    return hmac.new(secret.encode(), listener.bodies[n], hashlib.sha256).hexdigest() in given


def state_of(told: RunningPracticePagerDuty) -> dict[str, Any]:
    return dict(told.state()["subscriptions"][0])


def test_an_event_is_signed_and_says_what_happened(told: RunningPracticePagerDuty, listener: Listener) -> None:
    [id] = told.page("Rows vanished")["incidents"]
    eventually(lambda: listener.bodies)
    [event] = listener.events
    assert (event["event_type"], event["resource_type"]) == ("incident.triggered", "incident")
    assert (event["data"]["id"], event["data"]["number"], event["data"]["status"]) == (id, 1, "triggered")
    assert event["data"]["service"]["summary"] == "nself-postgres"
    assert [a["summary"] for a in event["data"]["assignees"]] == ["Olga Nowak"]
    assert event["occurred_at"].endswith("Z")
    assert signed(listener, 0, WEBHOOK_SECRET)
    assert not signed(listener, 0, "another secret")
    assert listener.headers[0]["x-webhook-subscription"] == AT_START


def test_the_events_of_an_incident_come_in_order(told: RunningPracticePagerDuty, listener: Listener) -> None:
    listener.pause = 0.05
    told.page("Rows vanished")
    told.act("acknowledge")
    told.act("note", text="Looking")
    told.act("escalate")
    told.act("priority", priority="P1")
    told.act("resolve")
    told.act("reopen")
    wanted = ["triggered", "acknowledged", "annotated", "escalated", "priority_updated", "resolved", "reopened"]
    eventually(lambda: listener.types == wanted)
    note = listener.events[2]["data"]
    assert (note["type"], note["content"], note["trimmed"]) == ("incident_note", "Looking", False)
    assert listener.events[1]["agent"]["summary"] == "Olga Nowak"


@pytest.mark.parametrize("status", [500, 503, 429])
def test_who_is_busy_is_told_again(told: RunningPracticePagerDuty, listener: Listener, status: int) -> None:
    listener.answers = [status]
    told.page("Rows vanished")
    told.act("acknowledge")
    eventually(lambda: listener.types == ["triggered", "triggered", "acknowledged"])
    assert listener.bodies[0] == listener.bodies[1]
    assert listener.headers[0]["x-webhook-id"] == listener.headers[1]["x-webhook-id"]
    # A delivery is noted once its answer has come back.
    eventually(lambda: [d["attempt"] for d in told.deliveries()] == [1, 2, 1])


@pytest.mark.parametrize("status", [400, 404, 408, 413])
def test_another_no_is_taken_for_one(told: RunningPracticePagerDuty, listener: Listener, status: int) -> None:
    listener.answers = [status]
    told.page("Rows vanished")
    told.act("acknowledge")
    eventually(lambda: listener.types == ["triggered", "acknowledged"])
    eventually(lambda: told.state()["undelivered"] == 0)
    assert state_of(told)["drops"] == 0


def test_nobody_there_is_told_once_somebody_is(certificates: Path, listener: Listener) -> None:
    with running_practice_pagerduty(certificates, webhook="http://127.0.0.1:9/pagerduty/webhook") as alone:
        alone.page("Rows vanished")
        eventually(lambda: alone.deliveries())
        assert alone.state()["undelivered"] == 1
        alone.stand_in.account.subscriptions[AT_START].url = listener.url
        eventually(lambda: listener.types == ["triggered"])
        eventually(lambda: alone.state()["undelivered"] == 0)


def test_what_nobody_took_is_told_after_a_restart(certificates: Path, listener: Listener, tmp_path: Path) -> None:
    nobody, kept = "http://127.0.0.1:9/pagerduty/webhook", tmp_path / "pagerduty.json"
    with running_practice_pagerduty(certificates, webhook=nobody, keep_in=kept) as before:
        before.page("Rows vanished")
        before.act("acknowledge")
        eventually(lambda: before.deliveries())
    with running_practice_pagerduty(certificates, webhook=listener.url, keep_in=kept) as after:
        eventually(lambda: listener.types == ["triggered", "acknowledged"])
        eventually(lambda: after.state()["undelivered"] == 0)
        assert signed(listener, 0, WEBHOOK_SECRET)


def test_three_refusals_in_a_row_switch_the_subscription_off(
    told: RunningPracticePagerDuty, listener: Listener
) -> None:
    listener.answers = [401, 401, 202, 404, 404, 404]
    for n in range(6):
        told.page(f"Page {n}")
        eventually(lambda n=n: len(listener.bodies) == n + 1)
        eventually(lambda: told.state()["undelivered"] == 0)
    assert state_of(told)["temporarily_disabled"]
    told.page("Not told")
    assert rest(told).rget(f"/webhook_subscriptions/{AT_START}")["delivery_method"]["temporarily_disabled"]
    rest(told).post(f"/webhook_subscriptions/{AT_START}/enable")
    told.page("Told again")
    eventually(lambda: len(listener.bodies) == 7)
    assert listener.events[-1]["data"]["title"] == "Told again"


def test_a_day_later_it_is_on_again(told: RunningPracticePagerDuty, listener: Listener) -> None:
    subscription = told.stand_in.account.subscriptions[AT_START]
    subscription.temporarily_disabled, subscription.disabled_until = True, time.time() - 1
    told.page("Rows vanished")
    eventually(lambda: listener.types == ["triggered"])
    assert not state_of(told)["temporarily_disabled"]
    assert webhooks.DISABLED_FOR == 24 * 3600


def test_out_of_order_means_the_newest_first(told: RunningPracticePagerDuty, listener: Listener) -> None:
    told.page("Rows vanished", out_of_order=True)
    eventually(lambda: listener.types == ["acknowledged", "triggered"])
    told.page("Rows vanished", out_of_order=True, then="resolve")
    eventually(lambda: listener.types[2:] == ["resolved", "triggered"])
    assert listener.events[2]["occurred_at"] >= listener.events[3]["occurred_at"]


def test_twice_means_the_same_to_the_byte(told: RunningPracticePagerDuty, listener: Listener) -> None:
    told.fault("twice")
    told.page("Rows vanished")
    eventually(lambda: len(listener.bodies) == 2)
    assert listener.bodies[0] == listener.bodies[1]
    assert listener.headers[0]["x-webhook-id"] == listener.headers[1]["x-webhook-id"]


def test_down_holds_the_webhooks_until_it_is_over(told: RunningPracticePagerDuty, listener: Listener) -> None:
    told.fault("down")
    told.page("Rows vanished")
    assert rest(told).get("/incidents").status_code == 503
    time.sleep(0.5)
    assert not listener.bodies
    told.fault("off")
    eventually(lambda: listener.types == ["triggered"])


def test_while_secrets_rotate_both_sign(told: RunningPracticePagerDuty, listener: Listener) -> None:
    new = told.rotate(AT_START)["secret"]
    told.page("Rows vanished")
    eventually(lambda: listener.bodies)
    assert signed(listener, 0, WEBHOOK_SECRET)
    assert signed(listener, 0, new)
    told.rotate(AT_START, finish=True)
    told.page("Rows vanished again")
    eventually(lambda: len(listener.bodies) == 2)
    assert signed(listener, 1, new)
    assert not signed(listener, 1, WEBHOOK_SECRET)


def test_a_subscription_is_made_by_rest_and_told_its_secret_once(
    pagerduty: RunningPracticePagerDuty, listener: Listener
) -> None:
    client = rest(pagerduty)
    made = client.rpost(
        "/webhook_subscriptions",
        json={
            "type": "webhook_subscription",
            "events": ["incident.triggered"],
            "filter": {"type": "account_reference"},
            "delivery_method": {
                "type": "http_delivery_method",
                "url": listener.url,
                "custom_headers": [{"name": "X-Mine", "value": "yes"}],
            },
        },
    )
    secret = made["delivery_method"]["secret"]
    assert client.rget(f"/webhook_subscriptions/{made['id']}")["delivery_method"]["secret"] is None
    pagerduty.page("Rows vanished")
    pagerduty.act("acknowledge")
    client.post(f"/webhook_subscriptions/{made['id']}/ping")
    eventually(lambda: len(listener.bodies) == 2)
    assert sorted(e["event_type"] for e in listener.events) == ["incident.triggered", "pagey.ping"]
    assert all(signed(listener, n, secret) for n in range(2))
    assert listener.headers[0]["x-mine"] == "yes"
    client.rput(f"/webhook_subscriptions/{made['id']}", json={"active": False})
    pagerduty.page("Not told")
    client.rdelete(f"/webhook_subscriptions/{made['id']}")
    assert client.list_all("webhook_subscriptions") == []


def test_a_service_subscription_hears_of_its_service_alone(
    pagerduty: RunningPracticePagerDuty, listener: Listener
) -> None:
    rest(pagerduty).rpost(
        "/webhook_subscriptions",
        json={
            "type": "webhook_subscription",
            "events": ["incident.triggered"],
            "filter": {"type": "service_reference", "id": "PSVCREDIS"},
            "delivery_method": {"type": "http_delivery_method", "url": listener.url},
        },
    )
    pagerduty.page("Rows vanished", "postgres")
    pagerduty.page("Out of memory", "redis")
    eventually(lambda: listener.bodies)
    assert [e["data"]["title"] for e in listener.events] == ["Out of memory"]


def test_a_storm_is_told_whole_and_once(told: RunningPracticePagerDuty, listener: Listener) -> None:
    assert told.page("Storm", count=200)["opened"] == 200
    eventually(lambda: len(listener.bodies) == 200, 30)
    assert len({event["data"]["id"] for event in listener.events}) == 200
    eventually(lambda: told.state()["undelivered"] == 0, 10)
