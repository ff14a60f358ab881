"""Tells those who may approve, each by a direct message, that a question waits for a second person.

What they are told is a function of the journal, like a thread; it is posted once by the same outbox, and edited to what
was decided. Somebody whom Slack lets nobody write to holds up nobody else.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from actions.engine.errors import NOT_READ
from actions.engine.folding import fold
from actions.engine.journal import Entry, Kind
from actions.store import notes
from bot.context import BotContext
from bot.runs.answer_dialog import who_asks
from bot.slack import approval_requests, direct_messages
from bot.slack.approval_requests import TellingApprovers
from bot.slack.client import Trouble, Why
from bot.slack.direct_messages import CannotBeTold
from bot.slack.identity import known, link
from bot.slack.outbox import NotNow, Outbox, ThreadPlace
from bot.slack.rate_limits import Bucket, waits
from bot.slack.settled import settled_by
from bot.slack.thread_item import ThreadItem
from bot.views import approval_request
from bot.views.approval_request import ApprovalRequest

_log = logging.getLogger(__name__)
AGAIN_AFTER = timedelta(minutes=5)
"""So long after the first message, while nobody has answered, each is told once more."""
_WITHOUT_LINK_AFTER = timedelta(seconds=30)
_TAKES_HOLD = (Kind.RECHECKED, Kind.ASKED, Kind.FINISHED)
_LATER = (Why.DOUBT, Why.LIMITED)
_LONGEST_REST = 60.0


class ApproverMessages:
    """Keeps the direct messages of all questions as their journals say. One at a time; `thread_loop` sees to that."""

    def __init__(self, bot: BotContext) -> None:
        self._bot, self._store = bot, bot.store
        self._outbox = Outbox(bot.store, bot.client)
        # Edits count with those of the threads, which go first.
        self._edits = Bucket(0.2, 5, 5, bot.clock())
        self._since = bot.store.change()
        self._grown = set(bot.store.runs(open_only=True, limit=10_000))
        self._told = {one.key: one for one in approval_requests.unfinished(bot.store)}
        self._rests: dict[str, tuple[datetime, float]] = {}

    def tick(self) -> bool:
        """Look once at what was asked and what was decided. Returns whether every message stands as it should."""
        for one in self._store.grown(self._since):
            self._grown.add(one.journal)
            self._since = one.change
        self._grown = {run for run in self._grown if not self._is_seen_to(run)}
        complete = [self._kept_up(told) for told in list(self._told.values())]
        return all(complete) and not self._grown

    def _is_seen_to(self, name: str) -> bool:
        """Whether what that journal asks now is known here."""
        try:
            entries = self._store.entries(name)
            if not entries or entries[0].kind is not Kind.REQUESTED:
                return True
            run = fold(entries)
        except NOT_READ:
            return True
        if run.question is None or not approval_requests.waits_for_second(run):
            return True
        key = approval_requests.key_of(name, run.question.n)
        if key in self._told:
            return True
        asked = next(entry for entry in entries if entry.n == run.question.n)
        told = approval_requests.begun(self._store, key) or approval_requests.whom_to_tell(self._bot, run, asked)
        if told is None:
            return False
        if told.left:
            _log.warning("%d people may approve run %s and get no direct message of it", told.left, name)
        told.keep(self._store)
        self._told[key] = told
        return True

    def _kept_up(self, told: TellingApprovers) -> bool:
        try:
            return self._keep_up(told)
        except NOT_READ:
            # A journal that cannot be read now keeps nobody from being told of another.
            _log.exception("nobody can be told of run %s", told.run)
            return False

    def _keep_up(self, told: TellingApprovers) -> bool:
        """Have each message of a question stand, and say what was decided; whether they do."""
        entries = self._store.entries(told.run)
        asked = {entry.n: entry for entry in entries}[told.n]
        later = [entry for entry in entries if entry.n > told.n]
        settled = settled_by(later)
        place = notes.post(self._store, told.key) or {}
        now = self._bot.clock()
        # First the thread: the message leads there. It is not waited for for long.
        if not place.get("ts") and settled is None and now - asked.at < _WITHOUT_LINK_AFTER:
            return False
        address = link(known(self._store), *(str(place.get(name) or "") for name in ("channel", "ts", "thread")))
        request = ApprovalRequest(asked, settled, who_asks(self._bot, entries[0]), address)
        whom = [user for user in told.people if user not in told.failed]
        right = [self._tell(told, user, request) for user in whom]
        final = settled is not None and (settled.kind is not Kind.ANSWERED or _took_hold(settled, later))
        if final and all(right):
            told.over = True
            told.keep(self._store)
            del self._told[told.key]
        return all(right)

    def _tell(self, told: TellingApprovers, user: str, request: ApprovalRequest) -> bool:
        now = self._bot.clock()
        if waits(self._rests.get(user, (None, 0.0))[0], now):
            return False
        try:
            stand = [self._stands(told, user, item, request) for item in self._items(told, user, request)]
        except CannotBeTold as error:
            self._give_up(told, user, error.code)
            return True
        except NotNow as error:
            return self._suffered(told, user, error.item, error.trouble)
        return all(stand)

    def _items(self, told: TellingApprovers, user: str, request: ApprovalRequest) -> list[ThreadItem]:
        """The message, and the one that reminds of it: due, or standing already."""
        first = _item(told, user, "to", request)
        again = ApprovalRequest(request.asked, request.settled, request.who, request.link, reminder=True)
        second = _item(told, user, "again", again)
        sent = told.sent.get(user)
        due = sent is not None and self._bot.clock() - datetime.fromisoformat(sent) >= AGAIN_AFTER
        return [first, second] if self._outbox.where(second) or (due and request.settled is None) else [first]

    def _stands(self, told: TellingApprovers, user: str, item: ThreadItem, request: ApprovalRequest) -> bool:
        noted = self._outbox.where(item)
        if noted.get("ts"):
            return self._edited(item)
        if request.settled is not None and not noted.get("doubt"):
            return True  # It was decided before they were told, so they need not be.
        channel = direct_messages.channel_of(self._store, self._bot.client, user, item)
        self._outbox.post(item, told.run, ThreadPlace(channel, ""))
        self._rests.pop(user, None)
        if user not in told.sent:
            told.sent[user] = self._bot.clock().isoformat()
            told.keep(self._store)
        return self._outbox.stands_as(item)

    def _edited(self, item: ThreadItem) -> bool:
        if self._outbox.stands_as(item):
            return True
        now = self._bot.clock()
        if not self._edits.has(now):
            return False
        self._edits.take(now)
        self._outbox.edit(item, self._outbox.where(item))
        return True

    def _suffered(self, told: TellingApprovers, user: str, item: ThreadItem, why: Trouble) -> bool:
        """Try again later where that may help; else this person is told nothing, and that is noted."""
        if why.why is Why.BLOCKS and not self._outbox.where(item).get("bare"):
            self._outbox.undress(item)
        elif why.why in _LATER:
            rest = why.wait or min(_LONGEST_REST, max(2.0, 2 * self._rests.get(user, (None, 0.0))[1]))
            self._rests[user] = self._bot.clock() + timedelta(seconds=rest), rest
        else:
            self._give_up(told, user, why.code)
            return True
        return False

    def _give_up(self, told: TellingApprovers, user: str, code: str) -> None:
        _log.warning("%s could not be told of run %s by a direct message: %s", user, told.run, code)
        told.failed[user] = code
        told.keep(self._store)
        direct_messages.failed(self._store, user, code)


def _item(told: TellingApprovers, user: str, which: str, request: ApprovalRequest) -> ThreadItem:
    made = tuple(approval_request.blocks(request))
    return ThreadItem(f"{told.key}:{which}:{user}", told.n, approval_request.text(request), made)


def _took_hold(settled: Entry, later: list[Entry]) -> bool:
    return any(entry.n > settled.n and entry.kind in _TAKES_HOLD for entry in later)
