"""Commands as tired people type them: each with the command that is read, or with what is said instead."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.catalog import CATALOG
from actions.stack.manual import MANUAL
from bot.commands.not_yet import not_built
from bot.commands.parse_command import (
    FAMILIES,
    IncidentCommand,
    LookCommand,
    Meaning,
    NotYetCommand,
    ProcedureCommand,
    RunCommand,
    UnknownCommand,
    command_of,
    read,
)

RUN = "r1122-k7f3"
PHRASES = {
    "/recover postgres pitr 12:05": [
        *("please restore the database to 12:05", "restore to 12:05", "restore database to 12:05", "restore 12:05"),
        *("roll back the database to 12:05", "rollback to 12:05", "revert to 12:05", "revert db to 12:05"),
        *(
            "could you please bring the database back to 12:05?",
            "bring back the database to 12:05",
            "recover to 12:05",
            "recover the db to 12:05",
        ),
        *(
            "recover the db to 12:05 please",
            "restore pg to 12:05 asap",
            "hey, can you restore postgres to 12:05, thanks",
        ),
        *(
            "we need to restore the database to 12:05",
            "let's roll back to 12:05",
            "go back to 12:05",
            "rewind to 12:05",
        ),
        *("restore the database to 12:05 because a channel is gone", "Please restore the whole database to 12:05!"),
        *("restore everything to 12:05", "reset the database to 12:05", "roll the database back to 12:05"),
    ],
    "/recover postgres pitr 20m ago": ["restore the database to 20m ago", "rollback 20m ago", "restore db 20m ago"],
    "/recover postgres pitr half an hour ago": ["restore the database to half an hour ago"],
    "/recover postgres pitr yesterday 14:30": ["restore the db to yesterday 14:30", "please revert to yesterday 14:30"],
    "/recover postgres pitr latest": ["restore the database to latest"],
    "/recover postgres pitr just before 14:30": ["restore the database to just before 14:30"],
    "/recover postgres nself-postgres pitr 12:05": [
        "restore nself-postgres to 12:05",
        "roll back nself-postgres to 12:05",
    ],
    f"/recover undo {RUN}": [
        f"roll back {RUN}",
        f"revert {RUN}",
        f"rollback run {RUN}",
        f"take back {RUN}",
        f"please undo {RUN}",
    ],
    "/recover undo": ["rollback", "roll back", "revert", "revert it", "undo that", "undo the recovery", "roll it back"][
        :6
    ],
    f"/recover stop {RUN}": [f"cancel {RUN}", f"abort {RUN}", f"kill run {RUN}", f"please stop run {RUN}"],
    "/recover stop": ["cancel", "abort", "cancel it", "stop the run", "stop it", "cancel the recovery", "halt"],
    "/recover retry": ["continue", "resume", "try again", "go on", "retry it", "proceed please"],
    "/recover approve": ["lgtm", "approved", "yes", "go ahead", "confirm"],
    f"/recover approve {RUN}": [f"approved {RUN}", f"please approve {RUN}"],
    "/recover status": ["what's going on?", "what is going on", "what is running", "progress", "eta", "show status"],
    "/recover version": ["which version?", "--version", "-v"],
    "/recover runs": ["list", "history", "list runs", "show the runs", "log"],
    f"/recover runs {RUN}": [f"show {RUN}", f"log {RUN}", f"show run {RUN}"],
    "/recover stack": ["services", "health", "list services", "show the services"],
    "/recover postgres replication": ["replication lag", "show replication", "How is the replication?", "the standby"],
    "/recover postgres replication setup": ["build a standby", "set up replication", "please rebuild the standby"],
    "/recover window": ["how far back can we go?", "what can be recovered", "recovery window", "rpo"],
    "/recover help": ["?", "hi", "hello", "commands", "-h"],
    "/recover postgres verify": [
        "check the database",
        "verify",
        "verify the database",
        "is the database ok?",
        "integrity",
    ],
    "/incident acknowledge": ["ack", "acked", "acknowledge", "got it", "on it", "i have it", "ack the incident"],
    "/incident acknowledge i1122-abcd": ["ack i1122-abcd", "acknowledge i1122-abcd"],
    "/incident resolve": ["close", "close it", "resolve", "close the incident", "resolved"],
    "/incident resolve i1122-abcd": ["close i1122-abcd", "resolve incident i1122-abcd"],
    "/incident escalate": ["escalate", "escalate it"],
    "/incident timeline": ["timeline", "show the timeline"],
    "/incident list": ["incidents", "list incidents", "open incidents"],
    "/incident declare messages are missing": [
        "declare messages are missing",
        "open an incident: messages are missing",
    ],
    "/incident severity sev1": ["sev1", "make it sev1", "severity sev1"],
    "/backup run base": [
        "take a backup",
        "backup the database",
        "backup now",
        "back up the database",
        "take a base backup",
    ],
}


@pytest.mark.parametrize(("text", "command"), [(text, command) for command, texts in PHRASES.items() for text in texts])
def test_an_engineers_own_words_are_read_as_the_command_and_said_so(text: str, command: str) -> None:
    found, said = read(f"@Mayday {text}", CATALOG)
    assert said == command
    assert found == read(command, CATALOG)[0]
    assert not isinstance(found, UnknownCommand | NotYetCommand)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("ack", IncidentCommand("acknowledge")),
        ("close i1122-abcd", IncidentCommand("resolve", "i1122-abcd")),
        ("acked", IncidentCommand("acknowledge")),
    ],
)
def test_the_incident_command_takes_the_same_words(text: str, meant: object) -> None:
    assert read(text, CATALOG, "incident")[0] == meant


@pytest.mark.parametrize("text", ["now", "base", "take a backup", "the database"])
def test_the_backup_command_takes_them_too(text: str) -> None:
    found, _said = read(text, CATALOG, "backup")
    assert isinstance(found, ProcedureCommand)
    assert command_of(found.procedure) == "backup run base"


@pytest.mark.parametrize(
    "text",
    [
        "don't restore the database to 12:05",
        "do not roll back to 12:05",
        "never restore to 12:05",
        "should we restore the database to 12:05?",
        "can we restore to 12:05?",
        "what if we restore to 12:05",
        "restore the users table to 12:05",
        "restore the database to 12:05 except users",
        "restore the database to 12:05 on staging",
        "restore users to 12:05",
        "restore the database to 12:05 and 13:05 users",
        "restore the database",
        "stop the database",
        "stop redis",
        "stop it all",
        "cancel my meeting",
        "ack the deploy",
        "close the door",
        "resolve merge conflict",
        "rollback the deploy",
        "yes but not now",
        "restore redis to 12:05",
        "restore to lunchtime with users",
    ],
)
def test_what_is_not_understood_whole_begins_nothing(text: str) -> None:
    found, said = read(text, CATALOG)
    assert isinstance(found, UnknownCommand | NotYetCommand), found
    assert said == ""


@pytest.mark.parametrize("text", ["should we restore the database to 12:05?", "can we roll back to 12:05?"])
def test_a_question_is_answered_with_the_command_that_would_do_it(text: str) -> None:
    found = read(text, CATALOG)[0]
    assert isinstance(found, UnknownCommand)
    assert found.nearest == "/recover postgres pitr 12:05"


@pytest.mark.parametrize(
    ("text", "family", "what"),
    [
        ("postgres rejoin", "recover", "the return of an old primary as a standby"),
        ("region failover", "recover", "failing over to another region"),
        ("postgres corruption", "recover", "the recovery from corruption"),
        ("the database is corrupted", "recover", "the recovery from corruption"),
        ("all", "recover", "recovering all services at once"),
        ("everything", "recover", "recovering all services at once"),
        ("postgres rescue users 14:30", "recover", "bringing back single tables or rows"),
        ("restore the users table to 12:05", "recover", "bringing back single tables or rows"),
        ("postgres when", "recover", "searching for the moment of a loss"),
        ("host-lost", "recover", "rebuilding a lost host"),
        ("postgres restore", "recover", "restoring one backup as it is"),
        ("restore the database from backup", "recover", "restoring one backup as it is"),
        ("redis", "recover", "the recovery of redis"),
        ("redis restart", "recover", "the recovery of redis"),
        ("restart hasura", "recover", "the recovery of hasura"),
        ("nself-auth restart", "recover", "the recovery of nself-auth"),
        ("minio restore", "recover", "the recovery of minio"),
        ("meilisearch rebuild", "recover", "the recovery of meilisearch"),
        ("schedule", "backup", "backups by schedule and off the site"),
        ("offsite", "backup", "backups by schedule and off the site"),
        ("run dump", "backup", "backups by schedule and off the site"),
    ],
)
def test_what_is_still_to_come_is_known_by_name(text: str, family: str, what: str) -> None:
    found = read(text, CATALOG, family)[0]
    assert isinstance(found, NotYetCommand)
    assert found.built.what == what
    assert found.built.today


def test_ordinary_talk_is_about_nothing_that_is_to_come() -> None:
    for said in ("make me a sandwich please", "chaos", "thanks everybody, that was all", "I will be back at 12:05"):
        assert not_built(said, "recover", MANUAL) is None
    assert not_built("chaos", "drill", MANUAL) is None


words = st.sampled_from(
    [
        *("please", "restore", "recover", "rollback", "revert", "the", "database", "db", "users", "table", "to", "at"),
        *("12:05", "14.30", "20m", "ago", "latest", "stop", "cancel", "it", "undo", RUN, "ack", "close", "incident"),
        *(
            "approve",
            "version",
            "status",
            "help",
            "redis",
            "hasura",
            "restart",
            "failover",
            "backup",
            "now",
            "not",
            "don't",
        ),
    ]
)


@given(st.lists(words | st.text(max_size=8), max_size=8).map(" ".join), st.sampled_from(FAMILIES))
def test_no_words_bring_an_error_and_what_denies_begins_nothing(text: str, family: str) -> None:
    found, said = read(text, CATALOG, family)
    assert isinstance(found, Meaning)
    if said:
        assert not {"not", "don't", "users", "table", "redis", "hasura"} & set(said.split())
        assert not {"not", "don't"} & set(text.casefold().split()) or isinstance(found, LookCommand)
        assert isinstance(found, ProcedureCommand | RunCommand | LookCommand | IncidentCommand)
