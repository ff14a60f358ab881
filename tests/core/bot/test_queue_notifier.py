"""A ring takes nobody's time, however slow the queue is, and one that fails ends nothing."""

from __future__ import annotations

import threading
import time

import pytest
from redis.exceptions import ConnectionError as RedisAway

from bot.queue_notifier import QueueNotifier
from tests.support.waiting import within


def test_whoever_rings_waits_for_nothing_and_every_ring_is_rung_in_its_order() -> None:
    go, rung = threading.Event(), list[str]()

    def slow(run: str) -> None:
        go.wait(10)
        rung.append(run)

    notify = QueueNotifier(slow)
    for n in range(100):
        notify(f"r{n}")
    # Whoever had waited for the slow one had waited for its end.
    assert rung == []
    go.set()
    within(5)(lambda: rung == [f"r{n}" for n in range(100)])


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_queue_that_is_away_or_breaks_does_not_end_the_ringing() -> None:
    rung: list[str] = []

    def ring(run: str) -> None:
        if run == "away":
            raise RedisAway("gone")
        if run == "strange":
            raise ValueError("not thought of")
        rung.append(run)

    notify = QueueNotifier(ring)
    for run in ("away", "a", "strange"):
        notify(run)
    within(5)(lambda: rung == ["a"])
    time.sleep(0.1)
    notify("b")
    within(5)(lambda: rung == ["a", "b"])
