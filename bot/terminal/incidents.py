"""Incidents in a terminal: the verbs of /incident, the timeline, the document, the status page."""

from __future__ import annotations

import html
import uuid
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from actions.engine.errors import RecoveryError, Refused
from actions.engine.status import state_of
from actions.incidents.deeds import known, open_incidents, severity_of
from actions.incidents.errands import open_errand
from actions.incidents.export import document_of
from actions.incidents.offering import edited, kind_now, kind_of, newest_run, offered, to_publish
from actions.incidents.public import fit
from actions.incidents.rendering import html as as_html
from actions.incidents.rendering import markdown
from bot import timeline
from bot.leading import Done, press
from bot.leading import declare as begin
from bot.terminal.going import How, moved
from bot.terminal.records import show_json
from bot.terminal.session import Session, session

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
page = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False, no_args_is_help=True)

Config = Annotated[Path | None, typer.Option("--config", help="The settings file; else $MAYDAY_CONFIG.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document and nothing else.")]
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
            return show_json([{"incident": i.id, "title": i.title, "service": i.service, "state": i.state,
                               "severity": i.severity, "alerts": i.count, "began_at": i.began_at}
                              for i in found])  # fmt: skip
        table = Table("incident", "what", "service", "state", "began at (UTC)", box=None, pad_edge=False)
        for i in found:
            table.add_row(i.id, i.title, i.service, str(i.state), f"{i.began_at:%Y-%m-%d %H:%M:%S}")
        here.out.print(table if found else "No incident is open.")
    return None


@app.command()
def declare(
    ctx: typer.Context, title: str, severity: Annotated[str, typer.Option(help="critical, high, medium or low")] = "",
    config: Config = None, json_: Json = False,
) -> None:  # fmt: skip
    """Open an incident that PagerDuty does not know, and page by the contact rules."""
    graded = severity_of(severity)
    if severity and not graded:
        raise Refused(f"'{severity[:40]}' is no severity.", hint="Choose critical, high, medium or low.")
    with session(ctx, config, json_) as here:
        _done(here, begin(here.desk, title, graded, _key(), here.person))


@app.command()
def severity(ctx: typer.Context, incident: str, word: str, config: Config = None, json_: Json = False) -> None:
    """Say how bad it is."""
    _led(ctx, "severity", incident, word, config, json_)


@app.command()
def role(ctx: typer.Context, incident: str, role: str, config: Config = None, json_: Json = False) -> None:
    """Take a role: commander, scribe and so on."""
    _led(ctx, "role", incident, role, config, json_)


@app.command()
def acknowledge(ctx: typer.Context, incident: str, config: Config = None, json_: Json = False) -> None:
    """Tell PagerDuty that you have it."""
    _led(ctx, "acknowledge", incident, "", config, json_)


@app.command()
def escalate(ctx: typer.Context, incident: str, config: Config = None, json_: Json = False) -> None:
    """Have PagerDuty page the next level."""
    _led(ctx, "escalate", incident, "", config, json_)


@app.command()
def resolve(ctx: typer.Context, incident: str, config: Config = None, json_: Json = False) -> None:
    """Say that it is over, here and in PagerDuty."""
    _led(ctx, "resolve", incident, "", config, json_)


@app.command("timeline")
def show_timeline(ctx: typer.Context, incident: str, config: Config = None, json_: Json = False) -> None:
    """What happened, in UTC, from the journals of the incident and its runs."""
    with session(ctx, config, json_) as here:
        found = known(here.store, incident)
        told = timeline.told(here.store, found)
        if json_:
            return show_json({"incident": found.id, "title": found.title, "state": found.state,
                              "timeline": [{"at": at, "said": said} for at, said in told]})  # fmt: skip
        here.out.print(f"{found.title} ({found.id}, {found.state}), times in UTC", markup=False)
        for at, said in told:
            here.out.print(f"{at:%H:%M:%S} {said}", markup=False)
    return None


@app.command()
def export(
    ctx: typer.Context, incident: str, form: Annotated[str, typer.Option("--format", help="markdown or html")] = "",
    to: Annotated[Path, typer.Option(help="The folder that the document is written into.")] = Path(),
    config: Config = None, json_: Json = False,
) -> None:  # fmt: skip
    """Write the post-incident document, of an incident or of a run alone."""
    if form and form not in _FORMS:
        raise Refused(f"There is no format '{form}'.", hint="Choose markdown or html; without --format it is both.")
    with session(ctx, config, json_, head=False) as here:
        made = document_of(here.store, incident)
        files = {to / f"{incident}.{_FORMS[name][0]}": _FORMS[name][1](made) for name in ([form] if form else _FORMS)}
        _written(files)
        if json_:
            return show_json({"files": [str(path) for path in files]})
        here.out.print("\n".join(map(str, files)), markup=False)
    return None


def _written(files: dict[Path, str]) -> None:
    try:
        for path, text in files.items():
            path.write_text(text)
    except OSError as wrong:
        raise RecoveryError("The document cannot be written.", detail=str(wrong),
                            hint="Name a folder that you may write into with --to.") from wrong  # fmt: skip


@page.callback()
def _page() -> None:
    """Publish an update of an incident on the status page."""


@page.command()
def publish(
    ctx: typer.Context, incident: str,
    kind: Annotated[str, typer.Option(help="opened, started, finished, failed or resolved; else what it is now")] = "",
    title: Annotated[str, typer.Option(help="In place of the draft's title.")] = "",
    text: Annotated[str, typer.Option(help="In place of the draft's text.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before it goes out.")] = False,
    config: Config = None, json_: Json = False,
) -> None:  # fmt: skip
    """Show the update that fits an incident now, and publish it when somebody says yes."""
    with session(ctx, config, json_) as here:
        found = known(here.store, incident)
        run = newest_run(here.store, found)
        draft = offered(here.settings.statuspage, found, run, kind_of(kind) if kind else kind_now(found, run))
        draft = fit(edited(draft, title or draft.title, text or draft.text))
        here.tell(f"{draft.title} ({draft.status})\n{draft.text}")
        if not yes and here.ask("Everybody can read this. Publish it? Type yes", "--yes") != "yes":
            raise Refused("Nothing was published.", hint="Change it with --title and --text, then publish.")
        site = here.settings.site.name
        errand = open_errand(here.store, to_publish(found, draft), found, here.person.speaker, site=site, key=_key())[0]
        _done(here, Done(f"It goes out as errand {errand}.", errand, found.id))


def _led(ctx: typer.Context, verb: str, incident: str, said: str, config: Path | None, as_json: bool) -> None:
    """One deed on the incident of that very id: a slip of the fingers must not meet another one."""
    with session(ctx, config, as_json) as here:
        _done(here, press(here.desk, verb, known(here.store, incident), here.person, _key(), said))


def _done(here: Session, done: Done) -> None:
    """What was said, and what came of the errand: without a worker alive it is carried out here."""
    said = html.unescape(done.text).replace("`", "")
    if not done.ring:
        return _answered(here, said, incident=done.incident, errand="")
    here.desk.ring(done.ring)
    here.tell(said)
    code = moved(here, done.ring, How())
    if here.as_json:
        state = str(state_of(here.store.run(done.ring)))
        show_json({"answer": said, "incident": done.incident, "errand": done.ring, "state": state})
    raise typer.Exit(int(code))


def _answered(here: Session, text: str, **ids: str) -> None:
    show_json({"answer": text, **ids}) if here.as_json else here.out.print(text, markup=False)


def _key() -> str:
    return f"terminal:{uuid.uuid4().hex}"
