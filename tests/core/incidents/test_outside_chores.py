"""What a worker does with PagerDuty beside recoveries: polling, notes for milestones, alarms. Each is done once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from actions.chores.chores import Chore
from actions.chores.leader_lease import LeaderLease
from actions.engine.errors import Away, RecoveryError
from actions.engine.journal import Kind
from actions.incidents import on_call
from actions.incidents.alarms import Alarm, Facts, RunFacts, SiteFacts, alarms
from actions.incidents.alert import Alert, AlertState
from actions.incidents.alert_grouping import IncidentScope, Rules
from actions.incidents.kept_events import set_aside
from actions.incidents.milestones import milestones
from actions.incidents.pagerduty_events import heard, storable
from actions.settings.outside import PagerDutySettings, StatusPageSettings
from actions.settings.settings import Settings
from actions.store import notes
from actions.store.store import Store
from actions.watch import service_condition
from actions.watch.service_condition import Condition, Health, Reachable
from bot.incidents.incident_thread import ThreadStory
from tests.support.bot_world import PITR, SERVICE, PlayedWorker
from tests.support.worlds.pagerduty import Killed, Paging
from tests.support.worlds.pages import at, body, event, note
from tests.support.worlds.post import Post, Tower, due, find
from workers.watch.outside_chores import Outside, keep_on_call

# The poller ----------------------------------------------------------------------------------------


def test_without_a_webhook_polling_gives_the_same_incident(post: Post) -> None:
    heard = Post(partial(Store, "sqlite://"))
    heard.hears(event("triggered", "P0"), event("acknowledged", "P0", 1), event("resolved", "P0", 2))
    for status in ("triggered", "acknowledged", "resolved"):
        post.world.change("P0", status=status)
        post.polls()
    assert post.one.state is heard.one.state is AlertState.RESOLVED
    assert (post.one.title, post.one.service, post.one.count) == (heard.one.title, heard.one.service, 1)


def test_webhook_and_poller_at_once_make_no_doubles(post: Post) -> None:
    post.hears(event("triggered", "P0"))
    post.polls()
    before = post.one.last
    post.polls()
    post.hears(event("triggered", "P0"))
    post.polls()
    assert post.one.last == before
    assert post.one.count == 1


@pytest.mark.parametrize(
    "bad",
    [
        {"created_at": datetime(1, 1, 1, tzinfo=UTC)},
        {"created_at": datetime(9999, 12, 31, tzinfo=UTC)},
        {"changed_at": datetime(9999, 12, 31, tzinfo=UTC)},
        {"id": "P\0X"},
        {"id": "P\ud800"},
        {"status": "\0"},
    ],
    ids=str,
)
def test_one_incident_that_cannot_be_read_is_set_aside_alone_and_is_no_hindrance_for_any_other(
    post: Post, bad: dict[str, Any]
) -> None:
    post.world.opens("PBAD")
    post.world.incidents["PBAD"] = replace(post.world.incidents["PBAD"], **bad)
    post.world.opens("PGOOD")
    for _ in range(2):
        post.polls()
    post.hears(event("triggered", "PLATER"))
    assert {id for incident in post.incidents for id in incident.alerts} >= {"PGOOD", "PLATER"}
    assert len(set_aside(post.store)) == 1


def test_a_moment_at_the_end_of_time_in_a_journal_of_before_keeps_no_alert_out() -> None:
    scope = IncidentScope(
        "i1", frozenset({SERVICE}), datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    )
    rules = Rules({"PPOSTGR": SERVICE}, {})
    seen = heard(body(event("triggered", "P1")))
    assert isinstance(seen, Alert)
    assert rules.belongs(rules.placed(seen), scope) in (True, False)


@pytest.mark.parametrize("url", ["u\0", "u\ud800"])
def test_what_rest_says_is_storable_wherever_it_goes(post: Post, url: str) -> None:
    post.world.opens("PBAD", url=url, policy=url, key=url)
    post.polls()
    paged = next(a.paged for incident in post.incidents for a in incident.alerts.values() if a.paged.id == "PBAD")
    assert {paged.url, paged.policy, paged.key} == {storable(url)}


def test_polling_tells_who_acknowledged(post: Post) -> None:
    post.polls()
    post.world.change("P0", status="acknowledged", acknowledger="Ada Prewitt")
    post.polls()
    assert post.one.lead is not None
    assert post.one.lead.by == "Ada Prewitt"


@pytest.mark.parametrize("skew", [-3600, 0, 3600])
def test_a_clock_that_is_wrong_by_an_hour_changes_nothing(post: Post, skew: int) -> None:
    post.clock.advance(skew)
    post.hears(event("triggered", "P0"))
    post.world.change("P0", status="resolved")
    post.polls()
    assert post.one.state is AlertState.RESOLVED
    post.world.change("P0", status="triggered")
    post.hears(event("reopened", "P0", 3))
    assert post.one.state is AlertState.TRIGGERED
    post.polls()
    assert post.one.state is AlertState.TRIGGERED


def test_a_webhook_that_was_delayed_is_corrected_by_the_next_look(post: Post) -> None:
    post.hears(event("triggered", "P0"))
    post.world.change("P0", status="resolved")
    post.polls()
    post.hears(event("acknowledged", "P0", 1))
    post.polls()
    assert post.one.state is AlertState.RESOLVED


def test_what_changes_there_and_back_between_looks_is_seen_each_time(post: Post) -> None:
    for status in ("triggered", "acknowledged", "triggered", "acknowledged", "triggered"):
        post.world.change("P0", status=status)
        post.polls()
        assert post.one.state == status


def test_a_list_that_leaves_out_what_was_resolved_is_asked_for_one_by_one(post: Post) -> None:
    post.polls()
    post.clock.advance(3600)
    post.polls()
    post.world.change("P0", status="resolved")
    post.polls()
    assert post.one.state is AlertState.RESOLVED
    assert "incident P0" in post.world.calls


def test_secrets_in_a_title_are_hidden_and_not_seen_as_a_change(post: Post) -> None:
    post.world.change("P0", title="login failed password=hunter2")
    post.polls()
    before = post.one.last
    post.polls()
    assert "hunter2" not in post.one.title
    assert post.one.last == before


def test_while_pagerduty_is_away_nothing_is_forgotten(post: Post) -> None:
    post.world.fate = lambda _call: "down"
    with pytest.raises(Away):
        post.polls()
    post.world.fate = lambda _call: None
    post.polls()
    assert post.one.state is AlertState.TRIGGERED


def test_polling_sees_what_moves_to_another_service_and_back(post: Post) -> None:
    post.polls()
    post.world.change("P0", service="PNETWORK", service_name="Network")
    post.polls()
    assert (post.one.state, post.one.moved_to) == (AlertState.MOVED, "Network")
    post.world.change("P0", service="PPOSTGR", service_name="Service PPOSTGR")
    post.polls()
    assert post.one.state is AlertState.TRIGGERED


def test_polling_sees_what_moves_from_another_service_to_ours(post: Post) -> None:
    post.world.change("P0", service="PNETWORK", service_name="Network")
    post.polls()
    assert post.store.incidents() == []
    post.world.change("P0", service="PPOSTGR", service_name="Service PPOSTGR")
    post.polls()
    assert (post.one.state, post.one.service) == (AlertState.TRIGGERED, "nself-postgres")


def test_polling_takes_over_when_pagerduty_says_that_it_changed(post: Post) -> None:
    post.polls()
    post.world.change("P0", status="resolved", changed_at=at(12))
    post.polls()
    assert post.one.over_at == at(12)
    post.world.change("P0", status="triggered", changed_at=at(20))
    post.polls()
    assert (post.one.state, post.one.over_at) == (AlertState.TRIGGERED, None)
    post.world.change("P0", status="resolved", changed_at=at(31))
    post.polls()
    assert post.one.over_at == at(31)


def test_polling_sees_that_nobody_has_it(post: Post) -> None:
    post.polls()
    post.world.change("P0", assignees=())
    post.polls()
    assert post.one.holders == ()


# Milestones ----------------------------------------------------------------------------------------


def test_pagerduty_reads_what_a_recovery_has_reached_and_who_did_it(post: Post) -> None:
    post.hears(event("triggered", "P0"))
    post.whole()
    post.tells()
    assert [text.split(" [")[0] for text in post.world.remarks["P0"]] == [
        "Olga approved: Restore, keep serving.",
        "The recovery (postgres pitr) has started.",
        "replay failed: The disk is full. Make room.",
        "Ada approved: Cut over.",
        "Cut over: what was recovered is in service.",
        "Recovered.",
    ]
    calls = len(post.world.calls)
    post.tells()
    assert len(post.world.calls) == calls


@pytest.mark.deep
@pytest.mark.parametrize("how", ["kill before", "kill after"])
@pytest.mark.parametrize("at_call", range(1, 13))
def test_a_note_is_written_once_though_the_worker_is_killed_at_any_call(post: Post, at_call: int, how: str) -> None:
    post.hears(event("triggered", "P0"))
    post.whole()
    post.world.fate = lambda _call: how if len(post.world.calls) == at_call else None
    with pytest.raises(Killed):
        post.tells()
    post.tells()
    assert len(post.world.remarks["P0"]) == len(set(post.world.remarks["P0"])) == 6


def test_our_own_notes_come_back_and_say_nothing_new(post: Post) -> None:
    post.hears(event("triggered", "P0"))
    post.whole()
    post.tells()
    before = post.one.last
    post.hears(*(note("P0", text, 5 + n) for n, text in enumerate(post.world.remarks["P0"])))
    assert post.one.last == before


def test_while_pagerduty_is_away_notes_wait_and_one_that_it_refuses_holds_none_back(post: Post) -> None:
    post.hears(event("triggered", "P0"))
    post.whole()
    post.world.fate = lambda call: "down" if call.startswith("note ") else None
    teller = post.teller()
    with pytest.raises(Away):
        post.tells(teller)
    post.world.fate = lambda call: "no" if call == "note P0" and not post.world.remarks else None
    post.tells(teller)
    assert post.world.remarks == {}
    assert notes.cursor(post.store, "pagerduty", "r1") == len(post.store.entries("r1"))


def test_notes_go_to_the_alert_that_is_open_where_an_earlier_one_is_over(post: Post) -> None:
    post.world.opens("P1", minutes=1)
    post.hears(event("triggered", "P0"), event("resolved", "P0", 1), event("triggered", "P1", 2))
    worker = post.recovers()
    post.tells()
    worker.ends("recovered")
    post.tells()
    post.tells()
    assert "P0" not in post.world.remarks
    [said] = post.world.remarks["P1"]
    assert "Recovered" in said


def test_a_note_that_stands_with_an_alert_that_is_over_by_now_is_not_written_again(post: Post) -> None:
    post.world.opens("P1", minutes=1)
    post.hears(event("triggered", "P0"), event("triggered", "P1", 1))
    post.recovers().ends("recovered")
    post.world.fate = lambda call: "kill after" if call.startswith("note P0") else None
    with pytest.raises(Killed):
        post.tells()
    post.world.fate = lambda call: None
    post.hears(event("resolved", "P0", 2))
    post.tells()
    assert len(post.world.remarks["P0"]) == 1
    assert "P1" not in post.world.remarks


def test_a_merged_alerts_notes_go_to_the_one_that_it_went_into(post: Post) -> None:
    into = {"type": "merge_resolve_reason", "incident": {"id": "PINTO", "type": "incident_reference"}}
    post.hears(event("triggered", "P0"), event("resolved", "P0", 1, resolve_reason=into))
    post.recovers().ends("recovered")
    post.tells()
    assert list(post.world.remarks) == ["PINTO"]


def test_updates_go_out_by_themselves_only_where_the_settings_say_so_and_once(post: Post) -> None:
    post.hears(event("triggered", "P0"))
    post.whole()
    post.tells()
    assert [r for r in post.store.runs() if r.startswith("e")] == []
    post.statuspage = StatusPageSettings(kind="files", automatic=("opened", "finished"), components={SERVICE: "db"})
    post.store.keep("cursor", "pagerduty r1", 0)
    for _ in range(3):
        post.tells()
    drafts = [post.store.run(r).request["draft"] for r in post.store.runs() if r.startswith("e")]
    assert sorted(d["status"] for d in drafts) == ["investigating", "monitoring"]
    assert {d["incident"] for d in drafts} == {post.one.id}


def test_where_the_settings_let_the_end_out_it_goes_out_once_if_the_beginning_did(post: Post) -> None:
    post.hears(event("triggered", "P0"))
    post.statuspage = StatusPageSettings(kind="files", automatic=("opened", "resolved"), components={SERVICE: "db"})
    post.tells()
    assert post.published() == ["investigating"]
    post.hears(event("resolved", "P0", 1))
    post.tells()
    assert post.published() == ["investigating"], "what was not published yet needs no end"
    post.clock.advance(1)
    PlayedWorker(post.store, next(run for run in post.store.runs() if run.startswith("e"))).ends("done")
    for _ in range(3):
        post.tells()
    assert post.published() == ["investigating", "resolved"]


def test_the_public_is_not_told_that_it_is_over_where_it_was_moved_to_somebody_else(post: Post) -> None:
    post.hears(event("triggered", "P0"))
    post.statuspage = StatusPageSettings(kind="files", automatic=("opened",), components={SERVICE: "db"})
    post.tells()
    PlayedWorker(post.store, next(run for run in post.store.runs() if run.startswith("e"))).ends("done")
    post.hears(event("service_updated", "P0", 3, service="PNETWORK"))
    post.tells()
    assert post.published() == ["investigating"]


def test_the_milestones_of_a_procedure_that_is_gone_are_told_all_the_same(post: Post) -> None:
    post.hears(event("triggered", "P0"))
    told = post.store.entries(post.whole().run)
    assert [m.text for m in milestones(told, None)][-1] == "Recovered."


def test_where_nothing_goes_out_by_itself_an_update_is_offered_in_the_thread_once(post: Post) -> None:
    post.hears(event("triggered", "P0"))
    post.statuspage = StatusPageSettings(kind="files", automatic=("failed",))
    post.whole()
    post.tells()
    post.store.keep("cursor", "pagerduty r1", 0)
    post.tells()
    offered = [e.data for e in post.store.entries(post.one.id) if e.kind is Kind.NOTED]
    assert [d["offers"] for d in offered] == ["started", "finished"]
    lines = ThreadStory()
    lines.hear(post.store.entries(post.one.id))
    assert lines.lines[0].text == "The recovery (postgres pitr) has started. An update for the status page is ready."
    assert [len(line.blocks) for line in lines.lines] == [1, 2], "the newest offer alone has the button"
    assert lines.lines[1].blocks[1]["elements"][0]["text"]["text"] == "Status page…"


# Alarms --------------------------------------------------------------------------------------------

RUN = RunFacts("r1", "Bring it back", at(0), rto=timedelta(minutes=30))


@pytest.mark.parametrize(
    ("run", "minutes", "expected"),
    [
        (RUN, 10, []),
        (replace(RUN, failed_at=at(5)), 9.9, []),
        (replace(RUN, failed_at=at(5)), 10, ["r1 failed"]),
        (replace(RUN, asked_at=at(5)), 14.9, []),
        (replace(RUN, asked_at=at(5), serving=True), 15, ["r1 approval"]),
        (replace(RUN, asked_at=at(5), serving=True), 25, ["r1 approval", "r1 approval again"]),
        (RUN, 23.9, []),
        (RUN, 24, ["r1 late"]),
        (replace(RUN, ahead=timedelta(minutes=5)), 24, []),
        (replace(RUN, ahead=timedelta(minutes=7)), 24, ["r1 late"]),
        (replace(RUN, serving=True), 100, []),
        (replace(RUN, rto=None), 1000, []),
    ],
)
def test_a_run_is_paged_about_when_somebody_is_needed_and_not_before(
    run: RunFacts, minutes: float, expected: list[str]
) -> None:
    assert due(run, minutes) == expected


def test_a_site_is_paged_about_when_nothing_could_be_recovered() -> None:
    assert due(worker_at=at(0), minutes=0.9) == []
    assert due(worker_at=at(0), minutes=1.1) == ["site main worker"]
    assert due(minutes=1000) == []
    assert due(unrecoverable={"": "no base backup"}) == ["site main recoverability"]
    assert all(isinstance(a, Alarm) and a.details["do"] for a in alarms(Facts(at(9), (SiteFacts("m", at(0)),))))


@pytest.fixture
def tower(post: Post) -> Tower:
    post.hears(event("triggered", "P0"))
    return Tower(post)


def test_a_failed_run_is_paged_once_and_taken_back_when_somebody_answers(tower: Tower) -> None:
    worker = tower.post.recovers()
    worker.acts(PITR, 3)
    worker.write(Kind.FAILED, 4, title="replay", error="The disk is full.", hint="Make room.")
    assert tower.looks(1) == []
    assert tower.looks(5) == ["r1 failed"]
    assert tower.looks(1) == ["r1 failed"]
    assert [c for c in tower.post.world.calls if c.startswith("trigger")] == ["trigger mayday r1 failed"]
    worker.write(Kind.RETRIED, 4, by="U1", name="Olga")
    assert tower.looks() == []


def test_an_approval_that_waits_is_paged_and_taken_back_with_the_answer(tower: Tower) -> None:
    worker = tower.post.recovers()
    worker.asks(PITR, 2)
    assert tower.looks(15) == []
    worker.write(Kind.RECHECKED, 2)
    worker.asks(PITR, 5)
    assert tower.looks(5) == []
    assert tower.looks(6) == ["r1 approval", "r1 late"]
    worker.ends("discarded")
    assert tower.looks() == []


def test_whoever_goes_on_alone_is_paged_about_and_for_a_while_after_the_end_too(tower: Tower) -> None:
    worker = tower.post.recovers()
    worker.asks(PITR, 5)
    said = {"option": "Cut over", "leads": "on", "gives": "cut", "by": "U1", "name": "Olga", "text": "", "plan": "abc"}
    worker.write(Kind.ANSWERED, 5, **said, glass={"reason": "nobody answers", "waited_seconds": 900.0})
    worker.ends("recovered")
    assert tower.looks() == ["r1 alone"]
    assert str(tower.post.store.note("alarm", "mayday r1 alone")).endswith("Olga: nobody answers")
    assert [p.assignees for p in tower.post.world.incidents.values() if p.key == "mayday r1 alone PCTO"] == [("PCTO",)]
    assert tower.looks(16) == []


def test_no_worker_is_paged_by_whoever_still_lives(tower: Tower) -> None:
    assert tower.looks() == []
    assert tower.looks(0.5, worker=False) == []
    assert tower.looks(2, worker=False) == ["site main worker"]
    assert tower.looks() == []


GOOD = Reachable(at(1), earliest=at(0), latest=at(1))


@pytest.mark.parametrize(
    ("seen", "blind_since", "said"),
    [
        (GOOD, None, ""),
        (Reachable(at(1)), None, "no moment of nself-postgres can be reached"),
        (replace(GOOD, waiting=1 << 20, waiting_since=at(-12)), None, "WAL of nself-postgres is not archived"),
        # What has been archived since the last look nobody knows.
        (replace(GOOD, seen_at=at(-12), waiting=1 << 20, waiting_since=at(-13)), None, ""),
        (GOOD, at(-2), ""),
        (GOOD, at(-12), "could not be looked at for 13 min. The folder is gone."),
        (None, at(-12), "could not be looked at for 13 min. The folder is gone."),
    ],
)
def test_lost_recoverability_is_paged_while_nobody_recovers(
    tower: Tower, seen: Reachable | None, blind_since: datetime | None, said: str
) -> None:
    problem = "The folder is gone." if blind_since else ""
    kept = Condition(
        SERVICE,
        "main",
        tower.post.clock(),
        Health(SERVICE, "healthy"),
        reachable=seen,
        problem=problem,
        problem_since=blind_since,
    )
    service_condition.keep(tower.post.store, kept)
    assert tower.looks() == (["site main recoverability"] if said else [])
    assert said in str(tower.post.store.note("alarm", "mayday site main recoverability"))
    tower.post.recovers()
    assert tower.looks() == []


def test_a_page_that_was_not_taken_is_tried_again(tower: Tower) -> None:
    worker = tower.post.recovers()
    worker.write(Kind.FAILED, 4, title="replay", error="x", hint="y")
    tower.post.world.fate = lambda call: "down" if call.startswith("trigger") else None
    with pytest.raises(RecoveryError):
        tower.looks(6)
    tower.post.world.fate = lambda call: None
    assert tower.looks() == ["r1 failed"]


# Chores --------------------------------------------------------------------------------------------


def test_what_the_settings_do_not_name_is_not_done(post: Post) -> None:
    outside = Outside(Settings(), post.store, find, "w1", lambda run: None)
    assert [chore.name for chore in outside.chores()] == ["milestones"]
    whole = replace(outside, pagerduty=post.world, pager=Paging(post.world))
    assert [chore.name for chore in whole.chores()] == ["milestones", "poll", "on call", "alarms"]


def test_who_is_on_call_is_noted_for_all_who_may_not_ask(post: Post) -> None:
    settings = Settings(pagerduty=PagerDutySettings(policies=("PPOLICY",)))
    keep_on_call(Outside(settings, post.store, find, "w1", lambda run: None), post.world)
    known = on_call.known(post.store, "main")
    assert known is not None
    assert known[0].name == "Olga Nowak"


def test_of_two_workers_one_does_a_chore_and_an_error_does_not_end_it(post: Post) -> None:
    done: list[str] = []

    def work() -> None:
        done.append("x")
        if len(done) == 1:
            raise Away("PagerDuty does not answer.", hint="Nothing to do.")

    one, other = (Chore("poll", 1, work, post.store, LeaderLease(post.store, "poll", who)) for who in ("w1", "w2"))
    assert [one.once(), other.once(), one.once(), other.once()] == [False, False, True, False]
    assert len(done) == 2
    assert post.store.leased() == set()
