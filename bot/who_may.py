"""Who may do what somebody may not: names from the settings and, of Slack's groups, as they were last known."""

from __future__ import annotations

from collections.abc import Iterable

from actions.wording import listed
from bot.context import BotContext

_SHOWN = 5


def who_may_ask(bot: BotContext) -> str:
    """The names of people who may ask for recoveries, empty where none is known. Slack is not asked."""
    people = bot.settings.people
    return _names(bot, (*people.operators, *_members(bot, people.operator_groups)), "may_ask")


def who_may_approve(bot: BotContext) -> str:
    """The names of people who may approve, empty where none is known. Slack is not asked."""
    people = bot.settings.people
    return _names(bot, (*people.approvers, *_members(bot, people.approver_groups)), "may_approve")


def _members(bot: BotContext, groups: Iterable[str]) -> list[str]:
    return [user for group in groups for user in bot.people.members(group)]


def _names(bot: BotContext, users: Iterable[str], right: str) -> str:
    """In words; who is known by an id alone is left out, since nobody can be asked by it."""
    known = bot.people.names()
    slack = [known[user] for user in users if known.get(user, user) != user]
    terminal = [one.name for one in bot.settings.operators.people if getattr(one, right)]
    names = list(dict.fromkeys((*slack, *terminal)))
    if not names:
        return ""
    return listed(names, _SHOWN)
