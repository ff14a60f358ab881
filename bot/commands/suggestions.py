"""What was probably meant, where it would work for this person here: what would be refused is not suggested."""

from __future__ import annotations

from actions.engine.errors import RecoveryError
from actions.engine.reading import Asker
from bot.commands.parse_command import (
    NotYetCommand,
    ProcedureCommand,
    RunCommand,
    UnknownCommand,
    command_of,
    meaning,
)
from bot.context import BotContext
from bot.runs.requests import Origin
from bot.runs.run_control import run_of_thread
from bot.slack.people import Person


def suggested(bot: BotContext, unknown: UnknownCommand, origin: Origin, person: Person) -> str:
    """The nearest command, made whole where its arguments would be refused; empty where it would not work."""
    if not unknown.nearest:
        return ""
    match meaning(unknown.nearest, bot.catalog, unknown.family, bot.settings.stack()):
        case ProcedureCommand() as wants:
            return _whole(bot, unknown.nearest, wants, person) if person.speaker.may_ask else ""
        case RunCommand(run=run):
            return unknown.nearest if _is_open(bot, run, origin) else "/recover runs"
        case UnknownCommand() | NotYetCommand():
            return ""
        case _:
            return unknown.nearest


def _whole(bot: BotContext, nearest: str, wants: ProcedureCommand, person: Person) -> str:
    if not readable(bot, wants, wants.arguments, person.zone):
        return f"/{command_of(wants.procedure)} {wants.procedure.words.usage}".strip()
    return nearest


def readable(bot: BotContext, wants: ProcedureCommand, arguments: str, zone: str | None) -> bool:
    """Whether the procedure takes these arguments from somebody in that zone."""
    try:
        wants.procedure.words.read(arguments, Asker(bot.clock(), bot.settings.operations_zone, zone, wants.service))
    except RecoveryError:
        return False
    return True


def _is_open(bot: BotContext, run: str, origin: Origin) -> bool:
    here = run or run_of_thread(bot, origin.channel, origin.thread)
    return here in bot.store.runs(open_only=True)
