"""What somebody wants who types the words of Slack in a terminal, and what is done about it."""

from __future__ import annotations

import uuid

from actions.engine.errors import Refused
from actions.engine.procedure import Risk
from actions.engine.status import RunState
from actions.incidents.incident_actions import known
from actions.version import VERSION
from bot.commands.parse_command import (
    IncidentCommand,
    LookCommand,
    NotYetCommand,
    ProcedureCommand,
    RunCommand,
    UnknownCommand,
    read,
)
from bot.runs import run_control
from bot.runs.requests import Origin, open_run
from bot.terminal import status_lists
from bot.terminal.carry_on import BACK, GOOD, How, go_on
from bot.terminal.session import Session


def heard(here: Session, words: list[str], family: str, how: How, incident: str = "") -> None:
    """What somebody wants, by the same reading as in Slack."""
    if incident:
        known(here.store, incident)
    meant, read_as = read(" ".join(words), here.bot.catalog, family, here.settings.stack())
    if read_as:
        here.tell(f"Read as: mayday {read_as.removeprefix('/')}")
    match meant:
        case ProcedureCommand() as wants:
            _wanted(here, wants, how, incident)
        case LookCommand() as look:
            _looked(here, look)
        case RunCommand(how=verb, run=run):
            if not run:
                raise Refused(f"Which run shall I {verb}?", code="MD-CMD-029", hint="Name it; mayday runs lists them.")
            steered(here, verb, run, how)
        case IncidentCommand(verb=verb, rest=rest):
            raise Refused(
                "That is about an incident.",
                code="MD-CMD-039",
                hint=f"Write: {f'mayday incident {verb} {rest}'.strip()}",
            )
        case NotYetCommand() as said:
            raise status_lists.not_yet(here, said)
        case UnknownCommand() as unknown:
            raise status_lists.unknown(unknown)


def _looked(here: Session, look: LookCommand) -> None:
    match look.at:
        case "help":
            status_lists.help_text(here, look.about)
        case "offers":
            status_lists.offers(here)
        case "runs":
            status_lists.runs(here, look.about.casefold())
        case "stack":
            status_lists.stack(here, look.about)
        case "version":
            here.out.print(f"Mayday {VERSION}")
        case "approve":
            raise Refused("An approval is a command of its own.", code="MD-CMD-040", hint="Write: mayday approve RUN")
        case _:
            status_lists.status(here)


def _wanted(here: Session, wants: ProcedureCommand, how: How, incident: str) -> None:
    person = here.person
    origin = Origin(f"terminal:{uuid.uuid4().hex}", person.speaker.id, "", "", sink="terminal", incident=incident)
    opened = open_run(here.bot, wants, origin, person)
    here.bot.wake_worker(opened.run)
    here.tell(f"Run {opened.run}: {opened.summary}")
    # A look has no use but its answer, so it is waited for.
    reads = wants.procedure.risk is Risk.READS
    go_on(here, opened.run, How(how.follow or reads, how.foreground or reads))


def steered(here: Session, verb: str, run: str, how: How) -> None:
    """Stop, retry or undo a run."""
    entry = run_control.steer(here.bot, verb, run, here.person.speaker)
    done = {"stop": "It stops at its next safe place.", "retry": "It goes on.", "undo": "It takes back what it did."}
    here.tell(f"Run {run}: {done[verb] if entry else 'Nothing to do: that was said before, or nothing waits for it.'}")
    wanted = {"stop": (RunState.WAITING, RunState.ASKING, *BACK, *GOOD), "undo": BACK}.get(verb, GOOD)
    go_on(here, run, how, wanted, entry.n if entry else here.store.run(run).last)
