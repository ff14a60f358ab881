"""What somebody hears: how their words were read, what would work for them here, who may what they may not, help."""

from __future__ import annotations

import pytest

from actions.catalog import CATALOG as CATALOG_OF_TODAY
from actions.store import notes
from actions.version import VERSION
from bot.dispatch import hear
from bot.runs.requests import Origin
from tests.support.bot_world import CHANNEL, PITR, Office, PlayedWorker, office_in


@pytest.fixture
def office() -> Office:
    return office_in()


def say(office: Office, text: str, user: str = "U0ONCALL", thread: str = "", channel: str = CHANNEL) -> str:
    return hear(office.bot, text, Origin(f"{user} {text} {thread} {channel}", user, "T1", channel, thread, user)).text


def asked(office: Office) -> PlayedWorker:
    say(office, "postgres pitr 14:30")
    (run,) = office.store.runs()
    notes.keep_post(office.store, office.store.run(run).origin["key"], {"channel": CHANNEL, "ts": "17.1", "thread": ""})
    return PlayedWorker(office.store, run)


def labels(office: Office, text: str, thread: str = "") -> list[str]:
    reply = hear(office.bot, text, Origin(f"{text} {thread}", "U0ONCALL", "T1", CHANNEL, thread))
    return [element["text"]["text"] for row in reply.buttons for element in row["elements"]]


def test_the_answer_says_how_the_words_were_read(office: Office) -> None:
    said = say(office, "please restore the database to 12:05")
    assert said.startswith("Read as `/recover postgres pitr 12:05`.\nRun `")
    (run,) = office.store.runs()
    assert office.store.entries(run)[0].data["request"] == {"when": "12:05"}


def test_a_commands_own_words_are_not_explained(office: Office) -> None:
    assert "Read as" not in say(office, "postgres pitr 14:30")
    assert "Read as" not in say(office, "status")


def test_somebody_without_rights_hears_who_has_them(office: Office) -> None:
    office.bot.people.warm()
    said = say(office, "postgres pitr 14:30", "U0WATCHER")
    assert "Ask one of these: Oncall, Dba." in said
    worker = asked(office)
    assert "These may: Approver, Dba." in say(office, f"stop {worker.run}", "U0WATCHER")
    assert "These may" not in say(office, "stop r1", "U0DBA")


def test_where_nobody_is_known_by_name_the_person_on_call_is_named(office: Office) -> None:
    assert "Ask the person on call. The settings say who may" in say(office, "postgres pitr 14:30", "U0WATCHER")


def test_only_what_would_work_for_this_person_is_suggested(office: Office) -> None:
    office.bot.people.warm()
    assert "Did you mean /recover postgres pitr 14:30?" in say(office, "postgres pitrr 14:30")
    watcher = say(office, "postgres pitrr 14:30", "U0WATCHER")
    assert "Did you mean" not in watcher
    assert "For recoveries ask one of these: Oncall, Dba." in watcher
    assert "Did you mean /recover status?" in say(office, "statsu", "U0WATCHER")


def test_a_suggestion_that_would_be_refused_is_made_whole_or_another_one(office: Office) -> None:
    assert "Did you mean /recover postgres pitr &lt;when&gt;?" in say(office, "postgres pitrr")
    assert "Did you mean /recover runs?" in say(office, "undoo r1122-k7f3")
    worker = asked(office)
    assert f"Did you mean /recover undo {worker.run}?" in say(office, f"undoo {worker.run}")
    assert "Did you mean /incident resolve?" in say(office, "incident resovle")


def test_a_question_begins_nothing(office: Office) -> None:
    assert "Did you mean /recover postgres pitr 12:05?" in say(office, "should we restore the database to 12:05?")
    assert office.store.runs() == []


def test_what_is_not_built_yet_is_said_with_what_works_today() -> None:
    office = office_in(CATALOG_OF_TODAY)
    said = say(office, "postgres rejoin")
    assert said.startswith("Not yet: the return of an old primary as a standby. Nothing was done.")
    assert "`/recover postgres failover`" in said
    assert "Not yet: the recovery of redis." in say(office, "redis restart")
    assert "/backup run base" in say(office, "backup schedule")
    assert office.store.runs() == []


def test_of_what_works_today_only_what_this_version_has_is_named(office: Office) -> None:
    assert "/backup run base" not in say(office, "backup schedule")


def test_the_version_is_told(office: Office) -> None:
    assert say(office, "version") == f"Mayday {VERSION}"


def test_an_approval_in_words_leads_to_the_button(office: Office) -> None:
    assert say(office, "approve") == "Nothing waits for an approval."
    worker = asked(office)
    worker.asks(PITR, 5)
    said = say(office, "lgtm")
    assert worker.run in said
    assert "*Cut over*" in said
    assert office.store.run(worker.run).answered is None


def test_help_knows_where_it_is_asked(office: Office) -> None:
    worker = asked(office)
    here = say(office, "help", thread="17.1")
    assert here.startswith(f"*This run, {worker.run}*\n`@Mayday stop`")
    assert "/recover stop" not in here
    direct = say(office, "help", channel="D0ONCALL")
    assert "`postgres pitr &lt;when&gt;`" in direct
    assert "Here you write the words without the slash" in direct
    assert "`/recover postgres pitr &lt;when&gt;`" in say(office, "help")


def test_help_in_an_incidents_thread_begins_with_the_incident(office: Office) -> None:
    name = hear(office.bot, "declare it burns", Origin("d", "U0ONCALL", "T1", CHANNEL), "incident").text.split("`")[1]
    notes.keep_post(office.store, f"{name}:1", {"channel": CHANNEL, "ts": "18.1", "thread": ""})
    assert say(office, "help", thread="18.1").startswith(f"*This incident, {name}*")
    assert labels(office, "help", "18.1") == ["Recover…", "Timeline", "Status"]


def test_the_three_most_used_things_are_buttons(office: Office) -> None:
    assert labels(office, "help") == ["Recover…", "Status", "What can be reached"]
    asked(office)
    assert labels(office, "help", "17.1") == ["What it did", "Stop…", "Status"]
    assert labels(office, "status") == []


def test_help_fits_into_one_message() -> None:
    office = office_in(CATALOG_OF_TODAY)
    said = say(office, "help")
    assert "(cut)" not in said
    assert [line for line in said.splitlines() if line.startswith("*")] == [
        *("*Bringing data back*", "*Looking, without changing anything*", "*Backups*"),
        *("*What is going on*", "*Steering a run*", "*Leading an incident*"),
    ]
