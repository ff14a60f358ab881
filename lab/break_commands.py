"""`mayday lab break …` and `mayday lab heal`: what goes wrong in the practice company, and how to take it back."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console

from lab import breaks, replication_faults, show
from lab.saying import print_json

_console = Console(highlight=False)
_Json = Annotated[bool, typer.Option("--json", help="One JSON document and nothing else.")]

_HELP = {
    "primary-killed": "Kill the primary with SIGKILL, as a crash of its host would.",
    "primary-hung": "Freeze the primary: its container is there, and it answers nobody.",
    "replication-lag": "Let the standby receive 1 kB a second, so that it lags more and more while the town writes.",
    "old-primary-returns": "Start the old primary after a failover, as somebody does who knows nothing of it.",
    "slow-link": "Put 5 seconds of latency between the primary and its standby.",
    "slot-consumer": "Make a replication slot that nobody reads: it holds WAL back.",
}


def register(app: typer.Typer, break_app: typer.Typer) -> None:
    """Add the commands."""

    @break_app.command("data-loss")
    def data_loss(context: typer.Context, json: _Json = False) -> None:
        """Delete a channel and all of its messages."""
        found = breaks.data_loss(context.obj)
        if json:
            return print_json(found)
        show.loss(_console, found)
        return show.way_back(_console, found)

    for fault, text in _HELP.items():
        _register_fault(break_app, fault, text)

    @app.command()
    def heal(context: typer.Context, json: _Json = False) -> None:
        """Take back a slow link, a lag, a forgotten slot, and start a primary that nobody has replaced."""
        found = replication_faults.heal(context.obj)
        print_json(found) if json else _console.print(_healed(found), markup=False)


def _register_fault(break_app: typer.Typer, fault: str, text: str) -> None:
    @break_app.command(fault, help=text)
    def let_it_happen(context: typer.Context, json: _Json = False) -> None:
        found = replication_faults.happen(context.obj, fault)
        if json:
            return print_json(found)
        _console.print(f"{found['container']}: {found['done']}.", markup=False, soft_wrap=True)
        return _console.print(f"At {found['moment']}. Undo: {found['undo']}", markup=False, soft_wrap=True)


def _healed(found: dict[str, Any]) -> str:
    return f"Healed: {', '.join(found['healed'])}." if found["healed"] else "There is nothing to heal."
