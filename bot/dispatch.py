"""What somebody typed, carried out: one reply for each thing said, whichever way it came."""

from __future__ import annotations

from dataclasses import dataclass, replace

from actions.engine.errors import RecoveryError, Refused
from actions.version import VERSION
from bot.commands.parse_command import (
    IncidentCommand,
    LookCommand,
    Meaning,
    NotYetCommand,
    ProcedureCommand,
    RunCommand,
    UnknownCommand,
    read,
)
from bot.commands.suggestions import readable, suggested
from bot.context import BotContext
from bot.incidents.incident_commands import lead
from bot.incidents.thread_places import of_thread
from bot.replies import recover_offers, stack_shown, status_replies
from bot.replies.error_page import entry, is_code
from bot.runs.requests import NO_WORKER, Origin, open_run
from bot.runs.run_control import run_of_thread, steer
from bot.slack.command_names import coming_in
from bot.views import help as help_view
from bot.views import instead
from bot.views.help import HelpPlace
from bot.views.mrkdwn import SECTION, Block, cut, escape
from bot.who_may import who_may_ask


@dataclass(frozen=True)
class Reply:
    """What only the person who spoke sees, with what they can press, and the runs to wake a worker for.

    `stack` names the sites, if any, of which a picture may follow; empty means all, None that nobody asked for it.
    `private` is a run whose result follows for the same person alone.
    """

    text: str
    runs: tuple[str, ...] = ()
    buttons: tuple[Block, ...] = ()
    stack: str | None = None
    private: str = ""


SILENCE = Reply("")
_DRAWING = SECTION - 10


def hear(bot: BotContext, text: str, origin: Origin, family: str = "recover") -> Reply:
    """Carry out what somebody typed. A redelivery has no effect and gets no second reply."""
    meant: Meaning | None = None
    try:
        meant, read_as = read(coming_in(text, bot.settings.slack.commands), bot.catalog, family, bot.settings.stack())
        if isinstance(meant, ProcedureCommand):
            return _read_as(_wanted(bot, meant, origin), read_as)
        bot.people.admit(origin.user, origin.team)
        # What steers a run, and what is said about an incident, is written under its own key; a look costs no write
        # before it is acknowledged.
        return _read_as(_heard(bot, meant, origin), read_as) if bot.recent.first(origin.key) else SILENCE
    except RecoveryError as refusal:
        if not bot.recent.first(f"refused {origin.key}"):
            return SILENCE
        return Reply(told(refusal), buttons=_instead(bot, meant, refusal, origin))


def _read_as(reply: Reply, command: str) -> Reply:
    """The reply, with how the words were read where they were others than the command's own."""
    if not command or not reply.text:
        return reply
    return replace(reply, text=cut(f"Read as `{escape(command)}`.\n{reply.text}"))


def _instead(bot: BotContext, meant: Meaning | None, refusal: RecoveryError, origin: Origin) -> tuple[Block, ...]:
    """What was probably meant, as buttons; only what would be taken."""
    if not isinstance(meant, ProcedureCommand) or not isinstance(refusal, Refused) or not refusal.instead:
        return ()
    zone = bot.people.asking(origin.user, origin.team, origin.name).zone
    offered = [one for one in refusal.instead if readable(bot, meant, one, zone)]
    return tuple(instead.buttons(meant.procedure, offered, bot.settings.stack(), meant.service, meant.site))


def told(error: RecoveryError) -> str:
    """An error as people read it: what happened, what was seen, what to do next."""
    return cut(escape(error.words()))


def _wanted(bot: BotContext, wants: ProcedureCommand, origin: Origin) -> Reply:
    opened = open_run(bot, wants, origin, bot.people.asking(origin.user, origin.team, origin.name))
    if not opened.new:
        return SILENCE
    if wants.procedure.private:
        said = "Only you will see it, here, in a few seconds." if opened.worker else NO_WORKER
        return Reply(said, runs=(opened.run,), private=opened.run)
    lines = [f"Run `{opened.run}`: {escape(opened.summary)}"]
    lines.append("Its thread begins in a moment." if opened.worker else NO_WORKER)
    return Reply(cut("\n".join(lines)), runs=(opened.run,))


def _heard(
    bot: BotContext,
    meant: LookCommand | RunCommand | IncidentCommand | NotYetCommand | UnknownCommand,
    origin: Origin,
) -> Reply:
    match meant:
        case LookCommand():
            return _looked(bot, meant, origin)
        case IncidentCommand():
            done = lead(bot, meant.verb, meant.rest, origin)
            return Reply(done.told, runs=done.errands)
        case RunCommand():
            return _steered(bot, meant, origin)
        case NotYetCommand():
            return Reply(help_view.not_yet(bot.catalog, meant))
        case UnknownCommand():
            person = bot.people.asking(origin.user, origin.team, origin.name)
            nearest = suggested(bot, meant, origin, person)
            who = "" if person.speaker.may_ask else who_may_ask(bot)
            return Reply(help_view.unknown(bot.catalog, meant, nearest, who))


def _looked(bot: BotContext, meant: LookCommand, origin: Origin) -> Reply:
    match meant.at:
        case "help" if is_code(meant.about):
            return Reply(cut(escape(entry(meant.about).says())))
        case "help":
            place = _place(bot, origin)
            shown = help_view.text(bot.catalog, meant.about, place)
            return Reply(shown, buttons=tuple(help_view.buttons(bot.catalog, place)))
        case "offers":
            return Reply(recover_offers.text(bot), buttons=recover_offers.buttons(bot))
        case "runs":
            return Reply(status_replies.runs(bot, meant.about))
        case "stack":
            return Reply(_block(stack_shown.text(bot, meant.about)), stack=meant.about)
        case "version":
            return Reply(f"Mayday {VERSION}")
        case "approve":
            return Reply(status_replies.approvals(bot))
        case _:
            return Reply(status_replies.status(bot))


def _place(bot: BotContext, origin: Origin) -> HelpPlace:
    """Where somebody speaks: a run's thread may be an incident's too, and then the run is what is under way."""
    run = run_of_thread(bot, origin.channel, origin.thread) if origin.thread else ""
    if run and bot.store.run(run).finished is not None:
        run = ""
    return HelpPlace(run, of_thread(bot.store, origin.channel, origin.thread), origin.channel.startswith("D"))


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
