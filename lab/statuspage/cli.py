"""`mayday lab statuspage` and `mayday lab fault statuspage`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from lab.saying import print_json
from lab.statuspage.client import PracticePage
from lab.statuspage.faults import MODES
from lab.statuspage.part import address
from lab.statuspage.world import Json

console = Console(highlight=False)
_JSON = typer.Option("--json", help="One JSON document and nothing else.")


def register(app: typer.Typer, fault_app: typer.Typer) -> None:
    """Add the stand-in's commands to those of the practice company."""
    app.command(name="statuspage")(statuspage)
    fault_app.command(name="statuspage", help=f"The practice status page: {', '.join(MODES)}.")(fault)


def statuspage(context: typer.Context, json: Annotated[bool, _JSON] = False) -> None:
    """What the public sees on the practice status page."""
    seen = PracticePage(address(context.obj)).state()
    print_json(seen) if json else show(seen)


def fault(context: typer.Context, mode: str) -> None:
    """Switch a bad day of the status page on or off."""
    PracticePage(address(context.obj)).fault(mode)
    console.print(f"The practice status page: {mode}", markup=False)


def show(seen: Json) -> None:
    """The page in a terminal."""
    console.print(f"[bold]{seen['status']['description']}[/]  {seen['page']['url']}")
    if seen["fault"] != "off":
        console.print(f"fault: {seen['fault']}")
    table = Table(box=None, pad_edge=False, show_header=False)
    for component in seen["components"]:
        table.add_row(component["name"], component["status"].replace("_", " "))
    console.print(table)
    for incident in seen["incidents"]:
        _show_incident(incident)


def _show_incident(incident: Json) -> None:
    touched = f" · {', '.join(incident['components'])}" if incident["components"] else ""
    console.print(f"\n{incident['name']}", style="bold", markup=False)
    console.print(f"{incident['status']}, {incident['impact']}{touched}", markup=False)
    for update in incident["updates"]:
        at = datetime.fromisoformat(update["at"]).astimezone(UTC)
        told = "" if update["notified"] else " (nobody was told by mail)"
        console.print(f"  {at:%Y-%m-%d %H:%M} UTC  {update['status']}{told}", markup=False)
        for line in update["body"].splitlines():
            console.print(f"    {line}", markup=False)
