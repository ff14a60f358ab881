"""From PagerDuty's events to incidents: right in the end, whatever the order, however often, however many."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.engine.facts import to_json
from actions.engine.journal import Kind, first_broken
from actions.incidents import incident as incidents
from actions.incidents.alert import Alert, AlertState
from actions.incidents.alert_grouping import Rules, rules_of
from actions.incidents.incident import Incident
from actions.incidents.kept_events import KEPT_HOURS, UNREAD, WAITING, forget_old_events, keep_event, set_aside
from actions.incidents.pagerduty_events import MARK, Unread, heard, observed
from actions.incidents.take_in_events import take_in
from actions.settings.outside import PagerDutySettings
from actions.settings.settings import Settings
from actions.stack.manual import MANUAL
from actions.stack.objectives import KINDS
from tests.support.bot_world import Clock, emptied
from tests.support.worlds.pages import DEPENDS, SERVICES, at, body, event, note
from workers.doctor.site_checks import event_findings

RULES = Rules(SERVICES, DEPENDS)


class Room:
    """A store that hears from PagerDuty."""

    def __init__(self, rules: Rules = RULES) -> None:
        self.clock = Clock(at(1))
        self.store = emptied(self.clock)
        self.rules = rules

    def hears(self, *events: dict[str, Any]) -> None:
        """Each comes alone, and is taken in before the next."""
        for said in events:
            keep_event(self.store, body(said))
            take_in(self.store, self.rules)

    def hears_at_once(self, *events: dict[str, Any]) -> None:
        for said in events:
            keep_event(self.store, body(said))
        while take_in(self.store, self.rules):
            pass

    @property
    def incidents(self) -> list[Incident]:
        found = [incidents.fold(self.store.entries(name)) for name in self.store.incidents()]
        # Whatever was heard, the table of journals knows which of them are open.
        assert self.store.incidents(open_only=True) == [incident.id for incident in found if incident.open]
        return found

    @property
    def one(self) -> Incident:
        (found,) = self.incidents
        return found


def lasting(incident: Incident) -> Any:
    """What is the same however the events came: all but when and as what the journal was written."""
    return incident.alerts, incident.notes, incident.state, incident.title, incident.service, incident.count


def test_a_page_opens_an_incident_with_all_that_was_said() -> None:
    room = Room()
    room.hears(event())
    alert = room.one.lead
    assert alert is not None
    assert (room.one.title, room.one.service, room.one.state) == (
        "Alert PGR0VU2",
        "nself-postgres",
        AlertState.TRIGGERED,
    )
    assert (alert.paged.urgency, alert.paged.priority, alert.paged.assignees) == ("high", "P1", ("Olga Nowak",))
    assert room.one.id.startswith("i1122-")
    assert room.one.promised(MANUAL) == KINDS["postgres"]
    assert [e.kind for e in room.store.entries(room.one.id)] == [Kind.OPENED, Kind.ALERTED]


def test_resolved_before_triggered_is_resolved() -> None:
    room = Room()
    room.hears(event("resolved", minutes=5), event("triggered"))
    assert room.one.state is AlertState.RESOLVED
    assert room.one.over_at == at(5)


def test_a_redelivery_writes_nothing() -> None:
    room = Room()
    room.hears(event(), event(), event("acknowledged", minutes=1), event(), event("acknowledged", minutes=1))
    assert room.one.last == 3
    room.clock.on(49 * 3600)
    forget_old_events(room.store)
    assert not keep_event(room.store, body(event()))


def test_events_are_forgotten_after_everybody_has_stopped_sending_them() -> None:
    room = Room()
    room.hears(event())
    room.clock.on(KEPT_HOURS * 3600 + 1)
    forget_old_events(room.store)
    assert room.store.notes("event") == {}


def test_what_pagerduty_opens_again_is_open_again_even_where_somebody_had_closed_it() -> None:
    room = Room()
    room.hears(event(), event("resolved", minutes=2))
    room.store.extend(room.one.id, lambda told: [(Kind.CLOSED, None, {"by": "U1", "name": "Olga"})])
    assert room.one.state is AlertState.RESOLVED
    room.hears(event("reopened", minutes=3))
    assert room.one.state is AlertState.TRIGGERED


def test_who_acknowledged_through_us_has_it_until_pagerduty_gives_it_to_somebody_else() -> None:
    room, sender, other = Room(), assigned("Mayday"), assigned("Ada Prewitt")
    room.hears(event())
    assert room.one.holders == ("Olga Nowak",)
    presses_acknowledge(room, "Dmitri")
    room.hears(event("acknowledged", minutes=1, by="Mayday", **sender))
    assert room.one.holders == ("Dmitri",)
    room.hears(event("priority_updated", minutes=2, status="acknowledged", **sender))
    assert room.one.holders == ("Dmitri",)
    room.hears(event("reassigned", minutes=3, status="acknowledged", **other))
    assert room.one.holders == ("Ada Prewitt",)


def test_who_was_given_it_while_nobody_looked_has_it_whoever_acknowledged_before() -> None:
    room = Room()
    room.hears(event())
    presses_acknowledge(room, "Dmitri")
    room.hears(event("acknowledged", minutes=1, by="Mayday", **assigned("Ada Prewitt")))
    assert room.one.holders == ("Ada Prewitt",)


def test_who_acknowledged_in_pagerduty_has_it() -> None:
    room = Room()
    room.hears(event(), event("acknowledged", minutes=1, by="Ada Prewitt", **assigned("Ada Prewitt")))
    assert room.one.holders == ("Ada Prewitt",)


def presses_acknowledge(room: Room, name: str) -> None:
    wanted = {"run": "e1", "procedure": "pagerduty acknowledge", "name": name, "pursues": "acknowledged"}
    room.store.extend(room.one.id, lambda told: [(Kind.LINKED, None, wanted)])


def assigned(name: str) -> dict[str, Any]:
    return {"assignees": [{"id": "PUSER01", "summary": name, "type": "user_reference"}]}


def test_merging_resolves_the_one_and_says_so_and_inside_of_one_incident_counts_as_resolved() -> None:
    room = Room()
    into = {"type": "merge_resolve_reason", "incident": {"id": "POTHER0", "type": "incident_reference"}}
    room.hears(event(), event("resolved", minutes=2, resolve_reason=into))
    assert room.one.state is AlertState.MERGED
    room.hears(event("triggered", "POTHER0", 1, opened=1))
    assert room.one.state is AlertState.TRIGGERED
    room.hears(event("resolved", "POTHER0", 4, opened=1))
    assert room.one.state is AlertState.RESOLVED


def test_services_that_stand_on_the_same_one_fold_and_others_do_not() -> None:
    room = Room()
    room.hears(
        event("triggered", "PA", 1, service="PHASURA", opened=1),
        event("triggered", "PB", 2, service="PAUTH00", opened=2),
        event("triggered", "PC", 3, service="PPOSTGR", opened=3),
        event("triggered", "PD", 3, service="PREDIS0", opened=3),
    )
    assert sorted(i.count for i in room.incidents) == [1, 3]


def test_the_window_slides_with_the_storm_and_ends_with_it() -> None:
    room = Room()
    for minute in (0, 8, 16, 27):
        room.hears(event("triggered", f"P{minute}", minute, opened=minute))
    assert sorted(i.count for i in room.incidents) == [1, 3]


def test_what_somebody_called_over_takes_no_new_alert_and_goes_on_in_a_thread_of_its_own() -> None:
    room = Room()
    room.hears(event("triggered", "P1"), event("resolved", "P1", 1), event("triggered", "P2", 2, opened=2))
    assert room.one.count == 2, "what comes and goes by itself is one thread"
    called_over(room, minutes=3)
    room.hears(event("triggered", "P3", 4, opened=4), event("triggered", "P4", 5, opened=5))
    first, second = sorted(room.incidents, key=lambda incident: incident.began_at)
    assert (set(first.alerts), set(second.alerts)) == ({"P1", "P2"}, {"P3", "P4"})
    assert (first.open, second.open) == (False, True)


def test_an_alert_from_before_somebody_called_it_over_still_belongs_to_it() -> None:
    room = Room()
    room.hears(event("triggered", "P1"))
    called_over(room, minutes=3)
    room.hears(event("triggered", "P2", 4, opened=2))
    assert set(room.one.alerts) == {"P1", "P2"}


def called_over(room: Room, minutes: float) -> None:
    room.clock.now = at(minutes)
    room.store.extend(room.one.id, lambda told: [(Kind.CLOSED, None, {"by": "U1", "name": "Olga"})])


def test_what_is_changed_after_the_end_moves_no_end_and_a_second_end_does() -> None:
    room = Room()
    room.hears(event(), event("resolved", minutes=5), event("priority_updated", minutes=30, status="resolved"))
    assert (room.one.state, room.one.over_at) == (AlertState.RESOLVED, at(5))
    room.hears(event("reopened", minutes=40), event("resolved", minutes=50))
    assert room.one.over_at == at(50)


@pytest.mark.deep
def test_a_thousand_alerts_are_one_incident_and_few_entries() -> None:
    room = Room()
    storm = [event("triggered", f"P{n:04}", n / 1000, opened=n / 1000) for n in range(1000)]
    room.hears_at_once(*storm, *storm[::7])
    assert room.one.count == len(room.one.open_alerts) == 1000
    assert room.one.last <= 5
    assert room.store.notes("event waiting") == {}
    assert first_broken(room.store.entries(room.one.id)) is None


def test_a_storm_is_over_when_the_last_of_its_alerts_is() -> None:
    room = Room()
    room.hears_at_once(*(event("triggered", f"P{n:03}", n / 100, opened=n / 100) for n in range(100)))
    over = [event("resolved", f"P{n:03}", 5 + n / 100, opened=n / 100) for n in range(100)]
    room.hears_at_once(*over[1:])
    assert room.one.state is AlertState.TRIGGERED
    room.hears_at_once(over[0])
    assert (room.one.state, room.one.count) == (AlertState.RESOLVED, 100)


def test_unknown_services_and_kinds_are_kept_and_open_nothing() -> None:
    room = Room()
    ping = {"event": {"id": "E1", "event_type": "pagey.ping", "data": {"type": "ping", "message": "Hello"}}}
    room.hears(event(service="PELSE00"), ping, {"strange": 1}, event(id="x", data={"type": "incident"}))
    assert room.incidents == []
    assert len(room.store.notes("event")) == 4
    assert room.store.notes("event waiting") == {}


def test_without_a_table_of_services_every_one_opens_a_thread() -> None:
    room = Room(Rules())
    room.hears(event(service="PELSE00"), event("triggered", "PB", service="PPOSTGR"))
    assert len(room.incidents) == 2


def test_a_note_in_pagerduty_is_told_once_and_our_own_never() -> None:
    room = Room()
    early = note("PGR0VU2", "Looking, password=hunter2")
    room.hears(early)
    assert room.store.notes("event waiting") != {}
    room.hears(event(), early, note("PGR0VU2", f"Approved by Ada. {MARK}r1:4]", 2))
    told = [e.data for e in room.store.entries(room.one.id) if e.kind is Kind.NOTED]
    assert [(d["text"], d["by"]) for d in told] == [("Looking, password=[hidden]", "Olga Nowak")]


def test_a_note_about_what_nobody_told_us_of_is_let_go_after_a_while() -> None:
    room = Room()
    room.hears(note("PNOBODY", "Hello"))
    room.clock.on(3600)
    take_in(room.store, room.rules)
    assert room.store.notes("event waiting") == {}


def test_what_mayday_pages_itself_comes_back_into_its_incident_or_nowhere() -> None:
    room = Room()
    room.store.extend("i1122-abcd", lambda told: [(Kind.OPENED, None, {"title": "Declared", "service": "nself-auth"})])
    room.hears(event("triggered", "PA", incident_key="mayday i1122-abcd", service="PMAYDAY"))
    room.hears(event("triggered", "PB", incident_key="mayday r1122-abcd failed", service="PPOSTGR"))
    assert room.one.id == "i1122-abcd"
    assert list(room.one.alerts) == ["PA"]
    room.hears(event("triggered", "PC", 2, opened=2, service="PPOSTGR"))
    assert list(room.one.alerts) == ["PA", "PC"]


def test_an_incident_read_by_rest_keeps_its_count_of_alerts() -> None:
    room = Room()
    room.hears(event())
    known = room.one.lead
    assert known is not None
    seen = replace(known, paged=replace(known.paged, alerts=7), at=known.at + timedelta(microseconds=1), event="seen")
    keep_event(room.store, observed(seen), "seen 1")
    take_in(room.store, room.rules)
    room.hears(event("acknowledged", minutes=1))
    assert (room.one.count, room.one.state) == (7, AlertState.ACKNOWLEDGED)


@pytest.mark.parametrize(
    "said", ["", "[]", "null", '{"event": 3}', '{"event": {"data": []}}', '{"observed": {}}', "[" * 100_000]
)
def test_a_body_that_cannot_be_read_says_why(said: str) -> None:
    assert isinstance(heard(said), Unread)


def test_what_is_about_something_else_is_nothing() -> None:
    assert heard('{"event": {"id": "1", "event_type": "service.updated", "data": {}}}') is None


SURROGATE = "\ud83d"
ODD: dict[str, dict[str, Any]] = {
    "the year one": {"created_at": "0001-01-01T00:00:00Z"},
    "the year 9999": {"created_at": "9999-12-31T23:59:59Z"},
    "no zone": {"created_at": "2026-11-22T14:00:00"},
    "an infinite number": {"number": float("inf")},
    "half a pair in an id": {"id": f"P{SURROGATE}"},
    "NUL in an id": {"id": "P\0"},
    "no id": {"id": ""},
    "an id without end": {"id": "P" * 5000},
    "a list for a service": {"service": ["PPOSTGR"]},
    "no status": {"status": None},
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_an_event_that_cannot_be_read_is_set_aside_alone(odd: dict[str, Any]) -> None:
    room = Room()
    strange = event("triggered", "PSTRANGE")
    strange["event"]["data"] |= odd
    room.hears_at_once(event("triggered", "PA", 0), strange, event("triggered", "PB", 1))
    assert {alert for one in room.incidents for alert in one.alerts} == {"PA", "PB"}
    assert list(set_aside(room.store)) == [strange["event"]["id"]]
    assert room.store.note(UNREAD, strange["event"]["id"])["body"] == body(strange)
    assert not room.store.notes(WAITING)
    # Nor does it come back to stop a bot that begins anew.
    assert take_in(room.store, RULES) == []


@pytest.mark.parametrize("text", [SURROGATE, "a\0b", "\N{PILE OF POO}" * 400], ids=["half a pair", "NUL", "long"])
def test_a_title_that_nobody_can_store_or_show_is_mended(text: str) -> None:
    room = Room()
    room.hears(event("triggered", title=text, priority={"summary": text}, html_url=text))
    said = json.dumps(to_json(room.one.alerts["PGR0VU2"]), ensure_ascii=False)
    assert said.encode()
    assert "\\u0000" not in said
    assert set_aside(room.store) == {}


def test_an_event_with_which_nothing_can_be_done_is_set_aside_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of ours, in whatever comes after reading."""
    room, was = Room(), Rules.placed

    def placed(rules: Rules, alert: Alert) -> Alert:
        if alert.paged.id == "PBAD":
            raise OverflowError("date value out of range")
        return was(rules, alert)

    monkeypatch.setattr(Rules, "placed", placed)
    room.hears_at_once(*(event("triggered", name, n) for n, name in enumerate(("PA", "PBAD", "PB"))))
    assert {alert for one in room.incidents for alert in one.alerts} == {"PA", "PB"}
    assert list(set_aside(room.store).values()) == ["OverflowError: date value out of range"]
    (finding,) = event_findings(room.store)
    assert (finding.ok, "1 could not be read" in finding.seen) == (False, True)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just(SURROGATE),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=4,
)


@given(
    st.lists(st.tuples(st.sampled_from(sorted(event()["event"]["data"])), _VALUES), max_size=3),
    st.lists(st.tuples(st.sampled_from(sorted(event()["event"])), _VALUES), max_size=1),
)
def test_whatever_an_event_says_the_next_one_is_taken_in(inner: list[Any], outer: list[Any]) -> None:
    strange = event("triggered", "PSTRANGE", minutes=1)
    strange["event"]["data"] |= dict(inner)
    strange["event"] |= dict(outer)
    room = Room()
    keep_event(room.store, json.dumps(strange))
    take_in(room.store, RULES)
    room.hears(event("triggered", "PNEXT", 600))
    assert "PNEXT" in {alert for one in room.incidents for alert in one.alerts}
    assert not room.store.notes(WAITING)


def test_secrets_in_titles_do_not_reach_the_journal() -> None:
    said = heard(body(event(title="db postgres://u:hunter2@db down")))
    assert isinstance(said, Alert)
    assert "hunter2" not in said.paged.title


WHATS = ("triggered", "acknowledged", "unacknowledged", "resolved", "reopened", "escalated", "priority_updated")
STATES = {"unacknowledged": "triggered", "reopened": "triggered", "escalated": "triggered"}


@st.composite
def a_story(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Events of a few alerts within the window, with times that may be the same, and notes."""
    events = []
    for n in range(draw(st.integers(1, 4))):
        alert, service = f"P{n}", draw(st.sampled_from(("PPOSTGR", "PHASURA", "PAUTH00")))
        opened = draw(st.integers(0, 3))
        for k, what in enumerate(draw(st.lists(st.sampled_from(WHATS), min_size=1, max_size=4))):
            minutes = draw(st.integers(opened, 8))
            events.append(
                event(
                    what, alert, minutes, id=f"{alert}-{k}", service=service, opened=opened, status=STATES.get(what, "")
                )
            )
    return events


@settings(max_examples=25, deadline=None)
@given(a_story(), st.data())
def test_any_order_and_any_duplication_ends_in_the_same_incident(
    story: list[dict[str, Any]], data: st.DataObject
) -> None:
    straight = Room()
    straight.hears(*story)
    wanted, mixed = lasting(straight.one), Room()
    again = data.draw(st.permutations([*story, *data.draw(st.lists(st.sampled_from(story), max_size=4))]))
    cut = data.draw(st.integers(0, len(again)))
    mixed.hears(*again[:cut])
    mixed.hears_at_once(*again[cut:])
    assert lasting(mixed.one) == wanted


@settings(max_examples=15, deadline=None)
@given(a_story(), st.data())
def test_whatever_the_folding_every_alert_ends_in_its_newest_state_once(
    story: list[dict[str, Any]], data: st.DataObject
) -> None:
    room = Room(Rules(SERVICES, DEPENDS, timedelta(minutes=1)))
    room.hears(*data.draw(st.permutations(story)))
    newest: dict[str, Any] = {}
    for said in story:
        e = said["event"]
        key = (e["occurred_at"], e["id"])
        newest[e["data"]["id"]] = max(newest.get(e["data"]["id"], ("", "")), (*key, e["data"]["status"]))
    found = [(name, alert.paged.status) for i in room.incidents for name, alert in i.alerts.items()]
    assert sorted(found) == sorted((name, told[2]) for name, told in newest.items())


def test_the_stored_form_of_an_observation_is_read_back() -> None:
    alert = heard(body(event()))
    assert isinstance(alert, Alert)
    assert heard(observed(alert)) == alert
    assert json.loads(observed(alert))


def test_what_was_moved_to_a_service_that_is_none_of_ours_is_waited_for_no_longer_and_may_come_back() -> None:
    room, to = Room(), {"service": "PNETWORK"}
    room.hears(event(), event("service_updated", minutes=3, status="triggered", **to))
    assert (room.one.state, room.one.open, room.one.over_at) == (AlertState.MOVED, False, at(3))
    assert (room.one.moved_to, room.one.service, room.one.open_alerts) == ("Service PNETWORK", "nself-postgres", ())
    room.hears(event("acknowledged", minutes=4, **to), event("resolved", minutes=5, **to))
    assert (room.one.state, room.one.over_at) == (AlertState.MOVED, at(3))
    room.hears(event("reopened", minutes=6, status="triggered", **to), event("service_updated", minutes=7))
    assert (room.one.state, room.one.moved_to, room.one.over_at) == (AlertState.TRIGGERED, "", None)


def test_one_of_several_that_is_moved_leaves_the_others() -> None:
    room = Room()
    room.hears(event(), event("acknowledged", "P2", 2, opened=1))
    room.hears(event("service_updated", minutes=3, service="PNETWORK"))
    assert (room.one.state, room.one.title) == (AlertState.ACKNOWLEDGED, "Alert P2")


def test_an_incident_of_somebody_else_that_is_moved_to_us_gets_a_thread() -> None:
    room = Room()
    room.hears(event(service="PNETWORK"))
    assert room.incidents == []
    room.hears(event("service_updated", minutes=3))
    assert (room.one.state, room.one.service) == (AlertState.TRIGGERED, "nself-postgres")


@pytest.mark.parametrize("at_once", [False, True])
def test_what_is_resolved_and_opened_again_has_the_times_of_the_last_time_however_it_arrives(at_once: bool) -> None:
    room = Room()
    hear = room.hears_at_once if at_once else room.hears
    hear(event(), event("resolved", minutes=5))
    hear(event("reopened", minutes=40), event("resolved", minutes=50))
    assert (room.one.state, room.one.over_at) == (AlertState.RESOLVED, at(50))
    called_over(room, minutes=51)
    hear(event("reopened", minutes=60), event("resolved", minutes=61), event("reopened", minutes=62, id="again"))
    assert (room.one.state, room.one.over_at) == (AlertState.TRIGGERED, None)


def test_nobody_is_nobody() -> None:
    room = Room()
    room.hears(event())
    presses_acknowledge(room, "Dmitri")
    room.hears(event("acknowledged", minutes=1, by="Mayday", **assigned("Mayday")))
    assert room.one.holders == ("Dmitri",)
    for n, nobody in enumerate(([], None, [None], [{"id": "P1", "summary": None}])):
        room.hears(event("reassigned", minutes=2 + n, status="acknowledged", assignees=nobody))
        assert room.one.holders == ()


def test_alerts_of_services_that_need_the_same_one_belong_together_by_the_stack_and_the_old_form_wins() -> None:
    by_stack = rules_of(Settings())
    assert by_stack.related("nself-hasura", "nself-postgres")
    assert by_stack.related("nself-functions", "nself-auth")
    assert not by_stack.related("nself-hasura", "nself-redis")
    old = PagerDutySettings(depends_on={"nself-hasura": ("nself-redis",)})
    by_hand = rules_of(Settings(pagerduty=old))
    assert by_hand.related("nself-hasura", "nself-redis")
    assert not by_hand.related("nself-hasura", "nself-postgres")
