"""Whom somebody means: a Slack user by mention or id, an operator or a contact by name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from actions.engine.errors import Refused
from bot.commands.plain_text import tidy
from bot.context import BotContext

MENTION = re.compile(r"<@([A-Z0-9]+)(?:\|([^>]*))?>")
_SLACK_ID = re.compile(r"[UW][A-Z0-9]{4,20}")


@dataclass(frozen=True)
class Named:
    """A person as the journals know them."""

    id: str
    name: str


def whom(bot: BotContext, said: str) -> Named:
    """The person that is meant: `<@U0123>` as Slack writes it, `U0123`, or a name that the settings or Slack know.

    Raises:
        Refused: nobody of that name or id is known, or several are.
    """
    mentioned = MENTION.search(said)
    if mentioned:
        id, label = mentioned[1], mentioned[2] or ""
        return Named(id, label or bot.people.asking(id, "").speaker.name)
    wanted = _plain(said.strip().lstrip("@"))
    # An operator may stand in the contact list too; who is known there first is meant.
    for people in (_operators(bot), _contacts(bot), _in_slack(bot)):
        found = {person.id: person for person, names in people if wanted and wanted in map(_plain, names)}
        if len(found) > 1:
            raise Refused(
                f"There are several called {said[:40]}.",
                code="MD-CMD-002",
                detail=", ".join(found),
                hint="Say it with one of these ids.",
            )
        if found:
            return next(iter(found.values()))
    return _by_id(bot, said.strip().lstrip("@"))


def _by_id(bot: BotContext, id: str) -> Named:
    name = bot.people.name_of(id) if _SLACK_ID.fullmatch(id) else ""
    if name:
        return Named(id, name)
    known = dict.fromkeys(person.name for people in (_operators(bot), _contacts(bot)) for person, _names in people)
    raise Refused(
        f"I do not know '{id[:40]}'.",
        code="MD-CMD-003",
        detail=f"The settings name {', '.join(known) or 'nobody'}.",
        hint="Write one of these names, or a Slack user: @mention them, or write their id (U…).",
    )


def _operators(bot: BotContext) -> Iterator[tuple[Named, tuple[str, ...]]]:
    for one in bot.settings.operators.people:
        person = Named(one.person, one.name)
        yield person, (person.id, one.id, one.name)


def _contacts(bot: BotContext) -> Iterator[tuple[Named, tuple[str, ...]]]:
    for one in bot.settings.contacts.people:
        person = Named(one.slack or f"contact:{one.name}", one.name)
        yield person, (person.id, one.name, one.email)


def _in_slack(bot: BotContext) -> Iterator[tuple[Named, tuple[str, ...]]]:
    for id, name in bot.people.names().items():
        yield Named(id, name), (name, id)


def _plain(name: str) -> str:
    return tidy(name).casefold()
