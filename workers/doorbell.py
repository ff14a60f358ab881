"""The doorbell: RQ on Redis tells a worker that a run wants to be carried out. It is never the truth.

A job carries a run id and nothing else. A site has two queues, the second for errands, which wait for no
recovery. Whoever can write to Redis could name any function in a job, so the worker runs one function only,
whatever a job says.
"""

from __future__ import annotations

import socket
import uuid
from collections.abc import Callable
from typing import Any

import redis
import structlog
from rq import Queue, SimpleWorker
from rq.job import Job
from rq.timeouts import TimerDeathPenalty

from actions.engine.ids import is_errand
from actions.engine.procedure import Lane

FUNCTION = "workers.doorbell.carry_out"
_WAIT_SECONDS = 2
_AT_ONCE = 0.1

log = structlog.get_logger("mayday.doorbell")


def carry_out(run: str) -> None:
    """What every job names. The worker replaces it by its own loop; called by itself it does nothing."""
    raise RuntimeError(f"run {run} is carried out by a Mayday worker only")


def connect(url: str) -> redis.Redis:
    """A connection that gives up soon, because nothing waits for the doorbell."""
    return redis.Redis.from_url(url, socket_connect_timeout=1, socket_timeout=_WAIT_SECONDS + 5)


def queue_of(site: str, connection: redis.Redis, lane: Lane = Lane.RECOVERY) -> Queue:
    """The site's queue of a lane."""
    name = f"mayday-{site}" if lane is Lane.RECOVERY else f"mayday-{site}-errands"
    # RQ's own limit of 180 s would end a long restore; acts have limits of their own.
    return Queue(name, connection=connection, serializer="json", default_timeout=-1, job_class=RunJob)


def ring(url: str, site: str, run: str) -> bool:
    """Ring for a run; False where Redis is away. A run stands in the queue once at most."""
    try:
        queue = queue_of(site, connect(url), Lane.ERRAND if is_errand(run) else Lane.RECOVERY)
        queue.remove(f"run-{run}")
        queue.enqueue(FUNCTION, run, job_id=f"run-{run}", job_timeout=-1, result_ttl=0, failure_ttl=3600)
    except redis.RedisError as away:
        log.warning("the queue is away; the sweep will find the run", run=run, detail=str(away)[:200])
        return False
    return True


def waiting(url: str, site: str) -> int | None:
    """How many runs wait in the site's queue, None where Redis does not answer at once."""
    try:
        connection = redis.Redis.from_url(url, socket_connect_timeout=_AT_ONCE, socket_timeout=_AT_ONCE)
        return int(queue_of(site, connection).count)
    except redis.RedisError:
        return None


class RunJob(Job):
    """A job that can only be our one function; callbacks named in it are not even read."""

    hands: Callable[[str], object] | None = None

    success_callback = failure_callback = stopped_callback = property(lambda _self: None)

    def perform(self) -> Any:
        """Carry the named run out.

        Raises:
            PermissionError: the job names another function.
        """
        if self.func_name != FUNCTION or RunJob.hands is None:
            raise PermissionError(f"this worker does not run {self.func_name}")
        RunJob.hands(str(self.args[0]))


class BellWorker(SimpleWorker):
    """Answers the bell in its own process, and comes back after a moment when nobody rings."""

    job_class = RunJob
    death_penalty_class = TimerDeathPenalty  # The other one needs signals, which only a main thread has.

    def _install_signal_handlers(self) -> None:
        """The service has its own."""

    def dequeue_job_and_maintain_ttl(self, timeout: int | None, max_idle_time: int | None = None) -> Any:
        """The next job, or None after a moment; a Redis that is away is an error at once."""
        self.heartbeat()
        return self.queue_class.dequeue_any(
            self._ordered_queues, _WAIT_SECONDS, connection=self.connection, job_class=self.job_class,
            serializer=self.serializer, death_penalty_class=self.death_penalty_class,
        )  # fmt: skip


def answer_bell(url: str, site: str, lane: Lane = Lane.RECOVERY) -> bool:
    """Carry out what was rung for, until a moment passes without a ring; False where Redis is away."""
    try:
        connection = connect(url)
        connection.ping()
        name = f"{socket.gethostname()}-{uuid.uuid4().hex[:8]}"
        # One queue a worker: from several at once RQ only pops, and a death before the job begins would lose the ring.
        worker = BellWorker([queue_of(site, connection, lane)], name=name, connection=connection, serializer="json")
        worker.work(logging_level="CRITICAL")
    except redis.RedisError as away:
        log.warning("the queue is away; runs are found by looking", detail=str(away)[:200])
        return False
    return True
