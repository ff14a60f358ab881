"""Many databases of one real server, asked in one go."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from actions.tools.sql import NoConnection, SqlTimeout
from tests.support.small_server import SmallServer, small_server

pytestmark = pytest.mark.parts
ODD = 'O\'Neil "x" $(id) =ü'


@pytest.fixture(scope="module")
def world() -> Iterator[SmallServer]:
    with small_server() as made:
        quoted = ODD.replace('"', '""')
        made.psql(f'create database "{quoted}"', "create database shut", "create database broken")
        made.psql(
            f'alter database "{quoted}" set datestyle = german',
            "alter database shut allow_connections false",
            "alter role postgres set timezone = 'Asia/Tokyo'",
            "alter role postgres set bytea_output = 'escape'",
            "alter role postgres set search_path = own, public",
            "update pg_database set datconnlimit = -2 where datname = 'broken'",
        )
        yield made
        made.files.close()


def test_every_database_answers_by_its_name_however_it_is_called(world: SmallServer) -> None:
    found = world.sql.everywhere(world.name, world.server, ["select to_json(current_database())", "select 1/0"])
    # PostgreSQL 15.? marks a database whose removal was interrupted by this limit, and then refuses connections.
    assert set(found) >= {"postgres", "template1", "town", ODD}
    assert "shut" not in found
    for name in ("postgres", "town", ODD):
        assert found[name][0].must() == name
        assert found[name][1].error is not None
        assert "division by zero" in found[name][1].error.detail


def test_a_database_that_cannot_be_connected_to_says_so_and_keeps_no_other_from_answering(world: SmallServer) -> None:
    found = world.sql.everywhere(world.name, world.server, {"nobody": ["select 1"] * 2, "town": ["select 2"]})
    assert [type(answer.error) for answer in found["nobody"]] == [NoConnection] * 2
    assert 'database "nobody" does not exist' in str(found["nobody"][0].error and found["nobody"][0].error.detail)
    assert found["town"][0].must() == 2


def test_settings_of_roles_and_databases_do_not_change_how_values_look(world: SmallServer) -> None:
    asked = "select to_json(concat_ws(' ', '2026-02-09 14:30+00'::timestamptz, '\\x01ff'::bytea, '1 day'::interval))"
    found = world.sql.everywhere(world.name, world.server, {"town": [asked], ODD: [asked]}, bare=True)
    assert {answers[0].must() for answers in found.values()} == {"2026-02-09 14:30:00+00 \\x01ff 1 day"}
    path = "select to_json(current_setting('search_path'))"
    asked_twice = [
        world.sql.everywhere(world.name, world.server, {"town": [path]}, bare=bare)["town"][0].must()
        for bare in (True, False)
    ]
    assert asked_twice == ["", '"$user",public']


def test_a_lost_connection_and_a_late_query_are_their_own(world: SmallServer) -> None:
    ends = "select pg_terminate_backend(pg_backend_pid())"
    asked = {"town": ["select 1", ends, "select 3"], "postgres": ["select pg_sleep(9)", "select 5"]}
    found = world.sql.everywhere(world.name, world.server, asked, seconds=2)
    first, broken, third = found["town"]
    assert (first.must(), third.must()) == (1, 3)
    assert broken.error is not None
    assert not isinstance(broken.error, NoConnection)
    assert "terminating connection" in broken.error.detail
    late, after = found["postgres"]
    assert isinstance(late.error, SqlTimeout)
    assert after.must() == 5


def test_a_script_longer_than_an_argument_may_be_is_asked_too(world: SmallServer) -> None:
    many = [f"select length('{'x' * 1000}') + {n}" for n in range(300)]
    found = world.sql.everywhere(world.name, world.server, {"town": many, "postgres": many[:2], "nobody": ["select 1"]})
    assert [answer.must() for answer in found["town"]] == [1000 + n for n in range(300)]
    assert [answer.must() for answer in found["postgres"]] == [1000, 1001]


def test_a_lock_of_somebody_else_is_not_waited_for(world: SmallServer) -> None:
    world.psql("create table held (id int)")
    lock = ["psql", "-X", "-d", "town", "-c", "begin; lock table held; select pg_sleep(8)"]
    id = world.client.api.exec_create(world.name, lock, user="postgres")["Id"]
    world.client.api.exec_start(id, detach=True)
    asked = {"town": ["select pg_sleep(0.5)", "select count(*) from public.held", "select 7"]}
    found = world.sql.everywhere(world.name, world.server, asked, seconds=60)["town"]
    assert "lock timeout" in str(found[1].error and found[1].error.detail)
    assert found[2].must() == 7


def test_a_server_that_does_not_run_says_so_of_each(world: SmallServer) -> None:
    found = world.sql.everywhere("mayday-test-nobody", world.server, ["select 1", "select 2"])
    assert [str(answer.error) for answer in found["town"]] == ["There is no container named mayday-test-nobody."] * 2
