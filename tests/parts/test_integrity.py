"""The integrity checks on one real server whose databases are not all as they should be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from actions.postgres.integrity import FULL
from actions.postgres.integrity_many import FOREIGN_KEYS, in_pieces
from actions.steps.postgres.check_integrity import Integrity, check_again, check_live, integrity_sheet
from actions.steps.postgres.holdings import take_stock
from tests.support.small_server import SmallServer, small_server
from workers.runner.polling import RealPolling

pytestmark = pytest.mark.parts
TABLES = 200
_TEN = """do $$ begin for i in FIRST..FIRST + 9 loop
execute format('create table many.t%s (id serial primary key, up int references many.t0)', i);
execute format('insert into many.t%s (up) values (1), (1)', i); end loop; end $$"""


@pytest.fixture(scope="module")
def world() -> Iterator[SmallServer]:
    with small_server() as made:
        # The smallest table of locks that there can be: a statement for all tables finds no room in it.
        made.psql("alter system set max_locks_per_transaction = 10", "alter system set max_connections = 20")
        made.docker.stop(made.name, made.server.container)
        made.docker.start(made.name, made.server.container)
        made.start_again()
        made.psql("create schema many", "create table many.t0 (id int primary key)", "insert into many.t0 values (1)")
        for first in range(1, TABLES, 10):
            made.psql(_TEN.replace("FIRST", str(first)))
        made.psql("create database shop", "create database shut", "create database broken")
        made.psql("alter database shut allow_connections false")
        yield made
        made.files.close()


def in_database(world: SmallServer, name: str, *commands: str) -> None:
    for answer in world.sql.everywhere(world.name, world.server, {name: commands})[name]:
        answer.must()


def verify(world: SmallServer) -> Integrity:
    return check_live(world.server, world.files, world.sql, RealPolling())


def lines(found: Integrity, check: str) -> dict[str, tuple[str, str]]:
    return {line.database: (line.state, line.text) for line in found.findings if line.check == check}


def test_many_tables_are_checked_in_pieces_within_a_small_table_of_locks(world: SmallServer) -> None:
    told: Any = world.sql.values(world.name, world.server, [FOREIGN_KEYS])[0].must()
    assert len(told["ids"]) == TABLES
    assert len(list(in_pieces(FOREIGN_KEYS, told))) > 20
    found = verify(world)
    assert found.healthy, found.verdict
    assert lines(found, "foreign keys")[""] == ("ok", f"All {TABLES} foreign keys hold")
    assert lines(found, "sequences")[""][0] == lines(found, "null keys")[""][0] == "ok"
    assert not [line for line in found.findings if line.state == "unfinished"]


def test_damage_in_one_of_many_tables_is_found_in_its_piece(world: SmallServer) -> None:
    world.psql(
        "set session_replication_role = replica; insert into many.t150 (up) values (99)",
        "select setval('many.t3_id_seq', 1, false)",
    )
    try:
        found = verify(world)
        assert "1 row of many.t150 without their many.t0" in lines(found, "foreign keys")[""][1]
        assert "many.t3_id_seq at its start, many.t3.id at 2" in lines(found, "sequences")[""][1]
        assert not found.healthy
    finally:
        world.psql("delete from many.t150 where up = 99", "select setval('many.t3_id_seq', 2)")


def test_the_inventory_counts_every_table_of_every_database_in_pieces(world: SmallServer) -> None:
    in_database(world, "shop", "create table orders (id int)", "insert into orders select generate_series(1, 1000)")
    held = take_stock(world.server, world.sql, RealPolling())
    assert held.missing == ()
    assert next(iter(held.databases)) == "town"
    assert {table.rows for table in held.databases["town"].tables} == {1, 2}
    assert len(held.databases["town"].tables) == TABLES + 1
    (orders,) = held.databases["shop"].tables
    assert (orders.full_name, orders.rows, orders.file.split("/")[0]) == ("public.orders", 1000, "1663")


def test_a_table_that_somebody_locked_costs_its_own_count_and_no_other(world: SmallServer) -> None:
    lock = ["psql", "-X", "-d", "town", "-c", "begin; lock table many.t5; select pg_sleep(25)"]
    id = world.client.api.exec_create(world.name, lock, user="postgres")["Id"]
    world.client.api.exec_start(id, detach=True)
    held = take_stock(world.server, world.sql, RealPolling())
    assert [t.name for t in held.databases["town"].tables if t.rows is None] == ["t5"]
    assert held.missing == (f"town: the rows of 1 of {TABLES + 1} tables were not counted",)


def test_each_database_is_checked_and_named(world: SmallServer) -> None:
    in_database(
        world, "shop", "create table if not exists bad (id int)", "alter table bad add check (id > 0) not valid"
    )
    found = verify(world)
    assert not found.healthy
    assert lines(found, "constraints")["shop"] == ("attention", "shop: Constraints not validated: bad_id_check on bad")
    assert lines(found, "connection") == {
        "shut": ("not applicable", "Database shut allows no connections, so it was not checked")
    }
    assert lines(found, "database")["postgres"][0] == "ok"
    assert "shop: Constraints not validated" in found.verdict
    in_database(world, "shop", "drop table bad")


def test_a_file_that_is_gone_is_found_in_whatever_database(world: SmallServer) -> None:
    in_database(world, "shop", "create table gone (id int)")
    path = world.sql.values(world.name, world.server, ["select to_json(pg_relation_filepath('gone'))"], database="shop")
    (world.parent / "postgres" / path[0].must()).unlink()
    found = verify(world)
    assert lines(found, "files")["shop"][0] == "attention"
    assert f"gone ({path[0].must()})" in lines(found, "files")["shop"][1]
    in_database(world, "shop", "drop table gone")


def test_a_database_that_nobody_can_connect_to_needs_attention_at_once_and_first(world: SmallServer) -> None:
    """Marked as DROP DATABASE marks it, or with its directory gone."""
    oid = world.psql("select oid from pg_database where datname = 'broken'")
    (world.parent / "postgres" / "base" / oid).rename(world.root / "broken")
    world.psql("update pg_database set datconnlimit = -2 where datname = 'shop'")
    polling = RealPolling()
    for found in (verify(world), check_again(world.server, world.sql, polling)):
        assert not found.healthy
        said = lines(found, "connection")
        assert said["shop"][1].startswith("Database shop cannot be connected to: it is marked invalid")
        assert said["broken"][1].startswith("Database broken cannot be connected to:")
        assert "does not exist" in said["broken"][1] or "missing" in said["broken"][1]
        assert any("shop" in alert for alert in integrity_sheet(found).alerts)
    assert len([check for check in FULL if check.level == "full"]) > 3


def test_a_site_whose_own_database_is_gone_is_not_called_healthy(world: SmallServer) -> None:
    server = type(world.server)(**{**vars(world.server), "database": "nobody"})
    found = check_again(server, world.sql, RealPolling())
    assert lines(found, "connection")["nobody"] == ("attention", "Database nobody does not exist")
