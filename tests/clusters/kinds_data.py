"""Oddities of what lies in the databases."""

from __future__ import annotations

from collections.abc import Callable

from tests.clusters.case import FIRST, Case, ident
from tests.clusters.kind import Kind
from tests.clusters.session import Session

COMMIT_TIMES = "commit times are kept"
FIRST_TABLES = """
create table accounts (id int primary key, owner text, balance bigint, changed timestamptz default clock_timestamp());
insert into accounts select g, 'owner ' || g, g * 100 from generate_series(1, 500) g;
create table events (id bigserial primary key, who int, v text, at timestamptz default clock_timestamp());
insert into events (who, v) select 99, 'first ' || g from generate_series(1, 200) g;
create table notes (v text, n int);
insert into notes select 'note ' || g, g % 10 from generate_series(1, 150) g;
create table journal (id bigserial primary key, who int)
"""
"""What every cluster has, and writers write to; each of their transactions leaves a row in the journal."""


def _run(sql: str, database: str = FIRST) -> Callable[[Case], None]:
    def hook(case: Case) -> None:
        case.sql(sql, database)

    return hook


def _second(case: Case) -> None:
    case.sql("create database second", "postgres")
    case.sql(FIRST_TABLES, "second")


def _odd_database(case: Case) -> None:
    name = "My Shop-DB ü"
    case.sql(f"create database {ident(name)}", "postgres")
    case.sql(
        'create table "Order Items" ("Id" int primary key, "a ""b""" text); '
        "insert into \"Order Items\" select g, 'it''s ' || g from generate_series(1, 60) g",
        name,
    )


_ODD = """
create schema sales;
create sequence sales."Order Numbers" increment by 5 cache 10;
create table sales.items (id bigint generated always as identity primary key, "We""ird Name" text,
                          twice text generated always as ("We""ird Name" || 'x') stored, at date default current_date);
insert into sales.items ("We""ird Name")
  select 'v ' || nextval('sales."Order Numbers"') from generate_series(1, 80);
create view sales.v as select count(*) from sales.items;
create materialized view sales.mv as select id from sales.items where id < 9
"""
_PARTITIONED = """
create table readings (id int, at date, v text, primary key (id, at)) partition by range (at);
create table readings_1 partition of readings for values from ('2026-01-01') to ('2026-07-01');
create table readings_2 partition of readings for values from ('2026-07-01') to ('2027-07-01');
insert into readings select g, '2026-03-01', 'a' from generate_series(1, 60) g;
insert into readings select g, '2026-09-01', 'b' from generate_series(101, 160) g
"""
_PAPERS = """
create table papers (id int primary key, o oid);
insert into papers select g, lo_from_bytea(0, convert_to('paper ' || g, 'utf8')) from generate_series(1, 5) g
"""
_TYPES = """
create type mood as enum ('well', 'ill');
create domain positive as int check (value > 0);
create table typed (id uuid primary key default gen_random_uuid(), m mood, p positive, j jsonb, a text[], r int4range,
                    b bytea, n numeric, i inet, s tsvector);
insert into typed (m, p, j, a, r, b, n, i, s) select 'ill', g, jsonb_build_object('g', g, 'x', null), array['a', null],
  int4range(g, g + 3), decode('00ff', 'hex'), 'NaN', '10.0.0.1', to_tsvector('simple', 'a b')
  from generate_series(1, 40) g;
create index on typed using gin (j); create index on typed (lower(n::text)) where p > 3;
create table big (id int primary key, v text); alter table big alter v set storage external;
insert into big select g, repeat(md5(g::text), 400) from generate_series(1, 20) g
"""


def _unlogged(case: Case) -> None:
    case.sql(
        "create unlogged table sessions (id int primary key, v text); "
        "insert into sessions select g, 's' from generate_series(1, 300) g"
    )
    case.unlogged.append("sessions")


def _two_phase(case: Case) -> None:
    case.launch.settings["max_prepared_transactions"] = "10"


def _transfers(case: Case) -> None:
    """A table of their own, which nobody waits for."""
    case.sql("set client_min_messages = warning; create table if not exists transfers (v text)")


def _prepare(case: Case) -> None:
    _transfers(case)
    case.sql("begin; insert into transfers values ('prepared'); prepare transaction 'transfer-1'")
    case.did("prepared transfer-1")


def _slots(case: Case) -> None:
    case.sql("select pg_create_physical_replication_slot('standby_1', true)")
    # A logical one waits until every open transaction has ended, also those that are prepared.
    if case.launch.settings.get("wal_level") == "logical" and not case.sql("select gid from pg_prepared_xacts"):
        case.sql("select pg_create_logical_replication_slot('debezium', 'pgoutput')")
    case.did("made replication slots")


def _logical(case: Case) -> None:
    case.launch.settings["wal_level"] = "logical"


def _publish(case: Case) -> None:
    case.sql("create publication everything for all tables; alter table notes replica identity full")


def _preload(case: Case) -> None:
    case.launch.settings["shared_preload_libraries"] = "pg_stat_statements"


_EXTENSIONS = """
create extension hstore; create extension pgcrypto; create extension pg_trgm;
create table tagged (id int primary key, h hstore);
insert into tagged select g, hstore('k', g::text) from generate_series(1, 30) g;
create index on tagged using gist (h)
"""
_ROLES = """
create role app login password 'x'; create role readers; grant readers to app; grant select on accounts to readers;
alter default privileges in schema public grant select on tables to readers;
alter role app set statement_timeout = '5s';
alter table accounts enable row level security; create policy p on accounts using (owner <> 'secret')
"""


def _many_tables(case: Case) -> None:
    case.sql("create schema many")
    # A few at a time: all their locks would not fit.
    for first in range(0, 1500, 50):
        case.sql(
            f"do $$ begin for i in {first}..{first + 49} loop "
            "execute format('create table many.t_%s (id int primary key, v text)', i); end loop; "
            f"insert into many.t_{first} values (1, null); end $$"
        )


def _commit_times(case: Case) -> None:
    case.launch.settings["track_commit_timestamp"] = "on"


def _long_transaction(case: Case) -> None:
    """Somebody began before all that follows, and ends when everything is over."""
    session = Session(case.cluster, FIRST, "long")
    _transfers(case)
    session.run("begin; insert into transfers values ('of a long transaction')")
    case.last_things.append(session)
    case.did("began a long transaction")


DATA = (
    Kind("second database", share=0.45, filled=_second),
    Kind("a database with an odd name", share=0.25, filled=_odd_database),
    Kind("odd names, identity, generated columns", share=0.4, filled=_run(_ODD)),
    Kind("partitions", share=0.3, filled=_run(_PARTITIONED)),
    Kind("large objects", share=0.2, filled=_run(_PAPERS)),
    Kind("many types, indexes, TOAST", share=0.35, filled=_run(_TYPES)),
    Kind("extensions", share=0.2, filled=_run(_EXTENSIONS)),
    Kind("roles and policies", share=0.25, filled=_run(_ROLES)),
    Kind("many tables", share=0.06, filled=_many_tables),
    Kind("logical WAL", share=0.2, launch=_logical),
    Kind("a publication", share=0.15, filled=_publish),
    Kind("pg_stat_statements", share=0.2, launch=_preload),
    Kind("prepared transactions allowed", share=0.25, launch=_two_phase),
    Kind("a transaction prepared after the base", share=0.15, launch=_two_phase, based=_prepare),
    Kind(
        "a transaction prepared before the base",
        share=0.08,
        launch=_two_phase,
        filled=_prepare,
        against=("a transaction prepared after the base",),
    ),
    Kind("an unlogged table", share=0.2, filled=_unlogged),
    Kind("slots", share=0.15, based=_slots),
    Kind(COMMIT_TIMES, share=0.3, launch=_commit_times),
    Kind("a long transaction", share=0.15, based=_long_transaction),
)
