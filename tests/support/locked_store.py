"""A store that another process writes to, for as long as a test wants."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(path: Path | str, seconds: float = 120.0) -> Iterator[None]:
    """Nobody else can write to that SQLite file within this, or for so many seconds of it."""
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(seconds, lambda: other.execute("ROLLBACK"))
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        if other.in_transaction:
            other.execute("ROLLBACK")
        other.close()
