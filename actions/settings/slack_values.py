"""Values of Slack as people copy them: tokens of the right kind, ids instead of names, names of commands.

What is certainly wrong is refused where the settings are read; whether Slack takes the rest, `mayday doctor` asks.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, SecretStr

BOT_TOKEN = "OAuth & Permissions, Bot User OAuth Token"
APP_TOKEN = "Basic Information, App-Level Tokens, with the scope connections:write"
_COMMAND = re.compile(r"[a-z0-9_-]{1,31}")


def wrong_token(said: str, kind: Literal["xoxb", "xapp"]) -> str:
    """Why a text can be no token of that kind; empty where it can be one, or is none at all."""
    setting, where = ("bot_token", BOT_TOKEN) if kind == "xoxb" else ("app_token", APP_TOKEN)
    write = f"{setting} begins with {kind}-; in the app's settings: {where}"
    if not said or said.startswith((f"{kind}-", "xoxe.xoxb-" if kind == "xoxb" else "xapp-")):
        torn = re.search(r"[^!-~]|[\"']", said)
        return (
            f"it has a space, a quotation mark or another sign that no token has; copy it again. {write}"
            if torn
            else ""
        )
    if said.startswith("xapp-"):
        return f"this is an app-level token (xapp-…) and belongs into app_token; {write}"
    if said.startswith(("xoxb-", "xoxe.xoxb-")):
        return f"this is a bot token (xoxb-…) and belongs into bot_token; {write}"
    if said.startswith(("xoxp-", "xoxe.xoxp-")):
        return f"this is the token of a person (xoxp-…), not of the app's bot; {write}"
    return f"this is no such token; {write}"


def _token(said: SecretStr, kind: Literal["xoxb", "xapp"]) -> SecretStr:
    if why := wrong_token(said.get_secret_value(), kind):
        raise ValueError(why)
    return said


def _bot(said: SecretStr) -> SecretStr:
    return _token(said, "xoxb")


def _app(said: SecretStr) -> SecretStr:
    return _token(said, "xapp")


def _secret(said: SecretStr) -> SecretStr:
    if said.get_secret_value().startswith(("xox", "xapp-")):
        raise ValueError("this is a token; the signing secret is another one: Basic Information, App Credentials")
    return said


def _channel(said: str) -> str:
    if said and not re.fullmatch(r"[CG][A-Z0-9]+", said):
        raise ValueError(
            f"'{said[:80]}' is no channel's id; write the id (C…): in Slack a click on the channel's name, "
            "and it stands at the end of About"
        )
    return said


def _people(said: tuple[str, ...]) -> tuple[str, ...]:
    if wrong := [one for one in said if not re.fullmatch(r"[UW][A-Z0-9]+", one)]:
        other = "; a group's id belongs into operator_groups or approver_groups" if wrong[0][:1] == "S" else ""
        raise ValueError(
            f"'{wrong[0][:80]}' is nobody's id; write the id (U…): in Slack the person's profile, ⋮, "
            f"Copy member ID{other}"
        )
    return said


def _groups(said: tuple[str, ...]) -> tuple[str, ...]:
    if wrong := [one for one in said if not re.fullmatch(r"S[A-Z0-9]+", one)]:
        raise ValueError(
            f"'{wrong[0][:80]}' is no user group's id; write the id (S…): in Slack People, User groups, ⋮, Copy group "
            "ID. Without paid groups name people by their ids in operators and approvers"
        )
    return said


def _commands(said: dict[str, str]) -> dict[str, str]:
    for family, name in said.items():
        if family not in FAMILIES:
            raise ValueError(f"there is no command /{family[:40]} to rename; there are {', '.join(FAMILIES)}")
        if not _COMMAND.fullmatch(name):
            raise ValueError(
                f"'{name[:40]}' cannot be the command for /{family}; write up to 31 small letters, digits, - and _, "
                f'without the slash: {family} = "mayday-{family}"'
            )
    names = [said.get(family, family) for family in FAMILIES]
    if twice := next((name for name in names if names.count(name) > 1), ""):
        raise ValueError(f"two commands would be /{twice}; give each its own name")
    return said


FAMILIES = ("recover", "backup", "drill", "incident")
"""The slash commands by their own names; every procedure's command begins with one of them."""

BotToken = Annotated[SecretStr, AfterValidator(_bot)]
AppToken = Annotated[SecretStr, AfterValidator(_app)]
SigningSecret = Annotated[SecretStr, AfterValidator(_secret)]
ChannelId = Annotated[str, AfterValidator(_channel)]
UserIds = Annotated[tuple[str, ...], AfterValidator(_people)]
GroupIds = Annotated[tuple[str, ...], AfterValidator(_groups)]
CommandNames = Annotated[dict[str, str], AfterValidator(_commands)]
