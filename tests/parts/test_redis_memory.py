"""The memory of a real Redis, as a worker asks for it: full, silent, locked, ended by the kernel."""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import docker
import pytest

from actions.settings.site import SiteConfig
from actions.stack.stack import Service, ServiceKind
from actions.store.store import Store
from actions.watch.service_condition import conditions
from lab.images import REDIS as IMAGE
from tests.support.waiting import now, within
from workers.runner.toolbox import DockerToolbox
from workers.watch import memory_watch
from workers.watch.condition_keeper import ConditionKeeper
from workers.watch.memory_watch import ask

pytestmark = pytest.mark.parts
PREFIX = f"mtm{uuid.uuid4().hex[:6]}"
REDIS = f"{PREFIX}-redis"
SERVICES = (Service(f"{PREFIX}-postgres", ServiceKind.POSTGRES), Service(REDIS, ServiceKind.REDIS))
FULL = ("--maxmemory", "2mb", "--maxmemory-policy", "noeviction")
eventually = within(20, every=0.1)


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    client = docker.from_env()
    yield client
    client.close()


@contextmanager
def redis(client: Any, *flags: str, **options: Any) -> Iterator[Any]:
    """A small Redis in a container of that name, which answers."""
    command = ["redis-server", "--save", "", *flags]
    container = client.containers.run(IMAGE, command, name=REDIS, detach=True, **options)
    try:
        eventually(lambda: b"\n" in cli(container, "ping"))
        yield container
    finally:
        container.remove(force=True, v=True)


def cli(container: Any, *words: str) -> bytes:
    """What redis-cli says."""
    found: bytes = container.exec_run(["redis-cli", *words]).output
    return b"" if b"Could not connect" in found else found


def test_a_full_redis_that_refuses_a_write_is_told_by_the_workers_look(client: Any) -> None:
    site = SiteConfig("main", f"{PREFIX}-postgres", "town", "postgres", "/backups/wal", "/backups/base", ())
    store = Store("sqlite://", now)
    keeper = ConditionKeeper(store, DockerToolbox(store, site), "main", (site,), SERVICES, every=0.0)
    with redis(client, *FULL) as container:
        assert keeper.look()
        well = conditions(store, "main")[REDIS]
        assert (well.memory.says(), well.memory.refused, well.well) == ("", 0, True)
        for n in range(40):
            cli(container, "setrange", f"k{n}", "60000", "x")
        assert b"OOM command not allowed" in cli(container, "set", "one", "more")
        assert keeper.look()
        found = conditions(store, "main")[REDIS]
        assert not found.well
        assert found.memory.policy == "noeviction"
        assert found.memory.refused >= 1
        assert found.memory.says().startswith("Redis refuses writes for want of memory: 2 MB of 2 MB, noeviction, ")
        cli(container, "flushall")
        cli(container, "config", "resetstat")
        assert ask(client, REDIS, now()).says() == ""


def test_one_that_answers_nobody_costs_a_few_seconds_and_is_told_as_such(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory_watch, "SECONDS", 1)
    with redis(client, "--enable-debug-command", "yes") as container:
        busy = container.client.api.exec_create(container.id, ["redis-cli", "debug", "sleep", "8"])
        container.client.api.exec_start(busy["Id"], detach=True)
        eventually(lambda: ask(client, REDIS, now()).problem != "")
        assert ask(client, REDIS, now()).problem == "It did not answer within 1 s."


def test_its_password_is_taken_from_its_own_environment_and_else_asked_for(client: Any) -> None:
    with redis(client, "--requirepass", "geheim"):
        assert ask(client, REDIS, now()).problem == "NOAUTH Authentication required."
    with redis(client, "--requirepass", "geheim", environment={"REDIS_PASSWORD": "geheim"}):
        assert ask(client, REDIS, now()).used > 0


def test_one_that_the_kernel_ended_carries_its_mark(client: Any) -> None:
    site = SiteConfig("main", f"{PREFIX}-postgres", "town", "postgres", "/backups/wal", "/backups/base", ())
    store = Store("sqlite://", now)
    with redis(client, mem_limit="40m") as container:
        for n in range(4):
            subprocess.run(
                ["docker", "exec", REDIS, "redis-cli", "setrange", f"k{n}", "20000000", "x"],
                check=False,
                capture_output=True,
            )
        eventually(lambda: client.api.inspect_container(REDIS)["State"]["Status"] == "exited")
        ConditionKeeper(store, DockerToolbox(store, site), "main", (site,), SERVICES, every=0.0).look()
        found = conditions(store, "main")[REDIS]
        assert (found.health.word, found.memory) == ("stopped", None)
        marked = client.api.inspect_container(container.id)["State"]["OOMKilled"]
        assert found.health.starved == marked
        assert found.health.detail == ("Exited (137), out of memory" if marked else "Exited (137)")
