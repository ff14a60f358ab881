"""What the doctor says of clocks: heartbeats and leases are compared by times, so all hosts have to agree on now."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from actions.store.ledger import TURN
from actions.store.notes import living_workers, worker_lives
from actions.store.store import Store
from tests.support.bot_world import store_in
from tests.support.worlds.clock import Clock
from workers.doctor.clock_checks import clocks


class Host:
    """A worker, or a bot, on a host whose clock is so many seconds from the true one."""

    def __init__(self, folder: Path, true: Clock, off: float) -> None:
        self.store = store_in(folder, lambda: true.now + timedelta(seconds=off))

    def worker(self, name: str) -> None:
        worker_lives(self.store, f"{name}:1:2", {"host": name})


def asked(store: Store, true: Clock, *beats: object) -> tuple[bool, str, list[float]]:
    """What the doctor says whom all who live let hear of themselves while it waits, and how long it waited."""
    waited: list[float] = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        true.now += timedelta(seconds=seconds)
        for beat in beats:
            beat()  # type: ignore[operator]

    found = clocks(store, wait)
    assert found.ok or "timedatectl" in found.do
    return found.ok, found.seen, waited


@pytest.mark.parametrize(
    ("off", "said"),
    [
        (3600, "against the clock here ops-2 is 1 h ahead"),
        (-3600, "against the clock here ops-2 is 1 h behind"),
        (8, "against the clock here ops-2 is 8 s ahead"),
        (-9, "against the clock here ops-2 is 9 s behind"),
    ],
)
def test_a_worker_whose_clock_is_another_is_named(memory_path: Path, off: float, said: str) -> None:
    true = Clock()
    far, here = Host(memory_path, true, off), Host(memory_path, true, 0)
    far.worker("ops-2")
    here.worker("ops-1")
    ok, seen, _ = asked(here.store, true, lambda: far.worker("ops-2"), lambda: here.worker("ops-1"))
    assert (ok, seen) == (False, said)
    # So far off it is dead for everybody, though it lives: this is why the doctor has to say it.
    assert ("ops-2:1:2" in living_workers(here.store)) == (abs(off) <= 10)


def test_a_dead_worker_has_no_clock_that_is_behind(memory_path: Path) -> None:
    true = Clock()
    dead, here = Host(memory_path, true, 0), Host(memory_path, true, 0)
    dead.worker("ops-2")
    true.now += timedelta(minutes=20)
    ok, _, waited = asked(here.store, true)
    assert ok
    assert waited, "a second look told that it is dead"
    true.now += timedelta(days=30)
    assert asked(here.store, true) == (True, "those of bots and workers agree", [])


def test_clocks_that_agree_cost_no_wait(memory_path: Path) -> None:
    true = Clock()
    for off in (-1.5, 0, 1.5):
        Host(memory_path, true, off).worker(f"ops{off}")
    true.now += timedelta(seconds=2)
    assert asked(Host(memory_path, true, 0).store, true) == (True, "those of bots and workers agree", [])


def test_the_bot_that_posts_is_heard_of_by_its_lease(memory_path: Path) -> None:
    true = Clock()
    bot, here = Host(memory_path, true, 120), Host(memory_path, true, 0)
    lease = bot.store.acquire(f"{TURN}threads", "bot chat-1:7:abc")
    assert lease is not None
    ok, seen, _ = asked(here.store, true, lambda: bot.store.beat(lease))
    assert (ok, seen) == (False, "against the clock here bot chat-1 is 2 min ahead")
    bot.store.release(lease)
    assert asked(here.store, true)[0], "one that has gone in good order has no clock"
