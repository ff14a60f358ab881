"""Dialogs that were filled in: answers with a typed confirmation, or with another time."""

from __future__ import annotations

import hashlib
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient

from actions.engine.errors import RecoveryError
from actions.store.notes import post
from bot.context import BotContext
from bot.dispatch import told
from bot.listeners.recipient import team_of
from bot.listeners.response_deadline import TAKEN, UNDER_WAY, ResponseDeadline
from bot.listeners.whisper import whisper
from bot.runs.requests import header_key
from bot.runs.run_control import answer, find
from bot.views import answer_modals


def register(app: App, bot: BotContext) -> None:
    """Listen to our dialogs."""

    def listen(ack: Ack, body: dict[str, Any], view: dict[str, Any], client: WebClient) -> None:
        def late() -> None:
            # Too slow for the dialog: it closes, and what comes of it is told in the thread.
            ack()
            _tell(bot, client, body, view, UNDER_WAY)

        prompt = ResponseDeadline(late)
        try:
            prompt(lambda: _answer(bot, body, view))
        except RecoveryError as refusal:
            if prompt.told:
                _tell(bot, client, body, view, told(refusal))
            else:
                text = refusal.words(" ")
                ack(response_action="errors", errors={answer_modals.BLOCK: text[:2000]})
            return
        _tell(bot, client, body, view, TAKEN) if prompt.told else ack()

    app.view(answer_modals.CALLBACK)(listen)


def _answer(bot: BotContext, body: dict[str, Any], view: dict[str, Any]) -> None:
    speaker = bot.people.approving(body["user"]["id"], team_of(body)).speaker
    answer(bot, answer_modals.target(view), speaker, answer_modals.typed(view), key=_key(body, view))


def _key(body: dict[str, Any], view: dict[str, Any]) -> str:
    """The same for every delivery of one submission; a corrected text is another one."""
    typed = hashlib.sha256(answer_modals.typed(view).encode()).hexdigest()[:16]
    return f"view {view['id']} {view.get('hash', '')} {body['user']['id']} {typed}"


def _tell(bot: BotContext, client: WebClient, body: dict[str, Any], view: dict[str, Any], text: str) -> None:
    """In the direct conversation where the button stood, else in the thread of the run that the dialog was about."""
    user, asked_in = str(body["user"]["id"]), answer_modals.channel_of(view)
    if asked_in.startswith("D"):
        whisper(client, asked_in, user, text)
        return
    header = post(bot.store, header_key(find(bot, answer_modals.target(view).run))) or {}
    if header.get("channel"):
        whisper(client, str(header["channel"]), user, text, header.get("thread") or header.get("ts"))
