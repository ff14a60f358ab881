"""The sink: redraws threads from journals, from where it left off, whatever happened in between.

What a journal looks like is a matter of `drawing`; here is how it comes to stand in Slack.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from actions.engine.errors import NOT_READ, RecoveryError
from actions.engine.folding import fold
from actions.engine.journal import Entry, Kind
from actions.engine.run import Run
from actions.store import notes
from bot.context import BotContext
from bot.runs.ask_again import open_again
from bot.runs.requests import has_worker
from bot.slack import private_refusal
from bot.slack.backoff import Backoff
from bot.slack.outbox import NotNow, Outbox, ThreadGone, ThreadPlace
from bot.slack.rate_limits import Method, SlackLimits, waits
from bot.slack.thread_drawing import AT_REST, AT_WORK, MOVED, draw, place_of
from bot.slack.thread_item import ThreadItem
from bot.slack.watched_journals import SINK, Journals, Watched

_log = logging.getLogger(__name__)
COALESCE = timedelta(seconds=2)
CLOCK_EVERY = timedelta(seconds=10)


class ThreadWriter:
    """Keeps every thread as its journal says. One at a time; `thread_loop` sees to that."""

    def __init__(self, bot: BotContext) -> None:
        self._bot = bot
        self._outbox = Outbox(bot.store, bot.client)
        self._pace = SlackLimits(bot.clock)
        self._journals = Journals(bot.store)
        self._watched = self._journals.watched
        self._alive = True
        self._leased: set[str] = set()
        self._setbacks = Backoff(bot, self._outbox, self._pace)

    def tick(self) -> bool:
        """Look at all journals once. Returns whether everything stands as it should."""
        now = self._bot.clock()
        if self._setbacks.resting(now):
            return False
        self._alive = has_worker(self._bot)
        self._leased = set() if self._alive else self._bot.store.leased()
        drawn = [(run, items) for run in self._ready(now) if (items := self._drawn(run))]
        self._pass_over([run for run in self._watched if self._watched[run].unseen])
        drawn = [(run, items) for run, items in drawn if not self._watched[run].settled]
        complete = self._begin_threads(drawn)
        complete = private_refusal.send_due(self._bot, self._watched, self._setbacks) and complete
        # What people must see goes first, over all runs; the clocks of the headers come last.
        for part in (self._post_missing, self._edit_changed, self._edit_header):
            for run, items in self._in_turn(drawn) if part == self._edit_header else drawn:
                complete = self._guarded(run, items, part) and complete
        return complete and not any(self._rests(run, now) for run in self._watched)

    def _pass_over(self, unseen: list[str]) -> None:
        """Nothing of these is to stand in Slack: their cursors move on, so that no entry counts as waiting."""
        for run in unseen:
            watched = self._watched[run]
            if notes.cursor(self._bot.store, SINK, run) < watched.last:
                notes.move_cursor(self._bot.store, SINK, run, watched.last)

    def _ready(self, now: datetime) -> list[str]:
        """The journals to look at now, oldest first. What is noted of a thread that is complete is dropped."""
        for watched in self._journals.read():
            self._outbox.forget(watched.items)
        ready = [run for run in self._watched if not self._rests(run, now)]
        return sorted(ready, key=lambda run: self._watched[run].entries[0].at)

    def _rests(self, run: str, now: datetime) -> bool:
        return waits(self._watched[run].rests_until, now)

    def _drawn(self, name: str) -> list[ThreadItem]:
        """A thread as it should look; drawn anew when its journal grew or some time has passed."""
        watched, now = self._watched[name], self._bot.clock()
        every = AT_WORK if watched.at_work or watched.held else AT_REST
        # A clock that was set back must not leave a thread as it is for hours.
        if watched.drawn and watched.drawn[0] == watched.last and timedelta() <= now - watched.drawn[1] < every:
            return watched.items
        watched.settled = False
        try:
            watched.items = draw(self._bot, watched, now, self._alive or name in self._leased)
        except (KeyError, ValueError, TypeError, AttributeError, IndexError):
            # One journal that another version wrote must not keep all other threads from being drawn.
            _log.exception("the thread of run %s cannot be drawn", name)
            watched.items, watched.rests_until = [], now + timedelta(seconds=60)
        watched.drawn = watched.last, now
        return watched.items

    def _guarded(self, run: str, items: list[ThreadItem], part: Any) -> bool:
        """Draw a part; what does not work now is tried again later."""
        now = self._bot.clock()
        if self._setbacks.resting(now) or self._rests(run, now):
            return False  # An item of before went wrong in this very look.
        try:
            complete = bool(part(run, items))
        except NotNow as error:
            self._setbacks.suffered(run, self._watched[run], error)
            return False
        except ThreadGone:
            self._begin_anew(run, items)
            return False
        except NOT_READ:
            # A note that another version kept must not keep all other threads from being posted to.
            _log.exception("the thread of run %s cannot be posted to", run)
            self._watched[run].rests_until = now + timedelta(seconds=60)
            return False
        if complete:
            self._watched[run].rests = 0.0
            self._watched[run].doubts.clear()
        self._watched[run].settled = complete and part == self._edit_header
        return complete

    def _begin_anew(self, run: str, items: list[ThreadItem]) -> None:
        """Somebody removed the header: another one, and with it what people can still press."""
        _log.warning("the thread of %s was removed; it goes on in a new one", run)
        items = self._watched[run].items or items
        open_ones = {item.key for item in items if any(block["type"] == "actions" for block in item.blocks)}
        self._bot.store.keep(MOVED, run, True)
        wanted = (item for item in items if item.header or item.key.removesuffix(":plan") in open_ones)
        self._outbox.anew(list(wanted))
        self._watched[run].settled = False

    def _begin_threads(self, drawn: list[tuple[str, list[ThreadItem]]]) -> bool:
        """A thread that does not stand yet, such as a page's, waits for no line of any other."""
        complete = True
        for run, items in drawn:
            if items[0].header and not self._outbox.where(items[0]).get("ts"):
                complete = self._guarded(run, items[:1], self._post_missing) and complete
        return complete

    def _in_turn(self, drawn: list[tuple[str, list[ThreadItem]]]) -> list[tuple[str, list[ThreadItem]]]:
        """Headers with news first, then whoever waited longest: Slack does not take an edit for every clock."""

        def turn(one: tuple[str, list[ThreadItem]]) -> tuple[bool, float]:
            watched = self._watched[one[0]]
            no_news = watched.told == watched.last and watched.progress is None
            return no_news, watched.edited.timestamp() if watched.edited is not None else 0.0

        return sorted(drawn, key=turn)

    def _post_missing(self, run: str, items: list[ThreadItem]) -> bool:
        place = place_of(self._bot, self._watched[run].entries[0])
        if place is None:
            return False
        for item in items:
            noted = self._outbox.where(item)
            if not noted.get("ts"):
                if not self._pace.allows(self._outbox.call(item, place)):
                    return False
                if not self._pace.may_post(place.channel, reply=not item.header):
                    return False
                self._pace.posted(place.channel)
                noted = self._outbox.post(item, run, place)
                self._setbacks.won(self._watched[run])
                if item.header:
                    self._watched[run].edited, self._watched[run].told = self._bot.clock(), self._watched[run].last
            if item.header and not place.thread:
                place = ThreadPlace(place.channel, str(noted["ts"]))
        return True

    def _edit_changed(self, run: str, items: list[ThreadItem]) -> bool:
        for item in items:
            noted = self._outbox.where(item)
            left = item.header or item.file or noted.get("aside")
            if left or not noted.get("ts") or noted.get("shown") == item.shown:
                continue
            if not self._may_edit(noted, cosmetic=False):
                return False
            self._pace.edited()
            self._outbox.edit(item, noted)
            self._setbacks.won(self._watched[run])
        return True

    def _edit_header(self, run: str, items: list[ThreadItem]) -> bool:
        item, watched, now = items[0], self._watched[run], self._bot.clock()
        if not item.header:
            return self._settle(run, items)
        noted = self._outbox.where(item)
        if not noted.get("ts"):
            return False
        at_once = noted.get("signature") != item.signature
        if noted.get("shown") == item.shown or not (at_once or self._due(watched, now)):
            return self._settle(run, items)
        if not self._may_edit(noted, cosmetic=not at_once):
            return False
        self._pace.edited()
        watched.edited, watched.told = now, watched.last
        self._outbox.edit(item, noted)
        self._setbacks.won(watched)
        return self._settle(run, items)

    def _may_edit(self, noted: dict[str, Any], cosmetic: bool) -> bool:
        return self._pace.allows((Method.EDIT, str(noted["channel"]))) and self._pace.may_edit(cosmetic)

    def _due(self, watched: Watched, now: datetime) -> bool:
        """Progress is shown every two seconds, a clock alone every ten."""
        since = now - watched.edited if watched.edited is not None else CLOCK_EVERY
        return not timedelta() <= since < (COALESCE if watched.progress else CLOCK_EVERY)

    def _settle(self, run: str, items: list[ThreadItem]) -> bool:
        """Move the cursor once everything stands; then do what the end of a run asks for."""
        watched, store = self._watched[run], self._bot.store
        noted = [self._outbox.where(item) for item in items]
        judged = items if watched.ended or not items[0].header else items[1:]
        right = all(i.file or self._outbox.stands_as(i) for i in judged)
        if not right or not all(n.get("ts") for n in noted):
            return False
        if not watched.owes and notes.cursor(store, SINK, run) < watched.last:
            self._again(watched.entries, items[0])
            notes.move_cursor(store, SINK, run, watched.last)
        return True

    def _again(self, entries: list[Entry], header: ThreadItem) -> None:
        """Somebody wanted another time: ask for the same procedure again, in the same thread."""
        wanted = entries[-1].data.get("again") if entries[-1].kind is Kind.FINISHED else None
        if not wanted:
            return
        run = fold(entries)
        noted = self._outbox.where(header)
        channel, thread = str(noted["channel"]), str(noted.get("thread") or noted["ts"])
        try:
            opened = open_again(self._bot, run, wanted, channel, thread)
        except RecoveryError as refusal:
            self._say_refused(run, refusal, ThreadPlace(channel, thread))
            return
        if opened is not None:
            self._bot.wake_worker(opened.run)

    def _say_refused(self, run: Run, refusal: RecoveryError, place: ThreadPlace) -> None:
        self._outbox.post(
            ThreadItem(f"{run.id}:again", run.last, f"No new run was begun. {refusal.words()}"), run.id, place
        )
