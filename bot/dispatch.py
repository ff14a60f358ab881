"""What somebody typed, carried out: one reply for each thing said, whichever way it came."""

from __future__ import annotations

from dataclasses import dataclass

from actions.engine.errors import RecoveryError
from bot import stack_shown, status_replies
from bot.context import BotContext
from bot.error_page import entry, is_code
from bot.incidents.incident_commands import lead
from bot.parse_command import IncidentCommand, LookCommand, ProcedureCommand, RunCommand, UnknownCommand, meaning
from bot.requests import NO_WORKER, Origin, open_run
from bot.run_control import run_of_thread, steer
from bot.views import help as help_view
from bot.views.mrkdwn import SECTION, cut, escape


@dataclass(frozen=True)
class Reply:
    """What only the person who spoke sees, and the runs to wake a worker for.

    `stack` names the sites, if any, of which a picture may follow; empty means all, None that nobody asked for it.
    """

    text: str
    runs: tuple[str, ...] = ()
    stack: str | None = None


SILENCE = Reply("")
_DRAWING = SECTION - 10


def hear(bot: BotContext, text: str, origin: Origin, family: str = "recover") -> Reply:
    """Carry out what somebody typed. A redelivery has no effect and gets no second reply."""
    try:
        meant = meaning(text, bot.catalog, family, bot.settings.stack())
        if isinstance(meant, ProcedureCommand):
            return _wanted(bot, meant, origin)
        bot.people.admit(origin.user, origin.team)
        # What steers a run, and what is said about an incident, is written under its own key; a look costs no write
        # before it is acknowledged.
        return _heard(bot, meant, origin) if bot.recent.first(origin.key) else SILENCE
    except RecoveryError as refusal:
        return Reply(told(refusal)) if bot.recent.first(f"refused {origin.key}") else SILENCE


def told(error: RecoveryError) -> str:
    """An error as people read it: what happened, what was seen, what to do next."""
    return cut(escape(error.words()))


def _wanted(bot: BotContext, wants: ProcedureCommand, origin: Origin) -> Reply:
    opened = open_run(bot, wants, origin, bot.people.asking(origin.user, origin.team, origin.name))
    if not opened.new:
        return SILENCE
    lines = [f"Run `{opened.run}`: {escape(opened.summary)}"]
    lines.append("Its thread begins in a moment." if opened.worker else NO_WORKER)
    return Reply(cut("\n".join(lines)), runs=(opened.run,))


def _heard(
    bot: BotContext, meant: LookCommand | RunCommand | IncidentCommand | UnknownCommand, origin: Origin
) -> Reply:
    match meant:
        case LookCommand(at="help"):
            return Reply(_help(bot, meant.about))
        case LookCommand(at="runs"):
            return Reply(status_replies.runs(bot, meant.about))
        case LookCommand(at="stack"):
            return Reply(_block(stack_shown.text(bot, meant.about)), stack=meant.about)
        case LookCommand():
            return Reply(status_replies.status(bot))
        case IncidentCommand():
            done = lead(bot, meant.verb, meant.rest, origin)
            return Reply(done.told, runs=done.errands)
        case RunCommand():
            return _steered(bot, meant, origin)
        case UnknownCommand():
            return Reply(help_view.unknown(bot.catalog, meant))


def _help(bot: BotContext, about: str) -> str:
    """What can be said, or what an error means where its code was asked for."""
    return cut(escape(entry(about).says())) if is_code(about) else help_view.text(bot.catalog, about)


def _block(text: str) -> str:
    """A drawing, in letters of one width."""
    return f"```{cut(escape(text.replace('`', chr(39))), _DRAWING)}```"


def _steered(bot: BotContext, meant: RunCommand, origin: Origin) -> Reply:
    run = meant.run or run_of_thread(bot, origin.channel, origin.thread)
    if not run:
        return Reply(f"Which run? Write `/recover {meant.how} <run>`; `/recover runs` lists them.")
    speaker = bot.people.asking(origin.user, origin.team, origin.name).speaker
    entry = steer(bot, meant.how, run, speaker, f"heard {origin.key}")
    done = {"stop": "It stops at its next safe place.", "retry": "It goes on.", "undo": "It takes back what it did."}
    said = done[meant.how] if entry is not None else "Nothing to do: that was said before, or nothing waits for it."
    return Reply(f"Run `{escape(run)}`: {said}")
