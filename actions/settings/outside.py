"""What is outside of the stack: Slack, PagerDuty, the status page, the bot's own web server, the heartbeat."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr

from actions.settings.checked import Checked
from actions.settings.slack_values import AppToken, BotToken, ChannelId, CommandNames, SigningSecret


class SlackSettings(Checked):
    """Where Slack is and how the bot speaks to it. `channel` is the id of #ops-emergency.

    `commands` renames slash commands where another app of the workspace has one of the name already.
    """

    channel: ChannelId = ""
    mode: Literal["socket", "http"] = "socket"
    base_url: str = Field(default="https://slack.com/api/", pattern=r"^https?://\S+$")
    bot_token: BotToken = SecretStr("")
    app_token: AppToken = SecretStr("")
    signing_secret: SigningSecret = SecretStr("")
    http_host: str = "0.0.0.0"
    http_port: int = Field(default=3000, ge=0, le=65535)
    commands: CommandNames = Field(default={})


class WebSettings(Checked):
    """The bot's own web server: PagerDuty's webhook, `/metrics`, `/healthz`. Port 0 takes any free one."""

    enabled: bool = False
    host: str = "0.0.0.0"
    port: int = 8080


class HeartbeatSettings(Checked):
    """The dead-man heartbeat: an address that is called while a self-audit passes, and whose silence is the alarm.

    `archive_minutes` is how long WAL may wait for the archive, `stuck_minutes` how long a run may stand still
    without a worker.
    """

    url: SecretStr = SecretStr("")
    every: float = Field(default=60, ge=1)
    archive_minutes: float = Field(default=10, gt=0)
    stuck_minutes: float = Field(default=5, gt=0)


class PagerDutySettings(Checked):
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
    services: dict[str, str] = Field(default={})
    depends_on: dict[str, tuple[str, ...]] = Field(default={})
    policies: tuple[str, ...] = ()
    fold_minutes: float = Field(default=10, gt=0)
    poll_seconds: float = Field(default=15, ge=1)


class StatusPageSettings(Checked):
    """The status page. `kind` is empty for none; `components` maps containers to the page's component ids.

    `automatic` names the kinds of update that are published without a person: opened, started, finished,
    failed, resolved; every other one waits for somebody who presses. `path` is the directory of the file adapter.
    """

    kind: Literal["", "statuspage", "files", "pagerduty"] = ""
    page: str = ""
    token: SecretStr = SecretStr("")
    api_url: str = ""
    ca_file: str = ""
    path: str = ""
    public_url: str = ""
    components: dict[str, str] = Field(default={})
    automatic: tuple[Literal["opened", "started", "finished", "failed", "resolved"], ...] = ()
    notify: bool = True
