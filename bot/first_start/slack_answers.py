"""Answers about Slack, checked by asking Slack: the two tokens, the channel, and what to do where it says no."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypeVar

from pydantic import SecretStr
from slack_sdk import WebClient

from actions.engine.errors import Refused
from actions.settings.outside import SlackSettings
from actions.settings.slack_values import APP_TOKEN, BOT_TOKEN, wrong_token
from bot.slack.client import FAILURES, Why, client_for, trouble
from bot.slack.slack_doctor import SCOPES

T = TypeVar("T")
_TRIES = 3
_MANIFEST = "In the app's settings take over manifest.yml (App Manifest), and install the app again."
_DO = {
    "invalid_auth": "Slack does not know this token. Copy it again, whole, from the app's settings.",
    "not_authed": "Slack saw no token. Copy it again, whole, from the app's settings.",
    "account_inactive": "The app was taken out of the workspace. Install it again (Install App); use the new token.",
    "token_revoked": "The token was revoked. Install the app again (Install App), and use the new token.",
    "token_expired": "The token is out of date. Turn token rotation off (manifest.yml), and install the app again.",
    "missing_scope": _MANIFEST,
    "not_allowed_token_type": "It is a token of another kind: the bot's begins with xoxb-, the other one with xapp-.",
    "no_permission": _MANIFEST,
    "team_access_not_granted": "The app is not installed in this workspace. Install it there, and use that token.",
    "org_login_required": "The workspace is being moved into an organisation. Try again when that is over.",
    "access_denied": "The workspace does not let the app in. Ask its owners to approve it.",
    "channel_not_found": "Give the channel's name, or its id (C…). A private channel is seen only by whoever is in it: "
    "write there /invite @Mayday.",
}
"""What to do about each of Slack's errors that a first start meets."""


@dataclass(frozen=True)
class Workspace:
    """The workspace that a bot token opens: its name, the bot's own name, the scopes that are missing."""

    client: WebClient
    team: str
    bot: str
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class ChannelFound:
    """A channel, and whether the bot is in it."""

    id: str
    name: str
    member: bool


def refused(what: str, error: Exception) -> Refused:
    """A refusal of Slack in words: what was asked, what Slack said, what to do about it."""
    why = trouble(error)
    if why.why is Why.DOUBT and not why.answered:
        do = "Slack cannot be reached from here: look at the network, a proxy, the clock. Then try again."
    elif why.why in (Why.LIMITED, Why.DOUBT):
        do = "Slack does not answer for the moment. Try again in a minute."
    else:
        do = _DO.get(why.code, "Look the word up at docs.slack.dev, among the errors of the method.")
    return Refused(f"{what} was not taken.", code="MD-CMD-057", detail=f"Slack says: {why.code}", hint=do)


def patiently(call: Callable[[], T]) -> T:
    """A call that waits as long as Slack asks it to, a few times. Raises what the last one raised."""
    for _ in range(_TRIES - 1):
        try:
            return call()
        except FAILURES as error:
            why = trouble(error)
            if why.why is not Why.LIMITED:
                raise
            time.sleep(min(why.wait, 30))
    return call()


def bot_token(said: str, slack: SlackSettings, opened: Callable[[SlackSettings], WebClient] = client_for) -> Workspace:
    """The workspace of a bot token.

    Raises:
        Refused: it can be none, or Slack does not take it.
    """
    _of_kind(said, "xoxb", "bot token", BOT_TOKEN)
    client = opened(slack.model_copy(update={"bot_token": SecretStr(said)}))
    try:
        answer = patiently(client.auth_test)
    except FAILURES as error:
        raise refused("The bot token", error) from None
    headers = {name.lower(): str(value) for name, value in dict(answer.headers).items()}
    given = {scope.strip() for scope in headers.get("x-oauth-scopes", "").split(",")} - {""}
    missing = tuple(scope for scope in SCOPES if given and scope not in given)
    return Workspace(client, str(answer["team"]), str(answer["user"]), missing)


def app_token(said: str, workspace: Workspace) -> str:
    """An app-level token that opens Socket Mode.

    Raises:
        Refused: it can be none, or Slack does not take it.
    """
    _of_kind(said, "xapp", "app-level token", APP_TOKEN)
    try:
        patiently(lambda: workspace.client.apps_connections_open(app_token=said))
    except FAILURES as error:
        raise refused("The app-level token", error) from None
    return said


def channel(said: str, workspace: Workspace) -> ChannelFound:
    """A channel by its id or its name.

    Raises:
        Refused: the bot sees none of that name; it is archived; or Slack does not say.
    """
    name = said.strip().lstrip("#").casefold()
    if not name:
        raise Refused(
            "A channel is needed.",
            code="MD-CMD-058",
            hint="It is where incidents and recoveries are told: #ops-emergency.",
        )
    try:
        if re.fullmatch(r"[CG][A-Z0-9]{5,}", said.strip()):
            found = patiently(lambda: workspace.client.conversations_info(channel=said.strip()))["channel"]
            return _usable(found)
        every = list(_channels(workspace.client))
    except FAILURES as error:
        raise refused(f"The channel {said[:80]}", error) from None
    exact = next((one for one in every if one["name"] == name), None)
    if exact is not None:
        return _usable(exact)
    near = ", ".join(f"#{one}" for one in get_close_matches(name, [str(one["name"]) for one in every], 3))
    raise Refused(
        f"The bot sees no channel #{name[:80]}.",
        code="MD-CMD-059",
        hint=f"{f'Did you mean {near}? ' if near else ''}Create it in Slack, or, where it is private, write in it "
        f"/invite @{workspace.bot}. Then give its name again.",
    )


def _usable(found: dict[str, Any]) -> ChannelFound:
    if found.get("is_archived"):
        raise Refused(
            f"#{found.get('name')} is archived.",
            code="MD-CMD-060",
            hint="Unarchive it in Slack, or give another channel.",
        )
    return ChannelFound(str(found["id"]), str(found.get("name") or found["id"]), bool(found.get("is_member")))


def _channels(client: WebClient) -> Iterator[dict[str, Any]]:
    """All channels that the bot sees; private ones where its scopes say so."""
    cursor, types = "", "public_channel,private_channel"
    while True:
        try:
            said = _page(client, types, cursor)
        except FAILURES as error:
            if trouble(error).code != "missing_scope" or types == "public_channel":
                raise
            types = "public_channel"
            continue
        yield from said["channels"]
        cursor = str((said.get("response_metadata") or {}).get("next_cursor") or "")
        if not cursor:
            return


def _page(client: WebClient, types: str, cursor: str) -> Any:
    return patiently(lambda: client.conversations_list(types=types, exclude_archived=True, limit=1000, cursor=cursor))


def _of_kind(said: str, kind: Any, name: str, where: str) -> None:
    if not said:
        raise Refused(
            f"A {name} is needed.", code="MD-CMD-061", hint=f"At api.slack.com/apps, in the app's settings: {where}."
        )
    if why := wrong_token(said, kind):
        raise Refused(f"That is no {name}.", code="MD-CMD-062", hint=f"{why[0].upper()}{why[1:]}.")
