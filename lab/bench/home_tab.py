"""The figure of the home tab."""

from __future__ import annotations

import time
from statistics import median

from actions.engine.errors import RecoveryError
from lab.bench.figure import Figure
from lab.bench.ground import Ground

_VISITORS = ("oncall", "approver", "dba", "watcher")


def home_tab(ground: Ground) -> Figure:
    """From opening the home tab until the view stands, for people who never opened it."""
    took = []
    for user in _VISITORS:
        if ground.room.state(user)["home"]:
            raise RecoveryError(f"The home tab of {user} stood before.", hint="Measure on a fresh company.")
        began = time.monotonic()
        view = ground.room.home(user)["view"]
        took.append(time.monotonic() - began if view else float("inf"))
    said = f"median {median(took):.2f} s, longest {max(took):.2f} s"
    return Figure(f"home tab, first opening by {len(took)} people", said, "at most 1 s", max(took) <= 1)
