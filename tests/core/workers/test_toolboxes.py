"""Errands carried out in a terminal: real processes, a status page of files, and neither Docker nor a worker."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from actions.catalog import find
from actions.engine.errors import RecoveryError, Refused
from actions.engine.journal import Kind
from actions.engine.run import Run
from actions.errands import pagerduty_acknowledge, pagerduty_page, status_page_publish
from actions.incidents import incident_actions
from actions.incidents.open_errands import to_page
from actions.settings.outside import StatusPageSettings
from actions.settings.services import ServiceTable, SiteTable
from actions.settings.settings import Settings
from actions.settings.site import SiteSettings
from tests.support.bare_host import NO_DOCKER, Host
from tests.support.own_redis import own_redis
from tests.support.waiting import now
from workers.docker.client import Client
from workers.runner import toolbox as stack_toolbox
from workers.runner.errand_toolbox import ErrandToolbox
from workers.runner.toolbox import docker_toolbox
from workers.runner.toolboxes import InProcessRunner
from workers.statuspage.opening import opener


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_what_a_process_lacks_for_an_errand_is_said_before_anything_is_tried() -> None:
    nothing = ErrandToolbox()
    for procedure, setting in (
        (pagerduty_acknowledge.PROCEDURE, "pagerduty.token"),
        (pagerduty_page.PROCEDURE, "pagerduty."),
        (status_page_publish.PROCEDURE, "statuspage.kind"),
    ):
        with pytest.raises(Refused) as refused:
            nothing.reach(procedure)
        assert setting in refused.value.detail
        assert "mayday worker" in refused.value.hint


def test_an_errand_needs_only_what_its_own_steps_take(tmp_path: Path) -> None:
    page = Settings(statuspage=StatusPageSettings(kind="files", path=str(tmp_path)))
    toolbox = ErrandToolbox(status_page=opener(page, now))
    toolbox.reach(status_page_publish.PROCEDURE)
    with pytest.raises(Refused, match="PagerDuty"):
        toolbox.reach(pagerduty_acknowledge.PROCEDURE)


def test_a_status_page_whose_token_this_process_lacks_is_no_page() -> None:
    without = Settings(statuspage=StatusPageSettings(kind="statuspage", page="abc123"))
    with pytest.raises(Refused, match="token"):
        ErrandToolbox(status_page=opener(without, now)).reach(status_page_publish.PROCEDURE)


def test_an_errand_asks_nothing_of_docker_and_a_recovery_does(host: Host) -> None:
    settings = Settings(
        site=SiteSettings(docker_host=NO_DOCKER), statuspage=StatusPageSettings(kind="files", path=str(host.page))
    )
    runner = InProcessRunner(settings, find, now)
    host.page.mkdir()
    errand = host.update()
    runner.reach(host.store.run(errand))
    run, _ = host.store.open_run("r1124-abcd", host.store.entries(errand)[0].data, claims=False, key="r")
    with pytest.raises(RecoveryError, match="Docker"):
        runner.reach(host.store.run(run))
    assert runner.carry_out(host.store, errand) == "finished"
    assert host.state(errand) == "done"
    assert "Search is slow" in host.public()


def test_a_run_of_another_site_is_left_to_its_own_worker(host: Host) -> None:
    runner = InProcessRunner(Settings(site=SiteSettings(name="here", docker_host=NO_DOCKER)), find, now)
    data = {"procedure": "postgres verify", "table": "", "service": "db", "site": "east", "by": "U1", "request": {}}
    run, _ = host.store.open_run("r1124-abcd", {**data, "origin": {}}, claims=False, key="r")
    with pytest.raises(Refused, match="belongs to the site 'east'"):
        runner.reach(host.store.run(run))


def test_a_run_of_another_site_is_for_the_docker_host_that_the_settings_tell_for_it(host: Host) -> None:
    data = {"procedure": "postgres verify", "table": "", "service": "db", "site": "east", "by": "U1", "request": {}}
    run, _ = host.store.open_run("r1124-abcd", {**data, "origin": {}}, claims=False, key="r")
    east = SiteTable(name="east", docker_host=NO_DOCKER)
    told = InProcessRunner(Settings(sites=(east,)), find, now)
    with pytest.raises(RecoveryError, match="Docker"):
        told.reach(host.store.run(run))
    # The Docker that happens to be here is another site's.
    untold = InProcessRunner(Settings(sites=(SiteTable(name="east"),)), find, now)
    for tried in (lambda: untold.reach(host.store.run(run)), lambda: untold.carry_out(host.store, run)):
        with pytest.raises(Refused, match="belongs to the site 'east'") as refused:
            tried()
        assert "They reach: main." in refused.value.detail


def test_the_tools_of_a_run_have_the_settings_of_its_own_server(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = (
        ServiceTable(name="nself-postgres"),
        ServiceTable(name="billing-db", kind="postgres", archive="/b/wal", bases="/b/base", database="billing"),
        ServiceTable(name="cache", kind="redis"),
    )
    tools = docker_toolbox(Settings(services=tables), host.store)
    # A client that has asked Docker nothing yet; what is not there when the tools are put away is logged.
    monkeypatch.setattr(stack_toolbox, "connect", lambda _host: Client(base_url=NO_DOCKER, version="1.41"))
    told = {}
    for service in ("nself-postgres", "billing-db", "cache"):
        with tools.open(Run("", "", "", service, "main", "U1", {}, {}, now())) as opened:
            told[service] = (opened.site.postgres, opened.site.database, opened.site.archive)
    assert told == {
        "nself-postgres": ("nself-postgres", "nself_db", "/backups/postgres/wal"),
        "billing-db": ("billing-db", "billing", "/b/wal"),
        # A run about another service has the site's own server, as ever.
        "cache": ("nself-postgres", "nself_db", "/backups/postgres/wal"),
    }


def test_a_worker_refuses_a_server_of_whose_backups_its_settings_do_not_tell(host: Host) -> None:
    both = (ServiceTable(name="nself-postgres"), ServiceTable(name="reports", kind="postgres"))
    given = Settings(site=SiteSettings(postgres="nself-postgres", docker_host=NO_DOCKER), services=both)
    tools = docker_toolbox(given, host.store)
    run = Run("r1124-abcd", "postgres verify", "", "reports", "main", "U1", {}, {}, now())
    with pytest.raises(Refused, match="where the backups of reports lie"), tools.open(run):
        pass
    with pytest.raises(RecoveryError, match="Docker"), tools.open(replace(run, service="nself-postgres")):
        pass


@pytest.mark.parts
def test_carry_out_does_an_errand_with_the_tools_of_errands(host: Host) -> None:
    host.page.mkdir()
    errand = host.update()
    said = host.type("carry-out", errand)
    assert (said.returncode, host.state(errand)) == (0, "done"), said.stderr
    assert "Search is slow" in host.public()


@pytest.mark.parts
def test_an_errand_whose_secret_is_not_here_goes_on_waiting_for_a_worker(host: Host) -> None:
    errand = host.asks(to_page(incident_actions.known(host.store, host.name)))
    said = host.type("carry-out", errand)
    assert said.returncode == 1
    assert "is not set up" in said.stderr
    assert "mayday worker" in said.stderr
    assert [entry.kind for entry in host.store.entries(errand)] == [Kind.REQUESTED]


@pytest.mark.parts
@pytest.mark.skipif(shutil.which("redis-server") is None, reason="no Redis on this machine")
def test_an_errand_that_failed_is_tried_again_here_though_a_queue_is_there(host: Host) -> None:
    host.page.write_text("a file where the folder belongs")
    errand = host.update()
    host.type("carry-out", errand)
    assert host.state(errand) == "failed"
    host.page.unlink()
    host.page.mkdir()
    with own_redis() as redis:
        said = host.type("retry", errand, "--json", redis=redis)
    assert said.returncode == 0, said.stderr
    assert json.loads(said.stdout)["state"] == "done"
    assert "Search is slow" in host.public()
