"""The home tab: somebody opens it, presses its buttons, fills in its dialog."""

from __future__ import annotations

import logging
import re
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient

from actions.engine.errors import RecoveryError
from actions.engine.procedure import Risk
from actions.incidents.suggested_recoveries import sentence
from bot.commands.addressed_commands import addressed
from bot.commands.parse_command import command_of
from bot.context import BotContext
from bot.dispatch import Reply, hear, told
from bot.listeners.recipient import team_of
from bot.listeners.response_deadline import TAKEN, UNDER_WAY, ResponseDeadline
from bot.listeners.whisper import whisper
from bot.replies import recover_offers
from bot.runs.requests import Origin
from bot.slack.client import FAILURES, trouble
from bot.slack.home_tab import Home
from bot.views import home_dialogs
from bot.views.home_view import BEGIN, RECOVER

_log = logging.getLogger(__name__)


def register(app: App, bot: BotContext, home: Home) -> None:
    """Listen to the home tab."""

    def opened(event: dict[str, Any]) -> None:
        if event.get("tab") == "home":
            home.opened(str(event["user"]), str((event.get("view") or {}).get("hash") or ""))

    def ask(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        ack()
        try:
            # A home tab may be of a time when they were no guest yet.
            bot.people.admit(str(body["user"]["id"]), team_of(body))
        except RecoveryError as refusal:
            _open(bot, client, body, home_dialogs.told(told(refusal)))
            return
        _open(bot, client, body, _dialog(bot))

    def begin(ack: Ack, body: dict[str, Any], action: dict[str, Any], client: WebClient) -> None:
        ack()
        prompt = ResponseDeadline(lambda: _open(bot, client, body, home_dialogs.told(UNDER_WAY)))
        reply = _said(bot, prompt, str(action["value"]), _origin(bot, body, str(action["action_ts"])))
        bot.wake_worker(*reply.runs)
        if prompt.told:
            # The trigger of the press is spent, so the outcome cannot be shown as a dialog any more.
            _whisper(bot, client, body, reply.text or TAKEN)
        elif reply.text:
            _open(bot, client, body, home_dialogs.told(reply.text))

    app.event("app_home_opened")(opened)
    app.action(RECOVER)(ask)
    app.action(re.compile(rf"^{BEGIN}:"))(begin)
    _register_dialog(app, bot)


def _register_dialog(app: App, bot: BotContext) -> None:
    def submitted(ack: Ack, body: dict[str, Any], view: dict[str, Any], client: WebClient) -> None:
        command, rest = home_dialogs.filled(view)
        prompt = ResponseDeadline(lambda: ack(response_action="update", view=home_dialogs.told(UNDER_WAY)))
        reply = _said(bot, prompt, f"{command} {rest}", _origin(bot, body, str(body["trigger_id"])))
        bot.wake_worker(*reply.runs)
        if prompt.told:
            _whisper(bot, client, body, reply.text or TAKEN)
        elif not reply.runs and reply.text:
            ack(response_action="errors", errors={home_dialogs.TEXT: home_dialogs.bare(reply.text)})
        else:
            ack(response_action="update", view=home_dialogs.told(reply.text)) if reply.text else ack()

    app.view(home_dialogs.CALLBACK)(submitted)


def _said(bot: BotContext, prompt: ResponseDeadline, text: str, origin: Origin) -> Reply:
    try:
        return prompt(lambda: hear(bot, text, origin))
    except RecoveryError as refusal:
        return Reply(told(refusal))


def _origin(bot: BotContext, body: dict[str, Any], key: str) -> Origin:
    user, team = body["user"], team_of(body)
    name = str(user.get("name") or "")
    return Origin(f"home {user['id']} {key}", str(user["id"]), team, bot.settings.slack.channel, name=name)


def _dialog(bot: BotContext) -> dict[str, Any]:
    """The recoveries that change something, each as a sentence, with what was seen to be lost."""
    site = bot.settings.stack()[0]
    changing = [p for p in bot.catalog if p.risk is not Risk.READS and command_of(p).startswith("recover ")]
    offered = [
        (command, sentence(p, name)) for p in changing for command, name in addressed(command_of(p), p.about, site)
    ]
    found, earlier = recover_offers.offers(bot)
    # A moment stands there already only where it cannot be taken for another recovery's.
    moment = found[0].loss.before if found and len(offered) == 1 else None
    seen = "\n".join(recover_offers.seen(bot, [one.loss for one in found], earlier))
    return home_dialogs.recover(offered, moment, seen)


def _open(bot: BotContext, client: WebClient, body: dict[str, Any], view: dict[str, Any]) -> None:
    """Show a dialog; what it would have said stands in the channel where that fails."""
    try:
        client.views_open(trigger_id=body["trigger_id"], view=view)
    except FAILURES as error:
        why = trouble(error).code
        _log.warning("the dialog could not be opened: %s", why)
        text = home_dialogs.text_of(view) or f"The dialog could not be opened ({why}). Press the button once more."
        _whisper(bot, client, body, text)


def _whisper(bot: BotContext, client: WebClient, body: dict[str, Any], text: str) -> None:
    """In the channel: the home tab has no place for it."""
    whisper(client, bot.settings.slack.channel, str(body["user"]["id"]), text)
