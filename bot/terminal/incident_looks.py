"""Looks at incidents in a terminal: which are open, one of them, its timeline, its document."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from actions.engine.errors import RecoveryError, Refused
from actions.incidents.document_export import document_of
from actions.incidents.document_rendering import html as as_html
from actions.incidents.document_rendering import markdown
from actions.incidents.incident import Incident
from actions.incidents.incident_actions import known, open_incidents
from bot.incidents import timeline
from bot.incidents.incident_commands import the_open_one
from bot.terminal import incident_shown
from bot.terminal.options import Config, Json
from bot.terminal.records import show_json
from bot.terminal.session import Session, session

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
Meant = Annotated[str, typer.Argument(help="Its id; else the one that is open.")]
_FORMS = {"markdown": ("md", markdown), "html": ("html", as_html)}


@app.callback(invoke_without_command=True)
def incidents(ctx: typer.Context, config: Config = None, json_: Json = False) -> None:
    """Incidents: the open ones, and what can be done about them."""
    if ctx.invoked_subcommand is None:
        list_open(ctx, config, json_)


@app.command("list")
def list_open(ctx: typer.Context, config: Config = None, json_: Json = False) -> None:
    """The open incidents."""
    with session(ctx, config, json_) as here:
        found = open_incidents(here.store)
        if json_:
            return show_json(
                [
                    {
                        "incident": i.id,
                        "title": i.title,
                        "service": i.service,
                        "state": i.state,
                        "severity": i.severity,
                        "alerts": i.count,
                        "began_at": i.began_at,
                    }
                    for i in found
                ]
            )
        table = Table("incident", "what", "service", "state", "began at (UTC)", box=None, pad_edge=False)
        for i in found:
            table.add_row(i.id, i.title, i.service, str(i.state), f"{i.began_at:%Y-%m-%d %H:%M:%S}")
        here.out.print(table if found else "No incident is open.")
    return None


@app.command()
def show(ctx: typer.Context, incident: Meant = "", config: Config = None, json_: Json = False) -> None:
    """How one stands, its runs, and what can be typed next."""
    with session(ctx, config, json_) as here:
        found = meant(here, incident)
        if json_:
            return show_json(incident_shown.document(here, found))
        incident_shown.told(here, found)
    return None


@app.command("timeline")
def show_timeline(ctx: typer.Context, incident: Meant = "", config: Config = None, json_: Json = False) -> None:
    """What happened, in UTC, from the journals of the incident and its runs."""
    with session(ctx, config, json_) as here:
        found = meant(here, incident)
        told = timeline.told(here.store, found)
        if json_:
            return show_json(
                {
                    "incident": found.id,
                    "title": found.title,
                    "state": found.state,
                    "timeline": [{"at": at, "said": said} for at, said in told],
                }
            )
        here.out.print(f"{found.title} ({found.id}, {found.state}), times in UTC", markup=False)
        for at, said in told:
            here.out.print(f"{at:%H:%M:%S} {said}", markup=False)
    return None


@app.command()
def export(
    ctx: typer.Context,
    incident: str,
    form: Annotated[str, typer.Option("--format", help="markdown or html")] = "",
    to: Annotated[Path, typer.Option(help="The folder that the document is written into.")] = Path(),
    config: Config = None,
    json_: Json = False,
) -> None:
    """Write the post-incident document, of an incident or of a run alone."""
    if form and form not in _FORMS:
        raise Refused(
            f"There is no format '{form}'.",
            code="MD-INC-016",
            hint="Choose markdown or html; without --format it is both.",
        )
    with session(ctx, config, json_, head=False) as here:
        made = document_of(here.store, incident, here.settings.stack())
        files = {to / f"{incident}.{_FORMS[name][0]}": _FORMS[name][1](made) for name in ([form] if form else _FORMS)}
        _written(files)
        if json_:
            return show_json({"files": [str(path) for path in files]})
        here.out.print("\n".join(map(str, files)), markup=False)
    return None


def meant(here: Session, incident: str) -> Incident:
    """The incident of that id, or the one that is open where none is named.

    Raises:
        Refused: there is none of that id, none is open, or several are.
    """
    return known(here.store, incident) if incident else the_open_one(here.store, "Name it by its id.")


def _written(files: dict[Path, str]) -> None:
    try:
        for path, text in files.items():
            path.write_text(text)
    except OSError as wrong:
        raise RecoveryError(
            "The document cannot be written.",
            code="MD-INC-017",
            detail=str(wrong),
            hint="Name a folder that you may write into with --to.",
        ) from wrong
