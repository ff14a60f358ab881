"""The lanes of a worker as a table: which queue each has, how many threads work on it, how long it waits for others.

A run is in the lane that its procedure names. No lane waits for another one, and in each of them several runs are
carried out at a time where its threads are enough and their claims let them begin.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Lane(StrEnum):
    """Where a procedure is carried out; `LANES` says how.

    An errand changes something outside of the stack, and waits for no recovery. A recovery waits for no backup and no
    drill.
    """

    RECOVERY = "recovery"
    BACKUP = "backup"
    ERRAND = "errand"
    DRILL = "drill"


@dataclass(frozen=True)
class LaneSpec:
    """One lane. `name` is how people and settings call it; a site's queue is `mayday-<site>` and `queue`."""

    name: str
    queue: str
    """Part of the names of existing queues: a worker of before and one of now find the same jobs."""
    threads: int
    """So many runs at a time, unless the settings say otherwise."""
    away_seconds: float
    """How long a run waits for what is away (Docker, PagerDuty) before a person is told."""
    ends_step: bool
    """Whether a worker that leaves waits for the end of the step at hand; what a step did goes on from the journal."""


LANES: Mapping[Lane, LaneSpec] = {
    # A restart of Docker's daemon takes less than 90 s.
    Lane.RECOVERY: LaneSpec("recoveries", "", 3, 90.0, ends_step=True),
    # Its line in the thread says soon what is away, and people press Retry.
    Lane.ERRAND: LaneSpec("errands", "-errands", 1, 15.0, ends_step=True),
    # A step of these may take hours.
    Lane.BACKUP: LaneSpec("backups", "-backups", 1, 90.0, ends_step=False),
    Lane.DRILL: LaneSpec("drills", "-drills", 1, 90.0, ends_step=False),
}

THREADS: Mapping[Lane, int] = {lane: spec.threads for lane, spec in LANES.items()}


def lane_named(name: str) -> Lane | None:
    """The lane that people call so, in the singular or the plural; None where there is none."""
    said = name.strip().casefold()
    return next((lane for lane, spec in LANES.items() if said in (spec.name, str(lane))), None)


def queue_name(site: str, lane: Lane) -> str:
    """The name of a site's queue of a lane."""
    return f"mayday-{site}{LANES[lane].queue}"
