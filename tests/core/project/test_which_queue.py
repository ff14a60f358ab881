"""Which queue a run is put into: that of its own site and lane."""

from __future__ import annotations

import pytest

import mayday
from actions.control.requests import Subject, open_run
from actions.engine.lanes import Lane
from actions.engine.rights import Speaker
from actions.recoveries import postgres_backup
from actions.settings.services import SiteTable
from actions.settings.settings import Settings
from tests.support.bot_world import START, emptied
from tests.support.worlds.kinds import REDIS, Restart
from workers.runner import enqueue_run

OLGA = Speaker("U1", "Olga", may_ask=True, may_approve=False)


@pytest.mark.parametrize(("sites", "expected"), [((), "main"), ((SiteTable(name="east"),), "east")])
def test_a_run_is_put_into_the_queue_of_its_own_site_and_lane(
    sites: tuple[SiteTable, ...], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[tuple[str, str, Lane | None]] = []
    monkeypatch.setattr(enqueue_run, "enqueue", lambda url, site, run, lane: heard.append((site, run, lane)))
    store = emptied(lambda: START)
    subject = Subject(expected, "nself-redis")
    ask = {"by": OLGA, "subject": subject, "origin": {}}
    unknown = open_run(store, REDIS, Restart("nself-redis"), key="k", **ask).id
    ask["subject"] = Subject(expected, "nself-postgres")
    backup = open_run(store, postgres_backup.PROCEDURE, postgres_backup.TakeBase("nself-postgres"), key="b", **ask).id
    put = mayday._enqueue(Settings(sites=sites), store)
    for run in (unknown, backup, "e1122-abcd"):
        put(run)
    # Of a procedure of another version the lane is not known; its site's worker hands the run on.
    assert heard == [(expected, unknown, None), (expected, backup, Lane.BACKUP), ("main", "e1122-abcd", Lane.ERRAND)]
