"""Guard clauses of what comes after the copy: the archive, the proof, the disk, the comparison, the pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from actions.engine.errors import RecoveryError, Refused
from actions.postgres.compare_sql import ComparedTable
from actions.postgres.row_comparison import Pair
from actions.postgres.segments import segment_name
from actions.postgres.tablespaces import Tablespace
from actions.steps import pagerduty_incidents
from actions.steps.postgres import archiving, proof
from actions.steps.postgres.compare_rounds import Rounds, TablesCompared
from actions.steps.postgres.compare_sides import Budget, Key
from actions.tools.sql import QueryResult as SqlAnswer
from tests.core.steps.test_disk_space import GB, Disks, measure
from tests.support.worlds.clock import Clock, FakePolling
from tests.support.worlds.company import SITE
from tests.support.worlds.wal import SIZE

NO = RecoveryError("It is not to be had.", hint="Try again.")
NOW = datetime(2026, 2, 9, 9, tzinfo=UTC)


# The archive ------------------------------------------------------------------------------------------


class Arrivals:
    """A server that writes its ninth segment, an archive that takes nothing, and how often each was asked."""

    def __init__(self, error: RecoveryError | None = None, busy: bool = False, **row: Any) -> None:
        self.clock, self.error, self.busy, self.asked = Clock(NOW), error, busy, 0
        self.row = {
            "mode": "on",
            "command": "cp",
            "library": None,
            "archived": 3,
            "archived_at": NOW.isoformat(),
            "last_archived": segment_name(1, 3),
            "failed": 0,
            "last_failed": None,
            "failed_at": None,
            "now": NOW.isoformat(),
            "waiting": 2,
            "written": "0/9000060",
            **row,
        }

    def rows(self, *about: Any, **more: Any) -> list[dict[str, Any]]:
        self.asked += 1
        if self.error:
            raise self.error
        return [{**self.row, "archived": 3 + self.asked * self.busy}]

    def archive(self, server: Any, *, anew: bool = False) -> list[Any]:
        return [SimpleNamespace(name=segment_name(1, 3), bytes=SIZE, wrong="")]

    def logs(self, name: str, lines: int) -> str:
        return ""

    def waits(self) -> tuple[str, float]:
        """What comes of it, and after how long."""
        here: Any = self
        server: Any = SimpleNamespace(service="pg", segment_size=SIZE, timeline=1, archive="/srv/wal")
        seen = archiving.see_backup_arrive(server, here, here, here, FakePolling(self.clock), lambda *about: None)
        return seen.state, (self.clock() - NOW).total_seconds()


def test_an_archive_that_moves_on_is_waited_for_and_one_that_is_silent_for_a_minute() -> None:
    assert Arrivals().waits() == ("waiting", 60.0)
    assert Arrivals(busy=True).waits() == ("waiting", 300.0)
    assert Arrivals(mode="off").waits() == ("off", 0.0)
    assert Arrivals(failed=1, last_failed=segment_name(1, 4), failed_at="2026-02-09T09:00:01+00:00").waits() == (
        "failing",
        15.0,
    )


def test_an_archiver_that_cannot_be_asked_is_asked_again_for_a_minute() -> None:
    state, seconds = Arrivals(NO).waits()
    assert state == "unknown"
    assert 60 < seconds <= 61


@pytest.mark.parametrize(("place", "ended"), [(3 * SIZE + 0x28, False), (4 * SIZE - 1, False), (4 * SIZE, True)])
def test_a_segment_has_ended_when_the_server_writes_behind_the_one_in_which_its_newest_timeline_began(
    place: int, ended: bool
) -> None:
    histories = {"00000003.history": f"1\t0/{SIZE:X}\tx\n2\t0/{3 * SIZE + 0x20:X}\tx\n"}
    sql: Any = SimpleNamespace(rows=lambda *about, **more: [{"lsn": f"0/{place:X}"}])
    files: Any = SimpleNamespace(histories=lambda server: histories)
    server: Any = SimpleNamespace(service="pg", segment_size=SIZE, swapped=None)
    assert archiving.segment_is_ended(proof.Proof(3, "7"), server, files, sql) is ended


# The proof, the disk, the comparison ----------------------------------------------------------------------


class Page:
    """The application's own test: what it answers, one after the other, the last again and again."""

    def __init__(self, *answers: int) -> None:
        self.answers, self.asked = list(answers), list[str]()

    def get(self, url: str, *, seconds: float = 10) -> tuple[int, str]:
        self.asked.append(url)
        return (self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]), "told"


def test_the_smoke_test_is_passed_once_the_application_answers_and_not_asked_where_there_is_none() -> None:
    for page, site, passed in ((Page(200), SITE, True), (Page(503), SITE, False), (Page(201), SITE, False)):
        assert proof.smoke_passed(site, page) is passed
        assert page.asked == [SITE.smoke_url]
    nowhere = Page(503)
    assert proof.smoke_passed(replace(SITE, smoke_url=""), nowhere)
    assert nowhere.asked == []


def test_the_smoke_test_fails_when_the_application_goes_on_failing() -> None:
    proof.smoke_test(SITE, Page(503, 503, 200), FakePolling(Clock()))
    with pytest.raises(RecoveryError, match="smoke test through the application failed") as trouble:
        proof.smoke_test(SITE, Page(503), FakePolling(Clock()))
    assert trouble.value.detail == "503: told"


def test_a_tablespace_of_its_own_disk_needs_its_room_to_the_byte() -> None:
    space = (Tablespace("/fast", "/srv/fast", "PG_15_202209061", (16400,)),)
    needed = measure(Disks(100 * GB, fast=100 * GB), spaces=space).apart[0].needed
    assert measure(Disks(100 * GB, fast=needed), spaces=space).apart[0].free == needed
    with pytest.raises(Refused, match="beside the tablespace at /fast"):
        measure(Disks(100 * GB, fast=needed - 1), spaces=space)


def test_nothing_more_is_begun_once_the_time_is_over() -> None:
    clock = Clock()
    budget = Budget(FakePolling(clock), 10)
    for seconds, over in ((9.5, False), (0.5, True), (5, True)):
        clock.advance(seconds)
        assert budget.over is over


class Told:
    """One side of a comparison: the same answer to each question, or none."""

    def __init__(self, answer: SqlAnswer | None) -> None:
        self.answer = answer

    def each(self, asked: Mapping[Key, str]) -> dict[Key, SqlAnswer]:
        return dict.fromkeys(asked, self.answer) if self.answer else {}


@pytest.mark.parametrize(
    ("ours", "theirs", "why"),
    [
        (SqlAnswer([[1, 5, "1", "2"]]), SqlAnswer([[1, 5, "1", "2"]]), None),
        (SqlAnswer([[1, 5, "1", "2"]]), None, "time ran out"),
        (None, SqlAnswer([[1, 5, "1", "2"]]), "time ran out"),
        (SqlAnswer(error=NO), SqlAnswer([[1, 5, "1", "2"]]), "It is not to be had."),
        (SqlAnswer([[1, 5, "1", "2"]]), SqlAnswer(error=NO), "It is not to be had."),
    ],
)
def test_a_large_table_that_one_side_did_not_tell_is_not_compared(
    ours: SqlAnswer | None, theirs: SqlAnswer | None, why: str | None
) -> None:
    table, found = ComparedTable(7, "public", "t", key=("id",)), TablesCompared()
    sides: Any = (Told(ours), Told(theirs))
    rounds = Rounds(*sides, {}, Budget(FakePolling(Clock()), 60), lambda *about: None)
    rounds._large(Pair("d", table, table), 300_000, found)
    assert list(found.not_compared.values()) == ([why] if why else [])


# Pages ------------------------------------------------------------------------------------------------


class Duty:
    """PagerDuty, where one incident stands so, after some questions without an answer."""

    def __init__(self, *answers: Any) -> None:
        self.answers, self.called = list(answers), list[tuple[Any, ...]]()

    def incident(self, id: str) -> Any:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def call(self, *about: Any) -> None:
        self.called.append(about)


def paged(status: str = "triggered", level: int = 1) -> Any:
    return SimpleNamespace(id="P1", status=status, level=level, assignees=("Olga",), url="u")


@pytest.mark.parametrize(
    ("seen", "resolved"),
    [(paged("triggered"), False), (paged("acknowledged"), False), (paged("resolved"), True), (None, True)],
)
def test_alerts_are_resolved_when_none_is_triggered_or_acknowledged(seen: Any, resolved: bool) -> None:
    alerts: Any = SimpleNamespace(ids=("P1",), since=NOW)
    duty: Any = Duty(seen)
    assert pagerduty_incidents.are_resolved(alerts, duty, FakePolling(Clock())) is resolved


@pytest.mark.parametrize("seen", [None, paged("resolved")])
def test_nobody_is_escalated_to_for_what_is_over(seen: Any) -> None:
    duty: Any = Duty(seen)
    with pytest.raises(Refused, match="nobody to escalate to"):
        pagerduty_incidents.look_at_rung("P1", duty)
    there: Any = Duty(paged("acknowledged", 2))
    assert pagerduty_incidents.look_at_rung("P1", there) == pagerduty_incidents.EscalationLevel(2, 3)


@pytest.mark.parametrize(("level", "escalated"), [(1, False), (2, True), (3, True)])
def test_an_escalation_stands_at_the_wanted_level_or_further(level: int, escalated: bool) -> None:
    duty: Any = Duty(None, paged(level=level))
    assert (
        pagerduty_incidents.is_escalated("P1", pagerduty_incidents.EscalationLevel(1, 2), duty, FakePolling(Clock()))
        is escalated
    )


def test_a_contact_is_called_and_otherwise_the_pager_rings() -> None:
    duty: Any = Duty(None)
    rung: list[str] = []
    pager: Any = SimpleNamespace(trigger=lambda key, *about, **more: rung.append(key))
    page = pagerduty_incidents.Page(
        "k1", "It is down.", "critical", NOW, details={"a": "one", "b": "two"}, contact="PU1"
    )
    pagerduty_incidents.send_page(page, pager, duty)
    assert (duty.called, rung) == ([("k1", "It is down.", "PU1", "one\ntwo")], [])
    pagerduty_incidents.send_page(replace(page, contact=""), pager, duty)
    assert (len(duty.called), rung) == (1, ["k1"])
