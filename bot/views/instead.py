"""Buttons for what was probably meant: each is the whole command that whoever presses it could have typed."""

from __future__ import annotations

from collections.abc import Iterable

from actions.engine.procedure import Procedure
from actions.stack.stack import Stack
from bot.commands.addressed_commands import addressed
from bot.commands.parse_command import command_of
from bot.views.mrkdwn import Block, actions, button

SAY = "say"
"""The action of these buttons; the value is what is said, without a slash."""


def said_for(procedure: Procedure, words: str, stack: Stack, service: str = "", site: str = "") -> str:
    """The command with those words after it, for the service of that site."""
    where = next((one for one in stack if one.name == site), stack[0])
    named = [command for command, name in addressed(command_of(procedure), procedure.about, where) if name == service]
    elsewhere = f" @ {site}" if site and site != stack[0].name else ""
    return f"{(named or [command_of(procedure)])[0]} {words}{elsewhere}"


def buttons(procedure: Procedure, words: Iterable[str], stack: Stack, service: str = "", site: str = "") -> list[Block]:
    """A row with a button for each."""
    made = [(label(one), said_for(procedure, one, stack, service, site)) for one in words]
    row = [button(shown, f"{SAY}:{n}", said, "" if n else "primary") for n, (shown, said) in enumerate(made)]
    return actions(row)


def label(words: str) -> str:
    """What a moment is called on a button."""
    return "The newest state" if words == "latest" else f"Recover to {words}"
