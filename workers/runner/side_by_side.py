"""Doing several things side by side, in threads that keep no process alive: whoever is to end at once, ends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Came(Generic[T, R]):
    """What came of one thing: its value, or what was raised. As a context it keeps whatever is raised within."""

    def __init__(self, thing: T) -> None:
        self.thing = thing
        self.value: R | None = None
        self.error: BaseException | None = None

    def __enter__(self) -> Came[T, R]:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> bool:
        # For whoever waits, to raise it again: in its own thread nobody would hear of it.
        self.error = error
        return True


def side_by_side(work: Callable[[T], R], things: Iterable[T], most: int) -> list[Came[T, R]]:
    """Do it with all things, so many at a time, and wait for all; what came of each, in their order."""
    # Not an executor: the interpreter waits at its end for the threads of those.
    all_of_them = [Came[T, R](thing) for thing in things]
    waiting, turn = iter(all_of_them), threading.Lock()

    def take_turns() -> None:
        while True:
            with turn:
                came = next(waiting, None)
            if came is None:
                return
            with came:
                came.value = work(came.thing)

    threads = [threading.Thread(target=take_turns, daemon=True) for _ in range(min(most, len(all_of_them)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return all_of_them
