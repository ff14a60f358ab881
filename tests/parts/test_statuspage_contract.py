"""What the stand-in answers and what our adapter sends fit Statuspage's own description."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import pytest

from lab.statuspage.server import Listening
from lab.statuspage.world import PAGE, TOKEN
from tests.support.described import Described, described
from tests.support.page_world import DATA, DRAFT, page, public
from workers.statuspage.opening import OpenPage

__all__ = ["page", "public"]
pytestmark = pytest.mark.parts
PAGES = "/pages/{page_id}"


@pytest.fixture
def spec() -> Described:
    return described("statuspage")


def ask(public: Listening, method: str, path: str, body: Any = None, key: str = TOKEN) -> httpx.Response:
    headers = {"Authorization": f"OAuth {key}"}
    return httpx.request(method, f"{public.api_url}/pages/{PAGE}{path}", json=body, headers=headers, trust_env=False)


def test_every_answer_of_the_stand_in_is_described(spec: Described, public: Listening, page: OpenPage) -> None:
    id = page.publish(DRAFT).id
    update = public.world.incidents[0].updates[0].id
    asked = (
        ("GET", "", None, ""),
        ("POST", "/incidents", {"incident": {"name": "Another", "body": "Text"}}, "/incidents"),
        ("PATCH", f"/incidents/{id}", {"incident": {"status": "monitoring", "body": "x"}}, "/incidents/{incident_id}"),
        ("PATCH", f"/incidents/{id}", {"incident": {"status": "resolved"}}, "/incidents/{incident_id}"),
        ("GET", f"/incidents/{id}.json", None, "/incidents/{incident_id}"),
        ("GET", "/incidents?limit=5", None, "/incidents"),
        ("GET", "/incidents/unresolved.json", None, "/incidents/unresolved"),
        ("GET", "/components", None, "/components"),
        ("GET", f"/components/{DATA}", None, "/components/{component_id}"),
        ("PATCH", f"/components/{DATA}", {"component": {"status": "operational"}}, "/components/{component_id}"),
        (
            "PATCH",
            f"/incidents/{id}/incident_updates/{update}",
            {"incident_update": {"body": "Reworded"}},
            "/incidents/{incident_id}/incident_updates/{incident_update_id}",
        ),
    )
    for method, path, body, template in asked:
        answer = ask(public, method, path, body)
        schema = spec.answer(method.lower(), PAGES + template, 201 if method == "POST" else 200)
        spec.check(schema, answer.json())
        assert not spec.unknown(schema, answer.json()), path


@pytest.mark.parametrize(
    ("status", "path", "body", "key"),
    [
        (401, "/incidents", {}, "wrong"),
        (400, "/incidents", {"other": 1}, TOKEN),
        (422, "/incidents", {"incident": {"name": " "}}, TOKEN),
        (422, "/incidents", {"incident": {"name": "x", "status": "broken"}}, TOKEN),
        (422, "/incidents", {"incident": {"name": "x", "metadata": {"flat": "text"}}}, TOKEN),
        (422, "/incidents", {"incident": {"name": "x" * 256}}, TOKEN),
        (422, "/incidents", {"incident": {"name": "x", "body": "x" * 25_001}}, TOKEN),
        (422, "/incidents", {"incident": {"name": "x", "components": {DATA: "broken"}}}, TOKEN),
    ],
)
def test_refusals_have_the_described_status_and_shape(
    spec: Described, public: Listening, status: int, path: str, body: Any, key: str
) -> None:
    answer = ask(public, "POST", path, body, key)
    assert answer.status_code == status
    spec.check(spec.answer("post", PAGES + path, status), answer.json())
    assert public.world.incidents == []


def test_an_unknown_incident_is_not_found_and_too_many_requests_are_refused(public: Listening) -> None:
    assert ask(public, "GET", "/incidents/nobody").status_code == 404
    codes = [ask(public, "GET", "/components").status_code for _ in range(60)]
    assert codes == [200] * 59 + [429]
    public.world.faults.set("limited")
    assert ask(public, "GET", "/components").status_code == 420


def test_everything_our_adapter_sends_is_described(spec: Described, public: Listening, page: OpenPage) -> None:
    page.publish(DRAFT)
    page.publish(replace(DRAFT, components={DATA: "partial_outage"}))
    page.publish(replace(DRAFT, status="monitoring", text="It is back."))
    page.publish(replace(DRAFT, status="resolved", text="It is over."))
    written = [asked for asked in public.world.asked if asked["method"] != "GET"]
    assert [asked["method"] for asked in written] == ["POST", "PATCH", "PATCH", "PATCH"]
    for asked in written:
        template = "/incidents" if asked["method"] == "POST" else "/incidents/{incident_id}"
        schema = spec.body(asked["method"].lower(), PAGES + template)
        spec.check(schema, asked["body"])
        # The description names one component's id as an example, where any id may stand.
        assert spec.unknown(schema, asked["body"]) <= {DATA}
