"""The table `[failover]`: when a primary counts as dead, how often that is looked at, what is begun then."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from actions.settings.checked import Checked


class FailoverSettings(Checked):
    """How the death of a primary that has a standby is noticed.

    It is dead once two independent signals have agreed for `dead_seconds`. Each server is probed every `probe_seconds`.
    With the `trigger` "button" a failover is asked for then, which waits for a person; with "none" there is an incident
    alone.
    """

    dead_seconds: float = Field(default=10, ge=4, le=3600)
    probe_seconds: float = Field(default=2, ge=1, le=60)
    trigger: Literal["button", "none"] = "button"
