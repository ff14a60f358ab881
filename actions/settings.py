"""The settings, checked: what is where, who may do what. Secrets never print themselves.

They come from one TOML file; `mayday.py` reads it and lays the environment's secrets over it.
"""

from __future__ import annotations

from typing import Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from actions.tools import Site


class _Checked(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SlackSettings(_Checked):
    """Where Slack is and how the bot speaks to it. `channel` is the id of #ops-emergency."""

    channel: str = ""
    mode: Literal["socket", "http"] = "socket"
    base_url: str = "https://slack.com/api/"
    bot_token: SecretStr = SecretStr("")
    app_token: SecretStr = SecretStr("")
    signing_secret: SecretStr = SecretStr("")
    http_host: str = "0.0.0.0"
    http_port: int = 3000


class People(_Checked):
    """Who may ask for a recovery, who may approve one: Slack user ids and user group ids.

    Nobody is in by being in the channel. An empty list lets nobody in.
    """

    operators: tuple[str, ...] = ()
    operator_groups: tuple[str, ...] = ()
    approvers: tuple[str, ...] = ()
    approver_groups: tuple[str, ...] = ()
    cache_seconds: int = 300


class SiteSettings(_Checked):
    """One Docker host: its containers and folders, as the Postgres container sees the folders."""

    name: str = "main"
    postgres: str = "nself-postgres"
    database: str = "nself_db"
    user: str = "postgres"
    archive: str = "/backups/postgres/wal"
    bases: str = "/backups/postgres/base"
    writers: tuple[str, ...] = ("nself-functions", "nself-hasura", "nself-auth")
    smoke_url: str = ""
    newest_table: str = ""
    kept_days: int = Field(default=14, ge=1)
    docker_host: str = ""

    def site(self) -> Site:
        """The part that steps see."""
        return Site(**self.model_dump(exclude={"docker_host"}))


class Settings(_Checked):
    """All settings of one installation."""

    operations_zone: str = "UTC"
    store: str = "sqlite:///mayday.db"
    redis: SecretStr = SecretStr("redis://127.0.0.1:6379/0")
    site: SiteSettings = SiteSettings()
    slack: SlackSettings = SlackSettings()
    people: People = People()

    @field_validator("operations_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(f"'{value}' is no time zone; write for example Europe/Berlin")
        return ZoneInfo(value).key
