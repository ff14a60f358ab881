"""The image and the compose file: what runs where, who holds the Docker socket, what is kept out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

import mayday
from actions.settings.settings import Settings
from tests.support.own_redis import users
from tests.support.paths import ROOT

SOCKET = "/var/run/docker.sock"
Service = dict[str, Any]


@pytest.fixture
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return loaded


@pytest.fixture
def services(compose: dict[str, Any]) -> dict[str, Service]:
    found: dict[str, Service] = compose["services"]
    return found


def mounts(service: Service) -> dict[str, str]:
    """Target to source of what a service mounts."""
    return {target: source for source, target in (entry.split(":")[:2] for entry in service["volumes"])}


def test_bot_worker_and_redis_run_and_come_back_after_a_crash(services: dict[str, Service]) -> None:
    assert set(services) == {"bot", "worker", "redis"}
    for service in services.values():
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"]["test"]
        assert service["stop_grace_period"]
    assert (services["bot"]["command"], services["worker"]["command"]) == (["bot"], ["worker"])


def test_only_the_worker_holds_the_docker_socket(services: dict[str, Service]) -> None:
    assert [name for name, service in services.items() if SOCKET in mounts(service)] == ["worker"]


def test_bot_and_worker_have_no_rights_that_they_do_not_need(services: dict[str, Service]) -> None:
    for service in (services["bot"], services["worker"]):
        assert service["cap_drop"] == ["ALL"]
        assert service["read_only"] is True
        assert "no-new-privileges:true" in service["security_opt"]
        assert not service.get("privileged")
        assert "user" not in service
    assert re.search(r"^USER mayday$", dockerfile(), re.M)


def test_redis_is_reached_by_nobody_else_and_keeps_what_it_is_given(compose: dict[str, Any]) -> None:
    redis = compose["services"]["redis"]
    assert not redis.get("ports")
    assert [compose["networks"][name]["internal"] for name in redis["networks"]] == [True]
    assert "redis-server - --appendonly yes" in redis["command"][-1]
    assert [line.split()[1:3] for line in users().splitlines()] == [["default", "off"], ["mayday", "on"]]
    assert mounts(redis)["/data"] in compose["volumes"]


def test_bot_and_worker_share_one_store_and_read_the_same_settings(services: dict[str, Service]) -> None:
    bot, worker = services["bot"], services["worker"]
    assert bot["environment"] == worker["environment"]
    assert mounts(bot).items() <= mounts(worker).items()
    store = bot["environment"]["MAYDAY_STORE"].removeprefix("sqlite:///")
    assert str(Path(store).parent) in mounts(bot)
    settings = bot["environment"]["MAYDAY_CONFIG"]
    assert f"{mounts(bot)[settings]}:{settings}:ro" in bot["volumes"]
    assert {"store", "redis"} <= set(Settings.model_fields)


def test_no_secret_stands_in_the_compose_file_or_the_image(services: dict[str, Service]) -> None:
    for service in (services["bot"], services["worker"]):
        assert service["env_file"] == ["mayday.env"]
        assert not [name for name in service["environment"] if re.search("TOKEN|SECRET|PASSWORD", name)]
    assert not re.search(r"xox[a-z]-\w|xapp-\w", (ROOT / "compose.yaml").read_text() + dockerfile())
    kept_out = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in kept_out
    assert not [line for line in kept_out if re.match(r"!.*(env|toml)$", line) and line != "!pyproject.toml"]


def test_the_image_has_all_of_the_package_but_the_practice_company() -> None:
    copied = set(re.findall(r"^COPY (\w+) \1$", dockerfile(), re.M))
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "lab"}
    assert copied == packages
    assert {f"!{name}" for name in packages} <= set((ROOT / ".dockerignore").read_text().splitlines())
    assert "--constraint constraints.txt" in dockerfile()
    assert 'ENTRYPOINT ["mayday"]' in dockerfile()


def test_the_health_check_of_the_worker_is_a_program_that_parses(services: dict[str, Service]) -> None:
    *_, program = services["worker"]["healthcheck"]["test"]
    names = compile(program, "healthcheck", "exec").co_names
    assert {"living_workers", "Store", "exit"} <= set(names)


def test_the_image_is_of_this_version(services: dict[str, Service]) -> None:
    assert {services[name]["image"] for name in ("bot", "worker")} == {f"mayday:{mayday.VERSION}"}


def dockerfile() -> str:
    return (ROOT / "Dockerfile").read_text()
