"""Looks, verifications and backups are no recoveries: neither PagerDuty nor the public hears of them."""

from __future__ import annotations

import pytest

from actions.catalog import CATALOG, known
from actions.engine.journal import Kind
from actions.engine.procedure import Procedure
from actions.incidents.draft_offers import kind_now, newest_recovery
from actions.incidents.milestones import milestones
from actions.incidents.recovery_runs import is_recovery
from actions.settings.outside import StatusPageSettings
from tests.support.bot_world import PlayedWorker
from tests.support.worlds.pages import event
from tests.support.worlds.post import Post

NONE = ("postgres window", "postgres verify", "postgres base backup")


@pytest.fixture
def post() -> Post:
    made = Post()
    made.hears(event("triggered", "P0"))
    made.statuspage = StatusPageSettings(kind="files")
    return made


def done(post: Post, procedure: Procedure) -> PlayedWorker:
    """A run of it, asked for in the incident's thread, that began, failed once and ended well."""
    run = f"r{len(post.store.runs()) + 1}"
    data = {"procedure": procedure.name, "table": procedure.table, "service": "nself-postgres", "site": "main"}
    asked = {**data, "by": "U1", "name": "Olga", "request": {}, "summary": "x", "origin": {"incident": post.one.id}}
    linked = (post.one.id, (Kind.LINKED, None, {"run": run, "procedure": procedure.name, "by": "U1", "name": "Olga"}))
    post.store.open_run(run, asked, claims=False, key=run, tells=(linked,))
    worker = PlayedWorker(post.store, run)
    worker.write(Kind.BEGAN, 0)
    worker.write(Kind.FAILED, 0, title="look", error="The disk is full.", hint="Make room.")
    worker.write(Kind.RETRIED, 0, by="U1", name="Olga")
    worker.ends("done")
    return worker


@pytest.mark.parametrize("name", NONE)
def test_of_what_brings_nothing_back_nobody_outside_hears(post: Post, name: str) -> None:
    procedure = known(name)
    assert procedure is not None
    worker = done(post, procedure)
    post.tells()
    assert list(milestones(post.store.entries(worker.run), procedure)) == []
    assert post.world.remarks == {}
    assert [e for e in post.store.entries(post.one.id) if e.data.get("offers")] == []
    newest = newest_recovery(post.store, post.one)
    assert (newest, kind_now(post.one, newest)) == (None, "opened")


def test_a_look_after_a_recovery_leaves_that_one_the_newest(post: Post) -> None:
    recovery = post.whole()
    window = known("postgres window")
    assert window is not None
    done(post, window)
    newest = newest_recovery(post.store, post.one)
    assert newest is not None
    assert (newest.id, kind_now(post.one, newest)) == (recovery.run, "finished")


def test_each_procedure_of_the_catalog_is_one_or_is_none_and_an_unknown_one_is_none() -> None:
    assert {one.name for one in CATALOG if not is_recovery(one)} >= set(NONE)
    assert is_recovery(known("postgres pitr"))
    assert not is_recovery(known("postgres gone"))
