"""A store for whoever does something for all: it writes while the lease is held, and not a moment longer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from actions.engine.errors import Fenced
from actions.store.sql_transaction import SqlTransaction
from actions.store.store import Store
from actions.store.transaction import Lease


class FencedStore(Store):
    """The same database, where each write holds the fencing token against the lease in its own transaction.

    So a process that was suspended, and whose lease another has taken meanwhile, cannot write over what that one wrote.
    Every write raises Fenced then, and nothing of it is kept; reading goes on.
    """

    def __init__(self, store: Store, lease: Lease) -> None:
        # No second engine: threads that write to one SQLite file wait for each other by the store's own lock.
        self.clock, self._database, self._passing = store.clock, store._database, store._passing
        self._lease = lease

    @contextmanager
    def _write(self, kind: str = "") -> Iterator[Any]:
        with super()._write(kind) as db:
            if self._where(kind) is self._database and not SqlTransaction(db, self.clock).beat(self._lease):
                raise Fenced(
                    f"Another process has '{self._lease.run}' by now; nothing was written.",
                    code="MD-ST-001",
                    hint="Nothing to do: the other process goes on.",
                )
            yield db
