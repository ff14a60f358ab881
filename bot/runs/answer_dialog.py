"""What happens when somebody presses a button that opens a dialog: whether they may, and what the dialog repeats."""

from __future__ import annotations

from actions.control.answers import choice
from actions.engine.errors import NOT_READ, Refused
from actions.engine.journal import Entry
from actions.engine.rights import Speaker
from actions.incidents import incident as incidents
from bot.context import BotContext
from bot.runs.button_target import ButtonTarget
from bot.runs.run_control import find, pointed
from bot.views import decision_card
from bot.views.mrkdwn import Block, escape, foreign, person, section
from bot.views.steps import sentence

_NOT_SAID = "MD-SL-001"
"""The code of the refusal that says that Slack could not say what somebody may do."""


def must_be_allowed(bot: BotContext, press: ButtonTarget, user: str, team: str) -> None:
    """Refuse whoever may not, before they type. In doubt the dialog opens, and what is sent is judged anew.

    Raises:
        Refused: the question is not open, or this person may not choose that.
    """
    run = find(bot, press.run)

    def judge(speaker: Speaker) -> Refused | None:
        try:
            choice(run, press.question, press.label, speaker, bot.store.clock())
        except Refused as refused:
            return refused
        return None

    # What was read some minutes ago lets the dialog open, and turns nobody away: rights may have been given since.
    if judge(bot.people.asking(user, team).speaker) is None:
        return
    speaker = bot.people.approving(user, team).speaker
    refused = judge(speaker)
    if refused is not None and refused.code != _NOT_SAID:
        raise pointed(bot, refused, speaker)


def repeated(bot: BotContext, press: ButtonTarget) -> list[Block]:
    """What is approved, as it stood in the question: who asks and why, the card, what this answer does."""
    entries = bot.store.entries(press.run)
    asked = next((entry for entry in entries if entry.n == press.question), None)
    if asked is None:
        return []
    option: dict[str, str] = next((one for one in asked.data["options"] if one["label"] == press.label), {})
    told = f"*{escape(press.label)}*: {escape(option['does'])}" if option.get("does") else ""
    return [
        section(f"*{escape(sentence(asked.data['title']))}*\n{who_asks(bot, entries[0])}"),
        *decision_card.blocks(asked.data.get("card") or ()),
        *([section(told)] if told else []),
    ]


def who_asks(bot: BotContext, first: Entry) -> str:
    """Who asked for the run, for what, and the incident that it belongs to."""
    asker = person(str(first.data["by"]), first.data.get("name"))
    said = f"{asker} asks: {escape(first.data.get('summary') or '')}"
    title = _incident(bot, str((first.data.get("origin") or {}).get("incident") or ""))
    return f"{said}\nFor the incident: {foreign(title)}" if title else said


def _incident(bot: BotContext, name: str) -> str:
    """The incident's title; nothing where it cannot be read, which must keep nobody from approving."""
    if not name:
        return ""
    try:
        return incidents.fold(bot.store.entries(name)).title
    except NOT_READ:
        return ""
