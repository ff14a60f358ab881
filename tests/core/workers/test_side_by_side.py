"""Several things at a time: all are done, no process waits for them to end, and nothing that is raised gets lost."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest

from tests.support.paths import ROOT
from tests.support.worlds.company import Killed
from workers.runner.side_by_side import side_by_side

HANGS = """
import threading, time
from workers.runner.side_by_side import side_by_side
threading.Thread(target=side_by_side, args=(time.sleep, [600] * 8, 4), daemon=True).start()
time.sleep(0.2)
"""


def test_all_are_done_and_come_back_in_their_order() -> None:
    assert [one.value for one in side_by_side(lambda n: n * n, range(9), 4)] == [n * n for n in range(9)]
    assert side_by_side(lambda n: n, [], 4) == []


@pytest.mark.parametrize("error", [ValueError("x"), Killed("x")])
def test_what_one_raises_stops_no_other_and_comes_back(error: BaseException) -> None:
    done: list[int] = []

    def work(n: int) -> None:
        if n == 1:
            raise error
        done.append(n)

    came = side_by_side(work, range(6), 2)
    assert [one.error for one in came] == [None, error, None, None, None, None]
    assert sorted(done) == [0, 2, 3, 4, 5]


def test_no_more_than_so_many_are_at_work_at_a_time() -> None:
    gate = threading.Semaphore(2)

    def work(n: int) -> bool:
        free = gate.acquire(blocking=False)
        time.sleep(0.001)
        if free:
            gate.release()
        return free

    assert all(one.value for one in side_by_side(work, range(20), 2))


def test_a_process_that_is_told_to_end_at_once_waits_for_none_of_them() -> None:
    subprocess.run([sys.executable, "-c", HANGS], cwd=ROOT, check=True, timeout=60)
