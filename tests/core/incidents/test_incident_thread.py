"""An incident's thread: what stands in it, what a storm does to it, and what its words and buttons do."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from actions.engine.journal import Kind
from actions.engine.procedure import Outcome
from actions.incidents import incident as incidents
from actions.incidents import incident_actions, on_call
from actions.incidents.alert import AlertState
from actions.incidents.kept_events import keep_event
from actions.incidents.pagerduty_events import OWN
from actions.incidents.suggested_recoveries import fitting
from actions.incidents.take_in_events import take_in
from actions.settings.contacts import Contact, ContactSettings
from actions.tools.outside import OnCall
from actions.watch import row_counts
from actions.watch.row_counts import RowsSeen
from actions.watch.service_condition import Condition, Health
from bot.commands.parse_command import ProcedureCommand
from bot.incidents.incident_commands import press
from bot.incidents.incident_scene import scene_of
from bot.runs.requests import Origin, open_run
from bot.slack.thread_writer import ThreadWriter
from bot.views import incident_modals as modals
from bot.views import incident_words
from tests.support.bot_world import CATALOG, CHANNEL, PITR, PlayedWorker
from tests.support.worlds.emergency import RULES, Emergency
from tests.support.worlds.pages import body, event, note


@pytest.fixture
def here() -> Emergency:
    return Emergency()


def test_a_page_stands_as_a_thread_with_all_that_one_wants_to_know(here: Emergency) -> None:
    on_call.keep(
        here.store,
        "main",
        [
            OnCall("P1", "Olga Nowak", "", 1, "PPOLICY"),
            OnCall("P2", "Ben Okoro", "", 2, "PPOLICY"),
            OnCall("P3", "Somebody Else", "", 1, "POTHER"),
        ],
    )
    here.pages()
    text = here.channel.text(f"{here.incident.id}:1")
    for said in (
        "Alert PGR0VU2",
        "Nobody has it yet",
        "of 30 min, in time",
        "*Service* nself-postgres",
        "*Urgency* high",
        "*Priority* P1",
        "*On call* Olga Nowak",
        "*Backup* Ben Okoro",
    ):
        assert said in text
    assert here.buttons() == ["Acknowledge", "Recover…", "Take a role", "Escalate", "Resolve"]
    assert here.root["thread_ts"] is None
    assert "1 alert, 1 open" in str(here.root["blocks"])
    assert here.lines() == []


def test_while_pagerduty_is_away_the_settings_say_who_is_on_call(here: Emergency) -> None:
    people = (Contact(role="on-call", name="Mia"), Contact(role="backup", name="Noa"))
    settings = here.bot.settings.model_copy(update={"contacts": ContactSettings(people=people)})
    here.sink = ThreadWriter(replace(here.bot, settings=settings))
    here.pages()
    text = here.channel.text(":1")
    assert "*On call* Mia" in text
    assert "this is from the settings" in text


def test_a_storm_is_one_thread_with_a_number_and_few_calls(here: Emergency) -> None:
    for n in range(0, 300, 50):
        here.pages(*(event("triggered", f"P{k:04}", k / 300, opened=k / 300) for k in range(n, n + 50)), ticks=5)
    here.draw(15)
    assert len(here.channel.messages) == 1
    assert "300 alerts, 300 open" in str(here.root["blocks"])
    assert len(here.channel.calls) < 12


def test_what_else_is_wrong_is_named_as_far_as_anybody_reads(here: Emergency) -> None:
    titles = ["Database down", "Disk <full>", "Disk <full>", "API slow", "Sign-in slow", "Queue long"]
    here.pages(*(event("triggered", f"P{n}", n, opened=n, title=title) for n, title in enumerate(titles)))
    assert "Also: Disk &lt;full&gt;; API slow; Sign-in slow and 1 more" in here.channel.text(":1")


def test_what_people_do_in_pagerduty_shows_and_what_we_did_there_shows_once(here: Emergency) -> None:
    here.pages()
    here.pages(event("acknowledged", minutes=1, by="Ben Okoro"))
    assert here.lines() == ["Acknowledged in PagerDuty by Ben Okoro."]
    assert "*Acknowledged* by Olga Nowak" in here.channel.text(":1")
    run = here.press("resolve")
    here.errand(run, said="resolved")
    here.pages(event("resolved", minutes=2, by="Olga Nowak"))
    assert here.incident.state is AlertState.RESOLVED
    assert sorted(line.split(" · ")[0] for line in here.lines()[1:]) == [
        "<@U0ONCALL> resolved the incident.",
        "Resolve in PagerDuty",
    ]
    assert here.buttons() == []


def test_a_thread_that_is_over_is_left_alone_and_comes_back_with_its_incident(here: Emergency) -> None:
    here.pages()
    here.pages(event("resolved", minutes=1))
    here.draw()
    calls = len(here.channel.calls)
    here.draw(40)
    assert len(here.channel.calls) == calls
    here.sink = ThreadWriter(here.bot)
    here.pages(event("reopened", minutes=5, by="Ben Okoro"))
    assert here.lines()[-1] == "Open again in PagerDuty by Ben Okoro."
    assert "Nobody has it yet" in here.channel.text(":1")
    assert len(here.channel.messages) == 3


@pytest.mark.deep
@pytest.mark.parametrize("how", ["kill before", "kill after", "down", "broken after"])
@pytest.mark.parametrize("at", range(1, 7))
def test_whatever_happens_at_any_call_everything_stands_once(here: Emergency, at: int, how: str) -> None:
    here.channel.fate = lambda n, _method: how if n == at else None
    here.pages()
    run = here.press("acknowledge")
    here.errand(run, said="acknowledged")
    here.pages(event("acknowledged", minutes=1), note("PGR0VU2", "Looking into it", 2))
    assert len(here.channel.keys) == len(set(here.channel.keys)) == 3
    assert here.lines()[0].startswith("Acknowledge in PagerDuty · <@U0ONCALL> · acknowledged")
    assert here.lines()[1] == "Note in PagerDuty by Olga Nowak: Looking into it"


def test_an_errand_that_does_not_work_says_so_with_a_button_to_try_again(here: Emergency) -> None:
    here.pages()
    run = here.press("acknowledge")
    assert here.lines() == ["Acknowledge in PagerDuty · <@U0ONCALL> · at work"]
    lease = here.store.acquire(run, "w")
    assert lease is not None
    here.store.append(lease, Kind.FAILED, 1, {"title": "acknowledge", "error": "PagerDuty <said> no.", "hint": "Look."})
    here.draw()
    assert here.lines()[0].endswith("*did not work*\nPagerDuty &lt;said&gt; no.\nLook.")
    assert [e["text"]["text"] for e in here.channel.messages[-1]["blocks"][-1]["elements"]] == ["Retry", "Undo"]


def test_an_errand_asked_for_before_the_thread_stands_waits_for_it(here: Emergency) -> None:
    here.channel.fate = lambda n, _method: "limited" if n == 1 else None
    keep_event(here.store, body(event()))
    take_in(here.store, RULES)
    press(here.bot, "acknowledge", here.incident, here.bot.people.asking("U0ONCALL", "T1"), "c1")
    here.draw()
    assert [m["thread_ts"] for m in here.channel.messages] == [None, here.root["ts"]]


def test_a_press_counts_once_and_only_from_those_who_may(here: Emergency) -> None:
    here.pages()
    assert here.press("acknowledge")
    assert here.press("acknowledge") == ""
    with pytest.raises(Exception, match="may not lead"):
        here.press("resolve", "U0WATCHER", "c2")
    assert here.incident.open


def test_an_incident_is_declared_led_and_resolved_by_words(here: Emergency) -> None:
    first = here.say("declare messages <!here> are missing critical", here=False)
    assert here.say("declare messages <!here> are missing critical", here=False).text == ""
    assert "is open" in first.text
    assert (here.incident.title, here.incident.severity) == ("messages @here are missing", "critical")
    assert [here.store.run(errand).procedure for errand in first.runs] == ["pagerduty page"]
    assert "Call the cto" in first.text or "name nobody" in first.text
    assert "thread" in here.say("role scribe <@U0DBA|dmitri>", key="t2").text
    here.say("severity high", key="t3")
    here.say("severity nonsense", key="t4")
    here.say("resolve", key="t5")
    rules = [line for line in here.lines() if "business hours" in line]
    assert rules[0].splitlines()[0] == "It is outside of business hours."
    assert "The rules say call cto, but the settings name nobody of that role." in rules[0]
    told = [line for line in here.lines() if "Page the person" not in line and "business hours" not in line]
    assert told == ["<@U0DBA> is scribe.", "<@U0ONCALL> says: high.", "<@U0ONCALL> resolved the incident."]
    assert not here.incident.open


def test_an_incident_that_becomes_critical_says_whom_to_call(here: Emergency) -> None:
    people = (Contact(role="cto", name="Cleo", phone="+49 1", pagerduty="PCTO"), Contact(role="on-call", name="Mia"))
    settings = here.bot.settings.model_copy(update={"contacts": ContactSettings(people=people)})
    here.bot = replace(here.bot, settings=settings)
    here.pages()
    assert "Call the cto now: Cleo +49 1." in here.say("severity critical").text
    assert here.say("severity critical", key="t2").text == "It is written down; the thread shows it."
    said = [line.splitlines()[1:] for line in here.lines() if "business" in line]
    assert said == [["Call the cto now: Cleo +49 1. PagerDuty pages them too."]]
    [page] = [here.store.run(one.run).request["page"] for one in here.incident.runs]
    assert (page["contact"], page["severity"]) == ("PCTO", "critical")


def test_what_mayday_pages_itself_opens_nothing_again_in_the_thread(here: Emergency) -> None:
    people = (Contact(role="cto", name="Cleo", phone="+49 1", pagerduty="PCTO"),)
    settings = here.bot.settings.model_copy(update={"contacts": ContactSettings(people=people)})
    here.bot = replace(here.bot, settings=settings)
    here.pages(event(), event("acknowledged", minutes=1))
    here.say("severity critical")
    here.pages(event("triggered", "PCALLED", 2, incident_key=f"{OWN}{here.incident.id} cto PCTO", opened=2))
    assert here.incident.state is AlertState.TRIGGERED
    assert not [line for line in here.lines() if line.startswith("Open again")]


def test_the_page_of_a_declared_incident_comes_back_into_its_thread(here: Emergency) -> None:
    here.say("declare everything is slow high", here=False)
    name = here.incident.id
    here.pages(event("triggered", "PDECLARED", 1, incident_key=f"{OWN}{name}", service="PMAYDAY", opened=1))
    assert here.incident.id == name
    assert list(here.incident.alerts) == ["PDECLARED"]


def test_words_without_an_incident_or_with_several_ask_which(here: Emergency) -> None:
    assert "No incident is open" in here.say("resolve", here=False).text
    here.pages(event(), event("triggered", "PB", 40, opened=40))
    assert "Which incident?" in here.say("resolve", key="t2", here=False).text
    listed = here.say("list", key="t3", here=False).text
    assert [name in listed for name in here.store.incidents()] == [True, True]
    newest = here.store.incidents()[0]
    here.say(f"resolve {newest}", key="t4", here=False)
    assert [incident_actions.known(here.store, name).open for name in here.store.incidents()] == [False, True]


def test_incident_help_and_a_slip_of_the_fingers_are_answered(here: Emergency) -> None:
    assert "/incident declare" in here.say("help", here=False).text
    assert "Did you mean /incident resolve" in here.say("resolv", key="t2", here=False).text


def test_a_recovery_asked_for_in_the_thread_belongs_to_the_incident(here: Emergency) -> None:
    here.pages()
    origin = Origin("t9", "U0ONCALL", "T1", CHANNEL, here.root["ts"])
    opened = open_run(here.bot, ProcedureCommand(PITR, "14:30"), origin, here.bot.people.asking("U0ONCALL", "T1"))
    here.draw()
    assert [linked.run for linked in here.incident.runs] == [opened.run]
    assert here.store.run(opened.run).origin["incident"] == here.incident.id
    assert here.channel.messages[-1]["thread_ts"] == here.root["ts"]
    worker = PlayedWorker(here.store, opened.run)
    worker.looks(PITR, 0, 1)
    worker.ends(Outcome.RECOVERED)
    here.draw()
    told = here.say("timeline", key="t10").text
    assert "asked: Bring nself-postgres back to 14:30" in told
    assert "Ended: recovered" in told


def test_recoveries_that_fit_come_first_with_the_reasons(here: Emergency) -> None:
    here.pages(event(title="rows missing in nchat_messages"))
    looping = Health("nself-postgres", "restarting", "Exited (1)")
    seen = {looping.service: Condition(looping.service, "main", here.office.clock(), looping)}
    fits = fitting(here.incident, CATALOG, seen)
    assert fits[0].procedure is PITR
    assert "missing data" in fits[0].why
    assert "starts again and again" in fits[0].why
    assert len(fits) == len(CATALOG)
    dialog = modals.recover(here.incident, fits)
    assert dialog["blocks"][1]["element"]["initial_option"]["value"] == "postgres pitr"


def test_rows_that_vanished_are_a_reason_to_go_back(here: Emergency) -> None:
    here.pages()
    for counts in ({"public.messages": 1000, "public.few": 3}, {"public.messages": 10}):
        row_counts.look(here.store, "main", "nself-postgres", RowsSeen("14:00", counts))
    (loss,) = row_counts.lost(here.store, "main", here.incident.services)
    fits = fitting(here.incident, CATALOG, {}, [loss])
    assert fits[0].procedure is PITR
    assert fits[0].why.startswith("public.messages lost 990 of 1000 rows before 14:0")


def test_a_service_that_the_recoveries_are_not_for_brings_none_of_them_forward(here: Emergency) -> None:
    here.pages(event(title="redis down", service="PREDIS0"))
    fits = fitting(here.incident, CATALOG, {})
    assert all(fit.weight == 0 for fit in fits if "postgres" in fit.procedure.name)


def test_a_pinned_message_is_in_the_timeline_once_at_the_time_when_it_was_said(here: Emergency) -> None:
    here.pages()
    olga = here.bot.people.asking("U0ONCALL", "T1").speaker
    for _ in range(2):
        said = "We see <b>errors</b> token=abcdef"
        incident_actions.pin(here.store, here.incident.id, here.office.clock(), said, "Olga", olga, key="C1:1.1")
    assert len(here.incident.pins) == 1
    assert "errors&lt;/b&gt; token=[hidden]" in here.say("timeline").text


def test_titles_from_outside_can_neither_mention_nor_link(here: Emergency) -> None:
    here.pages(event(title="<!channel> <https://evil.example|click>", urgency="<@U1>"))
    sections = [b["text"]["text"] for b in here.root["blocks"] if b["type"] == "section"]
    assert "<!channel>" not in "".join(sections)
    assert "<@U1>" not in "".join(sections)


def test_the_clock_of_an_incident_moves_by_minutes_and_says_what_came_of_the_promise(here: Emergency) -> None:
    here.pages()
    scene = scene_of(here.bot, here.incident, here.office.clock())
    promised = scene.promised
    assert promised is not None
    assert incident_words.clock(scene.incident, scene.incident.began_at, promised) == "0 min of 30 min, in time"
    later = scene.incident.began_at + 2.5 * promised.rto
    assert incident_words.clock(scene.incident, later, promised) == "1 h 15 min of 30 min, 45 min over"
    assert incident_words.clock(scene.incident, later) == "1 h 15 min"
    here.pages(event("resolved", minutes=12))
    assert incident_words.clock(here.incident, later, promised) == "12 min of 30 min, kept"


def test_a_journal_of_an_incident_begins_with_its_opening(here: Emergency) -> None:
    with pytest.raises(ValueError):
        incidents.fold([])


@pytest.mark.deep
def test_news_in_a_header_wait_for_no_clock_of_an_older_incident(here: Emergency) -> None:
    narrow = replace(RULES, window=timedelta(seconds=1))

    def page(alert: str, minutes: float) -> None:
        keep_event(here.store, body(event("triggered", alert, minutes, opened=minutes, title="Slow")))
        take_in(here.store, narrow)

    for n in range(60):
        page(f"POLD{n}", n / 30)
        here.draw(2)
    newest = here.store.incidents()[0]
    here.office.clock.on(61)  # All the clocks have moved on, and Slack takes no more than some of the edits.
    here.draw(20)
    page("PNEW", 59 / 30)
    here.draw(15)
    assert incident_actions.known(here.store, newest).count == 2
    assert "2 alerts" in str(next(m for m in here.channel.messages if m["key"] == f"{newest}:1")["blocks"])


def test_what_is_moved_away_is_told_with_where_it_is_and_waits_for_nobody(here: Emergency) -> None:
    here.pages()
    here.pages(event("service_updated", minutes=3, by="Ada Prewitt", service="PNETWORK"))
    (line,) = here.lines()
    assert line == (
        "Moved in PagerDuty by Ada Prewitt: to Service PNETWORK, which is none of the services here. "
        "Nobody is waited for here any more."
    )
    assert "Moved to another service of PagerDuty" in here.channel.text(":1")
    assert here.buttons() == []


def test_one_of_two_services_of_ours_and_nobody_are_told_too(here: Emergency) -> None:
    here.pages()
    here.pages(event("service_updated", minutes=3, service="PHASURA"))
    here.pages(event("reassigned", minutes=4, service="PHASURA", assignees=[]))
    assert here.lines() == ["Now of Service PHASURA, says PagerDuty.", "Now with nobody, says PagerDuty."]


def test_what_pagerduty_calls_things_marks_nothing_up(here: Emergency) -> None:
    here.pages(event(title="*DOWN* <!here>", priority={"summary": "_P1_"}))
    here.pages(event("triggered", "P2", title="`rm` ~all~"), note("PGR0VU2", "*bold*\nnote", by="_Olga_"))
    shown = repr(here.root["blocks"][1:]) + here.root["text"] + "".join(here.lines()) + here.say("list").text
    assert "∗DOWN∗" in shown
    for loud in ("*DOWN*", "_P1_", "~all~", "`rm`", "*bold*", "_Olga_", "<!here>"):
        assert loud not in shown
