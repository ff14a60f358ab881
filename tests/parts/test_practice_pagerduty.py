"""The practice PagerDuty, spoken to by PagerDuty's own client."""

from __future__ import annotations

import ssl
import stat
from pathlib import Path
from typing import Any

import httpx
import pytest
from pagerduty import HttpError, RestApiV2Client, UrlError

from lab.pagerduty.client import RunningPracticePagerDuty, running_practice_pagerduty
from lab.pagerduty.company import READ_ONLY_TOKEN, SENDER
from lab.pagerduty.limits import Limiter
from tests.support.paging import certificates, monitor, pagerduty, rest

__all__ = ["certificates", "pagerduty"]
pytestmark = pytest.mark.parts


def change(client: Any, id: str, **what: Any) -> httpx.Response:
    answer: httpx.Response = client.put(f"/incidents/{id}", json={"incident": {"type": "incident_reference", **what}})
    return answer


def only(pagerduty: RunningPracticePagerDuty) -> dict[str, Any]:
    incidents = pagerduty.state()["incidents"]
    assert len(incidents) == 1
    return dict(incidents[0])


def test_it_says_that_it_is_a_stand_in(pagerduty: RunningPracticePagerDuty) -> None:
    trusted = ssl.create_default_context(cafile=pagerduty.ca_file)
    [id] = pagerduty.page("<b>Rows</b>")["incidents"]
    for path in ("/", f"/web/incidents/{id}", "/web/incidents/nothing"):
        shown = httpx.get(f"{pagerduty.url}{path}", verify=trusted, trust_env=False).text
        assert "Nobody is paged from here." in shown
        assert "<b>Rows" not in shown
    assert pagerduty.health()["stand_in"] == "PagerDuty"
    assert "nobody is paged" in pagerduty.state()["note"]


def test_an_alert_opens_an_incident_for_who_is_on_call(pagerduty: RunningPracticePagerDuty) -> None:
    monitor(pagerduty).trigger("Rows vanished", "db01", dedup_key="rows", custom_details={"table": "messages"})
    [incident] = rest(pagerduty).list_all("incidents", params={"statuses": ["triggered"]})
    assert incident["title"] == "Rows vanished"
    assert incident["urgency"] == "high"
    assert incident["service"]["summary"] == "nself-postgres"
    assert [a["assignee"]["summary"] for a in incident["assignments"]] == ["Olga Nowak"]
    [alert] = rest(pagerduty).list_all(f"incidents/{incident['id']}/alerts")
    assert alert["body"]["details"] == {"source": "db01", "table": "messages"}


def test_the_same_key_again_is_the_same_alert(pagerduty: RunningPracticePagerDuty) -> None:
    for _ in range(3):
        monitor(pagerduty).trigger("Rows vanished", "db01", dedup_key="rows")
    assert (only(pagerduty)["alerts"], only(pagerduty)["triggers"]) == (1, 3)


def test_the_key_of_a_resolved_incident_opens_a_new_one(pagerduty: RunningPracticePagerDuty) -> None:
    for _ in range(2):
        monitor(pagerduty).trigger("Rows vanished", "db01", dedup_key="rows")
        monitor(pagerduty).resolve("rows")
    assert [i["status"] for i in pagerduty.state()["incidents"]] == ["resolved", "resolved"]


def test_an_event_for_a_key_that_nothing_is_open_for_is_dropped_in_silence(
    pagerduty: RunningPracticePagerDuty,
) -> None:
    assert monitor(pagerduty).resolve("never heard of") == "never heard of"
    assert monitor(pagerduty).acknowledge("never heard of") == "never heard of"
    assert pagerduty.state()["incidents"] == []


def test_the_key_of_one_integration_means_nothing_to_another(pagerduty: RunningPracticePagerDuty) -> None:
    monitor(pagerduty).trigger("Rows vanished", "db01", dedup_key="rows")
    monitor(pagerduty, "redis").resolve("rows")
    assert only(pagerduty)["status"] == "triggered"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"summary": "x" * 1025, "source": "db01", "dedup_key": "k"}, "payload.summary"),
        ({"summary": "x", "source": "db01", "dedup_key": "k" * 256}, "dedup_key"),
        ({"summary": "x", "source": "db01", "severity": "dreadful"}, "payload.severity"),
        ({"summary": "", "source": "db01"}, "payload.summary"),
    ],
)
def test_events_keep_to_their_limits(pagerduty: RunningPracticePagerDuty, asked: dict[str, Any], said: str) -> None:
    with pytest.raises(HttpError) as refused:
        monitor(pagerduty).trigger(**asked)
    assert refused.value.response.status_code == 400
    assert said in refused.value.response.text


def test_more_events_than_a_minute_takes_are_refused(pagerduty: RunningPracticePagerDuty) -> None:
    assert pagerduty.stand_in.account.events_limit.per_minute == 120
    pagerduty.stand_in.account.events_limit = Limiter(pagerduty.stand_in.account.clock, 2)
    client = monitor(pagerduty)
    client.retry[429] = 1
    client.trigger("x", "db01", dedup_key="1")
    client.trigger("x", "db01", dedup_key="2")
    with pytest.raises(HttpError) as refused:
        client.trigger("x", "db01", dedup_key="3")
    assert refused.value.response.status_code == 429
    refusals = pagerduty.health()["limited"]["POST /v2/enqueue"]
    assert pagerduty.health()["calls"] == 2 + refusals


def test_grouped_alerts_share_an_incident_and_others_do_not(pagerduty: RunningPracticePagerDuty) -> None:
    assert pagerduty.page("Disk full", count=5, grouped=True)["opened"] == 1
    assert only(pagerduty)["alerts"] == 5
    assert pagerduty.page("Disk full", "redis", count=5)["opened"] == 5


def test_an_incident_lives_its_life(pagerduty: RunningPracticePagerDuty) -> None:
    client, [id] = rest(pagerduty), pagerduty.page("Rows vanished")["incidents"]
    acknowledged = change(client, id, status="acknowledged").json()["incident"]
    assert [a["acknowledger"]["summary"] for a in acknowledged["acknowledgements"]] == ["Mayday"]
    escalated = change(client, id, escalation_level=2).json()["incident"]
    assert escalated["status"] == "triggered"
    assert [a["assignee"]["summary"] for a in escalated["assignments"]] == ["Dmitri Banerjee"]
    assert change(client, id, status="resolved", resolution="Recovered").json()["incident"]["resolved_at"]
    assert only(pagerduty)["notes"][0]["text"] == "Resolution Note: Recovered"
    assert change(client, id, status="triggered").json()["incident"]["resolved_at"] is None


def test_what_is_done_already_has_its_own_codes(pagerduty: RunningPracticePagerDuty) -> None:
    client, [id] = rest(pagerduty), pagerduty.page("Rows vanished")["incidents"]
    change(client, id, status="acknowledged")
    assert change(client, id, status="acknowledged").json()["error"]["code"] == 1002
    change(client, id, status="resolved")
    assert change(client, id, status="resolved").json()["error"]["code"] == 1001
    assert change(client, id, status="acknowledged").json()["error"]["code"] == 1001


def test_a_merged_incident_says_into_which(pagerduty: RunningPracticePagerDuty) -> None:
    first, second = pagerduty.page("A", count=2)["incidents"]
    rest(pagerduty).put(
        f"/incidents/{first}/merge", json={"source_incidents": [{"id": second, "type": "incident_reference"}]}
    )
    merged = rest(pagerduty).rget(f"/incidents/{second}")
    assert merged["status"] == "resolved"
    assert merged["resolve_reason"]["incident"]["id"] == first
    assert rest(pagerduty).rget(f"/incidents/{first}")["alert_counts"]["triggered"] == 2


def test_many_are_changed_at_once(pagerduty: RunningPracticePagerDuty) -> None:
    ids = pagerduty.page("A", count=3)["incidents"]
    asked = [{"id": id, "type": "incident_reference", "status": "resolved"} for id in ids]
    rest(pagerduty).rput("/incidents", json=asked)
    assert pagerduty.state()["open"] == 0


def test_who_may_what(pagerduty: RunningPracticePagerDuty) -> None:
    [id] = pagerduty.page("Rows vanished")["incidents"]
    with pytest.raises(HttpError) as refused:
        rest(pagerduty, token="wrong").get("/incidents")
    assert refused.value.response.status_code == 401
    assert rest(pagerduty, READ_ONLY_TOKEN).get("/incidents").is_success
    assert change(rest(pagerduty, READ_ONLY_TOKEN), id, status="resolved").status_code == 403
    for sender in (None, "stranger@practice.example"):
        answer = change(rest(pagerduty, sender=sender), id, status="resolved")
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, 1008)


def test_lists_are_paged(pagerduty: RunningPracticePagerDuty) -> None:
    pagerduty.page("Storm", count=60)
    client = rest(pagerduty)
    first = client.jget("/incidents", params={"limit": 25, "total": "true"})
    assert (len(first["incidents"]), first["more"], first["total"]) == (25, True, 60)
    assert len({i["id"] for i in client.iter_all("incidents", page_size=25)}) == 60
    assert client.get("/incidents", params={"limit": 100, "offset": 9999}).status_code == 400


def test_a_declared_incident_keeps_its_key_to_itself(pagerduty: RunningPracticePagerDuty) -> None:
    client = rest(pagerduty)
    asked = {
        "type": "incident",
        "title": "Declared",
        "incident_key": "mayday-1",
        "urgency": "low",
        "service": {"id": "PSVCPOSTGRES", "type": "service_reference"},
    }
    assert client.rpost("/incidents", json=asked)["incident_key"] == "mayday-1"
    assert client.post("/incidents", json={"incident": asked}).status_code == 400
    assert only(pagerduty)["urgency"] == "low"


def test_a_policy_with_nobody_on_call_opens_nothing(pagerduty: RunningPracticePagerDuty) -> None:
    pagerduty.absent("oncall")
    assert [i["assigned"] for i in _after_a_page(pagerduty)] == [["Dmitri Banerjee"]]
    pagerduty.absent("oncall", "dba", "infrastructure", "cto")
    assert pagerduty.page("Rows vanished")["error"] == "refused"


def _after_a_page(pagerduty: RunningPracticePagerDuty) -> list[dict[str, Any]]:
    pagerduty.page("Rows vanished")
    return list(pagerduty.state()["incidents"])


def test_who_is_on_call_is_told_by_level(pagerduty: RunningPracticePagerDuty) -> None:
    asked = {"escalation_policy_ids": ["PEPDBAX"], "include": ["users"], "earliest": "true"}
    found = rest(pagerduty).list_all("oncalls", params=asked)
    assert [(one["escalation_level"], one["user"]["email"].split("@")[0]) for one in found] == [
        (1, "oncall"),
        (2, "dba"),
        (3, "infrastructure"),
        (4, "cto"),
    ]


def test_a_limit_of_960_a_minute_is_told_with_each_answer(pagerduty: RunningPracticePagerDuty) -> None:
    client = rest(pagerduty)
    client.retry[429] = 1
    assert client.get("/abilities").headers["ratelimit-remaining"] == "959"
    pagerduty.stand_in.account.rest_limit = Limiter(pagerduty.stand_in.account.clock, 1)
    assert client.get("/abilities").is_success
    limited = client.get("/abilities")
    assert (limited.status_code, limited.json()["error"]["code"]) == (429, 2020)
    assert int(limited.headers["ratelimit-reset"]) > 1
    assert set(pagerduty.health()["limited"]) == {"GET /abilities"}


def test_the_account_outlives_a_restart(certificates: Path, tmp_path: Path) -> None:
    kept = tmp_path / "pagerduty.json"
    with running_practice_pagerduty(certificates, keep_in=kept) as before:
        [id] = before.page("Rows vanished", key="rows")["incidents"]
        before.act("acknowledge")
        before.act("note", text="Looking")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    with running_practice_pagerduty(certificates, keep_in=kept) as after:
        assert only(after)["notes"][0]["by"] == "Olga Nowak"
        monitor(after).trigger("Rows vanished", "db01", dedup_key="rows")
        assert (only(after)["id"], only(after)["status"]) == (id, "acknowledged")
        assert after.page("Another")["ok"]
        assert [i["number"] for i in after.state()["incidents"]] == [2, 1]


def test_a_certificate_is_made_once(certificates: Path) -> None:
    with running_practice_pagerduty(certificates) as one:
        before = Path(one.ca_file).read_bytes()
    with running_practice_pagerduty(certificates) as other:
        assert Path(other.ca_file).read_bytes() == before
        assert stat.S_IMODE((certificates / "pagerduty-server.pem").stat().st_mode) == 0o600
        assert rest(other).get("/abilities").is_success


def test_plain_http_is_not_spoken(pagerduty: RunningPracticePagerDuty) -> None:
    with pytest.raises(UrlError):
        RestApiV2Client("x", base_url=pagerduty.url.replace("https", "http"))


def test_a_person_who_cannot_do_it_is_told_why(pagerduty: RunningPracticePagerDuty) -> None:
    pagerduty.page("Rows vanished")
    assert pagerduty.act("acknowledge")["status"] == "acknowledged"
    assert pagerduty.act("acknowledge", user="dba")["detail"] == "Incident Already Acknowledged"
    assert pagerduty.act("dance")["error"] == "no_such_action"
    assert pagerduty.act("resolve", "Q0NOTHING")["error"] == "no_such_incident"
    assert pagerduty.page("x", "nothing")["error"] == "no_such_service"
    assert pagerduty.fault("purple")["error"] == "unknown_fault"


def test_a_status_page_takes_posts_and_updates(pagerduty: RunningPracticePagerDuty) -> None:
    client = rest(pagerduty)
    [page] = client.list_all("status_pages")
    statuses = {s["description"]: s["id"] for s in client.jget(f"/status_pages/{page['id']}/statuses")["statuses"]}
    update = {
        "type": "status_page_post_update",
        "message": "Looking",
        "notify_subscribers": True,
        "status": {"id": statuses["investigating"], "type": "status_page_status"},
        "severity": {"id": "PSEV003", "type": "status_page_severity"},
        "impacted_services": [],
        "update_frequency_ms": None,
        "post": {"id": "", "type": "status_page_post"},
    }
    post = client.jpost(
        f"/status_pages/{page['id']}/posts",
        json={
            "post": {
                "type": "status_page_post",
                "title": "Database",
                "post_type": "incident",
                "starts_at": None,
                "ends_at": None,
                "updates": [update],
                "status_page": {"id": page["id"], "type": "status_page"},
            }
        },
    )["post"]
    where = f"/status_pages/{page['id']}/posts/{post['id']}/post_updates"
    client.jpost(where, json={"post_update": {**update, "message": "Mended"}})
    assert [u["message"] for u in client.jget(where)["post_updates"]] == ["Looking", "Mended"]
    assert client.post(where, json={"post_update": {"message": "x"}}).status_code == 400
    assert client.get("/status_pages/POTHER/posts").status_code == 404


def test_the_sender_is_a_user_of_the_account(pagerduty: RunningPracticePagerDuty) -> None:
    assert rest(pagerduty).rget("/users/me")["email"] == SENDER
    assert rest(pagerduty).find("users", SENDER, attribute="email")["name"] == "Mayday"
