"""Our adapter for Atlassian Statuspage, against the stand-in and its bad days."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from actions.engine.errors import Away, RecoveryError, Refused
from actions.steps.statuspage_update import publish, published
from lab.statuspage import changes
from lab.statuspage.faults import Mode
from lab.statuspage.server import Listening
from lab.statuspage.world import World
from tests.support.page_world import API, DATA, DRAFT, adapter, page, public, settings_of
from tests.support.paths import ROOT
from workers.statuspage.opening import OpenPage, open_page

__all__ = ["page", "public"]
pytestmark = pytest.mark.parts
IDENTIFIED = replace(DRAFT, status="identified", text="We are bringing it back.")
RESOLVED = replace(DRAFT, status="resolved", text="It is over.", components={})


def statuses(world: World) -> dict[str, str]:
    return {c.id: c.status for c in world.components if c.status != "operational"}


def until(holds: object, seconds: float = 10) -> None:
    assert callable(holds)
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def test_an_incident_is_created_updated_and_resolved_under_one_id(public: Listening, page: OpenPage) -> None:
    assert page.find("INC-42") is None
    first = page.publish(DRAFT)
    assert statuses(public.world) == {DATA: "major_outage"}
    second = page.publish(IDENTIFIED)
    third = page.publish(RESOLVED)
    assert first.id == second.id == third.id
    assert [p.updates for p in (first, second, third)] == [1, 2, 3]
    assert (third.status, third.last_text, third.url) == (
        "resolved",
        "It is over.",
        f"{public.url}/incidents/{first.id}",
    )
    assert page.find("INC-42") == third
    assert statuses(public.world) == {}
    (kept,) = public.world.incidents
    assert (kept.metadata, kept.impact_override) == ({"mayday": {"incident": "INC-42"}}, "critical")


def test_lists_are_read_to_their_last_page(public: Listening, page: OpenPage) -> None:
    first = page.publish(DRAFT)
    (mine,) = public.world.incidents
    others = [replace(mine, id=f"other{n}", metadata={}, components=[]) for n in range(230)]
    public.world.incidents[:] = [*others[:115], mine, *others[115:]]
    extra = replace(public.world.components[0])
    public.world.components += [replace(extra, id=f"c{n}", name=f"Component {n}") for n in range(210)]
    assert page.publish(IDENTIFIED).id == first.id
    assert len(page.components()) == len(public.world.components)


def test_the_same_status_and_text_are_not_posted_twice(public: Listening, page: OpenPage) -> None:
    once = page.publish(DRAFT)
    assert page.publish(replace(DRAFT, text=" We are looking\r\ninto it. ")) == once
    assert len(public.world.incidents[0].updates) == 1


def test_a_component_can_be_corrected_without_a_second_text(public: Listening, page: OpenPage) -> None:
    page.publish(DRAFT)
    page.publish(replace(DRAFT, components={DATA: "partial_outage", API: "degraded_performance"}))
    assert statuses(public.world) == {DATA: "partial_outage", API: "degraded_performance"}
    assert len(public.world.incidents[0].updates) == 1


@pytest.mark.parametrize("notify", [True, False])
def test_whether_subscribers_are_told_is_always_said(public: Listening, page: OpenPage, notify: bool) -> None:
    page.publish(replace(DRAFT, notify=notify))
    page.publish(replace(IDENTIFIED, notify=notify))
    sent = [asked["body"]["incident"] for asked in public.world.asked if asked["method"] in ("POST", "PATCH")]
    assert [fields["deliver_notifications"] for fields in sent] == [notify, notify]
    assert [u.notified for u in public.world.incidents[0].updates] == [notify, notify]


def test_a_component_that_another_incident_holds_is_not_set_back(public: Listening, page: OpenPage) -> None:
    other = replace(DRAFT, incident="INC-43", components={DATA: "partial_outage"})
    page.publish(DRAFT)
    page.publish(other)
    page.publish(RESOLVED)
    assert statuses(public.world) == {DATA: "partial_outage"}
    page.publish(replace(RESOLVED, incident="INC-43"))
    assert statuses(public.world) == {}


@pytest.mark.parametrize("was", ["under_maintenance", "degraded_performance"])
def test_a_component_becomes_what_it_was_before_and_not_more(public: Listening, page: OpenPage, was: str) -> None:
    public.world.component(DATA).status = was
    page.publish(DRAFT)
    page.publish(replace(DRAFT, incident="INC-43"))
    page.publish(replace(IDENTIFIED, components={DATA: "major_outage", API: "partial_outage"}))
    page.publish(RESOLVED)
    assert statuses(public.world) == {DATA: "major_outage"}
    page.publish(replace(RESOLVED, incident="INC-43"))
    page.publish(replace(RESOLVED, incident="INC-43"))
    assert statuses(public.world) == {DATA: was}
    page.publish(replace(DRAFT, text="It is back."))
    page.publish(replace(RESOLVED, text="It is over again."))
    assert statuses(public.world) == {DATA: was}


@pytest.mark.parametrize("over", [False, True])
def test_a_scheduled_maintenance_goes_on_unless_it_ended_meanwhile(
    public: Listening, page: OpenPage, over: bool
) -> None:
    planned = changes.create(
        public.world, {"incident": {"name": "New disks", "components": {DATA: "under_maintenance"}}}
    )
    planned.status = "in_progress"
    page.publish(DRAFT)
    planned.status = "completed" if over else planned.status
    public.world.incidents.remove(planned) if over else None
    page.publish(RESOLVED)
    assert statuses(public.world) == ({} if over else {DATA: "under_maintenance"})


def test_somebody_elses_incident_is_left_alone(public: Listening, page: OpenPage) -> None:
    theirs = changes.create(public.world, {"incident": {"name": "Theirs", "metadata": {"jira": {"key": "A-1"}}}})
    page.publish(DRAFT)
    page.publish(RESOLVED)
    assert (theirs.status, len(theirs.updates)) == ("investigating", 1)


def test_a_resolved_incident_that_comes_back_is_opened_again(public: Listening, page: OpenPage) -> None:
    page.publish(DRAFT)
    page.publish(RESOLVED)
    assert page.publish(replace(DRAFT, text="It is back.")).updates == 3
    assert (len(public.world.incidents), public.world.incidents[0].status) == (1, "investigating")


def test_requests_are_a_second_apart_even_from_two_adapters(public: Listening) -> None:
    apart = 0.2
    one, other = adapter(public.api_url, apart), adapter(public.api_url, apart)
    one.publish(DRAFT)
    other.publish(IDENTIFIED)
    times = [asked["at"] for asked in public.world.asked]
    assert len(times) >= 6
    assert (times[-1] - times[0]) / (len(times) - 1) > apart * 0.9
    assert settings_of(public.api_url).token.get_secret_value() not in repr(one.__dict__)


def test_by_itself_it_takes_a_second_between_requests(public: Listening) -> None:
    usual = open_page(settings_of(public.api_url), lambda: pytest.fail("no clock is needed"))
    assert usual
    usual.components()
    usual.components()
    first, second = (asked["at"] for asked in public.world.asked)
    assert second - first > 0.8


def test_two_workers_at_once_leave_one_open_report(public: Listening) -> None:
    pages = [adapter(public.api_url, 0.01 + n / 1e6) for n in range(4)]  # each with a pace of its own
    threads = [threading.Thread(target=one.publish, args=(DRAFT,)) for one in pages]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pages[0].publish(IDENTIFIED)
    (left,) = public.world.unresolved()
    assert left.created_at == min(i.created_at for i in public.world.incidents)
    assert [u.status for u in left.updates] == ["identified", "investigating"]


# Bad days ----------------------------------------------------------------------------------------------


def test_down_means_away_and_nothing_is_written(public: Listening, page: OpenPage) -> None:
    public.world.faults.set("down")
    for asked in (lambda: page.publish(DRAFT), lambda: page.find("INC-42")):
        with pytest.raises(Away) as away:
            asked()
        assert away.value.hint
    assert public.world.incidents == []
    public.world.faults.set("off")
    assert page.publish(DRAFT).updates == 1


def test_a_page_that_nobody_serves_is_away() -> None:
    with pytest.raises(Away, match="does not answer"):
        adapter("http://127.0.0.1:9/v1").publish(DRAFT)


def test_an_error_after_the_page_has_it_makes_no_double(public: Listening, page: OpenPage) -> None:
    public.world.faults.set("errors")
    for draft in (DRAFT, IDENTIFIED, RESOLVED):
        try:
            page.publish(draft)
        except Away:
            page.publish(draft)
    assert [u.status for u in public.world.incidents[0].updates] == ["resolved", "identified", "investigating"]
    assert len(public.world.incidents) == 1


def test_limited_waits_and_gets_through(public: Listening, page: OpenPage) -> None:
    public.world.faults.set("limited")
    assert page.publish(DRAFT).updates == 1
    assert page.publish(IDENTIFIED).updates == 2


def test_an_endless_limit_ends_as_away(public: Listening, page: OpenPage) -> None:
    for _ in range(60):
        public.world.limiter.is_over(public.world.token)
    with pytest.raises(Away, match="no more requests"):
        page.publish(DRAFT)
    assert public.world.incidents == []


def test_a_proxy_that_sends_everything_twice_leaves_one_open_report(public: Listening, page: OpenPage) -> None:
    public.world.faults.set("twice")
    made = page.publish(DRAFT)
    public.world.faults.set("off")
    assert page.publish(IDENTIFIED).id == made.id
    assert [i.id for i in public.world.unresolved()] == [made.id]
    (double,) = [i for i in public.world.incidents if i.id != made.id]
    assert "twice by mistake" in double.updates[0].body
    assert not double.updates[0].notified
    assert statuses(public.world) == {DATA: "major_outage"}


@pytest.mark.parametrize("mode", ["off", "down", "slow", "limited", "errors", "twice"])
def test_whatever_the_day_the_step_ends_with_one_open_report_and_one_text(
    public: Listening, page: OpenPage, mode: Mode
) -> None:
    """As the engine does it: tried again while the page is away, believed only when it is seen."""
    public.world.faults.slowness = 0.2
    for attempt in range(5):
        public.world.faults.set(mode if attempt < 2 else "off")
        try:
            if published(DRAFT, page):
                break
            publish(DRAFT, page)
        except Away:
            continue
    public.world.faults.set("off")
    assert published(DRAFT, page)
    (left,) = public.world.unresolved()
    assert [u.body for u in left.updates] == [DRAFT.text]
    assert statuses(public.world) == {DATA: "major_outage"}


def test_slow_is_waited_for(public: Listening, page: OpenPage) -> None:
    page.publish(DRAFT)
    public.world.faults.set("slow")
    assert page.publish(DRAFT).updates == 1


def test_killed_between_create_and_answer_it_finds_its_incident_afterwards(public: Listening, page: OpenPage) -> None:
    world = public.world
    path = str(ROOT)
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "tests/support/publish_once.py"), public.api_url],
        env={**os.environ, "PYTHONPATH": path},
    )
    # Slow carries a write out at once and answers late; it is switched on when the looks are over.
    # The process has to load everything first, which takes a busy machine long.
    until(lambda: [a for a in world.asked if a["path"].endswith("/incidents")], 60)
    world.faults.set("slow")
    until(lambda: world.incidents)
    process.kill()
    assert process.wait(10) < 0
    world.faults.set("off")
    assert page.publish(DRAFT).updates == 1
    assert len(world.incidents) == 1


@pytest.mark.parametrize(("more", "said"), [({"token": "wrong"}, "token"), ({"page": "nowhere"}, "statuspage.page")])
def test_a_wrong_key_or_page_is_no_absence_and_says_what_to_correct(
    public: Listening, more: dict[str, str], said: str
) -> None:
    with pytest.raises(RecoveryError) as refusal:
        adapter(public.api_url, **more).publish(DRAFT)
    assert not isinstance(refusal.value, Away)
    assert said in refusal.value.hint
    assert "wrong" not in f"{refusal.value.message} {refusal.value.detail}"


def test_what_the_page_refuses_is_said_in_its_words(public: Listening, page: OpenPage) -> None:
    with pytest.raises(RecoveryError) as refusal:
        page.publish(replace(DRAFT, components={"nobody": "major_outage"}))
    assert "Component nobody could not be found" in refusal.value.detail
    assert refusal.value.hint


def test_something_that_is_no_statuspage_is_an_error_for_people(public: Listening) -> None:
    with pytest.raises(RecoveryError):
        adapter(f"{public.url}/web").components()


def test_a_key_is_not_sent_in_clear_over_the_network() -> None:
    with pytest.raises(Refused, match="https"):
        adapter("http://status.example/v1").publish(DRAFT)


@pytest.mark.parametrize("more", [{"token": "schlüssel"}, {"ca_file": "/nowhere.pem"}, {"page": "../x"}, {"token": ""}])
def test_settings_that_cannot_be_are_told_when_the_page_is_used(more: dict[str, str]) -> None:
    opened = adapter("https://status.example/v1", **more)
    for used in (lambda: opened.publish(DRAFT), lambda: opened.find("INC-42"), opened.components):
        with pytest.raises(Refused) as refusal:
            used()
        assert refusal.value.hint
    opened.close()
    assert "schlüssel" not in str(refusal.value.as_json())


@pytest.mark.parametrize("url", ["https://[x/v1", "nonsense", "https://a b/v1"])
def test_an_address_that_is_none_is_an_error_for_people(url: str) -> None:
    with pytest.raises(RecoveryError) as refusal:
        adapter(url).find("INC-42")
    assert refusal.value.hint


def test_the_stand_in_keeps_its_state_over_a_restart(tmp_path: Path) -> None:
    kept = tmp_path / "page.json"
    command = [sys.executable, "-m", "lab.statuspage", "--port", "0", "--print-url", "--keep-in", str(kept)]

    def started() -> tuple[subprocess.Popen[str], str]:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        assert process.stdout
        return process, process.stdout.readline().strip()

    process, url = started()
    try:
        made = adapter(f"{url}/v1").publish(DRAFT)
        process.kill()
        process.wait(10)
        process, url = started()
        found = adapter(f"{url}/v1").find("INC-42")
        assert found
        assert (found.id, found.last_text) == (made.id, made.last_text)
        seen = httpx.get(f"{url}/status.json", trust_env=False).json()
        assert [c["status"] for c in seen["components"] if c["id"] == DATA] == ["major_outage"]
    finally:
        process.kill()
        process.wait(10)
