"""The guard clauses of the cut-over: what has to be true of both servers before it goes on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from actions.engine.errors import Away, RecoveryError
from actions.postgres.server import Server
from actions.steps.postgres import cutover
from actions.tools.docker import Container
from actions.tools.names import Names
from actions.tools.postgres_servers import CloneSpec
from actions.tools.sql import LoginRefused, NotServing
from tests.support.worlds.company import SITE
from tests.support.worlds.docker import WorldDocker
from tests.support.worlds.files import WorldFiles
from tests.support.worlds.lies import called
from tests.support.worlds.planned import Company
from tests.support.worlds.postgres_servers import WorldServers
from tests.support.worlds.sql import WorldSql

ASLEEP = NotServing("Nobody listens.", hint="Start it.")
PAUSED = "pg_get_wal_replay_pause_state"


class SilentSql(WorldSql):
    """The world's servers, silent for some questions; `asked` is all that was sent."""

    def __init__(self, here: Company, silences: int = 10**6, error: RecoveryError = ASLEEP) -> None:
        super().__init__(here.world)
        self.silences, self.error = silences, error
        self.asked: list[str] = []

    def rows(self, container: str, server: Server, sql: str, **more: Any) -> list[dict[str, Any]]:
        self.asked.append(sql)
        if self.silences:
            self.silences -= 1
            raise self.error
        return super().rows(container, server, sql, **more)

    def promoted(self) -> bool:
        return any("pg_promote" in sql for sql in self.asked)


class Elsewhere(SilentSql):
    """A clone that does not stand where it was shown, or is another way than it says."""

    def __init__(self, here: Company, silences: int = 0, **lies: Any) -> None:
        super().__init__(here, silences)
        self._lies = lies

    def rows(self, container: str, server: Server, sql: str, **more: Any) -> list[dict[str, Any]]:
        found = super().rows(container, server, sql, **more)
        return [{**row, **self._lies} for row in found] if PAUSED in sql else found


class Box(WorldDocker):
    """Docker, where one container is another than it was."""

    def __init__(self, here: Company, name: str = "", log: str = "", gone: bool = False, **other: Any) -> None:
        super().__init__(here.world)
        self._name, self._log, self._gone, self._other = name, log, gone, other

    def find(self, name: str) -> Container | None:
        found = super().find(name)
        if name != self._name or found is None:
            return found
        return None if self._gone else replace(found, **self._other)

    def logs(self, name: str, lines: int = 40) -> str:
        return self._log


class Started(WorldServers):
    """The servers, of which `ran` counts the clones that were started."""

    def __init__(self, here: Company) -> None:
        super().__init__(here.world)
        self.ran = 0

    def run_clone(self, server: Server, names: Names, spec: CloneSpec) -> None:
        self.ran += 1


class Control(WorldFiles):
    """The world's files, where the clone's control file says so."""

    def __init__(self, here: Company, state: str, timeline: int) -> None:
        super().__init__(here.world)
        lines = called(here, lambda server, names: super(Control, self).control(server, names.clone_leaf(server.home)))
        self._text = "\n".join(
            f"Database cluster state: {state}"
            if line.startswith("Database cluster state:")
            else line.replace("TimeLineID:       1", f"TimeLineID:       {timeline}")
            for line in lines.splitlines()
        )

    def control(self, server: Server, leaf: str) -> str:
        return self._text


# The promotion ----------------------------------------------------------------------------------------


def test_a_clone_that_answers_is_promoted_without_being_started_again(preview: Company) -> None:
    sql, servers = SilentSql(preview, 0), Started(preview)
    called(preview, cutover.promote, sql=sql, servers=servers)
    assert sql.promoted()
    assert servers.ran == 0


def test_a_clone_that_is_silent_is_started_again_and_promoted_once_it_stands_there(preview: Company) -> None:
    sql, servers = SilentSql(preview, 5), Started(preview)
    called(preview, cutover.promote, sql=sql, servers=servers)
    assert servers.ran == 1
    assert sql.promoted()


@pytest.mark.parametrize("lie", [None, {"lsn": "0/3000028"}, {"pause": "not paused"}])
def test_a_clone_that_does_not_come_back_to_its_stopping_point_is_not_promoted(
    preview: Company, lie: dict[str, Any] | None
) -> None:
    sql = Elsewhere(preview, 1, **lie) if lie else SilentSql(preview)
    with pytest.raises(RecoveryError, match="does not come back to its stopping point") as trouble:
        called(preview, cutover.promote, sql=sql, docker=Box(preview, log="FATAL: no"), servers=Started(preview))
    assert trouble.value.detail == "FATAL: no"
    assert not sql.promoted()


def test_a_clone_that_was_promoted_before_it_came_back_is_not_promoted_again(preview: Company) -> None:
    sql = Elsewhere(preview, 1, recovering=False, pause="", lsn="0/3000028")
    called(preview, cutover.promote, sql=sql, servers=Started(preview))
    assert not sql.promoted()
    assert sql.asked[-1] == "checkpoint"


def test_a_clone_that_stands_elsewhere_now_is_not_promoted(preview: Company) -> None:
    sql = Elsewhere(preview, lsn="0/3000028")
    with pytest.raises(RecoveryError, match="no longer stands where it was shown"):
        called(preview, cutover.promote, sql=sql, servers=Started(preview))
    assert not sql.promoted()


# The clone's and the live server's end ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("gone", "state", "timeline", "stopped"),
    [
        (True, "shut down", 2, True),
        (False, "shut down", 2, False),
        (True, "in production", 2, False),
        (True, "shut down", 1, False),
    ],
)
def test_a_clone_is_stopped_when_its_server_is_gone_and_ended_cleanly_on_its_own_timeline(
    preview: Company, gone: bool, state: str, timeline: int, stopped: bool
) -> None:
    clone = called(preview, lambda names: names.clone)
    docker, files = Box(preview, clone, gone=gone), Control(preview, state, timeline)
    assert called(preview, cutover.clone_is_stopped, docker=docker, files=files) is stopped


@pytest.mark.parametrize(
    ("other", "stopped"),
    [
        ({"state": "exited"}, True),
        ({"state": "created"}, True),
        ({"state": "running"}, False),
        ({"state": "exited", "id": "another"}, False),
        ({"gone": True}, False),
    ],
)
def test_the_old_server_is_stopped_when_its_own_container_has_ended(
    preview: Company, other: dict[str, Any], stopped: bool
) -> None:
    assert called(preview, cutover.live_is_stopped, docker=Box(preview, SITE.postgres, **other)) is stopped


@pytest.mark.parametrize(("other", "ready"), [({}, True), ({"restart_policy": "no"}, False), ({"gone": True}, False)])
def test_the_server_is_ready_with_its_old_restart_policy(
    recovered: Company, other: dict[str, Any], ready: bool
) -> None:
    assert called(recovered, cutover.live_is_ready, docker=Box(recovered, SITE.postgres, **other)) is ready


def test_the_server_is_ready_when_it_answers_and_nobody_knows_while_docker_is_away(recovered: Company) -> None:
    assert not called(recovered, cutover.live_is_ready, sql=SilentSql(recovered))
    away = Away("Docker does not answer.", hint="Wait.")
    with pytest.raises(Away):
        called(recovered, cutover.live_is_ready, sql=SilentSql(recovered, error=away))


@pytest.mark.parametrize(
    ("error", "said"),
    [(ASLEEP, "its last words"), (LoginRefused("No.", detail="no pg_hba.conf", hint="Add it."), "no pg_hba.conf")],
)
def test_a_server_that_lets_nobody_in_after_its_start_has_failed(
    recovered: Company, error: RecoveryError, said: str
) -> None:
    docker = Box(recovered, log="its last words")
    with pytest.raises(RecoveryError, match="was started but does not accept connections") as trouble:
        called(recovered, cutover.start_live, docker=docker, sql=SilentSql(recovered, error=error))
    assert trouble.value.detail == said
    later = SilentSql(recovered, 3)
    called(recovered, cutover.start_live, docker=docker, sql=later)
    assert later.asked[-1] == "checkpoint"
