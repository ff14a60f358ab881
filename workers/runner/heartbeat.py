"""The heartbeat: keeps a lease alive while its run is carried out, and notices when it was lost."""

from __future__ import annotations

import threading
from types import TracebackType

import structlog
from sqlalchemy.exc import SQLAlchemyError

from actions.engine.errors import Fenced
from actions.store.ledger import LEASE_SECONDS
from actions.store.store import Store
from actions.store.transaction import Lease

log = structlog.get_logger("mayday.heartbeat")


class Heartbeat:
    """A thread that says every few seconds that the lease's owner lives."""

    # A quarter of a lease's life: two beats in a row may be lost, and the next still comes in time.
    def __init__(self, store: Store, lease: Lease, every: float = LEASE_SECONDS / 4) -> None:
        self._store, self._lease, self._every = store, lease, every
        self._over = threading.Event()
        self._lost = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"heartbeat {lease.run}", daemon=True)

    def __enter__(self) -> Heartbeat:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    def must_hold(self) -> None:
        """Raises Fenced once the lease went to another worker."""
        if self._lost.is_set():
            raise Fenced(
                f"Another worker carries run {self._lease.run} out by now.", code="MD-RUN-029", hint="Nothing to do."
            )

    def _beat(self) -> None:
        while not self._over.wait(self._every):
            try:
                self._store.beat(self._lease)
            except Fenced:
                self._lost.set()
                return
            except SQLAlchemyError as trouble:  # The store is away for a moment: the next beat may find it.
                log.warning("store does not answer", run=self._lease.run, detail=str(trouble)[:200])
