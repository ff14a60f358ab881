"""The judge of the random clusters can fail: each kind of sabotage of a real server is found, and nothing else is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.clusters.after import Belongings, belongings, not_as_before
from tests.clusters.case import FIRST, Case
from tests.clusters.dice import Dice
from tests.clusters.kind import Kind, draw, wanted
from tests.clusters.kinds import KINDS
from tests.clusters.picture import differences
from tests.clusters.setup import set_up
from tests.clusters.truth import Mark, picture_now, take_mark
from tests.clusters.writers import Writers
from tests.support.own_cluster import own_cluster

pytestmark = pytest.mark.parts

# Each from the state that the one before left: what it does, and what is to be found of it alone.
SABOTAGE = {
    "one commit too many": ("insert into notes values ('one too many', 1)", "TABLE DATA public.notes"),
    "one row less": ("delete from accounts where id = 7", "TABLE DATA public.accounts"),
    "one value changed": ("update accounts set balance = balance + 1 where id = 8", "TABLE DATA public.accounts"),
    "a table emptied": ("truncate notes", "TABLE DATA public.notes"),
    "a large object lost": ("select lo_unlink(o) from papers where id = 2", "BLOB"),
    "an index less": ("drop index typed_lower_idx", "INDEX"),
    "a right more": ("grant delete on notes to public", "ACL public.TABLE notes"),
    "a role less": ("drop role guest", "roles"),
    "a database missing": ("drop database second", "database second"),
    "a database that nobody can use": ("alter database shop connection limit 0", "shop"),
    "a sequence set back": ("select setval('events_id_seq', 5)", "SEQUENCE public.events_id_seq"),
    "a prepared transaction ended": ("rollback prepared 'p'", "prepared transaction p in appdb"),
}
BELONGINGS = {
    "a setting lost": ("alter system reset work_mem", "work_mem"),
    "a setting more": ("alter system set log_connections = on", "postgresql.auto.conf"),
    "a slot gone": ("select pg_drop_replication_slot('standby_1')", "standby_1"),
}


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    patterns = "large objects,many types*,second database,prepared transactions allowed"
    bare = Kind("no base", "base", 1)
    kinds = [kind for kind in wanted(KINDS, patterns) if kind.group != "base"]
    with own_cluster(tmp_path_factory.mktemp("judge"), "judge", database=FIRST) as cluster:
        case = Case(Dice(1, 1), (bare, *draw(kinds, Dice(1, 1), always=True)), cluster)
        set_up(case)
        given = (
            "create database shop",
            "create role guest",
            "alter system set work_mem = '9MB'",
            "select pg_create_physical_replication_slot('standby_1')",
            "select pg_reload_conf()",
        )
        for statement in given:
            case.sql(statement, "postgres")
        case.sql("create table transfers (v text)")
        case.sql("begin; insert into transfers values ('prepared'); prepare transaction 'p'")
        yield case


def names(case: Case, mark: Mark) -> set[str]:
    return {found.name for found in differences(mark.picture, picture_now(case))}


def test_a_moment_among_writers_is_what_its_snapshots_hold_and_what_was_committed_later_is_not(case: Case) -> None:
    writers = Writers(case)
    case.written_to = {FIRST, "second"}
    writers.start([FIRST, "second"], 2, 0.01)
    case.cluster.until(lambda: case.sql("select count(*) > 250 from events") == "t", 60, "the writers are at it")
    held: list[tuple[str, str]] = []

    def first_after() -> tuple[str, str]:
        counts = "select (select count(*) from events) || ' ' || (select sum(balance) from accounts)"
        held.extend((case.sql(counts), case.sql(counts, "second")) for _ in range(3))
        return "0", "nothing"

    mark = take_mark(case, first_after)
    assert len(set(held)) == 1, "somebody wrote while all were held"
    rows = mark.picture.objects[FIRST]["TABLE DATA public.events"]
    assert len(rows) - 2 == int(held[0][0].split()[0])
    case.cluster.until(lambda: "TABLE DATA public.events" in names(case, mark), 60, "the writers have gone on")
    writers.stop()


def test_each_sabotage_is_found_and_nothing_else(case: Case) -> None:
    right, seen = take_mark(case).picture, picture_now(case)
    assert differences(right, seen) == []
    for title, (sabotage, wanted_name) in SABOTAGE.items():
        case.sql(sabotage, FIRST)
        right, seen = seen, picture_now(case)
        found = {one.name for one in differences(right, seen)}
        assert found, title
        assert all(wanted_name in name for name in found), (title, found)


@pytest.mark.parametrize("title", BELONGINGS)
def test_configuration_and_slots_that_are_lost_are_found(case: Case, title: str) -> None:
    before: Belongings = belongings(case)
    assert list(not_as_before(before, belongings(case))) == []
    sabotage, name = BELONGINGS[title]
    case.sql(sabotage, "postgres")
    case.sql("select pg_reload_conf()", "postgres")

    def found() -> bool:
        return name in {one.name for one in not_as_before(before, belongings(case))}

    case.cluster.until(found, 10, f"{title} is found")
