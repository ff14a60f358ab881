"""What only looks: runs, one run, the journals' chains, the doctor, what is away."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from actions.settings import file_rights
from actions.store.anchors import anchors_path
from bot.runs import run_control
from bot.terminal import records, status_lists
from bot.terminal.carry_on import BACK, GOOD
from bot.terminal.follow_run import until_rest
from bot.terminal.options import Config, Json
from bot.terminal.run_shown import document
from bot.terminal.session import session

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
journal = typer.Typer(
    help="The journals: what every run did, hash-chained.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)


@app.command()
def runs(ctx: typer.Context, config: Config = None, json_: Json = False) -> None:
    """The runs, newest first."""
    with session(ctx, config, json_) as here:
        records.list_runs(here.store, json_)


@app.command()
def status(ctx: typer.Context, config: Config = None, json_: Json = False) -> None:
    """What is under way, what waits for an answer, and who is there to do it."""
    with session(ctx, config, json_) as here:
        status_lists.status(here)


@app.command()
def show(
    ctx: typer.Context,
    run: str,
    config: Config = None,
    json_: Json = False,
    follow: Annotated[bool, typer.Option("--follow", help="Go on showing until the run waits or ends.")] = False,
) -> None:
    """What a run did, from its journal."""
    with session(ctx, config, json_) as here:
        known = run_control.find(here.bot, run)
        if not follow:
            return records.show_run(here.store, here.bot.procedure(known.procedure), run, json_)
        code = until_rest(here, run, (*GOOD, *BACK))
        if json_:
            records.show_json(document(here.store.entries(run)))
        raise typer.Exit(int(code))


@app.command()
def stack(
    ctx: typer.Context,
    site: Annotated[str, typer.Argument(help="One site; without it all.")] = "",
    config: Config = None,
    json_: Json = False,
    svg: Annotated[Path | None, typer.Option("--svg", help="Write it as a picture into this file.")] = None,
) -> None:
    """The services of the stack: their order, what needs what, how they were last seen."""
    with session(ctx, config, json_) as here:
        if svg is not None:
            status_lists.stack_svg(here, site, svg)
        else:
            status_lists.stack(here, site)


@journal.callback()
def _journal() -> None:
    """The journals: what every run did, hash-chained."""


@journal.command("verify")
def journal_verify(
    ctx: typer.Context,
    run: Annotated[str | None, typer.Argument()] = None,
    config: Config = None,
    json_: Json = False,
) -> None:
    """Check the chains, and name the first broken entry."""
    with session(ctx, config, json_, head=False) as here:
        noted = anchors_path(here.settings.anchors, here.settings.store)
        raise typer.Exit(records.verify_journals(here.store, run, json_, noted))


@app.command()
def doctor(ctx: typer.Context, config: Config = None, json_: Json = False) -> None:
    """Check tokens, scopes, Docker, Postgres, archive, backups, worker, clock, and say what to do."""
    terminal = ctx.obj["terminal"]
    settings = terminal.settings(config)
    rights = file_rights.check(terminal.settings_path(config))
    found = [*rights, *terminal.checks(settings, terminal.store(settings))]
    raise typer.Exit(records.show_findings(found, json_))


@app.command("slack-status")
def slack_status(ctx: typer.Context, config: Config = None, json_: Json = False) -> None:
    """Which of Slack, PagerDuty, Redis and the worker is away."""
    with session(ctx, config, json_, head=False) as here:
        parts = here.look.parts()
        if json_:
            records.show_json([asdict(part) for part in parts])
        else:
            for part in parts:
                state = {True: "away", False: "there", None: "-"}[part.away]
                here.out.print(f"{part.name:<10} {state:<6} {part.seen}", markup=False)
        raise typer.Exit(1 if any(part.away for part in parts) else 0)
