"""What a failover does to containers, held against a real Docker: networks, a fenced server's mark, WAL segments."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from typing import Any

import docker
import pytest

from actions.engine.errors import RecoveryError
from actions.tools.networks import Attachment
from tests.support.small_server import IMAGE, SmallServer, small_server
from workers.docker.networks import HostNetworks
from workers.postgres import wal_segments

pytestmark = pytest.mark.parts


@contextmanager
def network(client: Any) -> Iterator[Any]:
    made = client.networks.create(f"mayday-test-{uuid.uuid4().hex[:8]}")
    try:
        yield made
    finally:
        made.remove()


@contextmanager
def idle(client: Any, net: str) -> Iterator[Any]:
    name = f"mayday-test-{uuid.uuid4().hex[:8]}"
    made = client.containers.run(IMAGE, ["-f", "/dev/null"], entrypoint=["tail"], name=name, network=net, detach=True)
    try:
        yield made
    finally:
        made.remove(force=True, v=True)


@contextmanager
def pair_and_app(client: Any, net: str) -> Iterator[tuple[Any, Any, Any]]:
    with idle(client, net) as old, idle(client, net) as new, idle(client, net) as app:
        yield old, new, app


def test_a_container_takes_the_name_of_another_one_over_and_gives_it_back() -> None:
    client = docker.from_env()
    networks = HostNetworks(client)
    with network(client) as net, pair_and_app(client, net.name) as (old, new, app):
        [place] = networks.of(old.name, old.id)
        assert (place.network, place.names, place.fixed) == (net.name, (old.name,), "")
        assert networks.resolved(app.name, app.id, old.name) == place.address
        networks.detach(old.name, old.id, place.id)
        networks.detach(old.name, old.id, place.id)
        assert networks.of(old.name, old.id) == ()
        assert networks.resolved(app.name, app.id, old.name) == ""

        [mine] = networks.of(new.name, new.id)
        taken = replace(mine, names=(new.name, old.name))
        networks.attach(new.name, new.id, taken)
        networks.attach(new.name, new.id, taken)
        [now] = networks.of(new.name, new.id)
        assert set(now.names) == {new.name, old.name}
        assert networks.resolved(app.name, app.id, old.name) == now.address
        assert networks.resolved(app.name, app.id, new.name) == now.address
        new.restart(timeout=0)
        assert set(networks.of(new.name, new.id)[0].names) == {new.name, old.name}

        networks.detach(new.name, new.id, now.id)
        networks.attach(old.name, old.id, place)
        assert networks.resolved(app.name, app.id, old.name) == networks.of(old.name, old.id)[0].address


def test_a_container_that_hangs_or_is_stopped_leaves_its_networks_as_well() -> None:
    client = docker.from_env()
    networks = HostNetworks(client)
    with network(client) as net, idle(client, net.name) as hung, idle(client, net.name) as gone:
        hung.pause()
        gone.kill()
        for one in (hung, gone):
            [place] = networks.of(one.name, one.id)
            networks.detach(one.name, one.id, place.id)
            assert networks.of(one.name, one.id) == ()
        hung.unpause()


def test_another_container_of_the_name_and_a_host_without_networks_are_left_alone() -> None:
    client = docker.from_env()
    networks = HostNetworks(client)
    with network(client) as net, idle(client, net.name) as one, idle(client, "host") as bare:
        with pytest.raises(RecoveryError, match="was replaced"):
            networks.detach(one.name, "0" * 64, net.id)
        assert networks.of(bare.name, bare.id) == ()
        assert networks.of(one.name, one.id)[0].id == net.id
        with pytest.raises(RecoveryError):
            networks.attach(one.name, one.id, Attachment("gone", "0" * 64, (one.name,)))


@pytest.fixture(params=["bind", "volume", "subdir"])
def server(request: pytest.FixtureRequest) -> Iterator[SmallServer]:
    with small_server(request.param) as made:
        yield made


def test_a_fenced_server_starts_read_only_until_the_mark_is_taken_away(server: SmallServer) -> None:
    own = replace(server.server, owner="999:999")
    with pytest.raises(RecoveryError, match="still runs"):
        server.servers.mark_standby(own)
    assert not server.servers.is_marked(own)
    server.docker.stop(server.name, own.container, 10)
    server.servers.mark_standby(own)
    server.servers.mark_standby(own)
    assert server.servers.is_marked(own)
    server.start_again()
    assert server.psql("select pg_is_in_recovery()") == "t"
    server.docker.stop(server.name, own.container, 10)
    server.servers.unmark_standby(own)
    server.servers.unmark_standby(own)
    assert not server.servers.is_marked(own)
    server.start_again()
    assert server.psql("select pg_is_in_recovery()") == "f"


def test_a_segment_is_read_of_a_stopped_server_and_laid_whole_with_its_owner() -> None:
    with small_server() as world:
        own = replace(world.server, owner="999:999")
        name = world.psql("select pg_walfile_name(pg_current_wal_lsn())")
        world.docker.stop(world.name, own.container, 10)
        data = world.servers.read_segment(own, name)
        assert len(data) == own.segment_size
        with pytest.raises(RecoveryError, match="could not be read"):
            world.servers.read_segment(own, "0000000100000000000000F0")
        with pytest.raises(ValueError, match="not the name of a WAL segment"):
            wal_segments.read(world.client, own, "../../etc/passwd")
        world.start_again()
        later = "0000000100000000000000F1"
        assert world.servers.segment_digest(own, later) == ""
        world.servers.lay_segment(own, later, data)
        assert world.servers.segment_digest(own, later) == sha256(data).hexdigest()
        laid = world.parent / own.home.leaf / "pg_wal" / later
        assert (laid.stat().st_uid, laid.stat().st_mode & 0o777, laid.stat().st_size) == (999, 0o600, own.segment_size)
        assert [path.name for path in laid.parent.iterdir() if path.name.endswith(".mayday")] == []
