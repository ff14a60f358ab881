"""Publishes the home tab: at once to who opens it, then whenever it changes, never in the way of the threads."""

from __future__ import annotations

import json
import logging
import socket
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from slack_sdk import WebClient

from actions.chores.chores import Chore
from actions.engine.errors import Refused
from actions.stack.stack import Site
from bot.context import BotContext
from bot.slack.client import FAILURES, Why, client_for, trouble
from bot.slack.home_data import home_data
from bot.slack.rate_limits import waits
from bot.slack.stack_pictures import StackImage, StackPictures
from bot.views import home_view
from bot.views.mrkdwn import Block

_log = logging.getLogger(__name__)
LOOK_EVERY = 2.0
AT_MOST_EVERY = timedelta(seconds=10)
LATELY = timedelta(hours=4)
_NOTE = "visitor"


@dataclass
class Visitor:
    """Somebody who has looked lately: what they were shown, when, and Slack's hash of that view."""

    user: str
    opened: datetime
    shown: str = ""
    hash: str = ""
    published: datetime | None = None


class Home:
    """The home tabs of everybody who looked lately, kept in a thread of its own."""

    def __init__(self, bot: BotContext, client: WebClient | None = None) -> None:
        self._bot = bot
        self._client = client or client_for(bot.settings.slack, timeout=5)
        self._visitors: dict[str, Visitor] | None = None
        self._arrived: dict[str, str] = {}
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._rest_until: datetime | None = None
        self._pictures = StackPictures(bot, self._client)
        self._images: list[StackImage] = []

    def opened(self, user: str, hash: str) -> None:
        """Somebody opened their home tab; `hash` is Slack's of what they see, empty where they see nothing yet.

        Who may not look at anything sees just that.
        """
        try:
            self._bot.people.admit(user, "")
        except Refused as refusal:
            self._refuse(user, refusal)
            return
        with self._lock:
            self._arrived[user] = hash
        self._wake.set()
        self._bot.store.keep(_NOTE, user, "")

    def _refuse(self, user: str, refusal: Refused) -> None:
        try:
            self._client.views_publish(user_id=user, view=home_view.closed(refusal))
        except FAILURES as error:
            _log.warning("the home tab of %s cannot be published: %s", user, trouble(error).code)

    def chore(self) -> Chore:
        """Looks for as long as the bot lives. What another version wrote and cannot be drawn does not end it."""
        return Chore("home tabs", LOOK_EVERY, self.tick, self._bot.store, wake=self._wake, place=socket.gethostname())

    def tick(self) -> int:
        """Publish what has changed to those who may see it now; how many were published to."""
        now = self._bot.clock()
        waiting = self._those_who_look(now)
        if not waiting or waits(self._rest_until, now):
            return 0
        self._images = []
        view = home_view.view(home_data(self._bot, self._picture))
        shown = sha256(json.dumps(view, sort_keys=True).encode()).hexdigest()[:16]
        due = [visitor for visitor in waiting if visitor.shown != shown and not _just_now(visitor, now)]
        return sum(self._publish(visitor, view, shown, now) for visitor in due)

    def _picture(self, site: Site) -> Block | None:
        image = self._pictures.shown(site)
        self._images += [image] if image else []
        return image.block() if image else None

    def _those_who_look(self, now: datetime) -> list[Visitor]:
        """Those who just came first. After a start, those who had looked before it are known from their notes."""
        if self._visitors is None:
            kept = self._bot.store.kept(_NOTE, now - LATELY)
            self._visitors = {user: Visitor(user, at) for user, (_, at) in kept.items()}
        with self._lock:
            arrived, self._arrived = self._arrived, {}
        for user, hash in arrived.items():
            visitor = self._visitors.setdefault(user, Visitor(user, now))
            visitor.opened = now
            if not hash or hash != visitor.hash:
                visitor.shown, visitor.hash = "", hash
        self._visitors = {user: v for user, v in self._visitors.items() if now - v.opened < LATELY}
        return sorted(self._visitors.values(), key=lambda visitor: visitor.user not in arrived)

    def _publish(self, visitor: Visitor, view: dict[str, Any], shown: str, now: datetime) -> bool:
        if waits(self._rest_until, now):
            return False
        visitor.published = now
        try:
            said = self._client.views_publish(user_id=visitor.user, view=view, hash=visitor.hash or None)
        except FAILURES as error:
            self._failed(visitor, error, shown, now)
            return False
        visitor.shown, visitor.hash = shown, str((said.get("view") or {}).get("hash") or "")
        return True

    def _failed(self, visitor: Visitor, error: Exception, shown: str, now: datetime) -> None:
        why = trouble(error)
        if why.why is Why.LIMITED:
            visitor.published = None
            self._rest_until = now + timedelta(seconds=why.wait)
        elif why.code == "hash_conflict":
            visitor.hash = ""  # Somebody published in between; the next one goes out without comparing.
        elif why.why in (Why.BLOCKS, Why.REFUSED) and self._images:
            # Most likely Slack cannot show a file yet; without pictures the tab goes out at the next look.
            visitor.published = None
            for image in self._images:
                self._pictures.refused(image)
            self._images = []
        elif why.why is not Why.DOUBT:
            visitor.shown = shown  # Slack will not take it the next time either.
            _log.warning("the home tab of %s cannot be published: %s", visitor.user, why.code)


def _just_now(visitor: Visitor, now: datetime) -> bool:
    """Whether they were published to within the last seconds; a later moment is of before the clock was set back."""
    return visitor.published is not None and timedelta() <= now - visitor.published < AT_MOST_EVERY
