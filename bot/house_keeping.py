"""What keeps the bot's house: who it is in Slack, who people are, and what nobody asks for any more."""

from __future__ import annotations

import socket
from dataclasses import dataclass

from actions.chores.chores import Chore
from actions.engine.errors import Away
from actions.incidents.kept_events import forget_old_events
from actions.store.notes import archive_old_journals, forget_old_deliveries
from bot.context import BotContext
from bot.slack import approval_requests, identity
from bot.slack.client import FAILURES, trouble
from bot.web.liveness import Liveness

_TIDY_EVERY = 3600.0
_LONGEST_PAUSE = 10.0
_FIRST_RETRY = 1.0


@dataclass(frozen=True)
class HouseKeeping:
    """The chores, and what each of them does."""

    bot: BotContext
    liveness: Liveness

    def chores(self) -> tuple[Chore, ...]:
        """Slack is asked again soon where it did not answer."""
        store, host = self.bot.store, socket.gethostname()
        every = max(5.0, self.bot.settings.people.cache_seconds / 2)
        return (
            Chore(
                "ask Slack who is who",
                every,
                self.ask_slack,
                store,
                retry=_FIRST_RETRY,
                longest_retry=_LONGEST_PAUSE,
                place=host,
            ),
            Chore("tidy the store", _TIDY_EVERY, self.tidy, store),
        )

    def ask_slack(self) -> None:
        """Learn who the bot is, and keep people warm for quick answers.

        Raises:
            Away: Slack did not answer.
        """
        try:
            identity.ask(self.bot.store, self.bot.client)
            self.bot.people.warm()
        except FAILURES as error:
            code = trouble(error).code
            self.liveness.heard(False, f"Slack did not answer ({code})")
            raise Away(
                "Slack did not say who the bot is.", code="MD-CMD-034", detail=code, hint="See mayday doctor."
            ) from error
        self.liveness.heard(True, "Slack answers")

    def tidy(self) -> None:
        """Drop what nobody asks for any more, and archive old journals where the settings say so."""
        forget_old_deliveries(self.bot.store)
        forget_old_events(self.bot.store)
        approval_requests.forget_old(self.bot.store)
        if days := self.bot.settings.archive_days:
            archive_old_journals(self.bot.store, days)
