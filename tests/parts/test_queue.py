"""What lies in Redis is not trusted: a job is its id alone, no command is heard, another site's run is left alone."""

from __future__ import annotations

import json
import shutil
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from redis.exceptions import NoPermissionError

from actions.engine.errors import Refused
from actions.engine.journal import Kind
from actions.engine.run import Run
from tests.support.bot_world import store_in
from tests.support.own_redis import own_redis
from tests.support.waiting import now
from tests.support.worlds.toys import PAINT, House, YardTools
from workers.runner.leased_runner import LeasedRunner
from workers.runner.queue import RunJob, connect, enqueue, open_to_all, queue_of, waiting, work_queue

pytestmark = [
    pytest.mark.parts,
    pytest.mark.skipif(shutil.which("redis-server") is None, reason="no Redis on this machine"),
]
RUN = "r1129-abcd"


@pytest.fixture
def redis() -> Iterator[str]:
    with own_redis() as address:
        yield address


@pytest.fixture
def carried(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    runs: list[str] = []
    monkeypatch.setattr(RunJob, "carrier", runs.append)
    return runs


def push(redis: str, job: str, **fields: bytes) -> None:
    """Put a job into the queue by hand, as whoever reaches Redis could."""
    connection = connect(redis)
    known = {"created_at": b"2026-11-29T12:00:00.000000Z", "status": b"queued", "origin": b"mayday-main"}
    connection.hset(f"rq:job:{job}", mapping={**known, **fields})
    connection.sadd("rq:queues", "rq:queue:mayday-main")
    connection.rpush("rq:queue:mayday-main", job)


def test_a_ring_names_its_run(redis: str, carried: list[str]) -> None:
    assert enqueue(redis, "main", RUN)
    assert work_queue(redis, "main")
    assert carried == [RUN]


def test_the_users_of_the_compose_file_are_closed_and_may_do_what_a_ring_needs_and_no_more(redis: str) -> None:
    assert not open_to_all(redis)
    assert enqueue(redis, "main", RUN)
    for command in (["CONFIG", "GET", "*"], ["FLUSHALL"], ["SHUTDOWN"], ["ACL", "LIST"], ["SET", "other", "1"]):
        with pytest.raises(NoPermissionError):
            connect(redis).execute_command(*command)
    with own_redis(closed=False) as anybody:
        assert open_to_all(anybody)


@pytest.mark.parametrize(
    "data",
    [
        zlib.compress(json.dumps(["os.system", None, ["touch /tmp/owned"], {}]).encode()),
        zlib.compress(b"0" * 200_000_000),
        b"\xff not json",
    ],
    ids=["another function", "a bomb", "no data"],
)
def test_of_a_job_nothing_but_its_id_is_read(redis: str, carried: list[str], data: bytes) -> None:
    push(redis, f"run-{RUN}", data=data, success_callback_name=b"os.abort", result=data)
    assert work_queue(redis, "main")
    assert carried == [RUN]


@pytest.mark.parametrize("job", ["run-", "run-../../etc", "run-r1", f"{RUN}", f"run-{RUN}\n", "run-" + "r" * 5000])
def test_what_names_no_run_is_not_carried_out(redis: str, carried: list[str], job: str) -> None:
    push(redis, job, data=b"{}")
    enqueue(redis, "main", RUN)
    assert work_queue(redis, "main")
    assert carried == [RUN]
    assert not connect(redis).lrange("rq:queue:mayday-main", 0, -1)


@pytest.mark.parametrize("name", ["created_at", "enqueued_at", "origin", "status", "result_ttl", "failure_ttl"])
def test_no_field_of_a_job_keeps_its_run_from_being_carried_out(redis: str, carried: list[str], name: str) -> None:
    push(redis, f"run-{RUN}", **{name: b"\xff no such value"})
    assert work_queue(redis, "main")
    assert carried == [RUN]


def test_a_limit_that_somebody_wrote_into_a_job_ends_no_act(redis: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ends: list[str] = []

    def work(run: str) -> None:
        # RQ's timer raises its error between two of these.
        for _ in range(20):
            time.sleep(0.1)
        ends.append(run)

    monkeypatch.setattr(RunJob, "carrier", work)
    push(redis, f"run-{RUN}", timeout=b"1")
    assert work_queue(redis, "main")
    assert ends == [RUN]


@pytest.mark.parametrize("key", ["rq:queue:mayday-main", "rq:queue:mayday-main:intermediate", "rq:workers"])
def test_something_else_in_the_place_of_the_queue_is_like_a_redis_that_is_away(
    redis: str, carried: list[str], key: str
) -> None:
    connect(redis).set(key, "x")
    assert not work_queue(redis, "main")
    connect(redis).delete(key)
    enqueue(redis, "main", RUN)
    assert work_queue(redis, "main")
    assert carried == [RUN]


def test_an_id_that_is_no_text_ends_nothing(redis: str, carried: list[str]) -> None:
    connect(redis).rpush("rq:queue:mayday-main", b"\xff\xfe")
    enqueue(redis, "main", RUN)
    assert work_queue(redis, "main")
    assert carried == [RUN]
    assert not connect(redis).exists("rq:queue:mayday-main:intermediate")


def test_a_worker_comes_back_however_much_is_in_the_queue_and_what_names_no_run_is_dropped(
    redis: str, carried: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.runner.queue._ROUND_SECONDS", 0.5)
    connection = connect(redis)
    for _ in range(10):
        connection.rpush("rq:queue:mayday-main", *[f"stray-{n}" for n in range(10_000)])
    assert work_queue(redis, "main")
    left = connection.llen("rq:queue:mayday-main")
    assert 0 < left < 100_000
    assert not connection.exists("rq:queue:mayday-main:intermediate")


def test_nobody_in_redis_can_end_the_worker(redis: str, carried: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[bool] = []
    worker = threading.Thread(target=lambda: heard.append(work_queue(redis, "main")))
    worker.start()
    connection = connect(redis)
    names: list[Any] = []
    ends = time.monotonic() + 10
    while not names and time.monotonic() < ends:
        names = [*connection.smembers("rq:workers")]
        time.sleep(0.05)
    assert names
    (name,) = (worker.decode().removeprefix("rq:worker:") for worker in names)
    for command in ("shutdown", "kill-horse", "stop-job"):
        said = json.dumps({"command": command, "job_id": f"run-{RUN}"})
        assert connection.publish(f"rq:pubsub:{name}", said) == 0, "somebody listens"
    enqueue(redis, "main", RUN)
    worker.join(20)
    assert (heard, carried) == ([True], [RUN])


def test_at_an_empty_queue_a_worker_stays_signed_in_and_takes_what_comes(redis: str, carried: list[str]) -> None:
    heard, asked, leave = [], threading.Event(), threading.Event()

    def enough() -> bool:
        asked.set()
        return leave.is_set()

    worker = threading.Thread(target=lambda: heard.append(work_queue(redis, "main", enough=enough)))
    worker.start()
    assert asked.wait(20)
    (name,) = connect(redis).smembers("rq:workers")
    asked.clear()
    enqueue(redis, "main", RUN)
    assert asked.wait(20)
    assert carried == [RUN]
    assert connect(redis).smembers("rq:workers") == {name}
    leave.set()
    worker.join(20)
    assert heard == [True]
    assert not connect(redis).smembers("rq:workers")


@contextmanager
def silence() -> Iterator[str]:
    """The address of a Redis that takes connections and never says a word, as one behind a link that drops packets."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        yield f"redis://127.0.0.1:{listening.getsockname()[1]}/0"


def test_a_redis_that_says_nothing_is_away_and_who_enqueues_waits_less_than_a_worker() -> None:
    with silence() as address:
        began = time.monotonic()
        assert not enqueue(address, "main", RUN)
        enqueued = time.monotonic()
        assert not work_queue(address, "main")
        assert enqueued - began < time.monotonic() - enqueued
        assert waiting(address, "main") is None


def test_a_redis_that_falls_silent_while_a_worker_waits_is_away(redis: str, carried: list[str]) -> None:
    with muting(redis) as (address, mute):
        heard: list[bool] = []

        def work() -> None:
            # Rings that come keep it waiting for the next one.
            heard.append(work_queue(address, "main"))

        worker = threading.Thread(target=work)
        worker.start()
        time.sleep(0.7)
        mute.set()
        # It is silent for good; that the worker comes back at all is by its own limit.
        worker.join(20)
        assert len(heard) == 1


@contextmanager
def muting(redis: str) -> Iterator[tuple[str, threading.Event]]:
    """The address of a link to that Redis, and what makes it pass nothing any more."""
    port, mute = int(redis.rpartition(":")[2].partition("/")[0]), threading.Event()
    stop = threading.Event()
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        listening.settimeout(0.2)

        def accept() -> None:
            while not stop.is_set():
                try:
                    near, _ = listening.accept()
                except OSError:
                    continue
                far = socket.create_connection(("127.0.0.1", port))
                for a, b in ((near, far), (far, near)):
                    threading.Thread(target=pass_on, args=(a, b, mute, stop), daemon=True).start()

        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        yield redis.replace(str(port), str(listening.getsockname()[1])), mute
        stop.set()
        accepting.join(2)


def pass_on(near: socket.socket, far: socket.socket, mute: threading.Event, stop: threading.Event) -> None:
    near.settimeout(0.1)
    while not stop.is_set():
        try:
            said = near.recv(65536)
        except TimeoutError:
            continue
        except OSError:
            return
        if mute.is_set():
            continue
        if not said:
            return
        far.sendall(said)


class Bench:
    """The tools of a house."""

    @contextmanager
    def open(self, run: Run) -> Iterator[YardTools]:
        yield YardTools(House())


@pytest.mark.parametrize("how", ["a loop", "a job in the other queue"])
def test_a_run_of_another_site_is_left_alone(
    redis: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    store = store_in(tmp_path, now)
    data = {
        "procedure": PAINT.name,
        "table": PAINT.table,
        "service": "wall",
        "site": "far",
        "by": "U1",
        "name": "Olga",
        "request": {"service": "wall", "colour": "red"},
        "origin": {},
    }
    store.open_run(RUN, data, claims=True, key="k")
    loop = LeasedRunner(store, lambda name: PAINT, Bench(), "w", site="main")
    refused: list[str] = []
    if how == "a loop":
        with pytest.raises(Refused, match="belongs to the site 'far'"):
            loop.carry_out(RUN)
    else:
        monkeypatch.setattr(RunJob, "carrier", carrying(loop, refused))
        queue_of("main", connect(redis)).enqueue("x", job_id=f"run-{RUN}")
        assert work_queue(redis, "main")
        assert refused == [f"Run {RUN} belongs to the site 'far'."]
    assert [entry.kind for entry in store.entries(RUN)] == [Kind.REQUESTED]
    assert replace(loop, site="far").carry_out(RUN) == "asking"


def carrying(loop: LeasedRunner, refused: list[str]) -> Callable[[str], None]:
    def carry(run: str) -> None:
        try:
            loop.carry_out(run)
        except Refused as refusal:
            refused.append(refusal.message)

    return carry
