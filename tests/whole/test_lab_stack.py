"""The practice company in real containers: it works, it tells the truth, and it leaves nothing behind."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import docker
import httpx
import pytest
from docker.models.containers import Container

from actions.engine.errors import Refused
from lab import breaks, stack, town_process, truth
from lab.database import connected
from lab.engine import connect
from lab.home import LAB_LABEL, LEAN, SERVICES, Lab
from lab.images import ensure_images
from tests.support.waiting import within

pytestmark = pytest.mark.whole
eventually = within(30, every=0.3)

S3_KEY = {"Authorization": "AWS4-HMAC-SHA256 Credential=minioadmin/20260101/us-east-1/s3/aws4_request"}


@pytest.fixture(scope="module")
def client() -> docker.DockerClient:
    return connect()


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    made = fresh_lab(tmp_path_factory.mktemp("lab"))
    try:
        stack.up(made)
        stack.settled(made)
        yield made
    finally:
        stack.down(made, purge=True)


def fresh_lab(root: Path, layout: Any = "bind", *, lean: bool = False) -> Lab:
    mark = f"mt{uuid.uuid4().hex[:5]}"
    return Lab(root, prefix=f"{mark}-", project=mark, layout=layout, lean=lean)


def url(lab: Lab, service: str, path: str) -> str:
    return f"http://127.0.0.1:{lab.port(service)}{path}"


def test_everything_runs_healthy_and_carries_the_label(lab: Lab, client: docker.DockerClient) -> None:
    shown = stack.status(lab)

    assert {row["service"]: row["health"] for row in shown["containers"]} == dict.fromkeys(SERVICES, "healthy")
    assert shown["town"]
    for name in lab.names:
        container = client.containers.get(name)
        assert container.labels[LAB_LABEL] == "1"
        assert container.attrs["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"


def test_ports_are_reachable_from_this_machine_alone(lab: Lab, client: docker.DockerClient) -> None:
    for name in lab.names:
        for bindings in client.containers.get(name).attrs["HostConfig"]["PortBindings"].values():
            assert [binding["HostIp"] for binding in bindings] == ["127.0.0.1"]


def test_stand_ins_say_that_they_are(lab: Lab) -> None:
    assert "stand-in" in httpx.get(url(lab, "grafana", "/api/health")).headers["X-Mayday-Lab"]
    assert {row["service"] for row in stack.status(lab)["containers"] if not row["stand_in"]} == {"postgres", "redis"}


def test_a_message_is_answered_with_the_proof_of_its_commit(lab: Lab) -> None:
    message = {"channel_id": 1, "user_id": 1, "body": "hello", "client_ref": str(uuid.uuid4())}
    town_process.stop(lab)

    first = httpx.post(url(lab, "functions", "/messages"), json=message).json()
    again = httpx.post(url(lab, "functions", "/messages"), json=message).json()

    assert first["exact"]
    assert (first["timeline"], first["channel"]) == (1, "general")
    assert (again["id"], again["xid"], again["commit_time"]) == (first["id"], first["xid"], first["commit_time"])
    with connected(lab) as connection:
        connection.execute("DELETE FROM nchat_messages WHERE id = %s", (first["id"],))
    town_process.start(lab)


def test_a_message_into_no_channel_is_refused(lab: Lab) -> None:
    refused = httpx.post(url(lab, "functions", "/messages"), json={"channel_id": 0, "user_id": 1, "body": "x"})

    assert refused.status_code == 409


def test_the_smoke_test_writes_and_leaves_nothing(lab: Lab) -> None:
    assert httpx.get(url(lab, "functions", "/smoke")).json()["status"] == "ok"
    with connected(lab) as connection:
        assert connection.execute("SELECT count(*) FROM smoke_checks").fetchone() == (0,)


def test_people_sign_in_against_postgres_and_their_session_is_in_redis(lab: Lab) -> None:
    asked = {"email": "ada@nchat.example", "password": "test123"}
    session = httpx.post(url(lab, "auth", "/v1/auth/signin"), json=asked).json()["session"]
    bearer = {"Authorization": f"Bearer {session['accessToken']}"}

    assert httpx.get(url(lab, "auth", "/v1/auth/session"), headers=bearer).json()["user"] == session["user"]
    wrong = httpx.post(url(lab, "auth", "/v1/auth/signin"), json=asked | {"password": "wrong"})
    assert wrong.status_code == 401


def test_hasura_answers_queries_from_postgres(lab: Lab) -> None:
    query = "query { nchat_channels(limit: 2) { id name } nchat_users_aggregate { aggregate { count } } }"

    data = httpx.post(url(lab, "hasura", "/v1/graphql"), json={"query": query}).json()["data"]

    assert len(data["nchat_channels"]) == 2
    assert data["nchat_users_aggregate"]["aggregate"]["count"] >= 20
    wrong = httpx.post(url(lab, "hasura", "/v1/graphql"), json={"query": "{ no_such_table { id } }"}).json()
    assert "no_such_table" in wrong["errors"][0]["message"]


def test_the_object_store_speaks_s3(lab: Lab) -> None:
    bucket, file = url(lab, "minio", "/uploads"), url(lab, "minio", "/uploads/a%20b.txt")
    with httpx.Client(headers=S3_KEY) as s3:
        assert s3.put(bucket).status_code == 200
        assert s3.put(file, content=b"hello").status_code == 200
        assert s3.get(file, headers={"Range": "bytes=1-2"}).content == b"el"
        assert "<Key>a b.txt</Key>" in s3.get(bucket, params={"list-type": "2"}).text
        assert s3.put(file, content=b"other", headers={"If-None-Match": "*"}).status_code == 412
        assert s3.head(file).headers["Content-Length"] == "5"
    assert httpx.get(file).status_code == 403
    assert (lab.data("minio") / "uploads" / "a b.txt").read_bytes() == b"hello"


def test_redis_keeps_its_data_in_the_files_of_redis_7(lab: Lab) -> None:
    assert (lab.data("redis") / "appendonlydir").is_dir()


def test_starting_again_changes_nothing(lab: Lab, client: docker.DockerClient) -> None:
    before = {name: client.containers.get(name).id for name in lab.names}
    ports = lab.read_state()["ports"]

    stack.up(lab)

    assert {name: client.containers.get(name).id for name in lab.names} == before
    assert lab.read_state()["ports"] == ports


def test_another_layout_is_refused_while_the_data_is_there(lab: Lab) -> None:
    with pytest.raises(Refused, match="layout bind"):
        stack.up(Lab(lab.root, lab.prefix, lab.project, layout="subdir"))


def test_the_database_holds_what_was_acknowledged_even_after_outages(lab: Lab, client: docker.DockerClient) -> None:
    client.containers.get(lab.container("functions")).restart(timeout=1)
    client.containers.get(lab.container("postgres")).restart(timeout=20)
    noted = lab.truth_file.stat().st_size
    eventually(lambda: lab.truth_file.stat().st_size > noted, what="the town goes on after the outage")
    town_process.stop(lab)

    seen = truth.compare(lab, datetime.now(UTC))

    town_process.start(lab)
    assert seen.nothing_lost
    assert not seen.unacknowledged
    assert seen.truth == seen.database


def test_a_server_recovered_to_the_moment_before_the_loss_holds_just_the_truth(
    lab: Lab, client: docker.DockerClient
) -> None:
    postgres = client.containers.get(lab.container("postgres"))
    copied = postgres.exec_run(
        ["pg_basebackup", "-U", "postgres", "-D", "/backups/postgres/base/by-hand", "-c", "fast", "-X", "stream"],
        user="postgres",
    )
    assert copied.exit_code == 0, copied.output
    noted = lab.truth_file.stat().st_size
    eventually(lambda: lab.truth_file.stat().st_size > noted + 1000, what="the town talks")

    lost = breaks.data_loss(lab)
    assert lost["moment"] < lost["commit_time"]
    archive_everything(lab)
    clone = start_clone(lab, client, lost["moment"])
    try:
        eventually(lambda: is_paused(clone), what="the clone stops at its target")
        moment = datetime.fromisoformat(lost["moment"])
        recovered = truth.compare(lab, moment, container=clone.name)
    finally:
        clone.remove(force=True, v=True)

    assert recovered.equal, recovered
    assert recovered.database.count >= lost["messages"]
    assert truth.truth_at(lab, datetime.now(UTC))["count"] < recovered.database.count


def archive_everything(lab: Lab) -> None:
    with connected(lab) as connection:
        connection.execute("INSERT INTO nchat_events (kind) VALUES ('after the loss')")
        (last,) = connection.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchone() or ("",)
    eventually((lab.wal_archive / last).exists, what=f"{last} is archived")


def start_clone(lab: Lab, client: docker.DockerClient, moment: str) -> Container:
    image = ensure_images(client).postgres
    backup = "/backups/postgres/base/by-hand"
    settings = {
        "restore_command": "cp /backups/postgres/wal/%f %p",
        "recovery_target_time": moment.replace("T", " ").replace("Z", "+00"),
        "recovery_target_action": "pause",
        "archive_mode": "off",
        "max_connections": "120",
        "track_commit_timestamp": "on",
    }
    options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
    return client.containers.run(
        image,
        ["sh", "-c", f'touch {backup}/recovery.signal; exec postgres "$@"', "sh", *options],
        name=f"{lab.prefix}clone",
        user="postgres",
        environment={"PGDATA": backup},
        volumes={str(lab.backups): {"bind": "/backups", "mode": "rw"}},
        network_mode="none",
        labels=lab.labels,
        detach=True,
    )


def is_paused(clone: Container) -> bool:
    asked = ["psql", "-XAtU", "postgres", "-c", "SELECT pg_get_wal_replay_pause_state()"]
    return bool(clone.exec_run(asked, user="postgres").output.strip() == b"paused")


def test_a_company_that_becomes_lean_loses_the_other_containers_and_keeps_their_data(
    lab: Lab, client: docker.DockerClient
) -> None:
    lean = replace(lab, lean=True)

    stack.up(lean)

    assert [row["service"] for row in stack.status(Lab.saved(lab.root))["containers"]] == list(LEAN)
    left = client.containers.list(all=True, filters={"name": lab.prefix})
    assert {container.name for container in left} == set(lean.names)
    assert (lab.data("minio") / "uploads" / "a b.txt").exists()


@pytest.mark.parametrize("layout", ["volume", "subdir"])
def test_the_other_layouts_start_survive_a_stop_and_are_purged(
    tmp_path: Path, client: docker.DockerClient, layout: str
) -> None:
    lab = fresh_lab(tmp_path / "lab", layout, lean=True)
    try:
        stack.up(lab, town=False)
        with connected(lab) as connection:
            connection.execute("INSERT INTO nchat_events (kind) VALUES ('kept')")
        stack.down(lab)
        assert not client.containers.list(all=True, filters={"name": lab.prefix})

        stack.up(Lab.saved(lab.root, lab.prefix, lab.project), town=False)
        with connected(lab) as connection:
            kept = connection.execute(
                "SELECT count(*), current_setting('data_directory') FROM nchat_events WHERE kind = 'kept'"
            )
            assert kept.fetchone() == (1, lab.pgdata)
    finally:
        stack.down(lab, purge=True)

    assert not client.volumes.list(filters={"name": lab.postgres_volume})
    assert not client.networks.list(names=[lab.network])
    assert not lab.root.exists()


def test_a_foreign_container_of_one_of_its_names_stops_the_lab_and_is_left_alone(
    tmp_path: Path, client: docker.DockerClient
) -> None:
    lab = fresh_lab(tmp_path)
    foreign = client.containers.create(ensure_images(client).redis, name=lab.container("loki"))
    try:
        with pytest.raises(Refused, match="did not make it"):
            stack.up(lab)
        stack.down(lab, purge=True)

        assert client.containers.get(foreign.id).name == lab.container("loki")
        assert not list(tmp_path.iterdir())
        assert len(client.containers.list(all=True, filters={"name": lab.prefix})) == 1
    finally:
        foreign.remove(v=True)


def test_purging_a_directory_that_is_no_lab_is_refused(tmp_path: Path) -> None:
    lab = fresh_lab(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "precious").write_text("x")

    with pytest.raises(Refused, match="does not look like a practice company"):
        stack.down(lab, purge=True)

    assert (tmp_path / "data" / "precious").exists()
