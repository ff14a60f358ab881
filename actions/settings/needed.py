"""What the bot cannot start without, said at once: which settings are missing, where they go, where they are found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from actions.engine.errors import Refused
from actions.settings.settings import Settings
from actions.settings.slack_values import APP_TOKEN, BOT_TOKEN
from actions.settings.variables import SECRETS, variables_file


def need_slack(settings: Settings, file: Path) -> None:
    """Raises Refused where the bot would stand without Slack; a worker and the terminal need none.

    Raises:
        Refused: a token or the channel is missing; all of them are told at once.
    """
    missing = list(_missing(settings, file))
    if missing:
        count = "A setting is" if len(missing) == 1 else f"{len(missing)} settings are"
        raise Refused(
            f"{count} missing, without which the bot cannot speak to Slack.",
            code="MD-SET-007",
            detail="\n".join(missing),
            hint=f"mayday init asks for them. mayday doctor --config {file} checks them. Without Slack, start the "
            "worker alone and use the terminal: docs/terminal.md.",
        )


def _missing(settings: Settings, file: Path) -> Iterator[str]:
    slack = settings.slack
    if not slack.bot_token.get_secret_value():
        yield _secret("bot_token", "xoxb-…", BOT_TOKEN, file)
    if slack.mode == "socket" and not slack.app_token.get_secret_value():
        yield _secret("app_token", "xapp-…", APP_TOKEN, file)
    if slack.mode == "http" and not slack.signing_secret.get_secret_value():
        yield _secret("signing_secret", "…", "Basic Information, App Credentials, Signing Secret", file)
    if not slack.channel:
        yield (
            f'slack.channel: write channel = "C…" below [slack] in {file}: the id of #ops-emergency, at the end of '
            "its About in Slack"
        )


def _secret(name: str, form: str, where: str, file: Path) -> str:
    return (
        f"slack.{name}: write {SECRETS['slack'][name]}={form} into {variables_file(file)} (mode 600) "
        f"or the environment; at api.slack.com/apps: {where}"
    )
