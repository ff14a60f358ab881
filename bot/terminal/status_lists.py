"""Looks in a terminal: help, what is under way, the last runs; the same words as in Slack."""

from __future__ import annotations

import html
from pathlib import Path

from actions.engine.errors import Refused
from actions.engine.ids import is_errand
from actions.engine.procedure import Procedure
from actions.engine.served import told
from actions.store.notes import living_workers
from bot.commands.parse_command import NotYetCommand, UnknownCommand, command_of
from bot.replies import recover_offers, stack_shown
from bot.replies.error_page import is_code
from bot.runs import run_control
from bot.terminal import error_lookup, run_shown
from bot.terminal.records import aligned, list_runs, listed, print_runs, show_json, show_run
from bot.terminal.session import Session
from bot.views import help as help_view
from bot.views.help import AGREES

_ALWAYS = (
    ("mayday status", "what is under way"),
    ("mayday stack [SITE]", "the services in the order in which they start, and how they are; --svg FILE draws them"),
    ("mayday runs", "the last runs"),
    ("mayday show RUN", "all that one run did, its plan, its question"),
    ("mayday answer RUN LABEL", "answer its question"),
    ("mayday approve RUN", "approve what somebody else asked for"),
    ("mayday stop RUN", "stop at the next safe place"),
    ("mayday retry RUN", "go on after a failure"),
    ("mayday undo RUN", "take back what a run did"),
)


def help_text(session: Session, about: str) -> None:
    """All commands, or those that begin with what help is wanted for; or what an error means, by its code."""
    if is_code(about):
        return error_lookup.errors(about, session.as_json)
    wanted = [p for p in session.bot.catalog if about.casefold() in command_of(p)] or session.bot.catalog
    known = [(f"mayday {_usage(p)}", f"{p.name}; {AGREES[p.risk]}") for p in wanted]
    if session.as_json:
        return show_json([{"command": command, "does": does} for command, does in (*known, *_ALWAYS)])
    aligned(session.out, (*known, *_ALWAYS))
    for procedure in wanted:
        for example in procedure.words.examples[:3]:
            if example:
                session.out.print(f"for example: mayday {_example(procedure, example)}", markup=False)
    return None


def unknown(said: UnknownCommand) -> Refused:
    """The answer to something not known, with what was probably meant."""
    near = f"Did you mean mayday {said.nearest.removeprefix('/')}? " if said.nearest else ""
    what = f"mayday {said.family} {said.said}".strip()
    return Refused(
        f"I do not know {what[:200]}. Nothing was done.",
        code="MD-CMD-028",
        hint=f"{near}mayday {said.family} help lists what there is.",
    )


def not_yet(session: Session, said: NotYetCommand) -> Refused:
    """The answer to what Mayday cannot do yet: what it can do today."""
    today = help_view.today(session.bot.catalog, said)
    told = "; ".join(f"mayday {command.removeprefix('/')}: {does}" for command, does in today)
    return Refused(f"Not yet: {said.built.what}. Nothing was done.", code="MD-CMD-038", hint=f"Today you can: {told}.")


def runs(session: Session, about: str) -> None:
    """The last runs, or everything that one run did."""
    if not about:
        return list_runs(session.store, session.as_json)
    run = run_control.find(session.bot, about.split()[0])
    return show_run(session.store, session.bot.procedure(run.procedure), run.id, session.as_json)


def status(session: Session) -> None:
    """What is under way, and whether somebody is there to do it."""
    under_way = [session.store.run(run) for run in session.store.readable(session.store.runs(open_only=True))]
    workers = living_workers(session.store)
    if session.as_json:
        return show_json({"runs": listed(under_way), "workers": list(workers.values())})
    if under_way:
        print_runs(session.out, under_way)
    else:
        session.out.print("No run is under way.")
    for run in under_way:
        if run.asking and not is_errand(run.id):
            session.out.print(run_shown.how_to_answer(run), markup=False)
    hosts = "; ".join(sorted(told(w, name) for name, w in workers.items()))
    session.out.print(f"Workers alive: {hosts or 'none'}", markup=False)
    return None


def offers(session: Session) -> None:
    """What was seen to be lost, with the command that brings back how it was before."""
    found, _earlier = recover_offers.offers(session.bot)
    if session.as_json:
        return show_json([{"lost": one.loss.says(), "command": f"mayday {one.said}"} for one in found])
    said = recover_offers.text(session.bot, "mayday ").replace("*", "").replace("`", "")
    session.out.print(html.unescape(said), markup=False)
    if any(one.said for one in found):
        session.out.print("\nTo bring back how it was before, type one of these:", markup=False)
    for one in filter(lambda one: one.said, found):
        session.out.print(f"  {one.loss.label()}\n    mayday {one.said}", markup=False)
    return None


def stack(session: Session, about: str) -> None:
    """What is on the sites, what needs what, how each service was last seen."""
    if session.as_json:
        return show_json(stack_shown.rows(session.bot, about))
    session.out.print(stack_shown.text(session.bot, about), markup=False)
    return None


def stack_svg(session: Session, about: str, file: Path) -> None:
    """The same as a picture in a file."""
    try:
        file.write_text(stack_shown.svg(session.bot, about), encoding="utf-8")
    except OSError as trouble:
        raise Refused(
            f"The picture cannot be written to {file}.",
            code="MD-CMD-036",
            detail=str(trouble),
            hint="Name a file in a folder that exists.",
        ) from trouble
    if session.as_json:
        return show_json({"file": str(file)})
    session.out.print(f"The stack is drawn in {file}.", markup=False)
    return None


def _usage(procedure: Procedure) -> str:
    return f"{command_of(procedure)} {procedure.words.usage}".strip()


def _example(procedure: Procedure, example: str) -> str:
    return example.removeprefix("/") if example.startswith("/") else f"{command_of(procedure)} {example}"
