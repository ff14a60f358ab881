"""Mayday's side of PagerDuty, against the practice PagerDuty, on good days and bad ones."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from actions.engine.errors import Away, RecoveryError, Refused
from actions.settings.outside import PagerDutySettings
from actions.tools.outside import Pager, PagerDuty
from lab.pagerduty.client import RunningPracticePagerDuty
from lab.pagerduty.company import CTO_DIRECT, MAYDAY_KEY, READ_ONLY_TOKEN, TOKEN
from lab.pagerduty.limits import Limiter
from tests.support.paging import certificates, pagerduty, settings_for
from tests.support.waiting import now
from workers import api_rate
from workers.api_rate import ApiRate, pace_of
from workers.pagerduty.events_api import EventsPager, dedup_key
from workers.pagerduty.rest_api import PagerDutyRest

__all__ = ["certificates", "pagerduty"]
pytestmark = pytest.mark.parts


@pytest.fixture
def adapter(pagerduty: RunningPracticePagerDuty) -> PagerDuty:
    return PagerDutyRest(settings_for(pagerduty), now)


@pytest.fixture
def pager(pagerduty: RunningPracticePagerDuty) -> Pager:
    return EventsPager(settings_for(pagerduty), now)


def paged(pagerduty: RunningPracticePagerDuty, title: str = "Rows vanished", **more: Any) -> str:
    return str(pagerduty.page(title, **more)["incidents"][0])


def seen(pagerduty: RunningPracticePagerDuty, id: str) -> dict[str, Any]:
    return next(one for one in pagerduty.state()["incidents"] if one["id"] == id)


def test_an_incident_is_read_as_it_stands(pagerduty: RunningPracticePagerDuty, adapter: PagerDuty) -> None:
    id = paged(pagerduty, key="rows")
    pagerduty.act("priority", priority="P1")
    found = adapter.incident(id)
    assert found is not None
    assert (found.id, found.number, found.title, found.status) == (id, 1, "Rows vanished", "triggered")
    assert (found.urgency, found.service, found.service_name) == ("high", "PSVCPOSTGRES", "nself-postgres")
    assert (found.priority, found.policy, found.key, found.alerts) == ("P1", "PEPDBAX", "rows", 1)
    assert found.assignees == ("Olga Nowak",)
    assert found.url.endswith(f"/web/incidents/{id}")
    assert abs(now() - found.created_at) < timedelta(seconds=30)


def test_one_that_is_not_there_is_none(adapter: PagerDuty) -> None:
    assert adapter.incident("Q0NOTHING") is None
    assert adapter.incident("../users/PCTOONE") is None


def test_how_far_it_was_escalated_is_known(pagerduty: RunningPracticePagerDuty, adapter: PagerDuty) -> None:
    id = paged(pagerduty)
    adapter.escalate(id, 2)
    found = adapter.incident(id)
    assert found is not None
    assert (found.level, found.assignees) == (2, ("Dmitri Banerjee",))
    with pytest.raises(RecoveryError, match="refused"):
        adapter.escalate(id, 9)


def test_doing_what_is_done_already_is_success(pagerduty: RunningPracticePagerDuty, adapter: PagerDuty) -> None:
    id = paged(pagerduty)
    for _ in range(2):
        adapter.acknowledge(id)
    assert seen(pagerduty, id)["status"] == "acknowledged"
    for _ in range(2):
        adapter.resolve(id, "Recovered to 14:30:00")
    assert seen(pagerduty, id)["status"] == "resolved"
    assert [n["text"] for n in seen(pagerduty, id)["notes"]] == ["Resolution Note: Recovered to 14:30:00"]
    with pytest.raises(RecoveryError):
        adapter.escalate(id, 2)


def test_what_is_open_or_was_resolved_since_is_listed(pagerduty: RunningPracticePagerDuty, adapter: PagerDuty) -> None:
    old, gone, still, back = pagerduty.page("Storm", count=4)["incidents"]
    for id, age in ((old, 3), (gone, 2), (still, 5), (back, 4)):
        pagerduty.stand_in.account.incidents[id].created_at -= age * 3600
    adapter.resolve(old)
    pagerduty.stand_in.account.incidents[old].resolved_at = time.time() - 3600
    adapter.resolve(gone)
    adapter.resolve(back)
    pagerduty.act("reopen", back)
    found = adapter.updated_since(now() - timedelta(minutes=5))
    assert [one.id for one in found] == [still, back, gone]
    assert [one.status for one in found] == ["triggered", "triggered", "resolved"]


def test_more_than_a_page_is_listed_whole(pagerduty: RunningPracticePagerDuty, adapter: PagerDuty) -> None:
    pagerduty.page("Storm", count=230)
    assert len(adapter.updated_since(now())) == 230


def test_a_merged_incident_says_into_which(pagerduty: RunningPracticePagerDuty, adapter: PagerDuty) -> None:
    first, second = pagerduty.page("A", count=2)["incidents"]
    pagerduty.act("merge", second, into=first)
    found = adapter.incident(second)
    assert found is not None
    assert (found.status, found.merged_into) == ("resolved", first)


def test_notes_come_in_the_order_of_their_writing(pagerduty: RunningPracticePagerDuty, adapter: PagerDuty) -> None:
    id = paged(pagerduty)
    adapter.note(id, "Approved by Ada Prewitt")
    adapter.note(id, "Cut over")
    pagerduty.act("note", id, text="Thank you")
    assert list(adapter.notes(id)) == ["Approved by Ada Prewitt", "Cut over", "Thank you"]


def test_who_is_on_call_is_told_by_policy_and_level(adapter: PagerDuty) -> None:
    found = adapter.on_call(["PEPDBAX"])
    assert [(one.level, one.name, one.email) for one in found][:2] == [
        (1, "Olga Nowak", "oncall@practice.example"),
        (2, "Dmitri Banerjee", "dba@practice.example"),
    ]
    assert {one.policy for one in adapter.on_call()} == {"PEPOPSX", "PEPDBAX", "PEPCTOX"}


def test_mayday_pages_and_takes_the_page_back(pagerduty: RunningPracticePagerDuty, pager: Pager) -> None:
    for _ in range(2):
        pager.trigger(
            "run 7",
            "A run failed",
            severity="warning",
            details={"password": "x", "why": "password=hunter2"},
            link="https://example.org/thread",
        )
    [incident] = pagerduty.state()["incidents"]
    assert (incident["title"], incident["service"], incident["urgency"]) == ("A run failed", "Mayday", "low")
    sent = pagerduty.stand_in.account.calls[-1]["body"]
    assert sent["links"][0]["href"] == "https://example.org/thread"
    assert sent["payload"]["timestamp"]
    assert "hunter2" not in str(sent)
    for _ in range(2):
        pager.resolve("run 7")
    assert pagerduty.state()["open"] == 0


def test_long_words_are_cut_and_long_keys_stay_apart(pagerduty: RunningPracticePagerDuty, pager: Pager) -> None:
    pager.trigger("k" * 300 + "a", "s" * 2000)
    pager.trigger("k" * 300 + "b", "s" * 2000)
    assert pagerduty.state()["total"] == 2
    assert len(dedup_key("k" * 300)) == 255
    assert dedup_key("k" * 255) == "k" * 255
    pager.resolve("k" * 300 + "a")
    assert pagerduty.state()["open"] == 1


def test_an_unknown_severity_is_refused_before_it_is_sent(pagerduty: RunningPracticePagerDuty, pager: Pager) -> None:
    with pytest.raises(Refused):
        pager.trigger("k", "x", severity="dreadful")
    assert pagerduty.state()["total"] == 0


# Bad days.


def test_limited_is_waited_for_within_bounds(pagerduty: RunningPracticePagerDuty, adapter: PagerDuty) -> None:
    ids = pagerduty.page("Storm", count=2)["incidents"]
    pagerduty.fault("limited")
    for id in ids:
        adapter.acknowledge(id)
    assert [one["status"] for one in pagerduty.state()["incidents"]] == ["acknowledged"] * 2


def test_limited_for_long_is_away(pagerduty: RunningPracticePagerDuty, adapter: PagerDuty) -> None:
    pagerduty.stand_in.account.rest_limit = Limiter(pagerduty.stand_in.account.clock, 1)
    adapter.notes(paged(pagerduty))
    with pytest.raises(Away, match="rate limit"):
        adapter.on_call()


def test_an_error_afterwards_does_not_double_a_note(pagerduty: RunningPracticePagerDuty, adapter: PagerDuty) -> None:
    id = paged(pagerduty)
    pagerduty.fault("errors")
    written, refused = [], 0
    for n in range(8):
        try:
            adapter.note(id, f"Milestone {n}")
            written.append(f"Milestone {n}")
        except Away:
            refused += 1
    pagerduty.fault("off")
    assert list(adapter.notes(id)) == written
    assert (len(written), refused) == (6, 2)


def test_a_note_that_was_refused_is_not_there(pagerduty: RunningPracticePagerDuty, adapter: PagerDuty) -> None:
    id = paged(pagerduty)
    pagerduty.fault("down")
    with pytest.raises(Away):
        adapter.note(id, "Cut over")
    pagerduty.fault("off")
    assert list(adapter.notes(id)) == []


def test_an_equal_note_of_yesterday_does_not_count(pagerduty: RunningPracticePagerDuty, adapter: PagerDuty) -> None:
    id = paged(pagerduty)
    adapter.note(id, "Cut over")
    pagerduty.stand_in.account.incidents[id].notes[0].created_at -= 86_400
    faults = pagerduty.stand_in.account.faults
    pagerduty.fault("errors")
    faults.judge("POST /incidents/{id}/notes")
    with pytest.raises(Away):
        adapter.note(id, "Cut over")


CALLS: dict[str, Callable[[PagerDuty], object]] = {
    "read": lambda adapter: adapter.incident("Q0"),
    "list": lambda adapter: adapter.updated_since(now()),
    "acknowledge": lambda adapter: adapter.acknowledge("Q0"),
    "note": lambda adapter: adapter.note("Q0", "x"),
    "on call": lambda adapter: adapter.on_call(),
}


@pytest.mark.parametrize("name", CALLS)
def test_down_is_away(pagerduty: RunningPracticePagerDuty, adapter: PagerDuty, pager: Pager, name: str) -> None:
    pagerduty.fault("down")
    with pytest.raises(Away) as away:
        CALLS[name](adapter)
    assert away.value.hint
    if name == "read":
        with pytest.raises(Away):
            pager.trigger("k", "A run failed")


def test_slow_is_waited_for(pagerduty: RunningPracticePagerDuty, adapter: PagerDuty) -> None:
    id = paged(pagerduty)
    pagerduty.fault("slow")
    adapter.acknowledge(id)
    assert seen(pagerduty, id)["status"] == "acknowledged"


def test_too_slow_is_away(pagerduty: RunningPracticePagerDuty) -> None:
    adapter = PagerDutyRest(settings_for(pagerduty), now, seconds=0.5)
    pagerduty.fault("slow")
    with pytest.raises(Away, match="does not answer"):
        adapter.on_call()


def test_nobody_there_is_away(pagerduty: RunningPracticePagerDuty) -> None:
    nobody = settings_for(pagerduty, api_url="https://127.0.0.1:9", events_url="https://127.0.0.1:9")
    for call in CALLS.values():
        with pytest.raises(Away, match="does not answer"):
            call(PagerDutyRest(nobody, now))
    with pytest.raises(Away):
        EventsPager(nobody, now).resolve("k")


def test_twice_changes_nothing_for_who_asks(pagerduty: RunningPracticePagerDuty, adapter: PagerDuty) -> None:
    id = paged(pagerduty)
    pagerduty.fault("twice")
    adapter.note(id, "Cut over")
    assert list(adapter.notes(id)) == ["Cut over"]


@pytest.mark.parametrize(
    ("wrong", "said", "hint"),
    [
        ({"token": SecretStr("not-the-token")}, "token", "pagerduty.token"),
        ({"token": SecretStr(READ_ONLY_TOKEN)}, "may not", "write access"),
        ({"sender": "stranger@practice.example"}, "sender", "pagerduty.sender"),
        ({"sender": ""}, "sender", "pagerduty.sender"),
        ({"ca_file": ""}, "certificate", "pagerduty.ca_file"),
    ],
)
def test_wrong_settings_are_said_and_how_to_mend_them(
    pagerduty: RunningPracticePagerDuty, wrong: dict[str, Any], said: str, hint: str
) -> None:
    id = paged(pagerduty)
    adapter = PagerDutyRest(settings_for(pagerduty, **wrong), now)
    with pytest.raises(RecoveryError, match=said) as refused:
        adapter.acknowledge(id)
    assert hint in refused.value.hint
    assert not isinstance(refused.value, Away)


def test_a_wrong_paging_key_is_said(pagerduty: RunningPracticePagerDuty) -> None:
    pager = EventsPager(settings_for(pagerduty, routing_key=SecretStr("x" * 32)), now)
    with pytest.raises(RecoveryError) as refused:
        pager.trigger("k", "A run failed")
    assert "Invalid routing key" in refused.value.detail


@pytest.mark.parametrize(
    "wrong",
    [{"token": SecretStr("")}, {"api_url": "http://127.0.0.1:9"}, {"ca_file": "/nowhere/ca.pem"}],
)
def test_settings_that_cannot_work_are_refused_at_once(
    pagerduty: RunningPracticePagerDuty, wrong: dict[str, Any]
) -> None:
    with pytest.raises(Refused) as refused:
        PagerDutyRest(settings_for(pagerduty, **wrong), now)
    assert refused.value.hint


def test_a_pager_without_a_key_is_refused_at_once() -> None:
    with pytest.raises(Refused):
        EventsPager(PagerDutySettings(), now)


def test_no_secret_is_in_any_log_or_error(
    pagerduty: RunningPracticePagerDuty, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    secrets = (TOKEN, READ_ONLY_TOKEN, MAYDAY_KEY, "wrong-token-4711")
    wrong, read_only = {"token": SecretStr("wrong-token-4711")}, {"token": SecretStr(READ_ONLY_TOKEN)}
    told: list[str] = []
    with caplog.at_level(logging.DEBUG):
        for mode, given in (("off", {}), ("off", wrong), ("off", read_only), ("errors", {}), ("down", {})):
            pagerduty.fault(mode)
            told.extend(_everything_said(settings_for(pagerduty, **given)))
    told.extend([caplog.text, *capsys.readouterr(), repr(settings_for(pagerduty))])
    whole = "\n".join(told)
    assert len(caplog.text) > 1000
    assert [secret for secret in secrets if secret in whole] == []
    assert "4711" not in whole


def _everything_said(settings: PagerDutySettings) -> Iterator[str]:
    adapter, pager = PagerDutyRest(settings, now), EventsPager(settings, now)
    calls: tuple[Callable[[], object], ...] = (
        lambda: adapter.acknowledge("Q0"),
        lambda: adapter.notes("Q0"),
        adapter.on_call,
        lambda: pager.trigger("k", "x"),
    )
    for call in calls:
        try:
            call()
        except RecoveryError as trouble:
            yield f"{trouble!r} {trouble.detail} {trouble.hint} {trouble.__cause__!r}"


@dataclass
class Counted:
    """The time that is waited, without waiting."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Counted:
    counted = Counted()
    monkeypatch.setattr(api_rate, "time", counted)
    return counted


def test_the_pace_is_shared_and_bounded(clock: Counted) -> None:
    assert pace_of("https://one.example", 10, 5) is pace_of("https://one.example", 10, 5)
    assert pace_of("https://one.example", 10, 5) is not pace_of("https://other.example", 10, 5)
    pace = ApiRate(per_second=50, burst=2)
    for _ in range(12):
        pace.wait()
    assert sum(clock.slept) == pytest.approx(10 / 50)


def test_a_limit_that_is_used_up_keeps_everybody_away(clock: Counted) -> None:
    pace = ApiRate(per_second=1000, burst=1000)
    pace.learn(200, {"ratelimit-remaining": "0", "ratelimit-reset": "30"})
    with pytest.raises(Away, match="rate limit"):
        pace.wait()
    fresh = ApiRate(per_second=1000, burst=1000)
    fresh.learn(200, {"ratelimit-remaining": "12", "ratelimit-reset": "30"})
    fresh.wait(longest=0.01)
    fresh.learn(429, {})
    before = clock.now
    fresh.wait()
    assert clock.now - before == pytest.approx(1.0)


def test_one_person_or_policy_is_paged_alone_and_once(pagerduty: RunningPracticePagerDuty) -> None:
    adapter = PagerDutyRest(settings_for(pagerduty), now)
    for contact in ("PCTOONE", CTO_DIRECT.id):
        for _ in range(2):
            adapter.call(f"mayday r1 alone {contact}", "Nobody approved", contact, "nobody answers")
    found = [one for one in pagerduty.state()["incidents"] if one["title"] == "Nobody approved"]
    assert [one["assigned"] for one in found] == [["Carla Teng"], ["Carla Teng"]]
    pagerduty.fault("down")
    with pytest.raises(Away):
        adapter.call("another", "Nobody approved", "PCTOONE")
