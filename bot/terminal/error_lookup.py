"""What an error means and what to do, by its code; all codes without one. It needs neither settings nor store."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.replies.error_page import entries, entry
from bot.terminal.options import Json
from bot.terminal.records import show_json

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

Code = Annotated[str, typer.Argument(help="The code of an error, for example MD-PG-012; without it all of them.")]


@app.command()
def errors(code: Code = "", json_: Json = False) -> None:
    """What an error means and what to do, by its code.

    For example: mayday errors MD-PG-012
    """
    found = [entry(code)] if code else entries()
    if json_:
        show_json([{"code": one.code, "error": one.message, "help": one.help} for one in found])
        return
    for one in found:
        typer.echo(one.says() if code else f"{one.code}  {one.message}")
