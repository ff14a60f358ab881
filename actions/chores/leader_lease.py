"""Of several processes that could do something now and then, one does it: whoever holds the lease."""

from __future__ import annotations

from datetime import datetime, timedelta

from actions.engine.errors import Fenced
from actions.store.ledger import LEASE_SECONDS, TURN
from actions.store.store import Store
from actions.store.transaction import Lease

_EVERY = timedelta(seconds=LEASE_SECONDS / 4)


class LeaderLease:
    """The right to do something for all. It passes on when its holder has not asked for longer than a lease lives."""

    def __init__(self, store: Store, what: str, owner: str) -> None:
        self._store, self._what, self._owner = store, f"{TURN}{what}", owner
        self._lease: Lease | None = None
        self._asked: datetime | None = None

    def mine(self) -> bool:
        """Whether it is ours to do now. May be asked often; the store is asked a few times in a lease's life."""
        now = self._store.clock()
        # A clock that was set back must not make the answer of before good for hours.
        if self._asked is not None and timedelta() <= now - self._asked < _EVERY:
            return self._lease is not None
        self._asked = now
        if self._lease is None:
            self._lease = self._store.acquire(self._what, self._owner)
            return self._lease is not None
        try:
            self._store.beat(self._lease)
        except Fenced:
            self._lease = None
        return self._lease is not None

    @property
    def lease(self) -> Lease | None:
        """What it is held by, for those who write under its fencing token; None while it is another's."""
        return self._lease

    def give_up(self) -> None:
        """Let another one have it at once."""
        if self._lease is not None:
            self._store.release(self._lease)
            self._lease = None
