"""The events of PagerDuty as they came: kept before anybody answers, until they are taken in.

An event is kept under its own id, which outlives the 48 hours for which PagerDuty goes on delivering.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta

from actions.incidents.pagerduty_events import id_of, storable
from actions.store.store import Store
from actions.store.transaction import Transaction

_log = logging.getLogger(__name__)
EVENT, WAITING, UNREAD = "event", "event waiting", "event unread"
"""Notes: every event by its id, those not taken in yet, and those that were set aside."""
KEPT_HOURS = 72
"""Longer than PagerDuty's 48 hours of redelivery, with a day for whoever looks what came."""
_ASIDE_DAYS = 30
_SHOWN = "incident "
"""Begins the key of what no event told but a look at PagerDuty showed."""


def keep_event(store: Store, body: str, key: str = "") -> bool:
    """Keep an event until it is taken in; whether it was never seen before."""
    return keep_events(store, [(key or key_of(body), body)])[0]


def key_of(body: str) -> str:
    """What an event is kept under: its own id, else a digest of it.

    Raises:
        ValueError, RecursionError: it is no JSON.
    """
    try:
        named = id_of(json.loads(body))
    except json.JSONDecodeError:
        raise
    except ValueError:
        # JSON all the same: a number may have more digits than Python reads.
        named = ""
    return (named or hashlib.sha256(body.encode(errors="surrogatepass")).hexdigest())[:400]


def keep_events(store: Store, events: Sequence[tuple[str, str]]) -> list[bool]:
    """Keep events by their keys, all in one transaction; of each whether it was never seen before."""

    def write(tx: Transaction) -> list[bool]:
        return [tx.first(EVENT, key[:400], body) and tx.first(WAITING, key[:400], "") for key, body in events]

    return store.at_once("events", write)


def forget_old_events(store: Store) -> None:
    """Drop the events that nobody will deliver again, and what was set aside long ago."""
    store.forget(EVENT, store.clock() - timedelta(hours=KEPT_HOURS))
    store.forget(UNREAD, store.clock() - timedelta(days=_ASIDE_DAYS))


def set_aside(store: Store) -> dict[str, str]:
    """The events of the last 30 days that could not be read or kept, and why."""
    return {key: str(said["why"]) for key, said in store.notes(UNREAD).items()}


def note_unread(store: Store, unread: Mapping[str, str]) -> None:
    """Note which incidents PagerDuty shows and nobody can read, by their ids; one that can be read again is let go.

    They are asked for every few seconds, so only what is new is written.
    """
    told = {storable(f"{_SHOWN}{id}")[:400]: storable(why) for id, why in unread.items()}
    known = {key for key in set_aside(store) if key.startswith(_SHOWN)}
    put_aside(store, {key: why for key, why in told.items() if key not in known})
    if over := known - told.keys():
        with store.transaction() as tx:
            for key in over:
                tx.drop(UNREAD, key)


def put_aside(store: Store, unread: Mapping[str, str]) -> None:
    """Keep events apart that cannot be read or kept, each with why."""
    for key, why in unread.items():
        _log.error("something of PagerDuty cannot be read (%s); it is kept aside", why)
        store.keep(UNREAD, key, {"why": why, "body": store.note(EVENT, key)})
        with store.transaction() as tx:
            tx.drop(WAITING, key)
