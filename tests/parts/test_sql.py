"""SQL and containers, on one real server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from actions.engine.errors import Away, RecoveryError
from actions.postgres.besides_sql import PENDING
from actions.tools.sql import QueryResult, SqlTimeout
from tests.support.between import daemon_behind
from tests.support.small_server import SmallServer, eventually, small_server
from workers.postgres.container_sql import ContainerSql

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


def test_values_share_a_session_and_an_error_is_its_query_s_own(world: SmallServer) -> None:
    queries = [
        "select pg_backend_pid()",
        "select nothing from nowhere",
        "select json_agg(i) from generate_series(1, 30000) i  -- many;",
        "select to_json(E'a\\nb ü \\' :USER'::text);",
        "select null::json",
        "select pg_backend_pid()",
    ]
    first, wrong, many, text, nothing, last = world.sql.values(world.name, world.server, queries)
    assert first.must() == last.must() > 0
    assert wrong.error is not None
    assert 'relation "nowhere" does not exist' in wrong.error.detail
    assert (len(many.must()), many.must()[-1]) == (30000, 30000)
    assert text.must() == "a\nb ü ' :USER"
    assert nothing == QueryResult()


def test_a_setting_of_the_command_line_waits_for_no_start(world: SmallServer) -> None:
    world.psql("alter system set archive_mode = off", "alter system set max_prepared_transactions = 7")
    try:
        world.psql("select pg_reload_conf()")
        marked = "select json_agg(name order by name) from pg_settings where pending_restart"
        eventually(lambda: world.sql.values(world.name, world.server, [marked])[0].must())
        asked = world.sql.values(world.name, world.server, [marked, PENDING])
        assert [answer.must() for answer in asked] == [
            ["archive_mode", "max_prepared_transactions"],
            ["max_prepared_transactions"],
        ]
    finally:
        world.psql("alter system reset all")
        world.psql("select pg_reload_conf()")


def test_a_script_longer_than_an_argument_may_be_still_runs(world: SmallServer) -> None:
    found = world.sql.values(world.name, world.server, [f"select length('{'ü' * 80_000}')", "select 2"])
    assert [answer.must() for answer in found] == [80_000, 2]


def test_values_share_their_limit_and_what_comes_late_is_asked_nonetheless(world: SmallServer) -> None:
    slow, late, quick = world.sql.values(
        world.name, world.server, ["select pg_sleep(5)", "select pg_sleep(5)", "select 3"], seconds=1
    )
    assert isinstance(slow.error, SqlTimeout)
    assert isinstance(late.error, SqlTimeout)
    assert quick.must() == 3


def test_a_query_that_ends_its_connection_ends_no_other(world: SmallServer) -> None:
    ends = "select pg_terminate_backend(pg_backend_pid())"
    first, slow, broken, last = world.sql.values(
        world.name, world.server, ["select 1", "select pg_sleep(5)", ends, "select 3"], seconds=1
    )
    assert isinstance(slow.error, SqlTimeout)
    assert (first.must(), last.must()) == (1, 3)
    assert broken.error is not None
    assert not isinstance(broken.error, SqlTimeout)
    assert "terminating connection" in broken.error.detail
    assert "canceling" not in broken.error.detail


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


def test_a_connection_to_docker_that_breaks_is_no_answer_of_the_server(world: SmallServer, tmp_path: Path) -> None:
    many = "select json_agg(i) from generate_series(1, 100000) i"
    with daemon_behind(tmp_path / "docker.sock", cut_after=3000) as address:
        client = docker.DockerClient(base_url=address, timeout=5)
        with pytest.raises(Away, match="did not answer"):
            ContainerSql(client).values(world.name, world.server, ["select 1", many])
        client.close()


def test_a_stranger_or_a_stopped_server_is_not_asked(world: SmallServer) -> None:
    with pytest.raises(RecoveryError, match="replaced"):
        world.sql.rows(world.name, type(world.server)(**{**vars(world.server), "container": "0" * 64}), "select 1")
    with pytest.raises(RecoveryError, match="no container"):
        world.sql.rows("mayday-test-nobody", world.server, "select 1")
    world.docker.stop(world.name, world.server.container)
    with pytest.raises(RecoveryError, match="does not run"):
        world.sql.rows(world.name, world.server, "select 1")
    assert [str(answer.error) for answer in world.sql.values(world.name, world.server, ["select 1", "select 2"])] == [
        f"{world.name} does not run, so it cannot be asked."
    ] * 2
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
