"""What changes something, by the words that Slack knows: ask, answer, approve, steer."""

from __future__ import annotations

import uuid
from typing import Annotated

import typer

from actions.engine.errors import Refused
from actions.engine.procedure import OptionEffect, Risk
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
from bot.terminal.answer_question import Given, answer, approval, open_question
from bot.terminal.carry_on import BACK, GOOD, How, go_on
from bot.terminal.options import Config, Follow, Foreground, Json
from bot.terminal.session import Session, session

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

Words = Annotated[list[str] | None, typer.Argument(help="The words as in Slack; alone: what was seen to be lost.")]
Typed = Annotated[str, typer.Option("--type", help="What has to be typed: the plan's hash, another time, a note.")]
OneTime = Annotated[str, typer.Option("--code", help="The one-time code; asked for without it.")]
Alone = Annotated[bool, typer.Option("--alone", help="Break the glass: go on without a second person.")]
Incident = Annotated[str, typer.Option("--incident", help="The incident that it belongs to, by its id.")]
Reason = Annotated[str, typer.Option("--reason", help="Why it cannot wait; it stays on the record.")]


@app.command()
def recover(
    ctx: typer.Context,
    words: Words = None,
    incident: Incident = "",
    config: Config = None,
    json_: Json = False,
    follow: Follow = False,
    foreground: Foreground = False,
) -> None:
    """Ask for a recovery, in the words of Slack.

    For example: mayday recover postgres pitr 14:30
    """
    with session(ctx, config, json_) as here:
        _heard(here, words or [], "recover", How(follow, foreground), incident)


@app.command()
def backup(
    ctx: typer.Context,
    words: Words = None,
    config: Config = None,
    json_: Json = False,
    follow: Follow = False,
    foreground: Foreground = False,
) -> None:
    """Ask for a backup, in the words of Slack.

    For example: mayday backup run base
    """
    with session(ctx, config, json_) as here:
        _heard(here, words or [], "backup", How(follow, foreground))


@app.command()
def window(
    ctx: typer.Context,
    config: Config = None,
    json_: Json = False,
    follow: Follow = False,
    foreground: Foreground = False,
) -> None:
    """Which moments can be recovered."""
    with session(ctx, config, json_) as here:
        _heard(here, ["window"], "recover", How(follow, foreground))


@app.command("answer")
def answer_run(
    ctx: typer.Context,
    run: str,
    label: str,
    typed: Typed = "",
    code: OneTime = "",
    alone: Alone = False,
    reason: Reason = "",
    config: Config = None,
    json_: Json = False,
    follow: Follow = False,
    foreground: Foreground = False,
) -> None:
    """Answer the question of a run by a label."""
    with session(ctx, config, json_) as here:
        _answered(here, run, label, Given(typed, code, alone, reason), How(follow, foreground))


@app.command()
def approve(
    ctx: typer.Context,
    run: str,
    typed: Typed = "",
    code: OneTime = "",
    alone: Alone = False,
    reason: Reason = "",
    config: Config = None,
    json_: Json = False,
    follow: Follow = False,
    foreground: Foreground = False,
) -> None:
    """Give the approval of a second person that a run waits for."""
    with session(ctx, config, json_) as here:
        label = approval(run_control.find(here.bot, run))
        _answered(here, run, label, Given(typed, code, alone, reason), How(follow, foreground))


@app.command()
def stop(ctx: typer.Context, run: str, config: Config = None, json_: Json = False, follow: Follow = False) -> None:
    """Stop a run at its next safe place."""
    with session(ctx, config, json_) as here:
        _steered(here, "stop", run, How(follow))


@app.command()
def retry(
    ctx: typer.Context,
    run: str,
    config: Config = None,
    json_: Json = False,
    follow: Follow = False,
    foreground: Foreground = False,
) -> None:
    """Go on after a failure or a stop."""
    with session(ctx, config, json_) as here:
        _steered(here, "retry", run, How(follow, foreground))


@app.command()
def undo(
    ctx: typer.Context,
    run: str,
    config: Config = None,
    json_: Json = False,
    follow: Follow = False,
    foreground: Foreground = False,
) -> None:
    """Take back what a run did."""
    with session(ctx, config, json_) as here:
        _steered(here, "undo", run, How(follow, foreground))


def _heard(here: Session, words: list[str], family: str, how: How, incident: str = "") -> None:
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
            _steered(here, verb, run, how)
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


def _answered(here: Session, run: str, label: str, given: Given, how: How) -> None:
    question = open_question(run_control.find(here.bot, run))
    entry = answer(here, run, label, given)
    leads = entry.data["leads"] if entry else ""
    here.tell(f"Run {run}: {entry.data['option']}." if entry else f"Run {run}: that was said before.")
    # Another time is asked for by this terminal once the run has ended, so it stays until then.
    how = How(how.follow or leads == OptionEffect.AGAIN, how.foreground)
    back = leads in (OptionEffect.BACK, OptionEffect.AGAIN, OptionEffect.UNDO)
    go_on(here, run, how, BACK if back else GOOD, entry.n if entry else question.n)


def _steered(here: Session, verb: str, run: str, how: How) -> None:
    entry = run_control.steer(here.bot, verb, run, here.person.speaker)
    done = {"stop": "It stops at its next safe place.", "retry": "It goes on.", "undo": "It takes back what it did."}
    here.tell(f"Run {run}: {done[verb] if entry else 'Nothing to do: that was said before, or nothing waits for it.'}")
    wanted = {"stop": (RunState.WAITING, RunState.ASKING, *BACK, *GOOD), "undo": BACK}.get(verb, GOOD)
    go_on(here, run, how, wanted, entry.n if entry else here.store.run(run).last)
