"""Who is told of a question that waits for a second person; kept as a note, so that it is decided once."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any

from actions.engine.errors import NOT_READ, Refused
from actions.engine.journal import Entry
from actions.engine.procedure import MayAnswer
from actions.engine.rights import may_choose
from actions.engine.run import Run
from actions.store.store import Store
from bot.context import BotContext

_log = logging.getLogger(__name__)
NOTE = "approval request"
"""The kind of the notes; the key is the question's."""
MOST = 25
"""So many people get a direct message of one question; a user group may have hundreds."""


@dataclass
class TellingApprovers:
    """Who is told of one question, by user id.

    `left` is how many were not, as they are too many; `sent` when each message first stood, `failed` why somebody got
    none, `over` that all say how it was decided.
    """

    run: str
    n: int
    people: list[str]
    left: int = 0
    sent: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    over: bool = False

    @property
    def key(self) -> str:
        """The question's."""
        return key_of(self.run, self.n)

    def keep(self, store: Store) -> None:
        """Note it."""
        store.keep(NOTE, self.key, asdict(self))


def key_of(run: str, n: int) -> str:
    """The key of a question: its run and the entry that put it."""
    return f"{run}:{n}"


def begun(store: Store, key: str) -> TellingApprovers | None:
    """What was noted of a question, None where nobody was told yet."""
    kept = store.note(NOTE, key)
    return _read(key, kept) if kept else None


def unfinished(store: Store) -> list[TellingApprovers]:
    """Those whose messages do not all say yet how it was decided."""
    found = (_read(key, kept) for key, kept in store.notes(NOTE).items())
    return [one for one in found if one is not None and not one.over]


def _read(key: str, kept: Any) -> TellingApprovers | None:
    """A note; None of one that another version kept. Nobody is told twice for that: each message is noted by itself."""
    try:
        return TellingApprovers(**kept)
    except NOT_READ:
        _log.exception("who was told of the question %s cannot be read", key)
        return None


def forget_old(store: Store) -> None:
    """Drop what nobody asks for any more: a question is settled within hours, and a run within days."""
    store.forget(NOTE, store.clock() - timedelta(days=30))


def untold(store: Store, run: Run) -> int:
    """How many who may answer the open question of a run got no message of their own."""
    found = begun(store, key_of(run.id, run.question.n)) if run.question is not None else None
    return found.left + len(found.failed) if found else 0


def waits_for_second(run: Run) -> bool:
    """Whether a run asks something now that somebody else than who asked has to answer."""
    return run.asking and run.question is not None and bool(_second(run.question.options))


def whom_to_tell(bot: BotContext, run: Run, asked: Entry) -> TellingApprovers | None:
    """Those who may approve that question. None while Slack does not say of anybody."""
    option = _second(asked.data["options"])[0]
    listed, doubt = bot.people.approvers()
    people: list[str] = []
    others = [user for user in listed if user != run.requester]
    for at, user in enumerate(others):
        if len(people) == MOST:
            return TellingApprovers(asked.run, asked.n, people, len(others) - at)
        if _may(bot, run, option, user):
            people.append(user)
    return None if doubt and not people else TellingApprovers(asked.run, asked.n, people)


def _may(bot: BotContext, run: Run, option: dict[str, Any], user: str) -> bool:
    try:
        may_choose(run, option, bot.people.asking(user, "").speaker)
    except Refused:
        return False
    return True


def _second(options: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [option for option in options if option.get("who") == MayAnswer.SECOND]
