"""A step that concerns two sites, with a Docker behind each address: one of them by way of a relay that can be cut."""

from __future__ import annotations

import os
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker
import pytest

from actions.control import answers, requests
from actions.control.requests import Subject
from actions.engine.journal import Kind
from actions.engine.lanes import Lane
from actions.settings.services import ServiceTable, SiteTable
from actions.settings.settings import Settings
from actions.settings.site import SiteSettings
from actions.stack.stack import ServiceKind
from actions.store.store import Store
from tests.support.waiting import now
from tests.support.worlds.planned import ONCALL
from tests.support.worlds.two_sites import MOVE, Move
from workers.adapters import Adapters
from workers.runner.leased_runner import LeasedRunner
from workers.runner.toolboxes import Runners

pytestmark = pytest.mark.parts
IMAGE = "debian:bookworm-slim"
SOCKET = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://")


@dataclass
class Relay:
    """Docker's socket at an address of its own; `cut` refuses what comes and ends what is there."""

    cut: bool = False
    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    open: list[socket.socket] = field(default_factory=list)
    passed: int = 0

    @property
    def address(self) -> str:
        return f"tcp://127.0.0.1:{self.listener.getsockname()[1]}"

    def serve(self) -> None:
        with suppress(OSError):
            while True:
                came, _ = self.listener.accept()
                if self.cut:
                    came.close()
                    continue
                daemon = socket.socket(socket.AF_UNIX)
                daemon.connect(SOCKET)
                self.open += [came, daemon]
                self.passed += 1
                for one, other in ((came, daemon), (daemon, came)):
                    threading.Thread(target=_pump, args=(one, other), daemon=True).start()

    def cuts(self) -> None:
        self.cut = True
        for one in self.open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


def _pump(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
    with suppress(OSError):
        other.shutdown(socket.SHUT_WR)


@pytest.fixture
def relay() -> Iterator[Relay]:
    made = Relay()
    threading.Thread(target=made.serve, daemon=True).start()
    yield made
    made.cuts()
    made.listener.close()


@dataclass
class Sites:
    """One app on two sites: its container here runs, and the one there is stopped."""

    client: Any
    store: Store
    settings: Settings
    app: str

    def runner(self) -> LeasedRunner:
        runners = Runners(self.settings, Adapters(None, None, None), self.store, lambda name: MOVE, "worker")
        made = runners(self.settings.site.name, Lane.RECOVERY)
        made.away_seconds = 0.5
        return made

    def ask(self, to: str = "east") -> str:
        subject = Subject("main", self.app)
        request = Move(self.app, to)
        return requests.open_run(self.store, MOVE, request, by=ONCALL, subject=subject, origin={}, key=to).id

    def answer(self, run: str, label: str) -> None:
        question = self.store.run(run).question
        assert question is not None, self.store.run(run).failure
        answers.answer(self.store, run, question.n, label, ONCALL)

    def states(self) -> tuple[str, str]:
        here, there = (self.client.containers.get(name).status for name in (f"{self.app}-main", f"{self.app}-east"))
        return here, there


@pytest.fixture
def sites(tmp_path: Path, relay: Relay) -> Iterator[Sites]:
    client, app = docker.from_env(), f"mt2{uuid.uuid4().hex[:6]}"
    tables = tuple(
        ServiceTable(name=app, kind=ServiceKind.HASURA, container=f"{app}-{site}", site=site, needs=(), health="")
        for site in ("main", "east")
    )
    settings = Settings(
        site=SiteSettings(name="main"),
        sites=(SiteTable(name="east", docker_host=relay.address), SiteTable(name="south")),
        services=(ServiceTable(name="nself-postgres", site="main"), *tables),
    )
    store = Store(f"sqlite:///{tmp_path / 'mayday.db'}", now)
    made = [
        client.containers.create(IMAGE, ["sleep", "300"], name=f"{app}-{site}", network_mode="none", init=True)
        for site in ("main", "east")
    ]
    try:
        made[0].start()
        yield Sites(client, store, settings, app)
    finally:
        for container in made:
            container.remove(force=True, v=True)
        client.close()


def test_a_service_is_stopped_at_one_address_and_started_at_the_other_and_back(sites: Sites, relay: Relay) -> None:
    run = sites.ask()
    assert sites.runner().carry_out(run) == "asking"
    assert relay.passed
    sites.answer(run, "Move")
    assert sites.runner().carry_out(run) == "asking"
    assert sites.states() == ("exited", "running")
    sites.answer(run, "Back")
    assert sites.runner().carry_out(run) == "finished"
    assert sites.states() == ("running", "exited")


def test_a_second_docker_that_does_not_answer_is_said_and_a_retry_goes_on_once_it_does(
    sites: Sites, relay: Relay
) -> None:
    relay.cut = True
    run = sites.ask()
    assert sites.runner().carry_out(run) == "failed"
    last = sites.store.entries(run)[-1]
    assert (last.kind, last.data["error"]) == (Kind.FAILED, "Docker did not answer while connecting to it.")
    relay.cut = False
    answers.retry(sites.store, run, ONCALL)
    assert sites.runner().carry_out(run) == "asking"
    sites.answer(run, "Move")
    relay.cuts()
    sites.runner().carry_out(run)
    # Without the second site nothing is begun on the first one.
    assert sites.states() == ("running", "created")


@pytest.mark.parametrize("to", ["south", "west"])
def test_a_site_whose_docker_the_settings_do_not_tell_is_refused(sites: Sites, to: str) -> None:
    run = sites.ask(to)
    sites.runner().carry_out(run)
    last = sites.store.entries(run)[-1].data
    untold = {
        "south": (f"The Docker of the site '{to}' cannot be reached with these settings.", "They reach: main, east."),
        "west": (f"There is no site '{to}'.", "Sites: main, east, south."),
    }
    assert (last["error"], last["detail"]) == untold[to]
    assert sites.states() == ("running", "created")
