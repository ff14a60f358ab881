"""Commands of the terminal that are imported when they are called for, with what the help says of them.

Help has to come at once; `mayday.py` looks a command up here and imports its module.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from actions.engine.errors import Refused

PRACTICE = "lab"
"""The package of the practice company, and the command for it. It is in no production image."""


@dataclass(frozen=True)
class Late:
    """Where a command is: a Typer app in a module. `one_of_many` says that the app has others beside it."""

    module: str
    summary: str
    app: str = "app"
    one_of_many: bool = False


def _verb(summary: str) -> Late:
    return Late("bot.terminal.verbs", summary, one_of_many=True)


def _view(summary: str) -> Late:
    return Late("bot.terminal.reading", summary, one_of_many=True)


LATE: dict[str, Late] = {
    "lab": Late("lab.cli", "A practice company on this machine: train on it, break it, recover it."),
    "recover": _verb("Ask for a recovery, in the words of Slack."),
    "backup": _verb("Ask for a backup, in the words of Slack."),
    "window": _verb("Which moments can be recovered."),
    "approve": _verb("Give the approval of a second person that a run waits for."),
    "answer": _verb("Answer the question of a run by a label."),
    "stop": _verb("Stop a run at its next safe place."),
    "retry": _verb("Go on after a failure or a stop."),
    "undo": _verb("Take back what a run did."),
    "runs": _view("The runs, newest first."),
    "stack": _view("The services of the stack: their order, what needs what, how they were last seen."),
    "show": _view("What a run did, from its journal."),
    "doctor": _view("Check tokens, scopes, Docker, Postgres, archive, backups, worker, clock, and say what to do."),
    "slack-status": _view("Which of Slack, PagerDuty, Redis and the worker is away."),
    "journal": Late("bot.terminal.reading", "The journals: what every run did, hash-chained.", app="journal"),
    "incident": Late("bot.terminal.incident_verbs", "Incidents: the open ones, and what can be done about them."),
    "status-page": Late("bot.terminal.status_page", "What the status page says of incidents, and publishing updates."),
    "pagerduty": Late(
        "workers.pagerduty.connect_command", "Have PagerDuty tell the bot of incidents.", app="pagerduty"
    ),
    "errors": Late("bot.terminal.error_lookup", "What an error means and what to do, by its code."),
    "operator": Late("bot.terminal.enrolment", "Who may use the terminal, and their one-time codes."),
}


class Deferred(TyperGroup):
    """A group that imports a command when it is called for, and shows its summary in the help without."""

    def list_commands(self, ctx: Any) -> list[str]:
        missing = () if find_spec(PRACTICE) else (PRACTICE,)
        return sorted({*super().list_commands(ctx), *LATE}.difference(missing))

    def get_command(self, ctx: Any, name: str) -> Any:
        """What the help shows of it: a summary, without importing anything."""
        return TyperCommand(name, help=LATE[name].summary) if name in LATE else super().get_command(ctx, name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """What is carried out: the command itself."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, imported(name) if name in LATE else command, rest


def imported(name: str) -> Any:
    """A late command, with all that it needs."""
    late = LATE[name]
    if name == PRACTICE and find_spec(PRACTICE) is None:
        raise Refused(
            "The practice company is not part of this installation.",
            code="MD-CMD-017",
            detail="An image for production is built without it.",
            hint="Take a checkout of Mayday, and run there: make demo",
        )
    found: Any = typer.main.get_command(getattr(importlib.import_module(late.module), late.app))
    return found.commands[name] if late.one_of_many else found
