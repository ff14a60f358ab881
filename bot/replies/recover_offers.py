"""What `/recover` alone says: what was seen to be lost, a button for the moment before each, and what else there is.

A terminal has the same with the commands to type.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from actions.clock.times import span_words
from actions.engine.procedure import Procedure
from actions.incidents.counted_losses import CountedLoss, counted, last_look
from actions.incidents.suggested_recoveries import sentence
from actions.stack.stack import ServiceKind, Stack
from actions.watch.row_counts import REMEMBERED
from actions.watch.service_condition import OLD
from bot.commands.parse_command import command_of
from bot.context import BotContext
from bot.views.home_view import RECOVER
from bot.views.instead import SAY, said_for
from bot.views.mrkdwn import Block, actions, button, cut, escape

MOST = 4
_LOOK_FIRST = ("recover postgres when", "recover window")


@dataclass(frozen=True)
class RecoveryOffer:
    """What was lost, and the command that brings back how it was before; empty where that moment is not known."""

    loss: CountedLoss
    said: str


def to_moment(bot: BotContext) -> Procedure | None:
    """The recovery of PostgreSQL to a moment."""
    fitting = (p for p in bot.catalog if p.about == ServiceKind.POSTGRES and p.words.usage == "<when>")
    return next(fitting, None)


def offers(bot: BotContext) -> tuple[list[RecoveryOffer], int]:
    """The newest losses with the command for each, and how many earlier ones there are."""
    procedure, stack = to_moment(bot), bot.settings.stack()
    found = counted(bot.store, stack) if procedure is not None else []
    made = [
        RecoveryOffer(one, _command(procedure, one, stack) if procedure is not None and one.before is not None else "")
        for one in found[:MOST]
    ]
    return made, len(found) - len(made)


def _command(procedure: Procedure, loss: CountedLoss, stack: Stack) -> str:
    return said_for(procedure, f"{loss.before:%Y-%m-%d %H:%M:%S} UTC", stack, loss.service, loss.site)


def text(bot: BotContext, mark: str = "/") -> str:
    """What was counted, when, how to search, and which other commands there are; `mark` is what each begins with."""
    found, earlier = offers(bot)
    return cut("\n".join([*seen(bot, [one.loss for one in found], earlier), "", *_others(bot, mark)]))


def seen(bot: BotContext, losses: list[CountedLoss], earlier: int) -> list[str]:
    """What Mayday counted, and how far that can be trusted."""
    looked, now = last_look(bot.store, bot.settings.stack()), bot.clock()
    if not losses and not earlier:
        return [_nothing(looked, now)]
    lines = ["*Rows that vanished, the newest first*", *(f"• {escape(one.says())}" for one in losses)]
    lines += [f"… and {earlier} earlier {'ones' if earlier > 1 else 'one'}."] if earlier else []
    return [*lines, f"{_looked(looked, now)} A loss of less than a fifth of a table is not noticed."]


def buttons(bot: BotContext) -> tuple[Block, ...]:
    """A button for each loss, then the dialog and the looks."""
    found, _earlier = offers(bot)
    sayable = [one for one in found if one.said]
    losses = [button(one.loss.label(), f"{SAY}:{n}", one.said, "" if n else "primary") for n, one in enumerate(sayable)]
    known = {command_of(p) for p in bot.catalog}
    window = [button("What can be reached", f"{SAY}:window", "recover window")] if "recover window" in known else []
    rest = [
        button("Another moment…", RECOVER, "recover"),
        *window,
        button("All commands", f"{SAY}:help", "recover help"),
    ]
    # A row of its own for each: a sentence on a button needs the width of a phone.
    return tuple(block for row in (*([one] for one in losses), rest) for block in actions(row))


def _nothing(looked: datetime | None, now: datetime) -> str:
    if looked is None:
        return "Mayday has not counted the rows of the tables yet, so it cannot say whether any are missing."
    hours = f"{REMEMBERED.total_seconds() / 3600:.0f} hours"
    return (
        f"Mayday saw no rows vanish in the last {hours}. {_looked(looked, now)} "
        "A loss of less than a fifth of a table, or while the server was down, is not noticed."
    )


def _looked(looked: datetime | None, now: datetime) -> str:
    if looked is None:
        return "Not every server has been counted yet."
    old = " That is long ago: what was lost since is not in it." if now - looked > OLD else ""
    return f"It last counted at {looked:%H:%M:%S} UTC, {span_words(now - looked)} ago.{old}"


def _others(bot: BotContext, mark: str) -> list[str]:
    # What is private is asked for beside the question of a run, which offers it then.
    known = {command_of(p): p for p in bot.catalog if not p.private}
    first = next((command for command in _LOOK_FIRST if command in known), "")
    does = {"recover postgres when": "searches the WAL for the moment of a loss"}.get(
        first, "shows which can be reached"
    )
    lines = [f"If you do not know the moment: `{mark}{first}` {does}."] if first else []
    rest = [(f"{command} {p.words.usage}".strip(), p) for command, p in known.items() if command != first]
    lines += [f"`{mark}{escape(usage)}`  {escape(sentence(p))}" for usage, p in rest if usage.startswith("recover ")]
    return [*lines, f"`{mark}recover help` lists all commands."]
