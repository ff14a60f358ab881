"""The table `[lanes]`: how many runs a worker carries out at a time in each lane."""

from __future__ import annotations

from pydantic import Field

from actions.engine.lanes import LANES, Lane
from actions.settings.checked import Checked

_MOST = 16
"""More at a time would load the host that people wait for."""


class LaneSettings(Checked):
    """Threads by lane; runs whose claims exclude each other take turns whatever stands here."""

    recoveries: int = Field(default=LANES[Lane.RECOVERY].threads, ge=1, le=_MOST)
    errands: int = Field(default=LANES[Lane.ERRAND].threads, ge=1, le=_MOST)
    backups: int = Field(default=LANES[Lane.BACKUP].threads, ge=1, le=_MOST)
    drills: int = Field(default=LANES[Lane.DRILL].threads, ge=1, le=_MOST)

    def threads(self) -> dict[Lane, int]:
        """The threads of each lane."""
        return {lane: int(getattr(self, spec.name)) for lane, spec in LANES.items()}
