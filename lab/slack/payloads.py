"""What the bot receives, field by field as Slack sends it."""

from __future__ import annotations

from typing import Any

from lab.slack.calls import message_json
from lab.slack.company import User
from lab.slack.messages import Json, Message
from lab.slack.world import OpenView, Trigger, World


def slash_command(world: World, user: User, trigger: Trigger, command: str, text: str) -> Json:
    company = world.company
    channel = company.channel(company.main_channel)
    return {
        "token": "practice",
        "team_id": company.team_id,
        "team_domain": company.domain,
        "channel_id": company.main_channel,
        "channel_name": channel.name if channel else "",
        "user_id": user.id,
        "user_name": user.name,
        "command": command,
        "text": text,
        "api_app_id": company.app_id,
        "is_enterprise_install": "false",
        "response_url": world.new_hook(trigger, company.main_channel),
        "trigger_id": trigger.id,
    }


def app_mention(world: World, message: Message) -> Json:
    event = {
        "type": "app_mention",
        "user": message.author,
        "text": message.text,
        "ts": message.ts,
        "channel": message.channel,
        "event_ts": message.ts,
        "team": world.company.team_id,
    }
    return event | ({"thread_ts": message.thread_ts} if message.thread_ts else {})


def direct_message(world: World, message: Message) -> Json:
    """What somebody writes to the bot alone; Slack sends it whether or not the bot is named in it."""
    return app_mention(world, message) | {"type": "message", "channel_type": "im"}


def reaction_added(world: World, user: User, message: Message, name: str) -> Json:
    item = {"type": "message", "channel": message.channel, "ts": message.ts}
    return {
        "type": "reaction_added",
        "user": user.id,
        "reaction": name,
        "item_user": message.author,
        "item": item,
        "event_ts": world.log.next_ts(),
    }


def home_opened(world: World, user: User) -> Json:
    home = world.homes.get(user.id)
    event = {
        "type": "app_home_opened",
        "user": user.id,
        "channel": "D" + user.id[1:],
        "tab": "home",
        "event_ts": world.log.next_ts(),
    }
    return event | ({"view": home.as_slack(world.company)} if home else {})


def message_action(world: World, user: User, trigger: Trigger, message: Message, action: Json, state: Json) -> Json:
    """A button or menu of a message was used."""
    place: Json = {"message_ts": message.ts, "channel_id": message.channel, "is_ephemeral": bool(message.only_for)}
    if message.is_reply:
        place["thread_ts"] = str(message.thread_ts)
    channel = world.company.channel(message.channel)
    body = _action(world, user, trigger, action) | {
        "container": {"type": "message", **place},
        "channel": {"id": message.channel, "name": channel.name if channel else ""},
        "state": {"values": state},
        "response_url": world.new_hook(trigger, message.channel, message),
    }
    # Slack does not repeat an ephemeral message to the app.
    return body if message.only_for else body | {"message": message_json(world, message)}


def view_action(world: World, user: User, trigger: Trigger, view: OpenView, action: Json, state: Json) -> Json:
    shown = view.as_slack(world.company) | {"state": {"values": state}}
    container = {"type": "view", "view_id": view.id}
    return _action(world, user, trigger, action) | {"container": container, "view": shown}


def view_submission(world: World, user: User, trigger: Trigger, view: OpenView, state: Json) -> Json:
    shown = view.as_slack(world.company) | {"state": {"values": state}}
    return {
        **_who(world, user),
        "type": "view_submission",
        "trigger_id": trigger.id,
        "view": shown,
        "response_urls": [],
        "is_enterprise_install": False,
    }


def view_closed(world: World, user: User, view: OpenView) -> Json:
    return {
        **_who(world, user),
        "type": "view_closed",
        "view": view.as_slack(world.company),
        "is_cleared": False,
        "is_enterprise_install": False,
    }


def action_of(world: World, block_id: str, element: Json, chosen: Any = None) -> Json:
    """The entry of `actions` for a button pressed or an option chosen."""
    kept: Json = {key: element[key] for key in ("type", "action_id", "text", "value", "style") if key in element}
    action = {**kept, "block_id": block_id, "action_ts": world.log.next_ts()}
    return action | ({"selected_option": chosen} if chosen else {})


def _action(world: World, user: User, trigger: Trigger, action: Json) -> Json:
    return {
        **_who(world, user),
        "type": "block_actions",
        "trigger_id": trigger.id,
        "actions": [action],
        "is_enterprise_install": False,
        "enterprise": None,
    }


def _who(world: World, user: User) -> Json:
    company = world.company
    person = {"id": user.id, "username": user.name, "name": user.name, "team_id": company.team_id}
    return {
        "user": person,
        "team": {"id": company.team_id, "domain": company.domain},
        "api_app_id": company.app_id,
        "token": "practice",
    }
