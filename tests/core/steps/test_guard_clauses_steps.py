"""Guard clauses of single steps before and beside a recovery: the server's word, configuration, base backups."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from actions.engine.errors import Away, RecoveryError, Refused
from actions.engine.procedure import Answer
from actions.postgres.backups import BackupFiles
from actions.postgres.config_changes import Changes, Laid
from actions.postgres.inventory import parse_inventory
from actions.postgres.live_server import Live
from actions.postgres.server import Server
from actions.steps.postgres import ask_live, keep_configuration, see_unwritten, take_backup
from actions.steps.postgres.keep_configuration import CUT_OVER, WITH_BACKUPS, ConfigurationKept
from actions.steps.postgres.look_at_server import look_at_server
from actions.tools.sql import LoginRefused
from actions.tools.sql import QueryResult as SqlAnswer
from tests.support.worlds.company import SITE
from tests.support.worlds.files import WorldFiles
from tests.support.worlds.lies import LyingFiles, called
from tests.support.worlds.planned import Company
from tests.support.worlds.sql import WorldSql

AWAY = Away("Docker does not answer.", hint="Wait.")
NO = RecoveryError("It is not to be had.", hint="Try again.")


@pytest.fixture
def planned(here: Company) -> Company:
    """A company whose recovery is planned, and nothing was done yet."""
    here.ask("postgres pitr", "08:30:30")
    here.work()
    return here


def raising(error: Exception) -> Callable[..., Any]:
    def ask(*about: Any, **more: Any) -> Any:
        raise error

    return ask


# The live server's word -------------------------------------------------------------------------------


class Doors(WorldSql):
    """A server that lets nobody into some databases, and says why."""

    def __init__(self, here: Company, refused: Exception, *shut: str) -> None:
        super().__init__(here.world)
        self.refused, self.shut = refused, shut

    def values(
        self, container: str, server: Server, queries: Sequence[str], *, seconds: float = 300, database: str = ""
    ) -> Sequence[SqlAnswer]:
        if not self.shut or database in self.shut:
            raise self.refused
        return super().values(container, server, queries, seconds=seconds, database=database)


def shut_out(detail: str) -> LoginRefused:
    return LoginRefused("It lets nobody in.", detail=detail, hint="Add a line.")


def test_whom_the_server_does_not_let_in_is_refused_and_one_that_is_too_busy_is_planned_for(planned: Company) -> None:
    busy = called(planned, ask_live.ask_live, sql=Doors(planned, shut_out("sorry, too many clients already")))
    assert (busy.silent, busy.missing) == ("sorry, too many clients already", "")
    with pytest.raises(Refused, match="does not let Mayday in") as refused:
        called(planned, ask_live.ask_live, sql=Doors(planned, shut_out("no pg_hba.conf entry for host")))
    assert refused.value.detail == "no pg_hba.conf entry for host"


def test_a_server_whose_database_is_lost_is_asked_in_another_one(planned: Company) -> None:
    lost = shut_out(f'database "{SITE.database}" does not exist')
    assert called(planned, ask_live.ask_live, sql=Doors(planned, lost, "")).missing == SITE.database
    assert called(planned, ask_live.ask_live, sql=Doors(planned, lost, "", "postgres")).missing == SITE.database
    silent = called(planned, ask_live.ask_live, sql=Doors(planned, lost))
    assert (silent.silent, silent.missing) == (lost.detail, "")


def test_a_server_that_is_silent_is_no_server_while_docker_is_away(planned: Company) -> None:
    assert called(planned, ask_live.ask_live, sql=Doors(planned, NO)).silent == NO.message
    with pytest.raises(Away):
        called(planned, ask_live.ask_live, sql=Doors(planned, AWAY))


def test_a_recovery_takes_a_superuser(planned: Company) -> None:
    server, told = called(planned, lambda server, live: (server, live))
    assert ask_live.must_be_primary(server, told) == told
    with pytest.raises(Refused, match="is no superuser"):
        ask_live.must_be_primary(server, replace(told, superuser=False))
    assert isinstance(told, Live)


# The configuration ------------------------------------------------------------------------------------

KEPT = ConfigurationKept(Changes((Laid("pg_hba.conf", "d1"), Laid("a.conf", "d2")), away=("old.conf",), lines=("a",)))


class Laying(WorldFiles):
    """The clone's configuration: digests by path."""

    def __init__(self, here: Company, there: Mapping[str, str]) -> None:
        super().__init__(here.world)
        self._there = {path: SimpleNamespace(digest=digest) for path, digest in there.items()}

    def configuration(self, server: Server, leaf: str = "", backup: str = "") -> Any:
        return None, SimpleNamespace(files=self._there)


@pytest.mark.parametrize(
    ("there", "kept"),
    [
        ({"pg_hba.conf": "d1", "a.conf": "d2", "own.conf": "d9"}, True),
        ({"pg_hba.conf": "d1", "a.conf": "d3"}, False),
        ({"pg_hba.conf": "d1"}, False),
        ({"pg_hba.conf": "d1", "a.conf": "d2", "old.conf": "d4"}, False),
    ],
)
def test_configuration_is_kept_when_each_file_is_the_one_that_was_shown(
    planned: Company, there: dict[str, str], kept: bool
) -> None:
    about = {"configuration": KEPT, "files": Laying(planned, there)}
    assert called(planned, keep_configuration.configuration_is_kept, approval=Answer(CUT_OVER, "U1"), **about) is kept
    assert called(planned, keep_configuration.configuration_is_kept, approval=Answer(WITH_BACKUPS, "U1"), **about)


@pytest.mark.parametrize(("changes", "kept"), [(Changes(), True), (Changes(away=("old.conf",)), False)])
def test_a_file_to_move_away_alone_is_something_to_do(planned: Company, changes: Changes, kept: bool) -> None:
    files = Laying(planned, {"old.conf": "d4"})
    found = called(
        planned,
        keep_configuration.configuration_is_kept,
        approval=Answer(CUT_OVER, "U1"),
        files=files,
        configuration=ConfigurationKept(changes),
    )
    assert found is kept


def test_what_cannot_be_compared_yet_is_said_but_not_while_docker_is_away(planned: Company) -> None:
    files = WorldFiles(planned.world)
    files.configuration = raising(NO)  # type: ignore[method-assign]
    assert called(planned, keep_configuration.foresee_configuration, files=files).unknown == NO.message
    files.configuration = raising(AWAY)  # type: ignore[method-assign]
    with pytest.raises(Away):
        called(planned, keep_configuration.foresee_configuration, files=files)


def test_what_no_wal_brings_back_is_unknown_where_it_cannot_be_asked_but_not_while_docker_is_away(
    planned: Company,
) -> None:
    sql, files = WorldSql(planned.world), WorldFiles(planned.world)
    about = {"sql": sql, "files": files}
    sql.everywhere = files.slot_states = raising(NO)  # type: ignore[method-assign]
    unknown = called(planned, see_unwritten.foresee_unwritten, **about).unknown
    assert ["not to be had" in words for words in unknown] == [True, True]
    files.slot_states = raising(AWAY)  # type: ignore[method-assign]
    with pytest.raises(Away):
        called(planned, see_unwritten.foresee_unwritten, **about)
    sql.everywhere = raising(AWAY)  # type: ignore[method-assign]
    files.slot_states = raising(NO)  # type: ignore[method-assign]
    with pytest.raises(Away):
        called(planned, see_unwritten.foresee_unwritten, **about)


# Base backups -----------------------------------------------------------------------------------------


@pytest.fixture
def backed(here: Company) -> Company:
    """A company that has just taken a base backup."""
    here.ask("postgres base backup")
    here.work()
    return here


class Backups(WorldFiles):
    """The world's files, where base backups are changed one by one, or are damaged."""

    def __init__(
        self, here: Company, wrong: str = "", keep: Callable[[BackupFiles], bool] = bool, **changes: Any
    ) -> None:
        super().__init__(here.world)
        self._wrong, self._keep, self._changes = wrong, keep, changes

    def backups(self, server: Server) -> Sequence[BackupFiles]:
        return [replace(found, **self._changes) for found in super().backups(server) if self._keep(found)]

    def verify_backup(self, server: Server, name: str) -> str:
        return self._wrong


def others(found: BackupFiles) -> bool:
    return not found.path.endswith("base_r1")


def test_a_base_backup_is_taken_when_it_is_there_and_what_its_manifest_says(backed: Company) -> None:
    assert called(backed, take_backup.base_is_taken)
    assert not called(backed, take_backup.base_is_taken, files=Backups(backed, keep=others))
    with pytest.raises(RecoveryError, match="not what its manifest says") as trouble:
        called(backed, take_backup.base_is_taken, files=Backups(backed, wrong="a file is missing"))
    assert trouble.value.detail == "a file is missing"


def test_an_inventory_is_written_when_the_runs_own_backup_has_one(backed: Company) -> None:
    assert called(backed, take_backup.inventory_is_written)
    assert not called(backed, take_backup.inventory_is_written, files=Backups(backed, keep=others))
    assert not called(backed, take_backup.inventory_is_written, files=Backups(backed, inventory=None))


def test_an_inventory_is_of_the_runs_own_backup(backed: Company) -> None:
    with pytest.raises(RecoveryError, match="There is no base backup base_r1"):
        called(backed, take_backup.write_inventory, files=Backups(backed, keep=others))
    noted: list[str] = []
    files = Backups(backed)
    files.write_inventory = lambda server, name, text: noted.append(text)  # type: ignore[method-assign]
    called(backed, take_backup.write_inventory, files=files)
    own, morning = (backed.world.backups[name].start for name in ("base_r1", "base_morning"))
    assert parse_inventory(noted[0]).start_lsn == own != morning


def test_a_release_that_nobody_knows_is_refused(planned: Company) -> None:
    assert called(planned, look_at_server).version == 15
    other = LyingFiles(planned, control=("Catalog version number:", "Catalog version number: 1"))
    with pytest.raises(Refused, match="is not one of 13 to 18"):
        called(planned, look_at_server, files=other)
    silent = LyingFiles(planned, control=("Catalog version number:", "Catalogue:"))
    with pytest.raises(Refused, match="catalogue version 0"):
        called(planned, look_at_server, files=silent)
