"""Which container a name leads to on a Docker host: its own, that of the settings, or that of its Compose service."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from docker.errors import NotFound

from actions.engine.errors import Refused
from actions.stack.manual import SERVICES
from actions.stack.stack import Service, ServiceKind
from actions.steps.postgres.look_at_server import see_writers
from tests.support.worlds.company import SITE
from workers.docker.containers import DockerHost


@dataclass
class Daemon:
    """A Docker that has these containers, with their Compose services."""

    there: dict[str, str] = field(default_factory=dict)

    @property
    def api(self) -> Daemon:
        return self

    def info(self) -> dict[str, Any]:
        return {"Name": "host", "ID": ""}

    def containers(self, all: bool) -> list[dict[str, Any]]:
        assert all
        return [{"Names": [f"/{name}"], "Labels": self._labels(name)} for name in self.there]

    def inspect_container(self, name: str) -> dict[str, Any]:
        if name not in self.there:
            raise NotFound("no such container")
        state = {"Status": "running", "Running": True}
        config = {"Image": "i", "Labels": self._labels(name)}
        return {
            "Id": f"id of {name}",
            "Name": f"/{name}",
            "Image": "i",
            "Config": config,
            "State": state,
            "HostConfig": {},
        }

    def _labels(self, name: str) -> dict[str, str]:
        return {"com.docker.compose.service": self.there[name]} if self.there[name] else {}


def found(there: dict[str, str], name: str, services: tuple[Service, ...] = SERVICES) -> str:
    container = DockerHost(Daemon(there), services).find(name)
    return container.name if container else ""


def test_a_container_of_that_name_is_the_one() -> None:
    assert found({"nself-postgres": "", "nchat_postgres": "postgres"}, "nself-postgres") == "nself-postgres"


def test_a_service_without_such_a_container_is_found_by_its_compose_service() -> None:
    assert found({"nchat_postgres": "postgres"}, "nself-postgres") == "nchat_postgres"
    assert found({"nchat_postgres": "postgres"}, "nself-redis") == ""


class Blog(Daemon):
    """Where every label is another project's than the stack's."""

    def _labels(self, name: str) -> dict[str, str]:
        return {**super()._labels(name), "com.docker.compose.project": "blog"}


def test_another_projects_container_is_not_taken_and_is_named() -> None:
    here = DockerHost(Blog({"blog_postgres": "postgres", "blog_auth": "auth"}), SERVICES, "shop")
    assert here.find("nself-postgres") is None
    assert here.in_other_projects("nself-postgres") == ("blog_postgres",)
    assert DockerHost(Blog({"blog_postgres": "postgres"}), SERVICES, "blog").in_other_projects("nself-postgres") == ()
    site = replace(SITE, writers=("nself-auth", "nself-functions"))
    seen = see_writers(site, here)
    assert (seen.all, seen.unclaimed) == ((), (("nself-auth", "blog_auth"),))
    [alert] = seen.alerts()
    assert "blog_auth has its Compose label in another project" in alert
    assert "would not be paused" in alert


def test_what_is_no_service_of_the_stack_is_found_by_its_name_alone() -> None:
    assert found({"nchat_postgres": "postgres"}, "postgres") == ""
    assert found({"nchat_postgres": "postgres"}, "nself-postgres", ()) == ""


def test_of_two_that_it_could_be_none_is_taken() -> None:
    with pytest.raises(Refused, match="cannot be known which container nself-redis is") as refused:
        found({"a_redis": "redis", "b_redis": "redis"}, "nself-redis")
    assert "a_redis, b_redis" in refused.value.detail


def test_a_container_that_the_settings_name_is_the_only_one_that_counts() -> None:
    cache = Service("cache", ServiceKind.REDIS, container="shop-redis-1")
    assert found({"cache": "", "shop-redis-1": ""}, "cache", (cache,)) == "shop-redis-1"
    assert found({"cache": "", "x": "cache"}, "cache", (cache,)) == ""
