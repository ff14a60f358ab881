"""What tired people type, English of those who learned it among them: read as meant, or not at all."""

from __future__ import annotations

import pytest

from actions.engine.procedure import Risk
from bot.commands.parse_command import (
    IncidentCommand,
    LookCommand,
    NotYetCommand,
    ProcedureCommand,
    RunCommand,
    UnknownCommand,
    meaning,
)
from tests.support.bot_world import CATALOG


@pytest.mark.parametrize(
    ("text", "when"),
    [
        *((said, "12:05") for said in ("make restore of database for time 12:05", "do a restore to 12:05")),
        *((said, "12:05") for said in ("do recovery of database on 12:05", "start recovery postgres to 12:05")),
        *(
            (said, "12:05")
            for said in ("database restore 12:05", "postgres rollback to 12:05", "restore everything from 12:05")
        ),
        *((said, "12:05") for said in ("restore to the state of 12:05", "restore to 12:05 thanks in advance")),
        *((said, "12:05") for said in ("restore to 12:05 as soon as possible please", "restore to 12:05, it's urgent")),
        ("hi mayday, please would you be so kind to restore the database to 12:05, thank you", "12:05"),
        ("can u restore db to 12:05?", "12:05"),
        ("roll the db back 20 minutes", "20 minutes ago"),
        ("go back 20 minutes", "20 minutes ago"),
        ("undo the last 20 minutes", "20 minutes ago"),
    ],
)
def test_a_recovery_is_read_as_it_was_meant(text: str, when: str) -> None:
    meant = meaning(text, CATALOG)
    assert isinstance(meant, ProcedureCommand)
    assert (meant.procedure.name, meant.arguments) == ("postgres pitr", when)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "don't restore to 12:05",
            "do not touch the database, restore to 12:05 later",
            "restore to 12:05 but not yet",
        ),
        *("restore to 12:05?", "should i restore to 12:05", "undo?", "stop?", "is it ok to restore to 12:05"),
        *("maybe restore to 12:05", "restore to 12:05 on staging", "restore staging to 12:05", "12:05", "go to 12:05"),
        *("restore to 12:05 if john agrees", "restore to 12:05 when bob is back", "wait with the restore to 12:05"),
        *(
            "dry run restore to 12:05",
            "test restore to 12:05",
            "hold on restore to 12:05",
            "restore nchat_users to 12:05",
        ),
        *(
            "restore to 12:05 except users",
            "restore to 12:05 and restart hasura",
            "restore to 12:05 then tell everyone",
        ),
        *(
            "undo the last 20 minutes of bob",
            "roll back 20 rows",
            "restore latest backup",
            "drop database",
            "no",
            "never mind",
        ),
        *(
            "all messages are gone",
            "somebody deleted a channel",
            "we lost data at 12:05",
            "database is down",
            "go",
            "yes",
        ),
    ],
)
def test_what_denies_asks_or_holds_unknown_words_begins_nothing(text: str) -> None:
    meant = meaning(text, CATALOG)
    assert not isinstance(meant, RunCommand | IncidentCommand)
    assert not isinstance(meant, ProcedureCommand) or meant.procedure.risk is Risk.READS


@pytest.mark.parametrize(
    "text", ["no", "kill postgres", "restart postgres", "postgres down", "do recovery", "drop database"]
)
def test_nothing_that_changes_something_is_suggested_for_a_faint_likeness(text: str) -> None:
    meant = meaning(text, CATALOG)
    nearest = meant.nearest if isinstance(meant, UnknownCommand) else ""
    assert not nearest.startswith(("/recover undo", "/recover stop", "/recover retry", "/recover postgres pitr"))


@pytest.mark.parametrize(
    ("text", "look"),
    [
        *((said, "offers") for said in ("all messages are gone", "messages vanished", "data is lost help")),
        *((said, "stack") for said in ("database is down", "postgres down", "db crashed")),
        *((said, "status") for said in ("how much longer", "is it done", "finished?", "what happened")),
        *((said, "approve") for said in ("ok do it", "yes go", "i approve")),
    ],
)
def test_who_tells_what_is_wrong_or_asks_how_far_it_is_gets_the_look_that_helps(text: str, look: str) -> None:
    assert meaning(text, CATALOG) == LookCommand(look)


@pytest.mark.parametrize("text", ["last backup", "show backups", "what can i restore", "to when can i go back"])
def test_who_asks_for_backups_sees_what_can_be_reached(text: str) -> None:
    meant = meaning(text, CATALOG)
    assert isinstance(meant, ProcedureCommand)
    assert meant.procedure.name == "window"


@pytest.mark.parametrize("text", ["don't restore to 12:05", "maybe restore to 12:05", "restore to 12:05 on staging"])
def test_a_restore_to_a_time_is_never_called_not_built_yet(text: str) -> None:
    assert not isinstance(meaning(text, CATALOG), NotYetCommand)


def test_an_incident_is_declared_in_the_words_for_it() -> None:
    assert meaning("open incident database is gone", CATALOG) == IncidentCommand("declare", "database is gone")
