"""When each worker and bot was last heard of, by its own clock: the moments that stand with heartbeats and leases."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from actions.store.statements import BEATS
from actions.store.store import Store

MOVES_WITHIN = 3.0
"""Seconds within which whoever lives is heard of again: a heartbeat comes every 2.5."""


@dataclass(frozen=True)
class Heard:
    """Who was heard of, and at which moment of its own clock."""

    name: str
    at: datetime


def heard(store: Store) -> dict[str, Heard]:
    """The last heartbeat of every worker, and of whoever holds a lease, as the bot that posts to the threads does."""
    with store.engine.connect() as db:
        found = {str(owner): Heard(_place(str(owner)), at) for owner, at in db.execute(BEATS)}
    for owner, (said, at) in store.kept("worker").items():
        found[owner] = Heard(str(said.get("host") or _place(owner)), at)
    return found


def _place(owner: str) -> str:
    """`bot ops-1:812:3fa9c1` is the bot on `ops-1`."""
    return owner.split(":", 1)[0]
