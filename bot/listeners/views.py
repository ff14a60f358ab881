"""Dialogs that were filled in: answers with a typed confirmation, or with another time."""

from __future__ import annotations

import hashlib
from concurrent.futures import Future, ThreadPoolExecutor, TimeoutError
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient

from actions.engine.answers import Speaker
from actions.engine.errors import RecoveryError
from actions.engine.notes import post
from bot.desk import Desk
from bot.hearing import told
from bot.listeners.telling import whisper
from bot.press import Press
from bot.requests import header_key
from bot.steering import answer, find
from bot.views import modal

_PATIENCE = 1.8
"""Slack wants its acknowledgement within three seconds, whatever its own API takes to say who somebody is."""


def register(app: App, desk: Desk) -> None:
    """Listen to our dialogs."""
    lookups = ThreadPoolExecutor(max_workers=4, thread_name_prefix="people")

    def listen(ack: Ack, body: dict[str, Any], view: dict[str, Any], client: WebClient) -> None:
        team = str(body["user"].get("team_id") or (body.get("team") or {}).get("id") or "")
        looked: Future[Any] = lookups.submit(desk.people.approving, body["user"]["id"], team)
        try:
            speaker = looked.result(_PATIENCE).speaker
        except TimeoutError:
            # Too slow for the dialog: it closes, and what comes of it is told afterwards.
            ack()
            _late(desk, client, view, looked, _key(body, view))
            return
        _at_once(desk, ack, view, speaker, _key(body, view))

    app.view(modal.CALLBACK)(listen)


def _key(body: dict[str, Any], view: dict[str, Any]) -> str:
    """The same for every delivery of one submission; a corrected text is another one."""
    typed = hashlib.sha256(modal.typed(view).encode()).hexdigest()[:16]
    return f"view {view['id']} {view.get('hash', '')} {body['user']['id']} {typed}"


def _at_once(desk: Desk, ack: Ack, view: dict[str, Any], speaker: Speaker, key: str) -> None:
    try:
        answer(desk, Press.of(view["private_metadata"]), speaker, modal.typed(view), key=key)
    except RecoveryError as refusal:
        text = " ".join(part for part in (refusal.message, refusal.detail, refusal.hint) if part)
        ack(response_action="errors", errors={modal.BLOCK: text[:2000]})
        return
    ack()


def _late(desk: Desk, client: WebClient, view: dict[str, Any], looked: Future[Any], key: str) -> None:
    speaker: Speaker = looked.result().speaker
    try:
        answer(desk, Press.of(view["private_metadata"]), speaker, modal.typed(view), key=key)
    except RecoveryError as refusal:
        header = post(desk.store, header_key(find(desk, Press.of(view["private_metadata"]).run))) or {}
        thread = header.get("thread") or header.get("ts")
        if header.get("channel"):
            whisper(client, str(header["channel"]), speaker.id, told(refusal), thread)
