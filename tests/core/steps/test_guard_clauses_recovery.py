"""Guard clauses between the plan and the preview: the copy, its WAL, the replay."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from actions.engine.errors import Away, RecoveryError
from actions.postgres.server import Server
from actions.steps.postgres import replay, restore
from actions.tools.docker import Container
from actions.tools.names import Names
from actions.tools.sql import NotServing
from tests.support.worlds.company import WRITERS
from tests.support.worlds.docker import WorldDocker
from tests.support.worlds.files import WorldFiles
from tests.support.worlds.lies import called
from tests.support.worlds.planned import Company
from tests.support.worlds.sql import WorldSql

AWAY = Away("Docker does not answer.", hint="Wait.")
ASLEEP = NotServing("Nobody listens.", hint="Start it.")
NO = RecoveryError("It is not to be had.", detail="ERROR: no", hint="Try again.")


# The copy and its WAL ---------------------------------------------------------------------------------


class Copies(WorldFiles):
    """The world's files, where a copy is not what it should be, or WAL is not there."""

    def __init__(
        self,
        here: Company,
        base: str = "",
        wal: str = "",
        made: Mapping[int, str] | None = None,
        saved: Callable[[str], bool] = bool,
        archived: Callable[[str], bool] = bool,
    ) -> None:
        super().__init__(here.world)
        self._base, self._wal, self._made, self._saved, self._archived = base, wal, made or {}, saved, archived

    def verify_base(self, server: Server, names: Names) -> str:
        return self._base

    def verify_wal(self, server: Server, names: Names, timeline: int, start: str, end: str) -> str:
        return self._wal

    def made_tablespaces(self) -> Mapping[int, str]:
        return self._made

    def archive(self, server: Server, *, anew: bool = False) -> Sequence[Any]:
        return [file for file in super().archive(server) if self._archived(file.name)]

    def saved_tail(self, server: Server, names: Names) -> Sequence[Any]:
        return [file for file in super().saved_tail(server, names) if self._saved(file.name)]


def test_a_copy_is_whole_when_its_manifest_says_nothing_against_it(preview: Company) -> None:
    assert called(preview, restore.base_is_whole, files=Copies(preview)) is True
    with pytest.raises(RecoveryError, match="copy of the base backup is not what") as trouble:
        called(preview, restore.base_is_whole, files=Copies(preview, base="a file is missing"))
    assert trouble.value.detail == "a file is missing"


def test_wal_is_laid_when_it_reads_through_and_makes_nothing_that_the_plan_does_not_know(preview: Company) -> None:
    assert called(preview, restore.wal_is_laid, files=Copies(preview)) is True
    with pytest.raises(RecoveryError, match="does not read through") as trouble:
        called(preview, restore.wal_is_laid, files=Copies(preview, wal="zeros"))
    assert trouble.value.detail == "zeros"
    with pytest.raises(RecoveryError, match="makes a tablespace at /new that the plan does not know") as trouble:
        called(preview, restore.wal_is_laid, files=Copies(preview, made={16500: "/new"}))
    assert "`16500 /new`" in trouble.value.hint
    spaces = SimpleNamespace(all=(SimpleNamespace(location="/new"),))
    known = Copies(preview, made={16500: "/new"})
    assert called(preview, restore.wal_is_laid, files=known, tablespaces=spaces) is True


def test_the_tail_is_saved_when_each_segment_is_in_the_archive_or_saved(preview: Company) -> None:
    assert called(preview, restore.tail_is_saved)
    last = called(preview, lambda base: base.laid[-1])
    none = {"saved": lambda name: name != last, "archived": lambda name: name != last}
    assert not called(preview, restore.tail_is_saved, files=Copies(preview, **none))
    wanted = called(preview, lambda base: {*base.histories, *base.laid})
    no_more = Copies(preview, saved=lambda name: name in wanted, archived=lambda name: name in wanted)
    assert called(preview, restore.tail_is_saved, files=no_more)


# The replay -------------------------------------------------------------------------------------------


class Clone(WorldSql):
    """A clone that raises for some questions, then says what it is told to."""

    def __init__(self, here: Company, *errors: RecoveryError, forever: bool = False, **lies: Any) -> None:
        super().__init__(here.world)
        self._errors, self._forever, self._lies = list(errors), forever, lies

    def rows(self, container: str, server: Server, sql: str, **more: Any) -> list[dict[str, Any]]:
        if self._errors:
            raise self._errors[0] if self._forever else self._errors.pop(0)
        return [{**row, **self._lies} for row in super().rows(container, server, sql, **more)]


class Ended(WorldDocker):
    """Docker, where the clone's container is in another state, or gone."""

    def __init__(self, here: Company, state: str, log: str = "") -> None:
        super().__init__(here.world)
        self._state, self._log = state, log

    def find(self, name: str) -> Container | None:
        found = super().find(name)
        if found is None or not self._state or name in WRITERS:
            return None if found is None or name not in WRITERS else found
        return replace(found, state=self._state)

    def logs(self, name: str, lines: int = 40) -> str:
        return self._log


def test_a_clone_that_still_starts_is_waited_for(preview: Company) -> None:
    began = preview.world.clock()
    called(preview, replay.replay, docker=Ended(preview, "running"), sql=Clone(preview, ASLEEP, ASLEEP, ASLEEP))
    assert (preview.world.clock() - began).total_seconds() == pytest.approx(0.6)


def test_a_clone_that_answers_and_replays_on_is_waited_for(preview: Company) -> None:
    sql, looks = Clone(preview), list[int]()

    def rows(*about: Any, **more: Any) -> list[dict[str, Any]]:
        looks.append(1)
        told = WorldSql.rows(sql, *about, **more)
        return [{**row, "pause": "not paused"} for row in told] if len(looks) < 5 else told

    sql.rows = rows  # type: ignore[method-assign]
    called(preview, replay.replay, docker=Ended(preview, "running"), sql=sql)
    assert len(looks) == 5


@pytest.mark.parametrize("state", ["exited", "dead", ""])
def test_a_clone_that_has_ended_is_told_by_its_log(preview: Company, state: str) -> None:
    log = "FATAL:  recovery ended before configured recovery target was reached"
    with pytest.raises(RecoveryError) as trouble:
        called(preview, replay.replay, docker=Ended(preview, state, log), sql=Clone(preview, ASLEEP, forever=True))
    wanted = "The WAL ends before the target." if state else "The clone's server ended before it reached the target."
    assert trouble.value.message == wanted
    assert trouble.value.detail == (log if state else "")


@pytest.mark.parametrize("error", [NO, AWAY])
def test_a_clone_that_answers_with_another_error_has_failed(preview: Company, error: RecoveryError) -> None:
    docker = Ended(preview, "exited" if error is AWAY else "running", "its log")
    with pytest.raises(RecoveryError) as trouble:
        called(preview, replay.replay, docker=docker, sql=Clone(preview, error, forever=True))
    assert trouble.value is error


def test_a_clone_is_at_its_target_when_it_recovers_and_is_paused_there(preview: Company) -> None:
    assert called(preview, replay.stopped_at_target)
    for lie in ({"recovering": False}, {"pause": "not paused"}, {"lsn": "0/3000028"}):
        assert not called(preview, replay.stopped_at_target, sql=Clone(preview, **lie))


def test_the_clones_server_is_gone_with_its_container(preview: Company) -> None:
    assert not called(preview, replay.clone_server_is_gone)
    assert called(preview, replay.clone_server_is_gone, docker=Ended(preview, ""))
