"""The status page in a terminal: what it says of an incident, and letting an update out."""

from __future__ import annotations

import uuid
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from actions.engine.errors import Refused
from actions.engine.ids import is_errand
from actions.incidents import public_posts
from actions.incidents.draft_offers import edited, kind_now, kind_of, newest_recovery, offered, to_publish
from actions.incidents.incident import Incident
from actions.incidents.incident_actions import known, open_incidents
from actions.incidents.open_errands import open_errand
from actions.incidents.public_text import fit
from actions.incidents.run_story import retell
from bot.incidents.incident_commands import IncidentReply
from bot.incidents.status_update import components_said
from bot.terminal.carry_on import How
from bot.terminal.errand_outcome import done
from bot.terminal.options import Config, FollowErrand, ForegroundErrand, Json
from bot.terminal.records import show_json
from bot.terminal.session import Session, session

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False, no_args_is_help=True)


@app.callback()
def _page() -> None:
    """What the status page says of incidents, and publishing updates."""


@app.command()
def show(
    ctx: typer.Context,
    incident: Annotated[str, typer.Argument(help="Its id; else each that is open.")] = "",
    config: Config = None,
    json_: Json = False,
) -> None:
    """What the public was told, and what fits now."""
    with session(ctx, config, json_) as here:
        found = [known(here.store, incident)] if incident else open_incidents(here.store)
        said = [_document(here, one) for one in found]
        if json_:
            return show_json(said[0] if incident else said)
        if not here.settings.statuspage.kind:
            here.tell("No status page is set up: the settings have no statuspage.kind.")
        if not found:
            here.out.print("No incident is open.")
        for one in said:
            _told(here, one)
    return None


@app.command()
def publish(
    ctx: typer.Context,
    incident: str,
    kind: Annotated[str, typer.Option(help="opened, started, finished, failed or resolved; else what it is now")] = "",
    title: Annotated[str, typer.Option(help="In place of the draft's title.")] = "",
    text: Annotated[str, typer.Option(help="In place of the draft's text.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before it goes out.")] = False,
    config: Config = None,
    json_: Json = False,
    follow: FollowErrand = False,
    foreground: ForegroundErrand = False,
) -> None:
    """Show the update that fits an incident now, and publish it when somebody says yes."""
    with session(ctx, config, json_) as here:
        found = known(here.store, incident)
        run = newest_recovery(here.store, found)
        wanted = kind_of(kind) if kind else kind_now(found, run)
        draft = offered(here.settings.statuspage, found, run, wanted, here.settings.stack())
        draft = fit(edited(draft, title or draft.title, text or draft.text))
        touched = components_said(draft, here.settings.statuspage.components)
        here.tell(f"{draft.title} ({draft.status})\n{draft.text}\n{touched}")
        if not yes and here.ask("Everybody can read this. Publish it? Type yes", "--yes") != "yes":
            raise Refused(
                "Nothing was published.", code="MD-SP-001", hint="Change it with --title and --text, then publish."
            )
        site, by, key = here.settings.site.name, here.person.speaker, f"terminal:{uuid.uuid4().hex}"
        errand = open_errand(here.store, to_publish(found, draft), found, by, site=site, key=key)[0]
        done(here, IncidentReply(f"It goes out as errand {errand}.", (errand,), found.id), How(follow, foreground))


def _document(here: Session, incident: Incident) -> dict[str, Any]:
    """All that the journals tell of what the public was told."""
    errands = [retell(here.store.entries(linked.run)) for linked in incident.runs if is_errand(linked.run)]
    made = list(public_posts.posts(errands))
    names = {id: service for service, id in here.settings.statuspage.components.items()}
    return {
        "incident": incident.id,
        "title": incident.title,
        "state": incident.state,
        "fits_now": kind_now(incident, newest_recovery(here.store, incident)),
        "offers": [asdict(offer) for offer in public_posts.offers(here.store.entries(incident.id))],
        "updates": [asdict(post) for post in made],
        "components": [
            {"component": id, "service": names.get(id, ""), "status": status}
            for id, status in public_posts.components(made).items()
        ],
    }


def _told(here: Session, said: dict[str, Any]) -> None:
    """The same for a person."""
    out = here.out
    out.print(Text(f"{said['title']} ({said['incident']}, {said['state']})", style="bold"))
    for offer in said["offers"]:
        out.print(f"{offer['at']:%H:%M:%S} a draft was offered: {offer['kind']}", markup=False)
    for update in said["updates"]:
        out.print(_update(update), markup=False)
        out.print(f"         {update['text']}", markup=False)
    if not said["updates"]:
        out.print("Nothing was published.")
    if said["components"]:
        table = Table("component", "service", "is said to be", box=None, pad_edge=False)
        for one in said["components"]:
            table.add_row(*(Text(one[name]) for name in ("component", "service", "status")))
        out.print(table)
    out.print(f"An update fits now ({said['fits_now']}): mayday status-page publish {said['incident']}\n", markup=False)


def _update(update: dict[str, Any]) -> str:
    """One update: who let it out, whether it stands on the page, and where."""
    stood = update["stood_at"]
    where = f"on the page since {stood:%H:%M:%S}" if stood else f"not on the page: {update['state']}"
    why = f". {update['trouble']}" if update["trouble"] else ""
    return (
        f"{update['at']:%H:%M:%S} {update['status']}: {update['title']}, by {update['who']} "
        f"({update['errand']}, {where}{why}) {update['url']}".rstrip()
    )
