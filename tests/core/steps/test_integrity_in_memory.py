"""The checks of a clone, where those who are asked do not answer as they should."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from actions.engine.errors import Away, RecoveryError
from actions.postgres.integrity import FULL
from actions.postgres.integrity_many import FOREIGN_KEYS, NULL_KEYS
from actions.postgres.live_server import LIVE_SQL
from actions.postgres.server import Server
from actions.tools.sql import QueryResult, SqlTimeout
from tests.support.worlds.planned import Company
from tests.support.worlds.sql import WorldSql


def test_checks_wait_for_docker_and_what_the_clone_cannot_read_needs_attention(
    here: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That Docker is away says nothing of the data; that the server cannot read a table does."""
    asked, values = list[int](), WorldSql.values
    errors = {FOREIGN_KEYS: SqlTimeout("too long"), NULL_KEYS: RecoveryError("refused", detail="bad page")}

    def failing(
        sql: WorldSql, container: str, server: Server, queries: Sequence[str], **limit: float
    ) -> list[QueryResult]:
        if queries == [LIVE_SQL]:
            return list(values(sql, container, server, queries, **limit))
        asked.append(len(queries))
        if len(asked) <= 2:
            raise Away("Docker does not answer.")
        answers = zip(queries, values(sql, container, server, queries, **limit), strict=True)
        return [QueryResult(error=errors[query]) if query in errors else answer for query, answer in answers]

    here.ask("postgres pitr", "08:30:30")
    here.work()
    here.answer("Pause writers and restore")
    monkeypatch.setattr("workers.runner.step_guard._PAUSE_SECONDS", 0)
    monkeypatch.setattr(WorldSql, "values", failing)
    here.work()
    found = here.run().facts["integrity"]
    states = {line["check"]: line["state"] for line in found["findings"]}
    assert asked[:3] == [len(FULL) + 1] * 3  # And one for the databases that there are.
    assert (states["foreign keys"], states["null keys"]) == ("unfinished", "attention")
    assert "bad page" in found["verdict"]
    assert not found["healthy"]
