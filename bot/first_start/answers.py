"""What the first start is told, as values, and the settings that come of it: no secret stands in them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.first_start.people_found import NamedPerson

SLACK_URL = "https://slack.com/api/"


@dataclass(frozen=True)
class SlackTold:
    """The Slack part: tokens, channel, who may what."""

    bot_token: str
    app_token: str
    channel: str
    channel_name: str
    operators: NamedPerson
    approvers: NamedPerson
    url: str = SLACK_URL


@dataclass(frozen=True)
class ServerTold:
    """The PostgreSQL part; archive and bases are folders as the container sees them."""

    container: str
    database: str
    archive: str
    bases: str
    writers: tuple[str, ...] = ()


@dataclass(frozen=True)
class TerminalUser:
    """Somebody with a login on the host; `slack` makes them the same person there and here."""

    login: str
    slack: str = ""
    name: str = ""


@dataclass(frozen=True)
class Told:
    """All answers. Without `slack` people use the terminal alone."""

    zone: str
    server: ServerTold
    redis: str
    slack: SlackTold | None = None
    users: tuple[TerminalUser, ...] = ()


def settings_text(told: Told, folder: Path) -> str:
    """`mayday.toml`: everything but what is secret."""
    return "\n".join([*_top(told, folder), *_server(told.server), *_slack(told.slack), *_users(told, folder)]) + "\n"


def variables_text(told: Told) -> str:
    """`mayday.env`: what is secret; empty where nothing is."""
    secret = {"SLACK_BOT_TOKEN": told.slack.bot_token, "SLACK_APP_TOKEN": told.slack.app_token} if told.slack else {}
    if _has_password(told.redis):
        secret["MAYDAY_REDIS"] = told.redis
    if not secret:
        return ""
    lines = [f"{name}={value}" for name, value in secret.items()]
    return "\n".join(["# The secrets of Mayday, for its owner alone: mode 600.", *lines]) + "\n"


def _top(told: Told, folder: Path) -> Iterator[str]:
    yield "# Written by mayday init. Every setting: docs/configuration.md. Check it with mayday doctor."
    yield f"operations_zone = {_text(told.zone)}"
    yield f"store = {_text(f'sqlite:///{folder}/mayday.db')}"
    if not _has_password(told.redis):
        yield f"redis = {_text(told.redis)}"


def _server(server: ServerTold) -> list[str]:
    return [
        "",
        "[site]",
        f"postgres = {_text(server.container)}",
        f"database = {_text(server.database)}",
        f"archive = {_text(server.archive)}",
        f"bases = {_text(server.bases)}",
        f"writers = {_list(server.writers)}",
    ]


def _slack(slack: SlackTold | None) -> Iterator[str]:
    if slack is None:
        return
    yield from ("", "[slack]", f"channel = {_text(slack.channel)}  # #{slack.channel_name}")
    if slack.url != SLACK_URL:
        yield f"base_url = {_text(slack.url)}"
    yield from ("", "[people]")
    for name, who in (("operator", slack.operators), ("approver", slack.approvers)):
        yield from _who(f"{name}s", [(one.id, one.name) for one in who.people])
        yield from _who(f"{name}_groups", [(id, f"@{handle}") for id, handle in who.groups])


def _who(key: str, named: Sequence[tuple[str, str]]) -> Iterator[str]:
    if named:
        lines = [f"    {_text(id)},  # {_comment(name)}" for id, name in named]
        yield from (f"{key} = [", *lines, "]")


def _users(told: Told, folder: Path) -> Iterator[str]:
    if not told.users:
        return
    yield from ("", "[operators]", f"keys = {_text(f'{folder}/mayday-keys')}")
    approvers = {one.id for one in told.slack.approvers.people} if told.slack else set()
    for user in told.users:
        yield from ("", "[[operators.people]]", f"id = {_text(user.login)}", f"name = {_text(user.name or user.login)}")
        yield f"os_users = {_list((user.login,))}"
        if user.slack:
            yield f"slack = {_text(user.slack)}"
        # With Slack there, somebody without an id in it would count as a second person beside themselves.
        may = user.slack in approvers if told.slack else True
        yield f"may_approve = {'true' if may else 'false'}"


def _has_password(redis: str) -> bool:
    return "@" in redis


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _list(values: Sequence[str]) -> str:
    return f"[{', '.join(map(_text, values))}]"


def _comment(value: str) -> str:
    return "".join(sign if sign.isprintable() else " " for sign in value)
