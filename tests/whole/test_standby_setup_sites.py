"""A standby on a site of its own is built anew by the worker of that site, by the settings of the practice company."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from actions import catalog
from actions.control import answers
from actions.control.requests import Subject, open_run
from actions.engine.run import Run
from actions.engine.status import state_of
from actions.settings import settings_file
from actions.settings.settings import Settings
from actions.stack.choose import chosen
from actions.stack.clusters import asker_about
from actions.store.store import Store
from lab import company, stack
from lab.containers import find, ours
from lab.database import connected
from lab.engine import connect
from lab.home import STANDBY, Lab
from lab.replication import replication
from tests.support.own_cluster import APPROVER, ONCALL
from workers.runner.leased_runner import LeasedRunner
from workers.runner.toolbox import docker_toolbox, second_toolbox

pytestmark = pytest.mark.whole
SETUP = catalog.find("postgres replication setup")


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    made = Lab(tmp_path / "lab", "mtrs-", "mtrs", lean=True, standby=True)
    try:
        stack.up(made, town=False)
        company.write_settings(made)
        yield made
    finally:
        stack.down(made, purge=True)
        assert not ours(connect(), made)


def ask(store: Store, settings: Settings, subject: Subject) -> str:
    asker = asker_about(settings.stack(), subject, datetime.now(UTC), "UTC", None)
    request, key = SETUP.words.read("", asker), secrets.token_hex(4)
    return open_run(store, SETUP, request, by=ONCALL, subject=subject, origin={}, key=key).id


def work(store: Store, settings: Settings, run: str) -> Run:
    """As the worker of the standby's site, which reaches the primary's by the settings."""
    toolbox = docker_toolbox(settings, store, store.run(run).site)
    elsewhere = partial(second_toolbox, settings, store)
    LeasedRunner(store, catalog.find, toolbox, "tests", elsewhere=elsewhere).carry_out(run)
    return store.run(run)


def test_the_standby_of_another_site_is_refused_while_it_streams_and_built_anew_once_it_is_stopped(lab: Lab) -> None:
    settings = settings_file.read(company.settings_file(lab), {}, {})
    store = Store(f"sqlite:///{lab.root}/runs.db", lambda: datetime.now(UTC))
    subject = chosen(settings.stack(), "postgres", standby=True)
    assert subject == Subject(lab.standby_site, lab.container(STANDBY))
    refused = ask(store, settings, subject)
    work(store, settings, refused)
    assert "streams from its primary already" in str(store.entries(refused)[-1].data)
    container = find(connect(), lab.container(STANDBY))
    assert container is not None
    container.stop(timeout=20)
    with connected(lab) as db:
        db.execute("create table t as select generate_series(1, 1000) as id")
    run = ask(store, settings, subject)
    question = work(store, settings, run).question
    assert question is not None
    answers.answer(store, run, question.n, "Replace its data", APPROVER, subject.service)
    assert state_of(work(store, settings, run)) == "done", str(store.entries(run)[-1].data)
    # The slot of the practice company's own script is left, and said.
    assert "Nobody reads the slot standby" in str(store.entries(run)[-1].data)
    primary, standby = replication(lab)["nodes"]
    assert (primary["role"], standby["role"], standby["streaming"]) == ("primary", "standby", True)
    with connected(lab, STANDBY) as db:
        assert db.execute("select count(*) from t").fetchone() == (1000,)
