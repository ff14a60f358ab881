"""The journal of a real recovery by an earlier version, told to a store as often as wanted, each as another run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from actions.engine.journal import GENESIS, Entry, Kind, sealed
from actions.store.store import Store
from tests.support.paths import DATA

_FILE = DATA / "recovered_run.json"


@cache
def recorded() -> tuple[dict[str, Any], ...]:
    return tuple(json.loads(_FILE.read_text())["entries"])


def told_as(run: str, later: timedelta = timedelta(), site: str = "") -> Iterator[Entry]:
    """The recorded entries as those of another run, perhaps of another site, chained anew."""
    prev = GENESIS
    for e in recorded():
        at = datetime.fromisoformat(e["at"]) + later
        data = {**e["data"], "site": site} if site and "site" in e["data"] else e["data"]
        entry = sealed(Entry(run, e["n"], at, Kind(e["kind"]), e["step"], data), prev)
        prev = entry.hash
        yield entry


def tell(store: Store, *runs: str, site: str = "") -> None:
    """Write whole recorded runs, one after the other, in one transaction."""
    with store.transaction() as tx:
        for i, run in enumerate(runs):
            for entry in told_as(run, timedelta(minutes=10 * i), site):
                tx.write(replace(entry))
