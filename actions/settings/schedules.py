"""The table `[[schedules]]`: what is asked for by the clock."""

from __future__ import annotations

from datetime import timedelta
from typing import Self

from pydantic import Field, model_validator

from actions.chores.schedules import Missed
from actions.clock.cron import CronExpression
from actions.settings.checked import Checked
from actions.settings.services import Name


class ScheduleTable(Checked):
    """One schedule. `procedure` is a procedure's name, `arguments` what a person would type after it.

    `zone` is that of the operations where it is empty.
    """

    name: Name
    cron: str
    procedure: str
    arguments: str = ""
    service: str = ""
    site: str = ""
    zone: str = ""
    missed: Missed = Missed.LATE
    grace_minutes: float = Field(default=5.0, gt=0)

    @model_validator(mode="after")
    def _readable(self) -> Self:
        CronExpression.of(self.cron, self.zone or "UTC")
        return self

    def when(self, operations_zone: str) -> CronExpression:
        """The expression in its zone."""
        return CronExpression.of(self.cron, self.zone or operations_zone)

    @property
    def grace(self) -> timedelta:
        """How late it may begin and still be on time."""
        return timedelta(minutes=self.grace_minutes)
