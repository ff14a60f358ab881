"""The Bolt app, wired: who may knock, and who listens."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from slack_bolt import App, BoltRequest, BoltResponse
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.middleware import RequestVerification

from actions.engine.procedure import Procedure
from actions.settings.settings import Settings
from actions.store.store import Store
from bot.context import BotContext
from bot.listeners import (
    buttons,
    catch_all,
    dialogs,
    incident_events,
    mentions,
    pinned_messages,
    said_by_button,
    shown_pages,
    slash_commands,
)
from bot.listeners import home_events as home_tab
from bot.slack.client import client_for
from bot.slack.home_tab import Home
from bot.slack.identity import LastKnown
from bot.slack.people import SlackPeople
from bot.slack.renaming_app import RenamingApp

_log = logging.getLogger(__name__)
_STAMP = re.compile(r"[0-9]{1,12}")
_THREADS = 16
"""Bolt's own five are stalled by five slow listeners; ours wait for Slack in some of them."""


class SignatureCheck(RequestVerification):
    """Checks the signature of HTTP requests; what fails is refused, and its body stays out of the log."""

    def process(self, *, req: BoltRequest, resp: BoltResponse, next: Callable[[], BoltResponse]) -> BoltResponse:
        """Let signed requests in. A timestamp that is no number is a wrong signature, not an error of ours."""
        if self._can_skip(req.mode, req.body):
            return next()
        stamp = req.headers.get("x-slack-request-timestamp", [""])[0]
        signature = req.headers.get("x-slack-signature", [""])[0]
        # What is none of ASCII cannot even be compared.
        if not self._signing_secret or not _STAMP.fullmatch(stamp) or not signature.isascii():
            return self._refuse()
        return next() if self.verifier.is_valid(req.raw_body, stamp, signature) else self._refuse()

    def _refuse(self) -> BoltResponse:
        _log.warning("a request with a wrong signature was refused")
        return self._build_error_response()


def build_context(
    settings: Settings,
    store: Store,
    catalog: Sequence[Procedure],
    enqueue: Callable[[str], object],
    clock: Callable[[], datetime],
) -> BotContext:
    """The parts that listeners and the thread writer share. People are looked up briefly: somebody waits."""
    people = SlackPeople(settings.people, client_for(settings.slack, timeout=8), store)
    return BotContext(settings, store, catalog, client_for(settings.slack), people, enqueue, clock)


def build_app(
    settings: Settings,
    store: Store,
    catalog: Sequence[Procedure],
    enqueue: Callable[[str], object],
    clock: Callable[[], datetime],
) -> App:
    """The app of those settings; it is built without a word to Slack, which may be down."""
    return app_of(build_context(settings, store, catalog, enqueue, clock))


def app_of(bot: BotContext, home: Home | None = None) -> App:
    """The app around a bot, and around the home tabs that somebody keeps."""
    slack = bot.settings.slack
    secret = slack.signing_secret.get_secret_value()
    identity = LastKnown(bot.store)

    def authorize(enterprise_id: str | None, team_id: str | None, logger: Any) -> AuthorizeResult:
        me = identity()
        return AuthorizeResult(
            enterprise_id=enterprise_id,
            team_id=team_id or me.team,
            bot_token=slack.bot_token.get_secret_value(),
            bot_id=me.bot or None,
            bot_user_id=me.user or None,
        )

    # Bolt takes an app without a name for a script and reads the source of all its callers to find one.
    app = RenamingApp(
        name="mayday",
        client=client_for(slack, timeout=5),
        signing_secret=secret,
        authorize=authorize,
        # To verify the token Bolt asks Slack, so the bot could not start while that is down.
        token_verification_enabled=False,
        request_verification_enabled=False,
        before_authorize=SignatureCheck(secret),
        listener_executor=ThreadPoolExecutor(_THREADS, thread_name_prefix="listener"),
    )
    app.names = slack.commands
    slash_commands.register(app, bot)
    mentions.register(app, bot)
    buttons.register(app, bot)
    shown_pages.register(app, bot)
    said_by_button.register(app, bot)
    dialogs.register(app, bot)
    home_tab.register(app, bot, home or Home(bot))
    incident_events.register(app, bot)
    pinned_messages.register(app, bot)
    catch_all.register(app)
    return app
