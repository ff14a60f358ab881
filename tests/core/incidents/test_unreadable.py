"""A row that cannot be read stops nothing: its own journal is passed over, and every other goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from actions.engine.errors import RecoveryError
from actions.engine.journal import Kind, first_broken
from actions.engine.lanes import Lane
from actions.incidents.alert_grouping import Rules
from actions.incidents.kept_events import keep_event
from actions.incidents.take_in_events import take_in
from actions.settings.outside import HeartbeatSettings
from actions.store import tables
from actions.store.store import Store
from bot.dispatch import hear
from bot.listeners.response_deadline import ResponseDeadline
from bot.runs.requests import Origin
from bot.slack.home_data import home_data
from bot.slack.people import SlackPeople
from bot.slack.watched_journals import Journals
from tests.support.bot_world import (
    CATALOG,
    CHANNEL,
    PITR,
    SERVICE,
    DirectoryClient,
    Office,
    PlayedWorker,
    office_in,
    store_in,
)
from tests.support.worlds.pages import body, event
from tests.support.worlds.post import Post, Tower
from workers.doctor.site_checks import event_findings
from workers.runner.leased_runner import LeasedRunner
from workers.runner.sweep import LanePlace
from workers.runner.worker import Worker
from workers.watch.audit import Audit


def spoil(store: Store, name: str, **values: Any) -> None:
    """Change the last row of a journal, as a broken disk or another version would."""
    with store.engine.begin() as db:
        last = sa.select(sa.func.max(tables.entries.c.n)).where(tables.entries.c.run == name).scalar_subquery()
        where = (tables.entries.c.run == name) & (tables.entries.c.n == last)
        given = {key: sa.literal_column(value) for key, value in values.items()}
        db.execute(sa.update(tables.entries).where(where).values(given))


SPOILED = {
    "no JSON": {"data": "'{\"by'"},
    "a list": {"data": "'[1]'"},
    "no moment": {"at": "'0001-13-45'"},
}


@pytest.fixture(params=SPOILED.values(), ids=SPOILED)
def spoiled(request: pytest.FixtureRequest) -> dict[str, str]:
    return dict(request.param)


@pytest.fixture
def office(tmp_path: Path) -> Office:
    made = office_in()
    store = store_in(tmp_path, made.clock)
    people = SlackPeople(made.bot.settings.people, DirectoryClient(made.directory), store)
    return replace(made, bot=replace(made.bot, store=store, people=people))


def two_runs(office: Office) -> tuple[str, str]:
    for key in ("t1", "t2"):
        hear(office.bot, "postgres verify", Origin(key, "U0ONCALL", "T1", CHANNEL))
    second, first = office.store.runs()
    return first, second


def test_the_tail_passes_over_it(office: Office, spoiled: dict[str, str]) -> None:
    bad, good = two_runs(office)
    spoil(office.store, bad, **spoiled)
    journals = Journals(office.store)
    journals.read()
    assert good in journals.watched
    PlayedWorker(office.store, good).looks(PITR, 0)
    journals.read()
    assert journals.watched[good].last == 2


def find(name: str) -> Any:
    return next(procedure for procedure in CATALOG if procedure.name == name)


def test_the_worker_passes_over_it_and_the_audit_names_it(office: Office, spoiled: dict[str, str]) -> None:
    bad, good = two_runs(office)
    spoil(office.store, bad, **spoiled)
    nobody: Any = None
    worker = Worker(office.store, lambda site, lane: LeasedRunner(office.store, find, nobody, "w"), "", find, "w")
    assert worker.sweep.due() == {LanePlace("main", Lane.RECOVERY): [good]}
    audit = Audit(office.store, find, "main", [SERVICE], HeartbeatSettings())
    told = {finding.name: finding for finding in audit.look()}
    assert any(bad in finding.seen and not finding.ok for finding in told.values())


def test_alerts_are_taken_in_beside_an_incident_that_cannot_be_read(office: Office, spoiled: dict[str, str]) -> None:
    store, rules = office.store, Rules({"PPOSTGR": SERVICE}, {})
    keep_event(store, body(event("triggered", "PA")))
    (bad,) = take_in(store, rules)
    spoil(store, bad, **spoiled)
    keep_event(store, body(event("triggered", "PB", 60, opened=60)))
    (good,) = take_in(store, rules)
    assert good != bad
    assert [entry.kind for entry in store.entries(good)] == [Kind.OPENED, Kind.ALERTED]


@pytest.mark.parametrize("said", ["status", "runs", "runs {bad}", "stop {bad}", "stop"])
def test_whoever_asks_hears_of_all_others_or_that_it_cannot_be_read(
    office: Office, spoiled: dict[str, str], said: str
) -> None:
    bad, good = two_runs(office)
    spoil(office.store, bad, **spoiled)
    heard = hear(office.bot, said.format(bad=bad), Origin("t3", "U0ONCALL", "T1", CHANNEL, "9.9")).text
    assert (f"journal of run {bad} cannot be read" in heard) if "{bad}" in said else (good in heard or "Which" in heard)


def test_the_home_tab_shows_what_can_be_read(office: Office, spoiled: dict[str, str]) -> None:
    bad, good = two_runs(office)
    spoil(office.store, bad, **spoiled)
    shown = [run.id for run in home_data(office.bot).runs]
    assert shown == [good]


@pytest.mark.parametrize("which", ["run", "incident"])
def test_pages_notes_and_polls_go_on_beside_it(tmp_path: Path, spoiled: dict[str, str], which: str) -> None:
    post = Post(lambda clock: store_in(tmp_path, clock))
    post.hears(event("triggered", "PA"))
    bad = post.recovers("r1").run if which == "run" else post.one.id
    good = None
    if which == "run":
        PlayedWorker(post.store, bad).ends("done")
        good = post.recovers("r2")
    spoil(post.store, bad, **spoiled)
    if good is not None:
        good.write(Kind.FAILED, 0, title="look", error="The disk is full.", hint="Make room.")
    assert Tower(post).looks(30) == (["r2 failed", "r2 late"] if good else [])
    post.tells()
    post.world.opens("PNEW", created_at=post.clock() - timedelta(minutes=1))
    post.polls()
    assert [name for name in post.store.incidents() if name != bad]


def test_an_incident_of_pagerduty_that_cannot_be_read_is_told_by_the_doctor_until_it_can(tmp_path: Path) -> None:
    post = Post(lambda clock: store_in(tmp_path, clock))
    post.hears(event("triggered", "PKNOWN"))
    post.world.opens("PNEW", created_at=post.clock())
    post.world.unreadable = {"PKNOWN": "month must be in 1..12", "P\ud800": "no number"}
    for _ in range(2):
        post.polls()
    assert {alert for one in post.incidents for alert in one.alerts} == {"PKNOWN", "PNEW"}
    [found] = event_findings(post.store)
    assert not found.ok
    assert found.seen.startswith("2 could not be read, for example incident P")
    post.world.unreadable = {}
    post.polls()
    assert list(event_findings(post.store)) == []


def test_an_open_incident_that_became_unreadable_alone_ends_no_poll(tmp_path: Path) -> None:
    post = Post(lambda clock: store_in(tmp_path, clock))
    post.hears(event("triggered", "PGONE"), event("triggered", "PLATE"))
    post.world.opens("PLATE", status="resolved", created_at=post.clock() - timedelta(days=1))
    # In no list any more, as what was resolved long ago, and asked for by its id.
    post.world.unlisted = {"PGONE": "month must be in 1..12"}
    post.polls()
    assert {id: alert.open for one in post.incidents for id, alert in one.alerts.items()} == {
        "PGONE": True,
        "PLATE": False,
    }
    [found] = event_findings(post.store)
    assert "incident PGONE: ValueError: month must be in 1..12" in found.seen


def test_incidents_are_listed_beside_one_that_cannot_be_read(office: Office, spoiled: dict[str, str]) -> None:
    keep_event(office.store, body(event("triggered", "PA")))
    (bad,) = take_in(office.store, Rules())
    spoil(office.store, bad, **spoiled)
    keep_event(office.store, body(event("triggered", "PB", 60, opened=60)))
    (good,) = take_in(office.store, Rules())
    assert good in hear(office.bot, "list", Origin("t3", "U0ONCALL", "T1", CHANNEL), "incident").text


def test_what_cannot_be_read_is_never_answered_with_silence() -> None:
    with pytest.raises(RecoveryError, match="cannot be read"):
        ResponseDeadline(lambda: None)(lambda: int("no number"))


@pytest.mark.parametrize("read", [Store.entries, Store.run])
def test_what_a_later_version_wrote_is_an_entry_that_tells_nothing(
    office: Office, read: Callable[[Store, str], Any]
) -> None:
    run, _ = two_runs(office)
    later: Any = Kind("later than us")
    office.store.speak(run, lambda state: (later, None, {"x": 1}))
    assert read(office.store, run)
    told = office.store.entries(run)
    assert told[-1].kind == "later than us"
    assert first_broken(told) is None
    assert later not in list(Kind)
