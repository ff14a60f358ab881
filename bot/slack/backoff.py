"""What a call that did not work holds up, and for how long: all threads, one thread, or nothing but a message.

Slack away holds up everything, a limit what it is a limit of. A message that Slack refuses, or answers with an error of
its own while it takes others, holds up its thread alone: after some pauses it is shown as bare text, then a sentence
stands in its place. What Slack does not take of one run is no verdict for another.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.context import BotContext
from bot.slack.client import FAILURES, Trouble, Why
from bot.slack.outbox import NotNow, Outbox
from bot.slack.rate_limits import SlackLimits, waits
from bot.slack.thread_item import ThreadItem
from bot.slack.watched_journals import Watched

_log = logging.getLogger(__name__)
_BARE_AFTER, _ASIDE_AFTER, _LEFT_OUT_AFTER = 3, 6, 9
_LONGEST_REST, _LONGEST_OF_ALL = 60.0, 10.0


@dataclass
class Backoff:
    """How long to wait, by what went wrong and what went well since."""

    bot: BotContext
    outbox: Outbox
    limits: SlackLimits
    _until: datetime | None = None
    _rest: float = 0.0
    _wins: int = 0

    def won(self, watched: Watched) -> None:
        """Slack has taken something of that thread: what it refused before made its pauses no longer."""
        self._wins += 1
        self._rest = watched.rests = 0.0

    def resting(self, now: datetime) -> bool:
        """Whether no thread at all is to be written now."""
        return waits(self._until, now)

    def suffered(self, run: str, watched: Watched, error: NotNow) -> None:
        """Wait as long as Slack says, or a little longer each time."""
        why, now = error.trouble, self.bot.clock()
        watched.drawn, watched.settled = None, False
        if why.why is Why.BLOCKS and not self.outbox.where(error.item).get("bare"):
            _log.error("Slack does not take the blocks of %s (%s); it is shown as bare text", error.item.key, why.code)
            self.outbox.undress(error.item)
        elif why.why is Why.LIMITED:
            self.limits.limited(error.call, why.wait)
        elif self._is_of_the_message(why) and self._takes_others(watched):
            self._hold_up(run, watched, why.code, now)
            self._give_up_on(error.item, watched, why.code)
        elif why.why in (Why.DOUBT, Why.TOKEN):
            self._rest = min(_LONGEST_OF_ALL, max(0.5, self._rest * 2))
            self._until = now + timedelta(seconds=self._rest)
            _log.warning("Slack does not answer (%s); trying again in %.1f s", why.code, self._rest)
        else:
            # Anything else concerns this thread alone: a channel without us, a thread that was removed.
            self._hold_up(run, watched, why.code, now)

    def pause(self, run: str, watched: Watched, why: Trouble) -> None:
        """Let that run alone rest: as long as Slack says, or a little longer each time."""
        watched.rests = why.wait or min(_LONGEST_REST, max(2.0, watched.rests * 2))
        watched.rests_until = self.bot.clock() + timedelta(seconds=watched.rests)
        _log.warning("Slack takes nothing of run %s now (%s); trying again in %.0f s", run, why.code, watched.rests)

    def _is_of_the_message(self, why: Trouble) -> bool:
        """Whether another message may well be taken at the same place and time."""
        return why.why in (Why.BLOCKS, Why.REFUSED) or (why.why is Why.DOUBT and why.answered)

    def _hold_up(self, run: str, watched: Watched, code: str, now: datetime) -> None:
        watched.rests = min(_LONGEST_REST, max(2.0, watched.rests * 2))
        watched.rests_until = now + timedelta(seconds=watched.rests)
        _log.error("the thread of run %s cannot be written (%s); run mayday doctor", run, code)

    def _takes_others(self, watched: Watched) -> bool:
        """Whether Slack is well otherwise: it took something since the last doubt here, or says so now."""
        well = self._wins > watched.wins or self._says_so()
        watched.wins = self._wins
        return well

    def _says_so(self) -> bool:
        try:
            return bool(self.bot.client.api_test()["ok"])
        except FAILURES:
            return False

    def _give_up_on(self, item: ThreadItem, watched: Watched, code: str) -> None:
        watched.doubts[item.key] += 1
        doubts = watched.doubts[item.key]
        if doubts == _BARE_AFTER:
            _log.error("Slack does not take %s (%s); it is shown as bare text", item.key, code)
            self.outbox.undress(item)
        elif doubts == _ASIDE_AFTER and not item.header:
            _log.error("Slack does not take %s (%s); its thread says that it cannot be shown", item.key, code)
            self.outbox.set_aside(item)
        elif doubts >= _LEFT_OUT_AFTER and not item.header:
            self.outbox.leave_out(item)
            watched.doubts.clear()
            watched.rests, watched.rests_until = 0.0, None
