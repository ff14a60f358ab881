"""Two real servers compared: contents whatever their settings, large tables exactly, what is not compared by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from actions.postgres.compare_sql import SIZES, TABLES
from actions.postgres.row_comparison import Rows, pair_tables, parse_tables
from actions.steps.postgres.compare_rounds import Rounds, TablesCompared
from actions.steps.postgres.compare_sides import TIME_RAN_OUT, Budget, Side
from tests.support.small_server import SmallServer, quiet, small_server
from workers.runner.polling import RealPolling

pytestmark = pytest.mark.parts
LARGE = 210_000
_BOTH = (
    "create table kinds (id int primary key, at timestamptz, span interval, raw bytea, f float8, m money, d date, "
    "j json, r regclass, x xml, a text[], t int)",
    "insert into kinds select g, '2026-02-09 14:30+00'::timestamptz + g * interval '1 hour', g * interval '9 minutes', "
    "'\\x00ff5c', 1.0 / g, g::money, '2026-02-09', '{\"a\": 1}', 'kinds', '<a>x</a>', array['a', null, 'b,c'], g "
    "from generate_series(1, 100) g",
    f"create table large (a int, b text, v text, primary key (a, b)); insert into large select g, 'k', md5(g::text) "
    f"from generate_series(1, {LARGE}) g",
    f"create table heap (v int); insert into heap select g % 1000 from generate_series(1, {LARGE}) g",
    "create table alone (only_here int)",
    "create unlogged table fleeting (id int)",
    "create table held (id int primary key)",
    "create table small (id int primary key)",
)


@dataclass
class Two:
    clone: SmallServer
    live: SmallServer

    def compare(self, seconds: float = 120) -> TablesCompared:
        budget = Budget(RealPolling(), seconds)
        sides = [Side(one.name, one.server, one.sql, budget) for one in (self.clone, self.live)]
        told = [
            side.sql.everywhere(side.container, side.server, {"town": [TABLES]}, bare=True)["town"][0].must()
            for side in sides
        ]
        pairs = list(pair_tables("town", *(parse_tables(data["tables"]) for data in told)))
        pairs = [pair for pair in pairs if pair.table.persistence == "p"]
        return Rounds(*sides, {"town": 500}, budget, quiet).compare(sorted(pairs, key=lambda pair: pair.bytes))


@pytest.fixture(scope="module")
def two() -> Iterator[Two]:
    with small_server() as clone, small_server() as live:
        for one in (clone, live):
            one.psql(*_BOTH)
        # Whoever looks through these settings sees other texts; some of them also hide what people's functions mean.
        for setting in (
            "timezone = 'Asia/Tokyo'",
            "datestyle = 'german'",
            "intervalstyle = 'iso_8601'",
            "bytea_output = 'escape'",
            "search_path = evil, public",
        ):
            live.psql(f"alter role postgres set {setting}")
        live.psql(
            "alter database town set extra_float_digits = -10",
            "create schema evil",
            "create function evil.hashtextextended(text, int) returns bigint language sql as 'select 1::bigint'",
        )
        yield Two(clone, live)
        for one in (clone, live):
            one.files.close()


def test_settings_of_roles_and_databases_make_no_difference(two: Two) -> None:
    found = two.compare()
    assert not found.rows
    assert not found.not_compared
    assert {name for _, name in found.alike} == {
        f"public.{n}" for n in ("kinds", "large", "heap", "alone", "held", "small")
    }


def test_scattered_changes_of_a_large_table_are_counted_exactly(two: Two) -> None:
    two.live.psql(
        "update large set v = 'changed' where a % 100 = 3",
        "delete from large where a % 1000 = 5",
        "insert into large select g, 'new', 'x' from generate_series(1, 77) g",
        "delete from heap where v = 7",
        "insert into heap select 5 from generate_series(1, 9)",
        "update kinds set t = 0 where id <= 40; delete from kinds where id > 95; insert into kinds (id) "
        "select g from generate_series(201, 210) g",
    )
    found = two.compare()
    assert found.rows == {
        ("town", "public.large"): Rows(210, 77, 2100),
        ("town", "public.heap"): Rows(210, 9, 0),
        ("town", "public.kinds"): Rows(5, 10, 40),
    }


def test_every_row_of_a_large_table_changed_is_told_exactly_while_there_is_time(two: Two) -> None:
    two.live.psql("update large set v = 'oops'")
    assert two.compare().rows["town", "public.large"] == Rows(210, 77, LARGE - 210)


def test_one_that_is_locked_or_too_late_is_named_and_keeps_no_other_from_being_compared(two: Two) -> None:
    lock = ["psql", "-X", "-d", "town", "-c", "begin; lock table held; select pg_sleep(40)"]
    id = two.live.client.api.exec_create(two.live.name, lock, user="postgres")["Id"]
    two.live.client.api.exec_start(id, detach=True)
    two.live.psql("insert into small values (1)")
    found = two.compare()
    assert found.not_compared == {("town", "public.held"): "live: somebody else holds a lock on it"}
    assert found.rows["town", "public.small"] == Rows(0, 1, 0)
    late = two.compare(seconds=0)
    assert set(late.not_compared.values()) == {TIME_RAN_OUT}
    assert len(late.not_compared) == 6
    assert not late.alike


def test_a_table_that_the_clone_cannot_read_is_not_compared_and_says_why(two: Two) -> None:
    path = two.clone.psql("checkpoint", "select pg_relation_filepath('small')").strip()
    two.clone.psql("insert into small select generate_series(1, 5)", "checkpoint")
    data = two.clone.parent / "postgres" / path
    two.clone.docker.stop(two.clone.name, two.clone.server.container)
    data.write_bytes(b"\xff" * 8192)
    two.clone.docker.start(two.clone.name, two.clone.server.container)
    two.clone.start_again()
    found = two.compare()
    assert "the clone: " in found.not_compared["town", "public.small"]
    assert "invalid page" in found.not_compared["town", "public.small"]
    assert ("town", "public.alone") in found.alike


def test_a_role_that_may_not_read_has_named_what_it_could_not_read(two: Two) -> None:
    two.live.psql("create role reader login", "grant select on alone to reader")
    reader = replace(two.live.server, user="reader")
    side = Side(two.live.name, reader, two.live.sql, Budget(RealPolling(), 60))
    told, sizes = side.sql.everywhere(side.container, reader, {"town": [TABLES, SIZES]}, bare=True)["town"]
    assert sizes.error is not None
    tables = [table for table in parse_tables(told.must()["tables"]) if table.name in ("alone", "heap")]
    found = side.digests({"town": tables}, {"town": 500})
    assert found.values == {("town", "public.alone"): (0, "0")}
    assert "permission denied for table heap" in found.why["town", "public.heap"]
