"""Operators: who they are, and giving each the app with their one-time codes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import pyotp
import segno
import typer
from rich.table import Table

from actions.engine.errors import Refused
from bot.terminal.code_secrets import taken
from bot.terminal.records import show_json
from bot.terminal.session import Session, session

app = typer.Typer(
    help="Who may use the terminal, and their one-time codes.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
Config = Annotated[Path | None, typer.Option("--config", help="The settings file; else $MAYDAY_CONFIG.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document and nothing else.")]


@app.command()
def enrol(ctx: typer.Context, config: Config = None) -> None:
    """Make the secret of your one-time codes: scan it, then type the first code."""
    with session(ctx, config, False, head=False) as here:
        operator = here.operator
        if here.keys.enrolled(operator):
            raise taken(operator, here.keys.path(operator))
        secret = pyotp.random_base32()
        _show(here, secret)
        code = here.ask("The code that your app shows now", "a pipe: the secret is made anew each time", hidden=True)
        here.codes.must_be_right(secret, code)
        here.keys.keep(operator, secret)
        here.out.print(
            f"{operator.name} is enrolled. The secret lies in {here.keys.path(operator)}, mode 600.", markup=False
        )


def _show(here: Session, secret: str) -> None:
    """As a picture for a phone, and as text for whoever has none at hand. It is shown this once."""
    uri = pyotp.TOTP(secret).provisioning_uri(name=here.operator.name, issuer_name=f"Mayday {here.settings.site.name}")
    if sys.stdout.isatty():
        segno.make(uri, error="L").terminal(out=sys.stdout, compact=True, border=2)
    here.out.print("Scan it with an app for one-time codes, or type this into it; then nobody else may see it.")
    here.out.print(f"secret: {secret}", markup=False)
    sys.stdout.flush()


@app.command("list")
def list_operators(ctx: typer.Context, config: Config = None, json_: Json = False) -> None:
    """Who may use the terminal, and who has one-time codes."""
    with session(ctx, config, json_, head=False) as here:
        people = here.settings.operators.people
        if not people and not json_:
            raise Refused(
                "The settings name no operators.", code="MD-CMD-018", hint="docs/terminal.md shows how to name them."
            )
        rows = [(o, here.keys.enrolled(o)) for o in people]
        if json_:
            return show_json([{**o.model_dump(), "enrolled": enrolled} for o, enrolled in rows])
        table = Table("operator", "name", "users", "Slack", "may ask", "may approve", "codes", box=None, pad_edge=False)
        said = {True: "yes", False: "no", None: "only its owner can tell"}
        for o, enrolled in rows:
            table.add_row(
                o.id,
                o.name,
                ", ".join(o.os_users),
                o.slack or "-",
                said[o.may_ask],
                said[o.may_approve],
                said[enrolled],
            )
        here.out.print(table)
        return None
