"""Into which queue a run is put: that of its own site."""

from __future__ import annotations

import pytest

import mayday
from actions.engine.requests import Subject, open_run
from actions.engine.rights import Speaker
from actions.settings.services import SiteTable
from actions.settings.settings import Settings
from tests.support.bot_world import START, emptied
from tests.support.worlds.kinds import REDIS, Restart
from workers.runner import queue

OLGA = Speaker("U1", "Olga", may_ask=True, may_approve=False)


@pytest.mark.parametrize(("sites", "expected"), [((), "main"), ((SiteTable(name="east"),), "east")])
def test_a_run_is_enqueued_at_its_own_site(
    sites: tuple[SiteTable, ...], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[tuple[str, str]] = []
    monkeypatch.setattr(queue, "enqueue", lambda url, site, run: heard.append((site, run)))
    store = emptied(lambda: START)
    subject = Subject(expected, "nself-redis")
    run = open_run(store, REDIS, Restart("nself-redis"), by=OLGA, subject=subject, origin={}, key="k").id
    mayday._enqueue(Settings(sites=sites), store)(run)
    assert heard == [(expected, run)]
