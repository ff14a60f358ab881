"""The practice company's two operators of the terminal, enrolled: whoever started it asks, somebody else approves."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Annotated

import pyotp
import typer

from actions.engine.errors import Refused
from actions.settings.people import Operator
from bot.terminal.code_secrets import Keys
from lab.home import Lab

NOBODY = 65534
"""The numeric user of the second operator: every Linux has it, and nobody else uses it."""
KEYS = "keys"
_ASKS, _APPROVES = "oncall", "approver"


def people() -> tuple[Operator, Operator]:
    """Who asks, with the user id of this process, and who approves; each is somebody of the practice room too."""
    return (
        Operator(id=_ASKS, name="Olga Nowak", os_users=(str(os.getuid()),), slack="U0ONCALL"),
        Operator(id=_APPROVES, name="Ada Prewitt", os_users=(str(NOBODY),), slack="U0APPROVER", may_approve=True),
    )


def settings(lab: Lab) -> str:
    """The tables of both for Mayday's settings."""
    tables = [
        f"""
[[operators.people]]
id = "{one.id}"
name = "{one.name}"
os_users = ["{one.os_users[0]}"]
slack = "{one.slack}"
may_approve = {str(one.may_approve).lower()}
"""
        for one in people()
    ]
    return f'\n[operators]\nkeys = "{lab.root / KEYS}"\n{"".join(tables)}'


def enrol(lab: Lab) -> None:
    """Give both a secret for their one-time codes, where they have none yet."""
    keys = Keys(lab.root / KEYS, os.getuid())
    for one in people():
        if not keys.enrolled(one):
            keys.keep(one, pyotp.random_base32())


def how_to(config: Path) -> list[str]:
    """The lines that point other commands of this terminal at the company, as both of its operators."""
    asks, approves = people()
    lines = [
        "Other commands of this terminal are for it after:",
        f"export MAYDAY_CONFIG={config}",
        *_path(),
        f"There you are {asks.name}, who asks: mayday recover postgres pitr 2m ago --follow",
    ]
    # What SUDO_UID says is believed of root alone.
    if os.getuid() == 0:
        code = f"$(mayday lab code --as {approves.id})"
        lines.append(f"{approves.name} approves: SUDO_UID={NOBODY} mayday approve RUN --code {code}")
    return lines


def _path() -> list[str]:
    """What lets the command be typed as it is written everywhere, where it cannot be yet."""
    if shutil.which("mayday"):
        return []
    return [f"export PATH={Path(sys.executable).parent}:$PATH"]


def register(app: typer.Typer) -> None:
    """The command that stands for the phones of both."""

    @app.command()
    def code(
        context: typer.Context,
        user: Annotated[str, typer.Option("--as", help="oncall or approver.")] = _APPROVES,
    ) -> None:
        """The one-time code that an operator's phone would show now."""
        typer.echo(code_of(context.obj, user))


def code_of(lab: Lab, user: str) -> str:
    """The one-time code of this half minute.

    Raises:
        Refused: nobody of the two is called so, or the company was never started.
    """
    found = next((one for one in people() if one.id == user), None)
    if found is None:
        raise Refused(f"There is no operator '{user}'.", hint=f"Choose {_ASKS} or {_APPROVES}.")
    return pyotp.TOTP(Keys(lab.root / KEYS, os.getuid()).secret(found)).now()
