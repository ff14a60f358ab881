"""Errands carried out in a terminal: real processes, a status page of files, and neither Docker nor a worker."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from waiting import now, within

from actions.catalog import find
from actions.engine.answers import Speaker
from actions.engine.errors import RecoveryError, Refused
from actions.engine.journal import Kind
from actions.engine.status import state_of
from actions.engine.store import Store
from actions.errands import pagerduty_acknowledge, pagerduty_page, status_page_publish
from actions.incidents import deeds
from actions.incidents.errands import Errand, open_errand, to_page
from actions.incidents.offering import offered, to_publish
from actions.settings import Settings, SiteSettings, StatusPageSettings
from workers.errands import ErrandWorkshop
from workers.hands import Hands
from workers.statuspage.opening import opener

ROOT = Path(__file__).parent.parent
NO_DOCKER = "tcp://127.0.0.1:9"
eventually = within(8)
ANA = Speaker("operator:ana", "Ana", may_ask=True, may_approve=True)


@dataclass
class Host:
    """A host without Docker and without a worker, whose status page is a folder."""

    folder: Path

    def __post_init__(self) -> None:
        self.store = Store(f"sqlite:///{self.folder / 'mayday.db'}", now)
        self.name, _ = deeds.declare(self.store, "Search is slow", "high", ANA, key="k")
        (self.folder / "settings.toml").write_text(
            f'store = "sqlite:///{self.folder / "mayday.db"}"\n'
            f'[site]\ndocker_host = "{NO_DOCKER}"\n'
            f'[statuspage]\nkind = "files"\npath = "{self.page}"\n'
            f'[[operators.people]]\nid = "ana"\nname = "Ana"\nos_users = ["{os.getuid()}"]\n'
        )

    @property
    def page(self) -> Path:
        return self.folder / "page"

    def asks(self, errand: Errand) -> str:
        incident = deeds.known(self.store, self.name)
        return open_errand(self.store, errand, incident, ANA, site="main", key=errand.procedure.name)[0]

    def update(self) -> str:
        """An update for the status page that somebody has let out."""
        incident = deeds.known(self.store, self.name)
        settings = StatusPageSettings(kind="files", path=str(self.page))
        return self.asks(to_publish(incident, offered(settings, incident, None, "opened")))

    def type(self, *words: str, redis: str = "redis://127.0.0.1:9/0") -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PAGERDUTY_", "MAYDAY_"))}
        told = {**kept, "MAYDAY_CONFIG": str(self.folder / "settings.toml"), "MAYDAY_REDIS": redis, "SUDO_UID": ""}
        return subprocess.run([sys.executable, str(ROOT / "mayday.py"), *words], env=told, cwd=self.folder, timeout=50,
                              capture_output=True, text=True, stdin=subprocess.DEVNULL)  # fmt: skip

    def state(self, run: str) -> str:
        return str(state_of(self.store.run(run)))

    def public(self) -> str:
        return (self.page / "status.json").read_text()


@contextmanager
def a_queue() -> Iterator[str]:
    """A Redis of our own; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        try:
            eventually(lambda: _listens(port))
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            server.terminate()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_what_a_process_lacks_for_an_errand_is_said_before_anything_is_tried() -> None:
    nothing = ErrandWorkshop()
    for procedure, setting in (
        (pagerduty_acknowledge.PROCEDURE, "pagerduty.token"), (pagerduty_page.PROCEDURE, "pagerduty."),
        (status_page_publish.PROCEDURE, "statuspage.kind"),
    ):  # fmt: skip
        with pytest.raises(Refused) as refused:
            nothing.reach(procedure)
        assert setting in refused.value.detail
        assert "mayday worker" in refused.value.hint


def test_an_errand_needs_only_what_its_own_steps_take(tmp_path: Path) -> None:
    page = Settings(statuspage=StatusPageSettings(kind="files", path=str(tmp_path)))
    workshop = ErrandWorkshop(status_page=opener(page, now))
    workshop.reach(status_page_publish.PROCEDURE)
    with pytest.raises(Refused, match="PagerDuty"):
        workshop.reach(pagerduty_acknowledge.PROCEDURE)


def test_a_status_page_whose_token_this_process_lacks_is_no_page() -> None:
    without = Settings(statuspage=StatusPageSettings(kind="statuspage", page="abc123"))
    with pytest.raises(Refused, match="token"):
        ErrandWorkshop(status_page=opener(without, now)).reach(status_page_publish.PROCEDURE)


def test_an_errand_asks_nothing_of_docker_and_a_recovery_does(host: Host) -> None:
    settings = Settings(site=SiteSettings(docker_host=NO_DOCKER),
                        statuspage=StatusPageSettings(kind="files", path=str(host.page)))  # fmt: skip
    hands = Hands(settings, find, now)
    host.page.mkdir()
    errand = host.update()
    hands.reach(host.store.run(errand))
    run, _ = host.store.open_run("r1124-abcd", host.store.entries(errand)[0].data, claims=False, key="r")
    with pytest.raises(RecoveryError, match="Docker"):
        hands.reach(host.store.run(run))
    assert hands.carry_out(host.store, errand) == "finished"
    assert host.state(errand) == "done"
    assert "Search is slow" in host.public()


@pytest.mark.parts
def test_carry_out_does_an_errand_with_the_tools_of_errands(host: Host) -> None:
    host.page.mkdir()
    errand = host.update()
    said = host.type("carry-out", errand)
    assert (said.returncode, host.state(errand)) == (0, "done"), said.stderr
    assert "Search is slow" in host.public()


@pytest.mark.parts
def test_an_errand_whose_secret_is_not_here_goes_on_waiting_for_a_worker(host: Host) -> None:
    errand = host.asks(to_page(deeds.known(host.store, host.name)))
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
    with a_queue() as redis:
        said = host.type("retry", errand, "--json", redis=redis)
    assert said.returncode == 0, said.stderr
    assert json.loads(said.stdout)["state"] == "done"
    assert "Search is slow" in host.public()
