"""The condition of a real server, as a worker sees it beside its other work, and what looking costs."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from actions.settings.site import SiteConfig
from actions.stack.stack import Service, ServiceKind
from actions.store.store import Store
from actions.watch.service_condition import conditions
from tests.support.small_server import SmallServer, quiet, small_server, tidy
from tests.support.waiting import within
from workers.runner.toolbox import DockerToolbox
from workers.watch.condition_keeper import ConditionKeeper

pytestmark = pytest.mark.parts


def _bare_container(beside: str) -> float:
    """How long the shortest life of a container takes here, of the image of that one; in seconds."""
    asked = ["docker", "inspect", "--format", "{{.Image}}", beside]
    image = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()
    began = time.monotonic()
    subprocess.run(["docker", "run", "--rm", "--network=none", "--entrypoint=true", image], check=True)
    return time.monotonic() - began


@pytest.fixture
def world() -> Iterator[SmallServer]:
    with small_server() as made:
        yield made
        tidy(made)


def test_backups_archive_dumps_and_window_of_a_real_server_are_seen_at_little_cost(world: SmallServer) -> None:
    dumps_in = ("/backups/daily", "/backups/weekly")
    site = SiteConfig("main", world.name, "town", "postgres", "/backups/wal", "/backups/base", (), dumps=dumps_in)
    store = Store("sqlite://", lambda: datetime.now(UTC))
    services = (Service(world.name, ServiceKind.POSTGRES),)
    keeper = ConditionKeeper(store, DockerToolbox(store, site), "main", (site,), services, every=0.0)
    world.psql("create table t as select generate_series(1, 1000) i")
    world.files.take_base(world.server, "b1", 1, quiet)
    world.switch()
    dumps = world.root / "backups/daily"
    dumps.mkdir()
    (dumps / "20260209.dump").write_text("PGDMP")
    (dumps / "empty.dump").touch()
    (dumps / "latest.dump").symlink_to("20260209.dump")
    world.psql("insert into t select generate_series(1, 1000)")
    healthy = ["docker", "inspect", "--format", "{{.State.Health.Status}}", world.name]
    within(60)(lambda: subprocess.run(healthy, check=True, capture_output=True, text=True).stdout == "healthy\n")
    took = []
    for _ in range(3):
        began = time.monotonic()
        assert keeper.look()
        took.append(time.monotonic() - began)
    found = conditions(store, "main")[world.name]
    seen = found.reachable
    assert seen is not None, found.problem
    assert found.health.word == "healthy"
    now = datetime.now(UTC)
    for at in (seen.base_at, seen.dump_at, seen.archived_at, seen.earliest, seen.latest):
        assert at is not None
        assert abs(now - at) < timedelta(minutes=2)
    assert seen.waiting > 8192
    assert seen.gaps == 0
    # A look is one container that lives for a moment: to begin two that do nothing takes longer.
    assert min(took) < 4 * min(_bare_container(world.name) for _ in range(3)), took
    left = ["docker", "ps", "-aq", "--filter", f"label=mayday.run=condition-main.{world.name}"]
    assert subprocess.run(left, check=True, capture_output=True, text=True).stdout == ""
