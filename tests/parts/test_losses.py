"""The names of what lost transactions wrote: in every database, also of tables that were rewritten or are gone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from actions.engine.facts import to_json
from actions.postgres.databases import DATABASES
from actions.postgres.live_server import Live
from actions.postgres.lost_rows import RowCounts
from actions.postgres.lsn import Lsn
from actions.postgres.stops import Stop
from actions.settings.site import SiteConfig
from actions.steps.postgres.count_losses import count_losses
from actions.steps.postgres.lost_sheet import lost_sheet
from actions.steps.postgres.relation_names import Relations, ask_names, name_of, remembered_names
from actions.steps.postgres.take_backup import backup_name, look_at_inventory, write_inventory
from actions.steps.postgres.target import Aim
from actions.tools.names import Names
from bot.views.plan import sheets_text
from tests.support.small_server import SmallServer, quiet, small_server
from workers.runner.polling import RealPolling

pytestmark = pytest.mark.parts


@pytest.fixture(scope="module")
def world() -> Iterator[SmallServer]:
    with small_server() as made:
        made.psql("create table rewritten (id int)", "insert into rewritten values (1)", "vacuum full rewritten")
        made.psql("create schema app", 'create table app."Odd Name" (id int)', 'truncate app."Odd Name"')
        made.psql("create table gone (id int); insert into gone values (1)")
        made.psql("create database second", "create database lost")
        for name in ("second", "lost"):
            asked = ["create table other (id int)", "insert into other values (1)", "vacuum full other"]
            for answer in made.sql.everywhere(made.name, made.server, {name: asked})[name]:
                answer.must()
        yield made
        made.files.close()


def path(world: SmallServer, table: str, database: str = "town") -> str:
    """As WAL names it: tablespace/database/file."""
    asked = f"select to_json(pg_relation_filepath('{table}'))"
    found = world.sql.values(world.name, world.server, [asked], database=database)[0].must()
    return "1663/" + found.removeprefix("base/")


def test_each_file_has_its_name_whatever_became_of_its_table(world: SmallServer) -> None:
    oid = world.psql("select 'rewritten'::regclass::oid")
    files = {
        "public.rewritten": path(world, "rewritten"),
        "app.Odd Name": path(world, 'app."Odd Name"'),
        "second.public.other": path(world, "other", "second"),
        "public.gone": path(world, "gone"),
        "lost.public.other": path(world, "other", "lost"),
    }
    assert not files["public.rewritten"].endswith(f"/{oid}")
    names = Names("t1")
    world.files.take_base(world.server, backup_name(names), 1, quiet)
    write_inventory(world.server, names, world.files, world.sql, RealPolling(), datetime.now(UTC))
    assert look_at_inventory(world.server, names, world.files).says() == "5 tables, 4 rows in 5 databases"
    world.psql("drop table gone", "drop database lost")
    told = world.sql.values(world.name, world.server, [DATABASES])[0].must()
    relations = Relations.of(RowCounts(file, 1, 0, 0) for file in [*files.values(), "1663/16384/99999", "1663/5/1259"])
    asked = ask_names(relations, told, world.server, world.sql, 20)
    assert len(asked) == 3
    unknown = [file for some in relations.by_database.values() for file in some if file not in asked]
    known = {**asked, **remembered_names(unknown, world.server, world.files)}
    assert {name_of(file, known, told, "town") for file in files.values()} == set(files)
    database = files["public.gone"].split("/")[1]
    assert (
        name_of(f"1663/{database}/99999", known, told, "town") == "a table of database town that is gone (file 99999)"
    )
    lost = name_of("1663/77777/99999", known, told, "town")
    assert lost == "a table of a database that is gone (oid 77777, file 99999)"
    assert name_of("1663/77777/99999", {}, None, "town") == "relation 99999 of database 77777"


def test_what_is_not_a_table_of_people_is_not_shown() -> None:
    assert name_of("1663/5/20000", {"1663/5/20000": ("town", "pg_catalog", "pg_class")}, [], "town") == ""
    assert name_of("1663/5/20000", {"1663/5/20000": ("other", "pg_toast", "pg_toast_1")}, [], "town") == ""


def test_200_tables_that_lose_rows_stand_in_the_plan_whole(world: SmallServer) -> None:
    """One multi-row insert into each of 200 tables: the plan shows 12 and counts 188, the file has all of them."""
    world.psql(*(f"create table many_{n:03} (id int)" for n in range(200)))
    world.psql("create table nchat_messages (id int, created_at timestamptz default now())")
    stop = Lsn(int(world.psql("select (pg_current_wal_insert_lsn() - '0/0')::bigint")))
    world.psql(*(f"insert into many_{n:03} select generate_series(1, {n + 2})" for n in range(200)))
    world.psql("insert into nchat_messages (id) values (1)")
    site = SiteConfig("main", world.name, "town", "postgres", "", "", (), newest_table="nchat_messages")
    aim = Aim(1, Stop(stop, inclusive=False))
    lost = count_losses(aim, world.server, site, Live(), world.files, world.sql, datetime.now(UTC))
    assert lost.counted
    rows = {table.table.removeprefix("public."): table.inserted for table in lost.tables}
    assert rows == {"nchat_messages": 1} | {f"many_{n:03}": n + 2 for n in range(200)}
    sheet = lost_sheet(lost, running=False)
    shown = [label for label, words in sheet.rows if "inserted" in words]
    assert shown[0].endswith("nchat_messages")
    assert [name[-8:] for name in shown[1:]] == [f"many_{n:03}" for n in range(199, 188, -1)]
    assert ("and 189 more tables", f"{sum(range(2, 191)):,} rows") in sheet.rows
    file = sheets_text([to_json(sheet)])
    assert [name for name, count in rows.items() if f"{name}: {count:,} inserted" not in file] == []
