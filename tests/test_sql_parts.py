"""SQL and containers, on one real server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from small_server import SmallServer, eventually, small_server

from actions.engine.errors import RecoveryError
from actions.tools import SqlTimeout

pytestmark = pytest.mark.parts


@pytest.fixture(scope="module")
def world() -> Iterator[SmallServer]:
    with small_server() as made:
        yield made
        made.files.close()


def test_rows_come_as_dicts_with_their_types(world: SmallServer) -> None:
    found = world.sql.rows(
        world.name, world.server, "with a as (select 1 as n) select n, 'a\nb' as t, null as e from a;"
    )
    assert found == [{"n": 1, "t": "a\nb", "e": None}]


def test_a_command_without_rows_runs(world: SmallServer) -> None:
    assert world.sql.rows(world.name, world.server, "checkpoint") == []


def test_many_lines_stream_whole_even_with_line_breaks_in_them(world: SmallServer) -> None:
    found = list(world.sql.lines(world.name, world.server, "select 'a\nb' || i from generate_series(1, 30000) i"))
    assert (len(found), found[-1]) == (30000, "a\nb30000")


def test_a_query_longer_than_an_argument_may_be_still_runs(world: SmallServer) -> None:
    found = world.sql.rows(world.name, world.server, f"select length('{'ü' * 150_000}') as n")
    assert found == [{"n": 150_000}]


def test_a_slow_query_is_told_from_a_wrong_one(world: SmallServer) -> None:
    with pytest.raises(SqlTimeout):
        world.sql.rows(world.name, world.server, "select pg_sleep(5)", seconds=0.3)
    with pytest.raises(RecoveryError, match="refused a query") as wrong:
        world.sql.rows(world.name, world.server, "select nothing from nowhere")
    assert 'relation "nowhere" does not exist' in wrong.value.detail
    assert not isinstance(wrong.value, SqlTimeout)


def test_lines_left_early_leave_no_query_behind(world: SmallServer) -> None:
    lines = world.sql.lines(world.name, world.server, "select repeat('x', 1000) from generate_series(1, 500000)")
    next(lines)
    lines.close()  # type: ignore[attr-defined]
    count = "select count(*) from pg_stat_activity where application_name = 'mayday'"
    eventually(lambda: world.psql(count) == "0", 10)


def test_a_stranger_or_a_stopped_server_is_not_asked(world: SmallServer) -> None:
    with pytest.raises(RecoveryError, match="replaced"):
        world.sql.rows(world.name, type(world.server)(**{**vars(world.server), "container": "0" * 64}), "select 1")
    with pytest.raises(RecoveryError, match="no container"):
        world.sql.rows("mayday-test-nobody", world.server, "select 1")
    world.docker.stop(world.name, world.server.container)
    with pytest.raises(RecoveryError, match="does not run"):
        world.sql.rows(world.name, world.server, "select 1")
    found = world.docker.find(world.name)
    assert found is not None
    assert (found.state, found.restart_policy) == ("exited", "no")
    world.docker.set_restart(world.name, world.server.container, "unless-stopped")
    world.start_again()


def test_a_paused_container_serves_again_once_it_goes_on(world: SmallServer) -> None:
    name, id = world.name, world.server.container
    for _ in range(2):
        world.docker.pause(name, id)
    assert not world.docker.serves(name, id)
    for _ in range(2):
        world.docker.unpause(name, id)
    assert world.docker.serves(name, id)
    assert world.docker.find("mayday-test-nobody") is None
    assert world.docker.memory() > 1 << 28
