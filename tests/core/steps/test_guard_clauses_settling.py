"""Guard clauses around the cut-over: what was prepared, slots, and the writers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from actions.engine.errors import RecoveryError, Refused
from actions.engine.procedure import Answer
from actions.postgres.server import Server
from actions.postgres.twophase import Prepared
from actions.steps import writers
from actions.steps.postgres import look_at_server, prepared, remake_slots
from actions.steps.postgres.prepared import COMMIT, LEAVE, ROLL_BACK, PreparedOpen
from actions.tools.sql import QueryResult as SqlAnswer
from tests.support.worlds.clock import Clock, FakePolling
from tests.support.worlds.company import WRITERS
from tests.support.worlds.docker import WorldDocker
from tests.support.worlds.lies import called
from tests.support.worlds.planned import Company

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
    assert remake_slots.slots_are_made(wanted, here, sql) is made
    none: Any = SimpleNamespace(slots=(SimpleNamespace(name="l", physical=False),))
    assert remake_slots.slots_are_made(none, here, sql) is True


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
    found = look_at_server.Writers(
        tuple(look_at_server.Writer(name, f"{name}-0123456789ab", "running") for name in WRITERS)
    )
    docker = WorldDocker(here.world)
    assert writers.paused(found, docker) is quiet


def test_only_whoever_wants_the_writers_paused_at_once_gets_that() -> None:
    assert writers.go_on_until_cut_over(Answer(writers.PAUSE_AND_RESTORE, "U1")) == ""
    assert "nobody is paused" in writers.go_on_until_cut_over(Answer(writers.KEEP_SERVING, "U1"))


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
    one = look_at_server.Writers((look_at_server.Writer("app", "id", "running"),))
    writers.resume(one, docker, FakePolling(Clock()), lambda *about: None)


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
        look_at_server.must_find(docker, "pg", "site.postgres")
