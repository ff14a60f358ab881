"""Rows around a target from two real servers: what people know comes back, what is lost, and what cannot be shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from actions.postgres.server import Server
from actions.postgres.shown_rows import shown_tables
from actions.settings.settings import Settings
from actions.steps.postgres.show_rows import RowsShown, show_rows
from actions.tools.docker import Mount
from actions.tools.names import Names
from tests.support.small_server import SmallServer, small_server
from tests.support.worlds.planned import PrivateLines

pytestmark = pytest.mark.parts
_TABLES = (
    "create table messages (id bigint primary key, author text, body text)",
    'create table "odd.name" ("the id" timestamptz primary key, v int)',
    "create table by_text (id text primary key, body text)",
    'create table "a""b" (id int primary key, body text)',
    "insert into messages select g, 'ann', 'message ' || g from generate_series(1, 40) g",
)


@dataclass
class Pair:
    clone: SmallServer
    live: SmallServer

    def show(self, *columns: str, rows: int = 3) -> tuple[RowsShown, list[str]]:
        """The clone is another container than the run's name says, so its name is looked up as that one."""
        told, site = PrivateLines(), replace(Settings().own_server("main"), preview=shown_tables(columns, rows))
        shown = show_rows("r0209-abcd", self.live.server, site, self.docker(), self, told)  # type: ignore[arg-type]
        return shown, told.lines

    def docker(self) -> Any:
        return Renamed(self.clone, self.live.server)

    def rows(self, container: str, server: Any, sql: str, *, seconds: float = 30, database: str = "") -> Any:
        side = self.clone if container == Names("r0209-abcd").clone else self.live
        return side.sql.rows(side.name, side.server, sql, seconds=seconds, database=database)


@dataclass
class Renamed:
    """The clone under the name of the run's, on the folder that the run's has."""

    clone: SmallServer
    server: Server

    def find(self, name: str) -> Any:
        names, home = Names("r0209-abcd"), self.server.home
        found = self.clone.docker.find(self.clone.name)
        if name != names.clone or found is None:
            return None
        return replace(found, mounts=(Mount("bind", f"{home.parent}/{names.clone_leaf(home)}", home.inside),))


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with small_server() as clone, small_server() as live:
        for one in (clone, live):
            one.psql(*_TABLES)
        live.psql(
            "delete from messages where id = 39",
            "update messages set body = 'overwritten' where id = 40",
            "insert into messages values (41, 'bob', 'after the target'), (42, 'bob', null), "
            "(43, 'bob', repeat('x', 500)), (44, 'bob', 'too far')",
        )
        yield Pair(clone, live)


def test_the_last_rows_that_come_back_and_the_first_that_are_lost(pair: Pair) -> None:
    shown, lines = pair.show("messages.author", "messages.body")
    assert lines == [
        "messages, the last 3 rows that the clone has:",
        "  38: “ann” · “message 38”",
        "  39: “ann” · “message 39” (gone from the live data: comes back)",
        "  40: “ann” · “message 40” (now “ann” · “overwritten”: comes back as it was)",
        "and what the live data has after them, which a cut-over loses:",
        "  41: “bob” · “after the target”",
        "  42: “bob” · (null)",
        f"  43: “bob” · “{'x' * 160}…”",
    ]
    assert shown == RowsShown((("messages", 3, 3),))
    assert "message" not in str(shown).replace("messages", "")


def test_names_and_values_of_people_are_no_sql(pair: Pair) -> None:
    _, lines = pair.show('a"b.body')
    assert lines == ['a"b: the clone has no row.', "and nothing after them in the live data."]
    shown, lines = pair.show("messages.body'; drop table messages; --")
    assert shown.tables == ()
    assert "does not exist" in lines[0]
    assert pair.live.psql("select count(*) from messages") == "43"


def test_a_table_whose_rows_have_no_order_is_named_with_the_reason(pair: Pair) -> None:
    shown, lines = pair.show("by_text.body", "messages.body", "missing.body", rows=1)
    assert lines[0].startswith("by_text: its rows cannot be put in order")
    assert lines[1] == "messages, the last 1 row that the clone has:"
    assert lines[2] == "  40: “message 40” (now “overwritten”: comes back as it was)"
    assert [name for name, *_ in shown.tables] == ["messages"]
    assert len(shown.trouble) == 2


def test_a_live_server_that_is_down_is_said_and_the_clone_is_shown(pair: Pair) -> None:
    down = replace(pair, live=replace(pair.live, name="mayday-nobody"))
    shown, lines = down.show("messages.body", rows=1)
    assert lines[0] == "messages, the last 1 row that the clone has:"
    assert "could not be asked" in lines[-1]
    assert shown.tables == (("messages", 1, 0),)
