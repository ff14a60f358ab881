"""Guard clauses of the recovery window: which of the files in pg_wal are the server's own WAL, and up to where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from actions.engine.errors import RecoveryError
from actions.postgres.archive import LiveTail, WalFile
from actions.postgres.lsn import Lsn
from actions.postgres.segments import segment_of
from actions.postgres.server import Server
from actions.steps.postgres import read_window
from actions.steps.postgres.look_at_server import look_at_server
from actions.steps.postgres.read_window import WindowInputs
from actions.tools.sql import LoginRefused, NotServing, SqlTimeout, StartingUp
from tests.support.worlds.company import SITE
from tests.support.worlds.files import WorldFiles
from tests.support.worlds.lies import called
from tests.support.worlds.planned import Company
from tests.support.worlds.sql import WorldSql
from tests.support.worlds.wal import SIZE


@pytest.fixture
def seen(here: Company) -> Company:
    """A company whose window was looked at, and nothing was done since."""
    here.ask("postgres window")
    here.work()
    return here


def surveyed(here: Company, **lies: Any) -> WindowInputs:
    """What the window is worked out from, with the server as it is now, or as it is said to be."""
    told = {name: lies.pop(name) for name in ("state", "standby") if name in lies}
    found: WindowInputs = called(here, read_window.survey, server=replace(called(here, look_at_server), **told), **lies)
    return found


def latest(found: WindowInputs) -> Any:
    assert found.window.live is not None
    return found.window.live.latest


def goes_away(here: Company) -> None:
    """The server crashes and does not come back."""
    here.world.dead = True
    here.world.set_container(SITE.postgres, state="exited")


def last_commit(here: Company) -> Lsn:
    return Lsn(here.world.wal.records[here.world.live.timeline][-1].lsn)


class Silent(WorldSql):
    """A server that does not say where it writes."""

    def __init__(self, here: Company, error: RecoveryError) -> None:
        super().__init__(here.world)
        self._error = error

    def rows(self, container: str, server: Server, sql: str, **more: Any) -> list[dict[str, Any]]:
        if "pg_current_wal_lsn" in sql:
            raise self._error
        return super().rows(container, server, sql, **more)


class PgWal(WorldFiles):
    """The world's files, where pg_wal holds nothing that is not archived, but some more names."""

    def __init__(self, here: Company, *also: str, archived: bool = False) -> None:
        super().__init__(here.world)
        self._also, self._archived = also, archived

    def tail(self, server: Server) -> Sequence[WalFile]:
        own = [file for file in super().tail(server) if not self._archived or file.name in self.world.archive]
        return [*own, *(WalFile(name, SIZE, self.world.clock()) for name in self._also)]


# Whose WAL it is --------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["running", "exited"])
def test_the_wal_of_a_standby_is_never_taken_for_its_primarys_tail(seen: Company, state: str) -> None:
    assert surveyed(seen).tail is not None
    if state == "exited":
        goes_away(seen)
    # What a server in recovery answers to that question.
    recovering = Silent(seen, RecoveryError("PostgreSQL refused a query.", detail="recovery is in progress", hint=""))
    found = surveyed(seen, standby=True, state=state, sql=recovering)
    assert found.tail is None
    assert latest(found) == found.archived_at


@pytest.mark.parametrize("dead", [False, True])
@pytest.mark.parametrize(
    "stranger",
    [
        "00000002.history",
        "000000020000000000000006.00000028.backup",
        "000000020000000000000006.partial",
        "000000010000000000000008",
        "xlogtemp.4711",
        "archive_status",
    ],
)
def test_only_segments_of_its_own_timeline_are_a_servers_tail(recovered: Company, stranger: str, dead: bool) -> None:
    recovered.world.says(3)
    if dead:
        goes_away(recovered)
    honest = surveyed(recovered).tail
    assert honest is not None
    assert honest.segments
    assert all(name.startswith("00000002") for name in honest.segments)
    assert surveyed(recovered, files=PgWal(recovered, stranger)).tail == honest


# Up to where it goes ----------------------------------------------------------------------------------


def test_a_server_that_has_just_ended_a_segment_holds_nothing_back(seen: Company) -> None:
    """The next segment has no file before something is written to it, and what was written is archived to its end."""
    end = Lsn((seen.world.live.lsn // SIZE + 1) * SIZE)
    seen.world.advance_to(end)
    seen.world.clock.advance(600)
    found = surveyed(seen, files=PgWal(seen, archived=True))
    assert found.tail == LiveTail(1, (), end, seen.world.clock())
    assert latest(found) == seen.world.clock()
    assert found.names() == {name for name in seen.world.archive if len(name) == 24}


def test_a_server_that_writes_a_segment_of_which_no_file_was_seen_may_hold_commits_back(seen: Company) -> None:
    """It began that one after its files were listed; its commits are there by the next look."""
    seen.world.advance_to((seen.world.live.lsn // SIZE + 1) * SIZE + 0x28)
    seen.world.clock.advance(600)
    found = surveyed(seen, files=PgWal(seen, archived=True))
    assert found.tail is None
    assert latest(found) == found.archived_at < seen.world.clock()


def test_a_dead_server_whose_wal_is_archived_has_no_tail(seen: Company) -> None:
    goes_away(seen)
    found = surveyed(seen, files=PgWal(seen, archived=True))
    assert found.tail is None
    assert latest(found) == found.archived_at


@pytest.mark.parametrize("error", [NotServing, StartingUp, LoginRefused, SqlTimeout])
def test_of_a_server_that_does_not_say_where_it_writes_the_wal_is_read_to_its_end(
    seen: Company, error: type[RecoveryError]
) -> None:
    said = surveyed(seen).tail
    read = surveyed(seen, sql=Silent(seen, error("It says nothing.", hint="Look at its log."))).tail
    assert said is not None
    assert read is not None
    assert (said.end_lsn, read.end_lsn) == (seen.world.live.lsn, last_commit(seen))
    assert read.segments == said.segments
    assert segment_of(1, last_commit(seen), SIZE) in read.segments


def test_a_server_that_answers_with_another_error_is_not_taken_for_one_that_is_down(seen: Company) -> None:
    broken = RecoveryError("PostgreSQL refused a query.", detail="could not open file", hint="Look at its log.")
    with pytest.raises(RecoveryError) as trouble:
        surveyed(seen, sql=Silent(seen, broken))
    assert trouble.value is broken


@pytest.mark.parametrize("state", ["paused", "restarting", "exited"])
def test_a_server_whose_container_does_not_run_is_not_asked(seen: Company, state: str) -> None:
    seen.world.set_container(SITE.postgres, state=state)
    # What Docker says to a command that is to run in a container which is paused.
    refused = RecoveryError("Docker refused while running psql.", detail="Container is paused", hint="Unpause it.")
    tail = surveyed(seen, sql=Silent(seen, refused)).tail
    assert tail is not None
    assert tail.end_lsn == last_commit(seen)
