"""The settings, checked: what is where, who may do what. Secrets never print themselves.

They come from one TOML file; `mayday.py` reads it and lays the environment's secrets over it.
"""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, field_validator

from actions.settings.site import Site, checked_rate


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


class PeopleSettings(_Checked):
    """Who may ask for a recovery, who may approve one: Slack user ids and user group ids.

    Nobody is in by being in the channel. An empty list lets nobody in. What Slack said is good for asking for
    `cache_seconds`, and while Slack does not answer for `cache_hours`.
    """

    operators: tuple[str, ...] = ()
    operator_groups: tuple[str, ...] = ()
    approvers: tuple[str, ...] = ()
    approver_groups: tuple[str, ...] = ()
    cache_seconds: int = 300
    cache_hours: float = Field(default=72, ge=0)


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
    approval_rows: int = Field(default=1000, ge=0)
    clone_libraries: tuple[str, ...] = ()
    compare_seconds: float = Field(default=120, ge=1)
    data_directory: str = ""
    backup_rate: Annotated[str, AfterValidator(checked_rate)] = "100M"
    docker_host: str = ""
    dumps: tuple[str, ...] = ("/backups/postgres/daily", "/backups/postgres/weekly")

    def site(self) -> Site:
        """The part that steps see."""
        return Site(**self.model_dump(exclude={"docker_host", "dumps"}))


class WebSettings(_Checked):
    """The bot's own web server: PagerDuty's webhook, `/metrics`, `/healthz`. Port 0 takes any free one."""

    enabled: bool = False
    host: str = "0.0.0.0"
    port: int = 8080


class HeartbeatSettings(_Checked):
    """The dead-man heartbeat: an address that is called while a self-audit passes, and whose silence is the alarm.

    `archive_minutes` is how long WAL may wait for the archive, `stuck_minutes` how long a run may stand still
    without a worker.
    """

    url: SecretStr = SecretStr("")
    every: float = Field(default=60, ge=1)
    archive_minutes: float = Field(default=10, gt=0)
    stuck_minutes: float = Field(default=5, gt=0)


class PagerDutySettings(_Checked):
    """PagerDuty. Nothing is asked of it without a `token`; `sender` is the email that REST wants in `From`.

    `services` maps PagerDuty's service ids or names to containers, `depends_on` a container to those it
    needs. `fold_minutes` is how long alerts of one service, or of what depends on it, join one thread.
    `secrets_file` is where `mayday pagerduty connect` keeps the secrets of webhooks, one a line.
    """

    token: SecretStr = SecretStr("")
    sender: str = ""
    routing_key: SecretStr = SecretStr("")
    webhook_secrets: tuple[SecretStr, ...] = ()
    secrets_file: str = ""
    api_url: str = "https://api.pagerduty.com"
    events_url: str = "https://events.pagerduty.com"
    ca_file: str = ""
    services: dict[str, str] = {}
    depends_on: dict[str, tuple[str, ...]] = {}
    policies: tuple[str, ...] = ()
    fold_minutes: float = Field(default=10, gt=0)
    poll_seconds: float = Field(default=15, ge=1)


class StatusPageSettings(_Checked):
    """The status page. `kind` is empty for none; `components` maps containers to the page's component ids.

    `automatic` names the kinds of update that are published without a person: opened, started, finished,
    failed. `path` is the directory of the file adapter.
    """

    kind: Literal["", "statuspage", "files", "pagerduty"] = ""
    page: str = ""
    token: SecretStr = SecretStr("")
    api_url: str = ""
    ca_file: str = ""
    path: str = ""
    public_url: str = ""
    components: dict[str, str] = {}
    automatic: tuple[Literal["opened", "started", "finished", "failed"], ...] = ()
    notify: bool = True


class Contact(_Checked):
    """Somebody of the contact list; `slack` is a user id, `pagerduty` a user or escalation policy id."""

    role: Literal["on-call", "backup", "dba", "infrastructure", "cto"]
    name: str
    phone: str = ""
    email: str = ""
    slack: str = ""
    pagerduty: str = ""


Reach = Annotated[str, Field(pattern=r"^(channel|(page|call) (on-call|backup|dba|infrastructure|cto))$")]
"""`channel`: say it in #ops-emergency. `page ROLE`: through PagerDuty. `call ROLE`: directly, by phone too."""


class ContactRule(_Checked):
    """How a severity reaches people, within business hours and after them."""

    business: tuple[Reach, ...] = ("channel",)
    after_hours: tuple[Reach, ...] = ("channel", "page on-call")


class ContactSettings(_Checked):
    """The contact rules: who is told, by severity, within business hours and after them.

    Business hours are in `operations_zone`; `holidays` are dates on which there are none. A severity without
    a rule of its own follows the manual (`actions/incidents/contacts.py`).
    """

    people: tuple[Contact, ...] = ()
    business_days: tuple[int, ...] = (0, 1, 2, 3, 4)
    business_from: time = time(9)
    business_until: time = time(17)
    holidays: tuple[date, ...] = ()
    rules: dict[Literal["critical", "high", "medium", "low"], ContactRule] = {}


class Operator(_Checked):
    """Somebody who may use the terminal on the host.

    `os_users` are their login names or numeric user ids. With `slack`, the id of their Slack user, they are the same
    person here and there: who asked in Slack does not approve in the terminal.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_.-]{0,30}$")
    name: str
    os_users: tuple[str, ...]
    slack: str = ""
    may_ask: bool = True
    may_approve: bool = False

    @property
    def person(self) -> str:
        """The id under which the journals know this person."""
        return self.slack or f"operator:{self.id}"


class OperatorSettings(_Checked):
    """Who may do what in a terminal, and where the secrets of their one-time codes lie.

    `glass_minutes` is how long a question must have waited for a second person before whoever asked may go alone;
    0 never lets them.
    """

    people: tuple[Operator, ...] = ()
    keys: str = "mayday-keys"
    lock_minutes: float = Field(default=5, gt=0)
    glass_minutes: float = Field(default=0, ge=0)

    @property
    def lock(self) -> timedelta:
        """How long no code is taken after too many wrong ones."""
        return timedelta(minutes=self.lock_minutes)

    @property
    def glass(self) -> timedelta | None:
        """How long others must have had to answer; None where nobody may go alone."""
        return timedelta(minutes=self.glass_minutes) if self.glass_minutes else None

    @field_validator("people")
    @classmethod
    def _each_once(cls, people: tuple[Operator, ...]) -> tuple[Operator, ...]:
        given = {
            "id": [o.id for o in people],
            "slack": [o.slack for o in people if o.slack],
            "os_users": [user for o in people for user in dict.fromkeys(o.os_users)],
        }
        for name, values in given.items():
            if twice := [value for value in values if values.count(value) > 1]:
                raise ValueError(f"two operators have the same {name}: {twice[0]}")
        return people


class Settings(_Checked):
    """All settings of one installation. `anchors` is where the heads of the journals are noted."""

    operations_zone: str = "UTC"
    store: str = "sqlite:///mayday.db"
    anchors: str = ""
    archive_days: int = Field(default=0, ge=0)
    redis: SecretStr = SecretStr("redis://127.0.0.1:6379/0")
    site: SiteSettings = SiteSettings()
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
