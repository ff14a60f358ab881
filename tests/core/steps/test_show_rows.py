"""Rows of the clone beside those of the live data: what became of each, and what cannot be told of a long value."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any, cast

from actions.postgres.server import Server
from actions.postgres.shown_rows import shown_tables
from actions.steps.postgres.show_rows import show_rows
from actions.tools.docker import Docker
from actions.tools.sql import Sql
from tests.support.worlds.company import SITE
from tests.support.worlds.planned import PrivateLines

LONG = "x" * 200


@dataclass
class TwoServers:
    """The same table in a clone and in the live data, by key."""

    clone: dict[int, str]
    live: dict[int, str]

    def rows(self, container: str, _server: Any, query: str, **_limit: Any) -> list[dict[str, Any]]:
        if "pg_index" in query:
            return [{"name": "id", "type": "integer"}]
        held = self.live if container == "nself-postgres" else self.clone
        after = {key: said for key, said in held.items() if " > " not in query or key > max(self.clone)}
        found = [{"key": str(key), "c0": said[:161]} for key, said in sorted(after.items())]
        return found[::-1] if " desc " in query else found


RUN = "r1122-abcd"
SERVER = cast(Server, SimpleNamespace(service="nself-postgres", home=SimpleNamespace(parent="/data", leaf="postgres")))


def docker_with(source: str) -> Docker:
    clone = SimpleNamespace(state="running", mounts=(SimpleNamespace(source=source),))
    return cast(Docker, SimpleNamespace(find=lambda _name: clone))


def test_a_clone_of_another_server_is_not_compared_with_this_one() -> None:
    private = PrivateLines()
    site = replace(SITE, preview=shown_tables(["messages.body"]))
    other = docker_with(f"/other/postgres_clone_{RUN}")
    shown = show_rows(RUN, SERVER, site, other, cast(Sql, TwoServers({1: "a"}, {1: "b"})), private)
    assert not shown.tables
    assert private.lines == [f"The clone of run {RUN} is of another server than nself-postgres. Nothing was compared."]


def test_a_row_whose_end_is_not_shown_is_not_called_unchanged() -> None:
    sql = TwoServers({1: LONG, 2: "short", 3: "old"}, {1: f"{LONG}, and more", 2: "short", 3: "new"})
    private = PrivateLines()
    site = replace(SITE, preview=shown_tables(["messages.body"]))
    show_rows(RUN, SERVER, site, docker_with(f"/data/postgres_clone_{RUN}"), cast(Sql, sql), private)
    assert [line.partition("”")[2] for line in private.lines[1:4]] == [
        " (the same as far as it is shown)",
        "",
        " (now “new”: comes back as it was)",
    ]
