"""Work in forked children, some side by side: each says what it found, and one that takes too long is ended."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Job:
    """Something to find out. `late` is the answer where it takes longer than so many seconds, or dies."""

    about: Any
    find: Callable[[], Any]
    seconds: float
    late: Any = None


@dataclass(frozen=True)
class _Child:
    job: Job
    began: float
    answer: str


def side_by_side(jobs: Iterable[Job], number: int) -> Iterator[tuple[Any, Any, float]]:
    """What each is about, what was found, and in how many seconds; as they come."""
    waiting, running = enumerate(jobs), dict[int, _Child]()
    with tempfile.TemporaryDirectory(prefix="mayday-mutants-") as folder:
        try:
            while True:
                while len(running) < number and (numbered := next(waiting, None)):
                    pid, child = _begin(numbered[1], f"{folder}/{numbered[0]}")
                    running[pid] = child
                if not running:
                    return
                for pid in [pid for pid, child in running.items() if _has_ended(pid, child)]:
                    child = running.pop(pid)
                    yield child.job.about, _answer(child), time.monotonic() - child.began
                time.sleep(0.005)
        finally:
            for pid in running:
                _end(pid)
                os.waitpid(pid, 0)


def _begin(job: Job, answer: str) -> tuple[int, _Child]:
    # What waits to be written would be written by each of them.
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return pid, _Child(job, time.monotonic(), answer)
    try:
        # So that what it starts ends with it; and nobody hears what its tests say.
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nothing, stream)
        found = job.find()
        with open(f"{answer}.new", "wb") as out:
            pickle.dump(found, out)
        os.rename(f"{answer}.new", answer)
    finally:
        os._exit(0)


def _has_ended(pid: int, child: _Child) -> bool:
    if os.waitpid(pid, os.WNOHANG)[0]:
        return True
    if time.monotonic() - child.began > child.job.seconds:
        _end(pid)
    return False


def _end(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        # It has not come as far as to have a group.
        os.kill(pid, signal.SIGKILL)


def _answer(child: _Child) -> Any:
    try:
        with open(child.answer, "rb") as told:
            return pickle.load(told)
    except FileNotFoundError:
        return child.job.late
    finally:
        if os.path.exists(child.answer):
            os.unlink(child.answer)
