"""The kinds of notes that stand beside the journals: the inbox, cursors, posts, progress, who is alive."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from actions.engine.served import serves
from actions.store.database import StoreTrouble
from actions.store.ledger import LEASE_SECONDS
from actions.store.store import Store

log = logging.getLogger("mayday.notes")

INBOX_HOURS = 24
"""How long an idempotency key is kept: longer than Slack goes on delivering."""

PRIVATE_FOR = timedelta(minutes=5)
"""How long what only one person may see is kept for them."""

_TOGETHER = 25
"""So many journals take a fraction of a second, in which nobody else writes into an embedded store."""


def forget_old_deliveries(store: Store) -> None:
    """Drop the inbox keys that nobody will deliver again."""
    store.forget("inbox", store.clock() - timedelta(hours=INBOX_HOURS))


def archive_old_journals(store: Store, days: int, most: int = 2000) -> int:
    """Archive journals that were closed so many days ago, a few at a time, for others write meanwhile; how many."""
    before = store.clock() - timedelta(days=days)
    names = store.archivable(before, most)
    return sum(store.archive(names[n : n + _TOGETHER], before) for n in range(0, len(names), _TOGETHER))


def cursor(store: Store, sink: str, run: str) -> int:
    """How far a sink has read a run's journal."""
    return int(store.note("cursor", f"{sink} {run}") or 0)


def move_cursor(store: Store, sink: str, run: str, n: int) -> None:
    """Note how far a sink has read a run's journal."""
    store.keep("cursor", f"{sink} {run}", n)


def post(store: Store, key: str) -> dict[str, Any] | None:
    """What a sink noted of something it posted: where it stands and what it shows."""
    found: dict[str, Any] | None = store.note("post", key)
    return found


def keep_post(store: Store, key: str, data: dict[str, Any]) -> None:
    """Keep where something that a sink posted stands, and what it shows."""
    store.keep("post", key, data)


def set_progress(store: Store, run: str, data: dict[str, Any]) -> None:
    """Keep how far the present act is. It is not history: a store that has no room for it holds up no act."""
    try:
        store.keep("progress", run, data)
    except StoreTrouble as away:
        log.warning("how far run %s is was not kept: %s", run, str(away)[:200])


def progress(store: Store, run: str) -> dict[str, Any] | None:
    """How far the present act is: `step`, `done`, `total`, `text`."""
    found: dict[str, Any] | None = store.note("progress", run)
    return found


def docker_answers(store: Store, run: str) -> None:
    """Note that Docker answered whoever carries that run out."""
    store.keep("answered", run, "")


def show_life(store: Store, since: datetime) -> set[str]:
    """The runs that got on with their present step since that moment, or that Docker answered at least."""
    return {*store.kept("progress", since), *store.kept("answered", since)}


def worker_lives(store: Store, worker: str, data: dict[str, Any]) -> None:
    """Note that a worker lives: host, sites, version, since."""
    store.keep("worker", worker, data)


def living_workers(store: Store) -> dict[str, dict[str, Any]]:
    """The workers that said within a lease's life that they live."""
    return _fresh(store, "worker")


def living_on(store: Store, site: str) -> list[dict[str, Any]]:
    """Those of them that carry out runs of a site."""
    return [one for one in living_workers(store).values() if serves(one, site)]


def carries_in_foreground(store: Store, run: str, where: dict[str, Any]) -> None:
    """Note that a terminal carries that run out, and waits with it at its questions."""
    store.keep("foreground", run, where)


def left_foreground(store: Store, run: str) -> None:
    """Note that the terminal has let go of the run."""
    store.keep("foreground", run, {})


def foreground_of(store: Store, run: str) -> dict[str, Any] | None:
    """The terminal that carries that run out, if it said so within a lease's life."""
    return _fresh(store, "foreground").get(run) or None


def _fresh(store: Store, kind: str) -> dict[str, Any]:
    """Notes of the last seconds; one from the future is of before the clock was set back."""
    now, span = store.clock(), timedelta(seconds=LEASE_SECONDS)
    return {key: data for key, (data, at) in store.kept(kind, since=now - span).items() if at <= now + span}


def give_privately(store: Store, run: str, lines: Sequence[str]) -> None:
    """Keep what only the person who asked for that run may see; whatever was left of earlier runs is dropped."""
    forget_private_answers(store)
    store.keep("private", run, list(lines))


def take_privately(store: Store, run: str) -> list[str] | None:
    """What that person may see, once: afterwards it is nowhere any more. None as long as there is nothing."""
    found: list[str] | None = store.note("private", run)
    if found:
        store.keep("private", run, [])
    return found or None


def forget_private_answers(store: Store) -> None:
    """Drop what nobody took."""
    store.forget("private", store.clock() - PRIVATE_FOR)
