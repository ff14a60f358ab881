"""What `mayday doctor` asks of Slack: tokens, scopes, the channel, the user groups."""

from __future__ import annotations

from collections.abc import Iterator

from slack_sdk import WebClient

from actions.findings import Finding
from actions.settings.settings import Settings
from actions.settings.slack_values import FAMILIES
from actions.store.store import Store
from bot.slack import direct_messages
from bot.slack.client import FAILURES, Why, client_for, trouble
from bot.slack.command_names import name_of

SCOPES = (
    "commands",
    "chat:write",
    "files:write",
    "users:read",
    "usergroups:read",
    "channels:read",
    "channels:history",
    "app_mentions:read",
    "reactions:read",
    "im:write",
    "im:history",
)
"""Without one of these something of the bot does not work; `manifest.yml` asks for them."""


def check(settings: Settings, store: Store | None = None) -> list[Finding]:
    """Everything about Slack, in the order in which it would be mended; with a store, whom no message reached."""
    if not is_wanted(settings):
        return [Finding("Slack", True, "not set up: people use the terminal (docs/terminal.md)")]
    client = client_for(settings.slack)
    found = [*_token(client), *_app_token(settings), _channel(client, settings.slack.channel)]
    found += _commands(settings)
    people = settings.people
    groups = dict.fromkeys((*people.operator_groups, *people.approver_groups))
    told = direct_messages.check(store) if store is not None else []
    return [*found, *_people(settings), *(_group(client, group) for group in groups), *told]


def is_wanted(settings: Settings) -> bool:
    """Whether Slack is meant to be there: without it somebody has to be named for the terminal."""
    slack, people = settings.slack, settings.people
    tokens = (slack.bot_token, slack.app_token, slack.signing_secret)
    told = (slack.channel, people.operators, people.operator_groups, people.approvers, people.approver_groups)
    return any(token.get_secret_value() for token in tokens) or any(told) or not settings.operators.people


def _token(client: WebClient) -> Iterator[Finding]:
    name = "Slack bot token"
    try:
        said = client.auth_test()
    except FAILURES as error:
        yield _failed(name, error, "Put the app's bot token (xoxb-…) into the settings.")
        return
    given = str({k.lower(): v for k, v in dict(said.headers).items()}.get("x-oauth-scopes") or "").split(",")
    missing = [scope for scope in SCOPES if scope not in [g.strip() for g in given]]
    if missing and any(given):
        yield Finding(
            name,
            False,
            f"scopes are missing: {', '.join(missing)}",
            "Take over manifest.yml in the app's settings and install the app again.",
        )
    else:
        yield Finding(name, True, f"{said['user']} in {said['team']}")
    if said.get("enterprise_id"):
        yield _grid(bool(said.get("is_enterprise_install")))


def _grid(whole: bool) -> Finding:
    """What of an organisation's many workspaces is supported."""
    name = "Slack Enterprise Grid"
    if whole:
        return Finding(
            name,
            False,
            "the app is installed for the whole organisation; Mayday lives in one workspace",
            "Install it in the workspace of #ops-emergency, and use that token.",
        )
    return Finding(
        name,
        True,
        "one workspace of the organisation; people of others count as theirs where they are members of this one too",
    )


def _app_token(settings: Settings) -> Iterator[Finding]:
    slack = settings.slack
    if slack.mode == "http":
        given = bool(slack.signing_secret.get_secret_value())
        do = "" if given else "Without it every request is refused. It stands in the app's basic information."
        yield Finding("Slack signing secret", given, "given" if given else "not given", do)
        return
    name = "Slack app token"
    try:
        client_for(slack).apps_connections_open(app_token=slack.app_token.get_secret_value())
        yield Finding(name, True, "Socket Mode can be opened")
    except FAILURES as error:
        yield _failed(name, error, "Make an app-level token (xapp-…) with the scope connections:write.")


def _channel(client: WebClient, channel: str) -> Finding:
    name = "Slack channel"
    if not channel:
        return Finding(name, False, "no channel in the settings", "Set slack.channel to the id of #ops-emergency.")
    try:
        said = client.conversations_info(channel=channel)["channel"]
    except FAILURES as error:
        return _failed(name, error, "Set slack.channel to the id of #ops-emergency (C…), not to its name.")
    if not said.get("is_member"):
        return Finding(name, False, f"the bot is not in #{said.get('name')}", "Write there: /invite @Mayday")
    return Finding(name, True, f"#{said.get('name')}")


def _commands(settings: Settings) -> list[Finding]:
    """Renamed commands have to be renamed in the app as well; Slack tells no bot which commands an app has."""
    names = settings.slack.commands
    if not names:
        return []
    listed = ", ".join(f"/{name_of(family, names)}" for family in FAMILIES)
    return [
        Finding("Slack commands", True, f"{listed}: under these names they have to stand in the app, Slash Commands")
    ]


def _people(settings: Settings) -> Iterator[Finding]:
    people = settings.people
    for name, given in (
        ("Who may ask", (*people.operators, *people.operator_groups)),
        ("Who may approve", (*people.approvers, *people.approver_groups)),
    ):
        do = "" if given else "Fill people in the settings; an empty list lets nobody in."
        yield Finding(name, bool(given), f"{len(given)} ids" if given else "nobody", do)
    if any((people.operators, people.operator_groups, people.approvers, people.approver_groups)):
        yield _one_human_one_id(settings)


def _one_human_one_id(settings: Settings) -> Finding:
    """Somebody with an id here and another one in Slack would count as two people who agree."""
    unknown = [one.id for one in settings.operators.people if one.may_approve and not one.slack]
    said = f"without a Slack id: {', '.join(unknown)}" if unknown else "each is one person in Slack and in the terminal"
    do = "Set `slack` of these operators to their Slack user ids, so that nobody approves what they asked for."
    return Finding("Approvers of the terminal", not unknown, said, do if unknown else "")


def _group(client: WebClient, group: str) -> Finding:
    name = f"User group {group}"
    try:
        users = client.usergroups_users_list(usergroup=group)["users"]
    except FAILURES as error:
        return _failed(name, error, "Use the id of a user group (S…), or name people by their own ids.")
    return Finding(name, bool(users), f"{len(users)} people", "" if users else "Put people into the group.")


def _failed(name: str, error: Exception, do: str) -> Finding:
    why = trouble(error)
    away = why.why in (Why.DOUBT, Why.LIMITED)
    return Finding(name, False, why.code, "Slack cannot be reached; look at the network, try again." if away else do)
