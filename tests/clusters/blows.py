"""What people do to their data: each blow is one thing that a recovery has to take back, or must not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.clusters.case import FIRST, Case
from tests.clusters.session import Session

Needs = Callable[[Case], bool]


def always(_: Case) -> bool:
    """A blow that every cluster can have."""
    return True


def table(name: str) -> Needs:
    """A blow for which a table has to be there still."""
    return lambda case: case.sql(f"select to_regclass('{name}') is not null") == "t"


def column(table: str, name: str) -> Needs:
    """A blow for which a table has to have a column still."""
    asked = f"select exists (select from pg_attribute where attrelid = to_regclass('{table}') and attname = '{name}')"
    return lambda case: case.sql(asked) == "t"


def database(name: str) -> Needs:
    return lambda case: name in case.databases()


def kind(name: str, and_: Needs = always) -> Needs:
    return lambda case: case.has(name) and and_(case)


def absent(name: str) -> Needs:
    return lambda case: name not in case.databases()


@dataclass(frozen=True)
class Blow:
    """Statements for one database. Those that cannot be in a transaction stand `alone`, each its own.

    `drops` names the database that goes. Not all may be `first` after a moment while writers are held: some wait for
    them. `xid` asks for the transaction where it is not the next one; `none` says that there is none.
    """

    name: str
    sql: tuple[str, ...]
    needs: Needs = always
    database: str = FIRST
    alone: bool = False
    drops: str = ""
    first: bool = True
    xid: str = ""

    def strike(self, case: Case) -> tuple[str, str]:
        """Do it; its (first) transaction and its name."""
        with Session(case.cluster, self.database, "blow") as session:
            xid = self._alone(session) if self.alone else self._together(session)
        case.did(f"{self.name} (transaction {xid or 'none'})")
        return xid, self.name

    def _together(self, session: Session) -> str:
        session.run("begin")
        for statement in self.sql:
            session.run(statement)
        xid = session.run("select pg_current_xact_id()")
        session.run("commit")
        return xid

    def _alone(self, session: Session) -> str:
        # The next number is this one's, as long as nobody else takes it.
        xid = self.xid or "begin; select pg_current_xact_id()::text::bigint + 1; rollback"
        found = session.run(xid) if xid != "none" else ""
        for statement in self.sql:
            session.run(statement)
        return found


_PREPARED = "select transaction from pg_prepared_xacts where gid = 'transfer-1'"

BLOWS: Sequence[Blow] = (
    Blow("delete all accounts", ("delete from accounts",), table("accounts")),
    Blow("delete some accounts", ("delete from accounts where id % 7 = 3",), table("accounts")),
    Blow("update all accounts", ("update accounts set owner = 'oops'",), column("accounts", "owner")),
    Blow("update all notes, which have no key", ("update notes set v = 'oops'",), table("notes")),
    Blow("delete a table without a key in part", ("delete from notes where n > 4",), table("notes")),
    Blow("drop the events", ("drop table events cascade",), table("events")),
    Blow("drop the accounts", ("drop table accounts cascade",), table("accounts")),
    Blow("truncate accounts", ("truncate accounts",), table("accounts")),
    Blow("truncate events and begin their numbers anew", ("truncate events restart identity",), table("events")),
    Blow("change the type of a column", ("alter table accounts alter balance type numeric(20, 2)",), table("accounts")),
    Blow("drop a column", ("alter table accounts drop column owner cascade",), column("accounts", "owner")),
    Blow(
        "add a column with a default",
        ("alter table notes add column extra int not null default 7",),
        lambda case: table("notes")(case) and not column("notes", "extra")(case),
    ),
    Blow("rename a table", ("alter table notes rename to notes_old",), table("notes")),
    Blow("drop a schema", ("drop schema sales cascade",), table("sales.items")),
    Blow(
        "create a table with rows",
        ("create table if not exists newcomer as select g as id from generate_series(1, 300) g",),
    ),
    Blow(
        "create a schema, a type and a function",
        (
            "create schema extra",
            "create type extra.mood as enum ('well', 'ill')",
            "create function extra.f() returns int language sql as 'select 1'",
            "create view extra.v as select extra.f() as f",
        ),
        lambda case: not table("extra.v")(case),
    ),
    Blow(
        "subtransactions",
        (
            "insert into notes values ('kept', 1)",
            "savepoint a",
            "insert into notes values ('x', 2)",
            "rollback to a",
            "savepoint b",
            "update notes set n = n + 100 where n = 1",
            "release b",
        ),
        table("notes"),
    ),
    Blow("lose the large objects", ("select lo_unlink(o) from papers", "delete from papers"), table("papers")),
    Blow(
        "move rows between partitions",
        ("update readings set at = at + interval '6 months' where at < '2026-07-01'",),
        table("readings"),
    ),
    Blow("drop a partition", ("drop table readings_1",), table("readings_1")),
    Blow(
        "make roles",
        (
            "create role intruder login superuser",
            "alter role intruder set work_mem = '9MB'",
            "grant all on all tables in schema public to intruder",
        ),
        lambda case: case.sql("select count(*) from pg_roles where rolname = 'intruder'") == "0",
    ),
    Blow(
        "set a sequence back",
        ("select setval('sales.\"Order Numbers\"', 3)",),
        lambda case: case.sql("select to_regclass('sales.\"Order Numbers\"') is not null") == "t",
    ),
    Blow(
        "reindex and vacuum full",
        ("reindex table accounts", "vacuum full accounts", "vacuum full notes"),
        lambda case: table("accounts")(case) and table("notes")(case),
        alone=True,
        first=False,
    ),
    Blow(
        "build an index beside the work",
        ("create index concurrently on notes (n)",),
        table("notes"),
        alone=True,
        first=False,
    ),
    Blow("create a database", ("create database fresh",), absent("fresh"), "postgres", alone=True),
    Blow(
        "create a database by copying files",
        ("create database copied strategy file_copy",),
        absent("copied"),
        "postgres",
        alone=True,
    ),
    Blow(
        "drop the new database",
        ("drop database fresh with (force)",),
        database("fresh"),
        "postgres",
        alone=True,
        drops="fresh",
    ),
    Blow(
        "drop the second database",
        ("drop database second with (force)",),
        database("second"),
        "postgres",
        alone=True,
        drops="second",
    ),
    Blow("rename a database", ("alter database copied rename to renamed",), database("copied"), "postgres"),
    Blow(
        "set a database's own settings",
        ("alter database appdb set work_mem = '7MB'", "alter database appdb connection limit 55"),
    ),
    Blow("delete in the second database", ("delete from accounts where id > 10",), database("second"), "second"),
    Blow("update in the second database", ("update accounts set owner = 'oops'",), database("second"), "second"),
    Blow(
        "drop a tablespace",
        ("drop table far", "drop tablespace fast"),
        kind("a tablespace before the base", table("far")),
        alone=True,
    ),
    Blow(
        "move a table into a tablespace",
        ("alter table notes set tablespace fast",),
        kind("a tablespace before the base", table("far")),
    ),
    Blow(
        "set a memory setting",
        ("alter system set work_mem = '13MB'", "select pg_reload_conf()"),
        alone=True,
        xid="none",
    ),
    Blow(
        "ask for more connections",
        ("alter system set max_connections = 150", "select pg_reload_conf()"),
        alone=True,
        xid="none",
    ),
    Blow(
        "fill much",
        ("insert into events (who, v) select 77, repeat('x', 200) from generate_series(1, 20000)",),
        table("events"),
    ),
    Blow(
        "commit what was prepared",
        ("commit prepared 'transfer-1'",),
        lambda case: "transfer-1" in case.sql("select gid from pg_prepared_xacts"),
        alone=True,
        xid=_PREPARED,
    ),
    Blow(
        "roll back what was prepared",
        ("rollback prepared 'transfer-1'",),
        lambda case: "transfer-1" in case.sql("select gid from pg_prepared_xacts"),
        alone=True,
        xid="none",
    ),
)
