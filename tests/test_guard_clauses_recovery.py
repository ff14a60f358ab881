"""Guard clauses between the plan and the cut-over: the copy, its WAL, the replay, the writers, what is settled."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest
from worlds.clock import Clock, FakePatience
from worlds.company import WRITERS
from worlds.desk import Company
from worlds.docker import WorldDocker
from worlds.files import WorldFiles
from worlds.lies import called, previewed
from worlds.sql import WorldSql

from actions.containers import Container
from actions.engine.errors import Away, RecoveryError, Refused
from actions.engine.procedure import Answer
from actions.postgres.server import Names, Server
from actions.postgres.twophase import Prepared
from actions.sql import Answer as SqlAnswer
from actions.sql import NotServing
from actions.steps import prepared, replay, restore, server, slots, writers
from actions.steps.prepared import COMMIT, LEAVE, ROLL_BACK, PreparedOpen

AWAY = Away("Docker does not answer.", hint="Wait.")
ASLEEP = NotServing("Nobody listens.", hint="Start it.")
NO = RecoveryError("It is not to be had.", detail="ERROR: no", hint="Try again.")


@cache
def _preview() -> Company:
    return previewed(Company())


@pytest.fixture
def preview() -> Company:
    """A company whose clone stands at its stopping point."""
    return _preview().fork()


# The copy and its WAL ---------------------------------------------------------------------------------


class Copies(WorldFiles):
    """The world's files, where a copy is not what it should be, or WAL is not there."""

    def __init__(self, here: Company, base: str = "", wal: str = "", made: Mapping[int, str] | None = None,
                 saved: Callable[[str], bool] = bool, archived: Callable[[str], bool] = bool) -> None:  # fmt: skip
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

    def run_clone(self, *about: Any) -> None:
        """It runs already."""

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


# What was prepared ------------------------------------------------------------------------------------

ONE, OTHER = (Prepared(name, 7, None, "town", "app") for name in ("one", "other"))
SHOWN = PreparedOpen(True, (ONE, OTHER), None)


class Open:
    """A clone on which these are open; `said` is what it was told to do."""

    def __init__(self, *gids: str) -> None:
        self.gids, self.said = gids, list[str]()

    def values(self, *about: Any, **more: Any) -> list[SqlAnswer]:
        return [SqlAnswer([{"gid": gid, "xid": "7", "database": "town", "owner": "app"} for gid in self.gids])]

    def rows(self, container: str, server: Server, sql: str, **more: Any) -> list[dict[str, Any]]:
        self.said.append(sql)
        return []


def settled(here: Company, option: str, sql: Open, shown: PreparedOpen = SHOWN) -> Any:
    return {"prepared": shown, "settling": Answer(option, "U1"), "sql": sql}


@pytest.mark.parametrize(
    ("option", "there", "said"),
    [
        (COMMIT, ("one", "other"), ["commit prepared 'one'", "commit prepared 'other'"]),
        (ROLL_BACK, ("other",), ["rollback prepared 'other'"]),
        (LEAVE, ("one", "other"), []),
    ],
)
def test_what_was_shown_is_settled_as_was_chosen(
    preview: Company, option: str, there: tuple[str, ...], said: list[str]
) -> None:
    sql = Open(*there)
    called(preview, prepared.settle, **settled(preview, option, sql))
    assert sql.said == said


def test_what_was_not_shown_is_not_settled(preview: Company) -> None:
    sql = Open("one", "third")
    with pytest.raises(RecoveryError, match="other prepared transactions than were shown") as trouble:
        called(preview, prepared.settle, **settled(preview, COMMIT, sql))
    assert trouble.value.detail == "one, third"
    assert sql.said == []


def test_where_none_is_possible_nobody_is_asked(preview: Company) -> None:
    none = PreparedOpen(False, (), None)
    sql = Open("one")
    called(preview, prepared.settle, **settled(preview, COMMIT, sql, none))
    assert sql.said == []
    assert called(preview, prepared.is_settled, **settled(preview, COMMIT, sql, none)) is True


@pytest.mark.parametrize(
    ("option", "there", "done"),
    [
        (COMMIT, (), True),
        (COMMIT, ("one",), False),
        (LEAVE, ("one", "other"), True),
        (LEAVE, ("one",), False),
        (LEAVE, (), False),
    ],
)
def test_it_is_settled_when_just_those_are_open_that_should_be(
    preview: Company, option: str, there: tuple[str, ...], done: bool
) -> None:
    assert called(preview, prepared.is_settled, **settled(preview, option, Open(*there))) is done


# Slots, writers, the container ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("there", "room", "made"),
    [(["a", "b", "c"], True, True), (["a", "b"], True, True), (["a"], True, False), (["a"], False, True)],
)
def test_slots_are_made_when_all_are_there_or_no_more_can_be(there: list[str], room: bool, made: bool) -> None:
    sql: Any = SimpleNamespace(values=lambda *about, **more: [SqlAnswer({"there": there, "room": room})])
    here: Any = SimpleNamespace(service="pg")
    wanted: Any = SimpleNamespace(slots=tuple(SimpleNamespace(name=name, physical=True) for name in "ab"))
    assert slots.slots_are_made(wanted, here, sql) is made
    none: Any = SimpleNamespace(slots=(SimpleNamespace(name="l", physical=False),))
    assert slots.slots_are_made(none, here, sql) is True


@pytest.mark.parametrize(
    ("state", "quiet"),
    [("running", False), ("restarting", False), ("paused", True), ("exited", True), ("missing", True)],
)
def test_nobody_writes_when_no_writer_runs_or_is_being_started(here: Company, state: str, quiet: bool) -> None:
    for name in WRITERS:
        here.world.set_container(name, state="paused")
    if state == "missing":
        here.world.containers.pop(WRITERS[-1])
    else:
        here.world.set_container(WRITERS[-1], state=state)
    found = server.Writers(tuple(server.Writer(name, f"{name}-0123456789ab", "running") for name in WRITERS))
    docker = WorldDocker(here.world)
    assert writers.paused(found, docker) is quiet
    assert writers.paused_at_once(Answer(writers.PAUSE_AND_RESTORE, "U1"), found, docker) is quiet
    assert writers.paused_at_once(Answer("Restore, keep serving", "U1"), found, docker)


class Serving:
    """A writer that serves after so many looks, or after it was restarted and so many more."""

    def __init__(self, looks: int, after: int = 10**6) -> None:
        self.looks, self.after, self.restarted = looks, after, 0

    def find(self, name: str) -> Any:
        return SimpleNamespace(state="running")

    def serves(self, name: str, id: str) -> bool:
        self.looks -= 1
        return self.looks < 0

    def restart(self, name: str, id: str) -> None:
        self.restarted += 1
        self.looks = self.after

    def logs(self, name: str, lines: int) -> str:
        return "no database"


def resumed(docker: Any) -> None:
    one = server.Writers((server.Writer("app", "id", "running"),))
    writers.resume(one, docker, FakePatience(Clock()), lambda *about: None)


def test_a_writer_that_does_not_serve_is_restarted_once_and_then_is_a_failure() -> None:
    for docker, restarts in ((Serving(0), 0), (Serving(4), 0), (Serving(10**6, 4), 1)):
        resumed(docker)
        assert docker.restarted == restarts
    broken = Serving(10**6)
    with pytest.raises(RecoveryError, match="app does not serve") as trouble:
        resumed(broken)
    assert (trouble.value.detail, broken.restarted) == ("no database", 1)


def test_a_container_that_is_not_there_is_refused() -> None:
    docker: Any = SimpleNamespace(find=lambda name: None)
    with pytest.raises(Refused, match="There is no container named pg on this host"):
        server.must_find(docker, "pg")
