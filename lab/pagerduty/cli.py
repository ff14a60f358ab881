"""`mayday lab page`, `lab pagerduty`, `lab fault pagerduty`: the practice PagerDuty from the command line."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console

from actions.engine.errors import Refused
from lab.pagerduty import place
from lab.pagerduty.faults import MODES
from lab.saying import Answer, print_json, said

Json = Annotated[bool, typer.Option("--json", help="One JSON document and nothing else.")]
console = Console(highlight=False)


def register(app: typer.Typer, fault_app: typer.Typer) -> None:
    """Add the commands to `mayday lab`."""
    app.command()(page)
    app.command()(pagerduty)
    fault_app.command("pagerduty")(fault)


def page(
    context: typer.Context,
    title: str,
    service: Annotated[str, typer.Option("--service", help="A service of the stack, for example redis.")] = "postgres",
    urgency: Annotated[str, typer.Option("--urgency", help="high or low")] = "high",
    count: Annotated[int, typer.Option("--count", help="So many alerts, each with a key of its own.")] = 1,
    out_of_order: Annotated[
        bool, typer.Option("--out-of-order", help="Acknowledged at once; the newest webhook first.")
    ] = False,
    grouped: Annotated[bool, typer.Option("--grouped", help="PagerDuty groups them into one incident.")] = False,
    json: Json = False,
) -> None:
    """An alert arrives at the practice PagerDuty."""
    asked = {"count": count, "out_of_order": out_of_order, "grouped": grouped}
    found = _told(place.client(context.obj).page(title, service, urgency, **asked))
    if json:
        return print_json(found)
    what = f"{found['opened']} incidents" if found["opened"] != 1 else f"incident {found['incidents'][0]}"
    console.print(f"{found['alerts']} alerts arrived: {what}" if count > 1 else f"The alert arrived: {what}")
    return None


def pagerduty(
    context: typer.Context,
    limit: Annotated[int, typer.Option("--limit", help="So many incidents, the newest first.")] = 20,
    json: Json = False,
) -> None:
    """Incidents, notes, who is on call, as PagerDuty sees them."""
    found = _told(place.client(context.obj).state(limit))
    print_json(found) if json else _show(found)


def fault(context: typer.Context, mode: str) -> None:
    """The practice PagerDuty: down, slow, limited, errors, twice, off."""
    if mode not in MODES:
        raise Refused(f"There is no fault '{mode}'.", hint=f"Choose one of: {', '.join(MODES)}.")
    _told(place.client(context.obj).fault(mode))
    console.print(f"The practice PagerDuty: {mode}")


def _told(answer: dict[str, Any]) -> dict[str, Any]:
    return said({**answer, "hint": answer.get("hint") or "See: mayday lab pagerduty"}, Answer.RAW)


def _show(found: dict[str, Any]) -> None:
    _line(found["note"])
    for one in found["incidents"]:
        _show_incident(one)
    if found["total"] > len(found["incidents"]) or not found["total"]:
        _line(f"{found['total']} incidents in all, {found['open']} of them open")
    for one in (who for who in found["on_call"] if who["level"] <= 2):
        _line(f"on call  {one['policy']}, level {one['level']}: {one['name']}")
    for hook in found["subscriptions"]:
        state = "disabled after repeated refusals" if hook["temporarily_disabled"] else "enabled"
        _line(f"webhook  {hook['url']}: {state}")
    if found["undelivered"]:
        _line(f"{found['undelivered']} webhooks wait to be delivered")
    if found["fault"] != "off":
        _line(f"fault    {found['fault']}")


def _show_incident(one: dict[str, Any]) -> None:
    alerts = "1 alert" if one["alerts"] == 1 else f"{one['alerts']} alerts"
    more = [alerts, f"urgency {one['urgency']}", *([one["priority"]] if one["priority"] else [])]
    more += [f"with {', '.join(one['assigned'])}"] if one["assigned"] else []
    more += [f"merged into {one['merged_into']}"] if one["merged_into"] else []
    _line(f"#{one['number']:<4} {one['status']:<12} {one['service']}: {one['title']} ({', '.join(more)})")
    for note in one["notes"]:
        _line(f"      {note['at']} {note['by']}: {note['text']}")


def _line(text: str) -> None:
    console.print(text, markup=False, soft_wrap=True)
