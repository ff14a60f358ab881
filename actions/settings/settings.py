"""The settings, checked: what is where, who may do what. Secrets never print themselves.

They come from one TOML file; `mayday.py` reads it and lays the environment's secrets over it.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Self

from pydantic import Field, SecretStr, field_validator, model_validator

from actions.settings.checked import Checked, ZoneName
from actions.settings.contacts import ContactSettings
from actions.settings.failover import FailoverSettings
from actions.settings.lanes import LaneSettings
from actions.settings.outside import (
    HeartbeatSettings,
    PagerDutySettings,
    SlackSettings,
    StatusPageSettings,
    WebSettings,
)
from actions.settings.people import OperatorSettings, PeopleSettings
from actions.settings.preview import PreviewSettings
from actions.settings.schedules import ScheduleTable
from actions.settings.services import ServiceTable, SiteTable
from actions.settings.site import SiteConfig, SiteSettings
from actions.settings.stack import ToldSite, sites_of
from actions.stack.stack import Site


class Settings(Checked):
    """All settings of one installation. `anchors` is where the heads of the journals are noted.

    `site` is the default site and its PostgreSQL; `stack()` is all of them, with all that is on them, and `servers()`
    is what steps have to know of each PostgreSQL.
    """

    operations_zone: ZoneName = "UTC"
    store: str = "sqlite:///mayday.db"
    anchors: str = ""
    archive_days: int = Field(default=0, ge=0)
    redis: SecretStr = SecretStr("redis://127.0.0.1:6379/0")
    site: SiteSettings = SiteSettings()
    sites: tuple[SiteTable, ...] = ()
    services: tuple[ServiceTable, ...] = ()
    failover: FailoverSettings = FailoverSettings()
    lanes: LaneSettings = LaneSettings()
    schedules: tuple[ScheduleTable, ...] = ()
    preview: PreviewSettings = PreviewSettings()
    slack: SlackSettings = SlackSettings()
    people: PeopleSettings = PeopleSettings()
    web: WebSettings = WebSettings()
    heartbeat: HeartbeatSettings = HeartbeatSettings()
    pagerduty: PagerDutySettings = PagerDutySettings()
    statuspage: StatusPageSettings = StatusPageSettings()
    contacts: ContactSettings = ContactSettings()
    operators: OperatorSettings = OperatorSettings()

    @field_validator("store")
    @classmethod
    def _readable_store(cls, value: str) -> str:
        if not re.match(r"sqlite://|postgresql\+psycopg://", value):
            raise ValueError(
                f"'{value.partition('@')[0].partition(':')[0][:20]}…' begins no address of a store; write "
                "sqlite:////var/lib/mayday/mayday.db, or postgresql+psycopg://…"
            )
        return value

    @model_validator(mode="after")
    def _agreed(self) -> Self:
        names = [schedule.name for schedule in self.schedules]
        if twice := next((name for name in names if names.count(name) > 1), ""):
            raise ValueError(f"schedules: two have the name '{twice}'; give each its own")
        # The model is frozen for everybody else; here it is still being made.
        told = self._sites()
        object.__setattr__(self, "site", told[0].settings)
        object.__setattr__(self, "sites", tuple(one.settings for one in told[1:]))
        return self

    def _sites(self) -> tuple[ToldSite, ...]:
        return sites_of(self.site, self.services, self.sites)

    def stack(self) -> tuple[Site, ...]:
        """All sites with their services, the default one first."""
        return tuple(one.site for one in self._sites())

    def servers(self, site: str = "") -> tuple[SiteConfig, ...]:
        """Every PostgreSQL of whose backups something is told, of one site or of all: the default site's own first."""
        told = (server for one in self._sites() if site in ("", one.site.name) for server in one.servers)
        return tuple(replace(server, preview=self.preview.tables()) for server in told)

    def own_server(self, site: str) -> SiteConfig:
        """What a site's own table tells of its PostgreSQL, whether or not there is one.

        Raises:
            KeyError: there is no such site.
        """
        told = {one.site.name: one for one in self._sites()}[site]
        own = told.settings.site()
        found = next((server for server in told.servers if server.postgres == own.postgres), own)
        return replace(found, preview=self.preview.tables())

    def server(self, service: str, site: str) -> SiteConfig | None:
        """What is told of one PostgreSQL; None where nothing is, or where it is none."""
        return next((one for one in self.servers(site) if one.name == site and one.postgres == service), None)

    def shared_writers(self, service: str, site: str) -> tuple[str, ...]:
        """Who writes into that server and into another of its site too: two recoveries would pause and resume them."""
        told = next((one for one in self._sites() if one.site.name == site), None)
        into = {one.postgres: told.named(one.writers) for one in told.servers} if told else {}
        others = {name for other, names in into.items() if other != service for name in names}
        return tuple(name for name in into.get(service, ()) if name in others)
