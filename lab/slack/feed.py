"""What happens in the room, told to everybody who listens: the page and the waiting commands."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Happening:
    """One thing that happened; `what` is the object it happened to."""

    kind: str
    what: Any
    user: str | None = None


class Feed:
    """Fan-out of happenings to any number of listeners."""

    def __init__(self) -> None:
        self._listeners: set[asyncio.Queue[Happening]] = set()

    def tell(self, kind: str, what: Any, user: str | None = None) -> None:
        """Tell everybody; `user` limits it to one person's eyes."""
        for queue in self._listeners:
            queue.put_nowait(Happening(kind, what, user))

    @contextmanager
    def listen(self) -> Iterator[asyncio.Queue[Happening]]:
        queue: asyncio.Queue[Happening] = asyncio.Queue()
        self._listeners.add(queue)
        try:
            yield queue
        finally:
            self._listeners.discard(queue)
