"""Buttons: answers to questions, and Stop, Retry, Undo."""

from __future__ import annotations

import logging
import re
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient

from actions.engine.errors import RecoveryError
from bot.context import BotContext
from bot.dispatch import hear, told
from bot.listeners.recipient import recipient_of, team_of
from bot.listeners.reply_delivery import deliver
from bot.listeners.response_deadline import TAKEN, UNDER_WAY, ResponseDeadline
from bot.listeners.whisper import whisper
from bot.runs.answer_dialog import must_be_allowed, repeated
from bot.runs.button_target import ButtonTarget
from bot.runs.requests import Origin
from bot.runs.run_control import answer, find, offered, steer, typed_by
from bot.slack.client import FAILURES, trouble
from bot.views import answer_modals

_log = logging.getLogger(__name__)


def register(app: App, bot: BotContext) -> None:
    """Listen to our buttons."""

    def listen(ack: Ack, body: dict[str, Any], action: dict[str, Any], client: WebClient) -> None:
        ack()
        key = f"click {_key(body, action)}"
        if not bot.recent.first(key):
            return
        prompt = ResponseDeadline(lambda: _tell(client, body, UNDER_WAY))
        try:
            prompt(lambda: _pressed(bot, client, body, action, key))
        except RecoveryError as refusal:
            _tell(client, body, told(refusal))
        else:
            if prompt.told:
                _tell(client, body, TAKEN)

    app.action(re.compile(r"^(answer|steer|offer):"))(listen)


def _key(body: dict[str, Any], action: dict[str, Any]) -> str:
    """The same for every delivery of one press: message, moment, person."""
    container = body.get("container") or {}
    return f"{container.get('message_ts')} {action.get('action_ts')} {action.get('action_id')} {body['user']['id']}"


def _pressed(bot: BotContext, client: WebClient, body: dict[str, Any], action: dict[str, Any], key: str) -> None:
    kind, _, how = str(action["action_id"]).partition(":")
    value, user, team = str(action.get("value") or ""), str(body["user"]["id"]), team_of(body)
    bot.people.admit(user, team)
    if kind == "offer":
        _offered(bot, client, body, offered(bot, ButtonTarget.of(value)), key)
        return
    if kind == "steer":
        steer(bot, how, value, bot.people.approving(user, team).speaker, key)
        return
    press = ButtonTarget.of(value)
    types = typed_by(bot, press)
    if types:
        must_be_allowed(bot, press, user, team)
        _open(bot, client, body, press, types)
        return
    answer(bot, press, bot.people.approving(user, team).speaker, key=key)


def _offered(bot: BotContext, client: WebClient, body: dict[str, Any], command: str, key: str) -> None:
    """Ask for what the button stands for, as if the person had typed it there."""
    place = recipient_of(body)
    reply = hear(bot, command, Origin(key, place.user, team_of(body), place.channel, place.thread or ""))
    deliver(bot, client, place, reply)


def _open(bot: BotContext, client: WebClient, body: dict[str, Any], press: ButtonTarget, types: str) -> None:
    """Ask for what has to be typed. The trigger lives three seconds, so it is made of the journal alone."""
    service, repeats = find(bot, press.run).service, repeated(bot, press)
    view = answer_modals.ask(press, types, service, repeats, recipient_of(body).channel)
    try:
        client.views_open(trigger_id=body["trigger_id"], view=view)
    except FAILURES as error:
        why = trouble(error).code
        _log.warning("the dialog could not be opened: %s", why)
        _tell(client, body, f"The dialog could not be opened ({why}). Press the button once more.")


def _tell(client: WebClient, body: dict[str, Any], text: str) -> None:
    place = recipient_of(body)
    if place.channel:
        whisper(client, place.channel, place.user, text, place.thread)
