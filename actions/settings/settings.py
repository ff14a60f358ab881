"""The settings, checked: what is where, who may do what. Secrets never print themselves.

They come from one TOML file; `mayday.py` reads it and lays the environment's secrets over it.
"""

from __future__ import annotations

from typing import Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, SecretStr, field_validator, model_validator

from actions.settings.checked import Checked
from actions.settings.contacts import ContactSettings
from actions.settings.lanes import LaneSettings
from actions.settings.outside import (
    HeartbeatSettings,
    PagerDutySettings,
    SlackSettings,
    StatusPageSettings,
    WebSettings,
)
from actions.settings.people import OperatorSettings, PeopleSettings
from actions.settings.schedules import ScheduleTable
from actions.settings.services import ServiceTable, SiteTable
from actions.settings.site import SiteSettings
from actions.settings.stack import stack_of
from actions.stack.stack import Site


class Settings(Checked):
    """All settings of one installation. `anchors` is where the heads of the journals are noted.

    `site` is the default site and its PostgreSQL; `stack()` is all of them, with all that is on them.
    """

    operations_zone: str = "UTC"
    store: str = "sqlite:///mayday.db"
    anchors: str = ""
    archive_days: int = Field(default=0, ge=0)
    redis: SecretStr = SecretStr("redis://127.0.0.1:6379/0")
    site: SiteSettings = SiteSettings()
    sites: tuple[SiteTable, ...] = ()
    services: tuple[ServiceTable, ...] = ()
    lanes: LaneSettings = LaneSettings()
    schedules: tuple[ScheduleTable, ...] = ()
    slack: SlackSettings = SlackSettings()
    people: PeopleSettings = PeopleSettings()
    web: WebSettings = WebSettings()
    heartbeat: HeartbeatSettings = HeartbeatSettings()
    pagerduty: PagerDutySettings = PagerDutySettings()
    statuspage: StatusPageSettings = StatusPageSettings()
    contacts: ContactSettings = ContactSettings()
    operators: OperatorSettings = OperatorSettings()

    @field_validator("operations_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(f"'{value}' is no time zone; write for example Europe/Berlin")
        return ZoneInfo(value).key

    @model_validator(mode="after")
    def _agreed(self) -> Self:
        names = [schedule.name for schedule in self.schedules]
        if twice := next((name for name in names if names.count(name) > 1), ""):
            raise ValueError(f"schedules: two have the name '{twice}'; give each its own")
        # The model is frozen for everybody else; here it is still being made.
        object.__setattr__(self, "site", stack_of(self.site, self.services, self.sites)[0])
        return self

    def stack(self) -> tuple[Site, ...]:
        """All sites with their services, the default one first."""
        return stack_of(self.site, self.services, self.sites)[1]
