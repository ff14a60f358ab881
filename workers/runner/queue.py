"""The queue: RQ on Redis tells a worker that a run wants to be carried out. It is never the truth.

A site has a queue for each lane (`actions/engine/lanes.py`). Whoever can write to Redis could put anything there, so
the worker takes of a job its id alone, which holds the run's; the function, arguments, callbacks and results that a job
names are not even read, and no commands are listened to.
"""

from __future__ import annotations

import socket
import time
import uuid
from collections.abc import Callable
from typing import Any

import redis
import structlog
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Queue, SimpleWorker
from rq.exceptions import DequeueTimeout, NoSuchJobError
from rq.job import Job
from rq.timeouts import TimerDeathPenalty

from actions.engine.errors import NOT_READ
from actions.engine.ids import is_errand, is_id
from actions.engine.lanes import Lane, queue_name

FUNCTION = "workers.runner.queue.carry_out"
_JOB = "run-"
_WAIT_SECONDS = 2
_SILENCE_SECONDS = _WAIT_SECONDS + 2
"""A Redis that drops packets is away after so long; RQ itself would wait for 415 s."""
_ROUND_SECONDS = 5.0
"""After so long a worker looks for runs by itself, though the queue is full."""
_STAY_SECONDS = 60.0
"""How long it stays at an empty queue: each time RQ signs a worker in and out, which is thirty commands."""
_ENQUEUE_SECONDS = 0.4
_AT_ONCE = 0.1

log = structlog.get_logger("mayday.queue")


def carry_out(run: str) -> None:
    """What every job names. The worker replaces it by its own loop; called by itself it does nothing."""
    raise RuntimeError(f"run {run} is carried out by a Mayday worker only")


def connect(url: str, seconds: float = _SILENCE_SECONDS) -> redis.Redis:
    """A connection that gives up soon and tries nothing again, because nothing waits for the queue."""
    return redis.Redis.from_url(
        url, socket_connect_timeout=min(1, seconds), socket_timeout=seconds, retry=Retry(NoBackoff(), 0)
    )


def open_to_all(url: str) -> bool:
    """Whether Redis answers without the password or the user that the settings may name.

    Raises:
        redis.RedisError: it does not answer.
    """
    pool = redis.ConnectionPool.from_url(url, socket_connect_timeout=1, socket_timeout=1)
    for name in ("username", "password"):
        pool.connection_kwargs.pop(name, None)
    try:
        return bool(redis.Redis(connection_pool=pool).ping())
    except redis.AuthenticationError:
        return False
    finally:
        pool.disconnect()


def queue_of(site: str, connection: redis.Redis, lane: Lane = Lane.RECOVERY) -> Queue:
    """The site's queue of a lane."""
    # RQ's own limit of 180 s would end a long restore; acts have limits of their own.
    return Queue(queue_name(site, lane), connection=connection, serializer="json", default_timeout=-1, job_class=RunJob)


def enqueue(url: str, site: str, run: str, lane: Lane | None = None) -> bool:
    """Put a run into the queue of its lane; False where Redis is away. A run stands in a queue once at most.

    Where the lane is not known, a worker of the site's recoveries hands it on.
    """
    try:
        where = lane or (Lane.ERRAND if is_errand(run) else Lane.RECOVERY)
        queue = queue_of(site, connect(url, _ENQUEUE_SECONDS), where)
        queue.remove(f"{_JOB}{run}")
        queue.enqueue(FUNCTION, run, job_id=f"{_JOB}{run}", job_timeout=-1, result_ttl=0, failure_ttl=3600)
    except redis.RedisError as away:
        log.warning("the queue is away; the sweep will find the run", run=run, detail=str(away)[:200])
        return False
    return True


def waiting(url: str, site: str) -> int | None:
    """How many runs wait in the site's queues but the errands', None where Redis does not answer at once."""
    try:
        connection = connect(url, _AT_ONCE)
        return sum(int(queue_of(site, connection, lane).count) for lane in Lane if lane is not Lane.ERRAND)
    except redis.RedisError:
        return None


_LIMITS = {b"timeout": b"-1", b"result_ttl": b"0", b"failure_ttl": b"3600"}
"""RQ ends a job after its timeout wherever it is, so whoever reached Redis could end an act in its middle."""


class RunJob(Job):
    """A job that can only be our one function, for the run that its id names."""

    carrier: Callable[[str], object] | None = None

    success_callback = failure_callback = stopped_callback = property(lambda _self: None)

    @classmethod
    def fetch(cls, id: str, *given: Any, **named: Any) -> Any:
        """The job of that id. One that names no run is none: RQ drops it, where its own refusal would come each round.

        Raises:
            NoSuchJobError: Redis has no such job, or it is none of ours.
        """
        if not id.startswith(_JOB) or not is_id(id.removeprefix(_JOB)):
            raise NoSuchJobError(f"not one of ours: {id[:80]!r}")
        return super().fetch(id, *given, **named)

    def refresh(self) -> None:
        """See that it is there. None of its fields is read: they could be large, no numbers, or a limit of a second.

        Raises:
            NoSuchJobError: Redis has no such job.
        """
        if not self.connection.exists(self.key):
            raise NoSuchJobError(f"no such job: {self.key[:80]!r}")
        self.restore(
            {b"data": self.serializer.dumps((FUNCTION, None, [self.run], {})), b"status": b"queued", **_LIMITS}
        )

    @property
    def run(self) -> str:
        """The run that the job's id names."""
        return self.id.removeprefix(_JOB)

    def perform(self) -> Any:
        """Carry the named run out.

        Raises:
            PermissionError: nobody here carries runs out.
        """
        if RunJob.carrier is None:
            raise PermissionError("nobody here carries runs out")
        RunJob.carrier(self.run)


class QueueWorker(SimpleWorker):
    """Works in its own process, and comes back after a moment when nothing is in the queue."""

    job_class = RunJob
    death_penalty_class = TimerDeathPenalty  # The other one needs signals, which only a main thread has.
    until = float("inf")
    """When it comes back however much is in the queue: whoever fills it must not keep runs from being found."""
    enough: Callable[[], bool] = staticmethod(lambda: True)
    """Asked after each moment with nothing in the queue: whether there is something else to do."""
    came_back = False
    """Whether it did so by itself. RQ ends a worker without a word where something in Redis is not as it should be."""

    @property
    def connection_timeout(self) -> int:
        """Seconds without a word after which Redis is away."""
        return _SILENCE_SECONDS

    def _install_signal_handlers(self) -> None:
        """The service has its own."""

    def subscribe(self) -> None:
        """Listen to no commands: anybody who reaches Redis could send one that ends the worker."""

    def dequeue_job_and_maintain_ttl(self, timeout: int | None, max_idle_time: int | None = None) -> Any:
        """The next job, or None after a moment; a Redis that is away is an error at once."""
        self.heartbeat()
        (queue,) = self._ordered_queues
        stays = time.monotonic() + _STAY_SECONDS
        while time.monotonic() < self.until:
            try:
                taken = self.queue_class.lmove(self.connection, queue.key, _WAIT_SECONDS)
            except DequeueTimeout:
                if time.monotonic() > stays or self.enough():
                    break
                self.until = time.monotonic() + _ROUND_SECONDS
                continue
            job = self._job(queue, taken[1])
            if job is not None:
                return job, queue
        self.came_back = True
        return None

    def _job(self, queue: Queue, id: bytes) -> RunJob | None:
        """The job that was taken out of the queue; what is none is dropped for good."""
        try:
            job: RunJob = self.job_class.fetch(id.decode(), connection=self.connection, serializer=self.serializer)
        except (NoSuchJobError, UnicodeDecodeError):
            taken: Any = id  # The library takes bytes, and says text.
            self.connection.lrem(queue.intermediate_queue_key, 1, taken)
            return None
        job.origin = queue.name
        return job


def work_queue(
    url: str, site: str, lane: Lane = Lane.RECOVERY, enough: Callable[[], bool] = QueueWorker.enough
) -> bool:
    """Carry out what is in the queue, until nothing is in it and it is `enough`, or some seconds of work are over.

    False where Redis is away, or holds something else in the places of the queue.
    """
    try:
        connection = connect(url)
        connection.ping()
        name = f"{socket.gethostname()}-{uuid.uuid4().hex[:8]}"
        # One queue a worker: from several at once RQ only pops, and a death before the job begins would lose the job.
        worker = QueueWorker([queue_of(site, connection, lane)], name=name, connection=connection, serializer="json")
        worker.until, worker.enough = time.monotonic() + _ROUND_SECONDS, enough
        worker.work(logging_level="CRITICAL")
    except (redis.RedisError, *NOT_READ) as away:
        log.warning("the queue is away; runs are found by looking", detail=str(away)[:200])
        return False
    return worker.came_back
