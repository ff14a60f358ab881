"""What `mayday doctor` says of clocks: whether bots and workers take the same moment for now.

Leases and heartbeats live for ten seconds. Whose clock is further off than that is taken for dead by all others.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

from actions.clock.times import span_words
from actions.findings import Finding
from actions.store.heartbeats import MOVES_WITHIN, heard
from actions.store.store import Store

ALIKE = 2.0
"""Seconds that are no difference worth telling; a lease allows ten."""
_LATELY = timedelta(days=2)
"""Of one whose last heartbeat looks older than that it is not waited for whether it lives: nobody is that far off."""


def clocks(store: Store, wait: Callable[[float], object] = time.sleep) -> Finding:
    """Holds the times of heartbeats against the clock here; only whoever is heard of again is believed to live.

    A heartbeat that looks old is that of a dead worker or of a clock that is behind: a second look tells.
    """
    before, now = heard(store), store.clock()
    doubtful = [one for one in before.values() if now - one.at < _LATELY and _off((now - one.at).total_seconds())]
    if not doubtful:
        return Finding("clocks", True, "those of bots and workers agree")
    wait(MOVES_WITHIN)
    after, now = heard(store), store.clock()
    moved = {key: one for key, one in after.items() if key in before and one.at != before[key].at}
    ages = {one.name: (now - one.at).total_seconds() for one in moved.values()}
    seen = sorted({f"{name} is {_spoken(age)}" for name, age in ages.items() if _off(age)})
    if not seen:
        return Finding("clocks", True, "those of bots and workers agree")
    do = "Have all hosts set their clocks by the network (timedatectl status), then ask the doctor again."
    return Finding("clocks", False, f"against the clock here {', '.join(seen)}", do)


def _off(age: float) -> bool:
    """Whether a heartbeat of that age, in seconds by the clock here, comes from a clock that is another."""
    return not -ALIKE <= age <= MOVES_WITHIN + ALIKE


def _spoken(age: float) -> str:
    return f"{span_words(timedelta(seconds=abs(age)))} {'behind' if age > 0 else 'ahead'}"
