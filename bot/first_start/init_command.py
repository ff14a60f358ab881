"""`mayday init`: asks, checks each answer at once, writes the files, makes the archive's mark, ends with the doctor."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import click
import typer

from actions.engine.errors import Refused
from actions.findings import Finding
from actions.settings.variables import variables_file
from bot.first_start.answers import SLACK_URL, Told, settings_text, variables_text
from bot.first_start.interview import Interview
from bot.first_start.questions import InitAnswers, asked
from bot.first_start.server_lines import archive_script, compose_lines, first_time
from bot.first_start.written_files import FileDraft, refuse_existing, write_all
from bot.terminal import records
from bot.terminal.context import TerminalContext

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
Text = str | None
_BEGIN = """\
This writes Mayday's settings. Each answer is checked at once, and nothing is written before the last one; Ctrl-C leaves
everything as it is. Enter takes what stands in brackets. Tokens are not shown while you type them.

The app: api.slack.com/apps, Create New App, From a manifest: manifest.yml. Install it. Its bot token stands below
OAuth & Permissions; an app-level token with connections:write is made below Basic Information."""


@app.command()
def init(
    ctx: typer.Context,
    config: Annotated[Path | None, typer.Option("--config", help="The file to write; else $MAYDAY_CONFIG.")] = None,
    keep_old: Annotated[bool, typer.Option("--replace", help="Keep files that are there under another name.")] = False,
    mark: Annotated[bool, typer.Option("--mark", help="Only make the archive's mark, by the settings there.")] = False,
    no_slack: Annotated[bool, typer.Option("--no-slack", help="People use the terminal alone.")] = False,
    channel: Annotated[Text, typer.Option(help="The channel, by name or id.")] = None,
    operators: Annotated[Text, typer.Option(help="Who may ask: names, @handles or ids, commas between.")] = None,
    approvers: Annotated[Text, typer.Option(help="Who may approve, the same.")] = None,
    terminal: Annotated[Text, typer.Option(help="Logins of the host that may use the terminal.")] = None,
    container: Annotated[Text, typer.Option(help="The container of PostgreSQL.")] = None,
    database: Annotated[Text, typer.Option(help="The database that people mean.")] = None,
    archive: Annotated[Text, typer.Option(help="The WAL archive, as the container sees it.")] = None,
    bases: Annotated[Text, typer.Option(help="The base backups, as the container sees them.")] = None,
    writers: Annotated[Text, typer.Option(help="Containers that write into it.")] = None,
    zone: Annotated[Text, typer.Option(help="The time zone of the operations.")] = None,
    redis: Annotated[Text, typer.Option(help="The Redis of the queue; with a password better $MAYDAY_REDIS.")] = None,
    slack_url: Annotated[str, typer.Option(help="Where Slack's Web API is.")] = SLACK_URL,
) -> None:
    """Ask for what Mayday needs, write its settings, and check them.

    The tokens come from SLACK_BOT_TOKEN and SLACK_APP_TOKEN, or are asked for: no secret stands on a command line.
    """
    here: TerminalContext = ctx.obj["terminal"]
    file = here.settings_path(config).absolute()
    if mark:
        raise typer.Exit(records.show_findings(list(here.prepare(here.settings(file))), False))
    given = InitAnswers(
        slack=not no_slack,
        slack_url=slack_url,
        redis=redis,
        **{"channel": channel, "operators": operators, "approvers": approvers, "users": terminal, "zone": zone},
        **{"container": container, "database": database, "archive": archive, "bases": bases, "writers": writers},
    )
    _first_start(here, file, given, keep_old=keep_old)


def _first_start(here: TerminalContext, file: Path, given: InitAnswers, *, keep_old: bool) -> None:
    files = (file, variables_file(file), file.parent / "archive_wal.sh")
    refuse_existing(files[:2], replace=keep_old)
    told = _told(
        replace(
            given,
            redis=given.redis or here.variable("MAYDAY_REDIS"),
            bot_token=here.variable("SLACK_BOT_TOKEN"),
            app_token=here.variable("SLACK_APP_TOKEN"),
        )
    )
    _write(told, files, keep_old=keep_old, stamp=f"{here.clock():%Y%m%dT%H%M%SZ}")
    _left_to_do(here, told, file)


def _told(given: InitAnswers) -> Told:
    talk = Interview(lambda text: typer.echo(text, err=True), _reads if sys.stdin.isatty() else None)
    if talk.reads is not None:
        talk.say(_BEGIN)
    try:
        told = asked(talk, given)
    except (KeyboardInterrupt, EOFError, click.Abort):
        raise Refused("Nothing was written.", code="MD-CMD-041", hint="Begin again with mayday init.") from None
    talk.end()
    assert told is not None
    return told


def _reads(prompt: str, hidden: bool) -> str:
    return getpass.getpass(prompt) if hidden else input(prompt)


def _write(told: Told, files: Sequence[Path], *, keep_old: bool, stamp: str) -> None:
    settings, secrets, script = files
    drafts = [
        FileDraft(settings, settings_text(told, settings.parent)),
        FileDraft(script, archive_script(told.server), 0o755),
    ]
    if kept := variables_text(told):
        drafts.insert(0, FileDraft(secrets, kept, 0o600))
    refuse_existing([draft.path for draft in drafts if not draft.is_there_already()], replace=keep_old)
    old = write_all(drafts, stamp)
    typer.echo(f"\nWritten: {', '.join(str(draft.path) for draft in drafts)}")
    for path in old:
        typer.echo(f"Kept as it was: {path}")


def _left_to_do(here: TerminalContext, told: Told, file: Path) -> None:
    script = file.parent / "archive_wal.sh"
    typer.echo(
        f"\nFor PostgreSQL's Compose file, where it does not archive yet:\n\n{compose_lines(told.server, script)}"
    )
    typer.echo(f"Then, beside that file:\n\n{first_time(told.server)}\n")
    settings = here.settings(file)
    marked: list[Finding] = list(here.prepare(settings))
    records.show_findings([*marked, *here.checks(settings, here.store(settings))], False)
    program = os.path.relpath(sys.argv[0]) if os.sep in sys.argv[0] else "mayday"
    start = "worker" if told.slack is None else "bot"
    typer.echo(f"\nStart it, and keep it running: {program} {start} --config {file}")
    if told.slack is not None:
        typer.echo(f"and beside it:                {program} worker --config {file}")
    typer.echo(f"Until all is well:             {program} doctor --config {file}")
