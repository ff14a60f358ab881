"""An incident on the real stack: from the page to the end, with a worker that dies and a PagerDuty that is away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from actions.engine.ids import is_errand
from actions.engine.journal import Kind
from actions.incidents import incident as incidents
from actions.incidents.document_export import document_of
from actions.incidents.document_rendering import markdown
from actions.incidents.incident import Incident
from actions.incidents.take_in_events import ALERT
from actions.settings.settings_file import read
from lab import company, processes
from lab.pagerduty import place
from lab.pagerduty.client import PracticePagerDuty
from lab.pagerduty.server import AT_START
from lab.statuspage import part
from lab.statuspage.client import PracticePage
from tests.support.paging import rest
from tests.support.practice import Practice, practice_company

pytestmark = pytest.mark.whole
POLLED = 45.0
"""Seconds within which the poller, which asks every 15, has surely been heard."""


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    with practice_company(tmp_path_factory.mktemp("incidents"), "mta-inc") as company:
        yield company


@pytest.fixture(scope="module")
def pagerduty(practice: Practice) -> Iterator[PracticePagerDuty]:
    found = place.client(practice.lab)
    yield found
    found.close()


@pytest.fixture(autouse=True)
def settled(practice: Practice, pagerduty: PracticePagerDuty) -> Iterator[None]:
    yield
    pagerduty.fault("off")
    practice.settle()


@contextmanager
def unheard(pagerduty: PracticePagerDuty) -> Iterator[None]:
    """Nobody has a public address: no webhook is sent meanwhile, nor afterwards of what happened meanwhile."""
    client = rest(pagerduty)

    def switch(on: bool) -> None:
        asked = {"webhook_subscription": {"type": "webhook_subscription", "active": on}}
        assert client.put(f"/webhook_subscriptions/{AT_START}", json=asked).is_success

    switch(False)
    try:
        yield
    finally:
        switch(True)
        client.close()


def paged(
    practice: Practice, pagerduty: PracticePagerDuty, title: str, service: str = "postgres", seconds: float = 20
) -> str:
    """A page; the id of its incident, once its thread stands."""
    [alert] = pagerduty.page(title, service)["incidents"]
    practice.until(lambda: bool(practice.store.note(ALERT, alert)), seconds, "the page opens an incident")
    name = str(practice.store.note(ALERT, alert))
    practice.until(lambda: bool(thread(practice, name)), 20, "its thread stands")
    return name


def thread(practice: Practice, name: str) -> str:
    return str((practice.store.note("post", f"{name}:1") or {}).get("ts") or "")


def files(practice: Practice, name: str) -> dict[str, str]:
    """The files of the incident's thread by name; none of them twice."""
    shown = [file for message in practice.room.thread(thread(practice, name))["messages"] for file in message["files"]]
    found = [(file["name"], file["content"]) for file in shown if file["name"].startswith(name)]
    assert len(dict(found)) == len(found), "a file stands there twice"
    return dict(found)


def told(practice: Practice, name: str) -> Incident:
    return incidents.fold(practice.store.entries(name))


def lines(practice: Practice, name: str) -> list[str]:
    """What the thread of an incident says, the header first."""
    return practice.thread_texts(thread(practice, name))


def newest(pagerduty: PracticePagerDuty) -> dict[str, Any]:
    return dict(pagerduty.state()["incidents"][0])


def press(practice: Practice, name: str, label: str, user: str = "oncall", typed: str | None = None) -> None:
    """Press a button of the incident's thread, as soon as it stands there."""
    at, answer = thread(practice, name), {}

    def pressed() -> bool:
        answer.clear()
        answer.update(practice.click(label, user, typed, thread=at))
        return bool(answer.get("ok"))

    practice.until(pressed, 30, f"'{label}' can be pressed: {answer}", every=0.5)


def recovery(practice: Practice, name: str, when: str) -> str:
    """Ask for a recovery by the incident's button; the run."""
    before = len(told(practice, name).runs)
    press(practice, name, "Recover…", typed=when)
    practice.until(lambda: len(told(practice, name).runs) > before, 20, "a run begins")
    return next(one.run for one in reversed(told(practice, name).runs) if not is_errand(one.run))


def test_from_the_page_to_the_end_though_the_worker_dies_and_every_milestone_is_noted_once(
    practice: Practice, pagerduty: PracticePagerDuty
) -> None:
    name = paged(practice, pagerduty, "Rows vanished from nchat_messages")
    press(practice, name, "Acknowledge")
    practice.until(lambda: newest(pagerduty)["status"] == "acknowledged", 20, "PagerDuty knows who has it")
    run = recovery(practice, name, "2s ago")
    assert practice.wait(run) == "asking", practice.story(run)
    practice.press("Restore, keep serving", run)
    practice.wait_for(run, Kind.BEGAN, "copy the base backup")
    practice.comes_back("worker", run)
    assert practice.wait(run) == "asking", practice.story(run)
    practice.press("Cut over", run, "approver", typed=practice.postgres)
    practice.wait_for(run, Kind.DONE, "resume the writers")
    practice.comes_back("worker", run)
    assert practice.wait(run) == "recovered", practice.story(run)
    practice.assert_recovered(run)

    def notes() -> list[str]:
        return [note["text"] for note in newest(pagerduty)["notes"]]

    practice.until(lambda: any(text.startswith("Recovered.") for text in notes()), 30, "PagerDuty reads the end")
    assert len(notes()) == 5, notes()
    assert set(Counter(notes()).values()) == {1}

    press(practice, name, "Status page…")
    page = PracticePage(part.address(practice.lab))
    practice.until(lambda: bool(page.state()["incidents"]), 30, "the public is told")
    assert page.state()["incidents"][0]["status"] == "monitoring"
    press(practice, name, "Resolve")
    practice.until(lambda: newest(pagerduty)["status"] == "resolved", 30, "PagerDuty knows that it is over")
    offered = "The status page still says *monitoring* of it"
    practice.until(lambda: any(offered in line for line in lines(practice, name)), 30, "the end is offered")
    assert page.state()["incidents"][0]["status"] == "monitoring", "nobody has let the end out yet"
    press(practice, name, "Status page…")
    practice.until(lambda: page.state()["incidents"][0]["status"] == "resolved", 30, "the public knows that it is over")
    assert {one["status"] for one in page.state()["components"]} == {"operational"}

    practice.wait_for(name, Kind.DOCUMENTED)
    practice.kill("bot")
    practice.start("bot")
    practice.until(lambda: len(files(practice, name)) == 2, 60, "the thread ends with the document")
    document = files(practice, name)[f"{name}.md"]
    stack = read(company.settings_file(practice.lab), {}, {}).stack()
    assert document == markdown(document_of(practice.store, name, stack))
    for said in (run, "chose Cut over to", "Healthy: ", "(RPO) in PostgreSQL", "monitoring: "):
        assert said in document, said


def test_a_pagerduty_that_is_down_holds_no_recovery_up_and_reads_all_of_it_afterwards(
    practice: Practice, pagerduty: PracticePagerDuty
) -> None:
    name = paged(practice, pagerduty, "Rows vanished again")
    pagerduty.fault("down")
    run = recovery(practice, name, "2s ago")
    assert practice.wait(run) == "asking", practice.story(run)
    practice.press("Pause writers and restore", run)
    assert practice.wait(run) == "asking", practice.story(run)
    practice.press("Cut over", run, "approver", typed=practice.postgres)
    assert practice.wait(run) == "recovered", practice.story(run)
    pagerduty.fault("off")

    def ours() -> list[str]:
        alerts = told(practice, name).alerts
        every = [n["text"] for one in pagerduty.state()["incidents"] if one["id"] in alerts for n in one["notes"]]
        return [text for text in every if f"[mayday {run}:" in text]

    practice.until(lambda: any(text.startswith("Recovered.") for text in ours()), 60, "PagerDuty reads the end")
    assert len(ours()) == len(set(ours())) == 5, ours()


def test_a_page_that_came_while_the_bot_was_dead_opens_its_thread_when_it_lives_again(
    practice: Practice, pagerduty: PracticePagerDuty
) -> None:
    practice.kill("bot")
    [alert] = pagerduty.page("Memory is full", "redis")["incidents"]
    practice.start("bot")
    practice.until(lambda: bool(practice.store.note(ALERT, alert)), 60, "the page opens an incident")
    name = str(practice.store.note(ALERT, alert))
    practice.until(lambda: bool(thread(practice, name)), 30, "its thread stands")
    assert told(practice, name).count == 1
    assert processes.is_alive(practice.lab, "bot")


def test_without_any_webhook_the_poller_opens_the_thread_and_tells_all_that_happens_once(
    practice: Practice, pagerduty: PracticePagerDuty
) -> None:
    with unheard(pagerduty):
        name = paged(practice, pagerduty, "Search answers nothing", "meilisearch", seconds=POLLED)
        press(practice, name, "Acknowledge")
        practice.until(lambda: newest(pagerduty)["status"] == "acknowledged", 20, "PagerDuty knows who has it")
        pagerduty.act("reassign", to="dba")
        pagerduty.act("priority", priority="P1")
        practice.until(lambda: "Dmitri" in lines(practice, name)[0], POLLED, "the thread shows who has it now")
        assert "*Acknowledged*" in lines(practice, name)[0]
        assert "P1" in lines(practice, name)[0]
        pagerduty.act("resolve", user="dba")
        practice.until(lambda: "*Resolved*" in lines(practice, name)[0], POLLED, "the thread hears that it is over")
    practice.until(lambda: lines(practice, name)[-1] == "Resolved in PagerDuty.", 20, "its last line says so")
    _, acknowledged, *later = lines(practice, name)
    assert acknowledged.startswith("Acknowledge in PagerDuty · @oncall · acknowledged"), acknowledged
    assert [line for line in later if not line.startswith("Now with Dmitri")] == ["Resolved in PagerDuty."], later
    assert (told(practice, name).count, told(practice, name).open) == (1, False)
    assert pagerduty.deliveries(newest(pagerduty)["id"]) == []
