"""What is done about an incident in a terminal: the verbs of /incident. The looks at it stand beside them."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Annotated

import typer

from actions.engine.errors import Refused
from actions.incidents.incident_actions import known, severity_of
from bot.incidents.incident_commands import declare as begin
from bot.incidents.incident_commands import press
from bot.terminal.carry_on import How
from bot.terminal.errand_outcome import done
from bot.terminal.incident_looks import app
from bot.terminal.options import Config, FollowErrand, ForegroundErrand, Json
from bot.terminal.session import session

__all__ = ["app"]

Holder = Annotated[
    list[str] | None,
    typer.Argument(help="Who has it: a name that the settings know, or a Slack user's id; else you."),
]


@app.command()
def declare(
    ctx: typer.Context,
    title: str,
    severity: Annotated[str, typer.Option(help="critical, high, medium or low")] = "",
    config: Config = None,
    json_: Json = False,
    follow: FollowErrand = False,
    foreground: ForegroundErrand = False,
) -> None:
    """Open an incident that PagerDuty does not know, and page by the contact rules."""
    graded = severity_of(severity)
    if severity and not graded:
        raise Refused(
            f"'{severity[:40]}' is no severity.", code="MD-INC-018", hint="Choose critical, high, medium or low."
        )
    with session(ctx, config, json_) as here:
        done(here, begin(here.bot, title, graded, _key(), here.person), How(follow, foreground))


@app.command()
def severity(
    ctx: typer.Context,
    incident: str,
    word: str,
    config: Config = None,
    json_: Json = False,
    follow: FollowErrand = False,
    foreground: ForegroundErrand = False,
) -> None:
    """Say how bad it is."""
    _led(ctx, "severity", incident, word, config, json_, How(follow, foreground))


@app.command()
def role(
    ctx: typer.Context, incident: str, role: str, user: Holder = None, config: Config = None, json_: Json = False
) -> None:
    """Take a role such as commander, or give it to somebody."""
    _led(ctx, "role", incident, " ".join([role, *(user or [])]), config, json_, How())


@app.command()
def acknowledge(
    ctx: typer.Context,
    incident: str,
    config: Config = None,
    json_: Json = False,
    follow: FollowErrand = False,
    foreground: ForegroundErrand = False,
) -> None:
    """Tell PagerDuty that you have it."""
    _led(ctx, "acknowledge", incident, "", config, json_, How(follow, foreground))


@app.command()
def escalate(
    ctx: typer.Context,
    incident: str,
    config: Config = None,
    json_: Json = False,
    follow: FollowErrand = False,
    foreground: ForegroundErrand = False,
) -> None:
    """Have PagerDuty page the next level."""
    _led(ctx, "escalate", incident, "", config, json_, How(follow, foreground))


@app.command()
def resolve(
    ctx: typer.Context,
    incident: str,
    config: Config = None,
    json_: Json = False,
    follow: FollowErrand = False,
    foreground: ForegroundErrand = False,
) -> None:
    """Say that it is over, here and in PagerDuty."""
    _led(ctx, "resolve", incident, "", config, json_, How(follow, foreground))


def _led(ctx: typer.Context, verb: str, incident: str, said: str, config: Path | None, as_json: bool, how: How) -> None:
    """One action on the incident of exactly that id: a mistyped id must not meet another one."""
    with session(ctx, config, as_json) as here:
        done(here, press(here.bot, verb, known(here.store, incident), here.person, _key(), said), how)


def _key() -> str:
    return f"terminal:{uuid.uuid4().hex}"
