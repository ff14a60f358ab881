"""Commands of the terminal that are imported when they are called for, with what the help says of them.

Help has to come at once; `mayday.py` looks a command up here and imports its module.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from difflib import get_close_matches
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
    group: str = "Setting up and keeping"


RECOVER, STEER, LOOK, LEAD, KEEP, RUN = (
    "Bringing data back",
    "Answering and steering a run",
    "Looking",
    "Leading an incident",
    "Setting up and keeping",
    "The services of Mayday",
)
GROUPS = (RECOVER, STEER, LOOK, LEAD, KEEP, RUN)
"""The groups of the help, in its order."""
_OWN = {"bot": RUN, "worker": RUN, "carry-out": STEER}
"""The groups of the commands that stand in `mayday.py` itself."""


def _verb(summary: str, group: str = STEER) -> Late:
    return Late("bot.terminal.verbs", summary, one_of_many=True, group=group)


def _view(summary: str, group: str = LOOK) -> Late:
    return Late("bot.terminal.reading", summary, one_of_many=True, group=group)


LATE: dict[str, Late] = {
    "init": Late("bot.first_start.init_command", "Ask for what Mayday needs, write its settings, and check them."),
    "lab": Late("lab.cli", "A practice company on this machine: train on it, break it, recover it."),
    "recover": _verb("Ask for a recovery, in the words of Slack.", RECOVER),
    "backup": _verb("Ask for a backup, in the words of Slack.", RECOVER),
    "window": _verb("Which moments can be recovered.", RECOVER),
    "status": _view("What is under way, what waits for an answer, and who is there to do it."),
    "approve": _verb("Give the approval of a second person that a run waits for."),
    "answer": _verb("Answer the question of a run by a label."),
    "stop": _verb("Stop a run at its next safe place."),
    "retry": _verb("Go on after a failure or a stop."),
    "undo": _verb("Take back what a run did."),
    "runs": _view("The runs, newest first."),
    "stack": _view("The services of the stack: their order, what needs what, how they were last seen."),
    "show": _view("What a run did, from its journal."),
    "replication": Late(
        "bot.terminal.replication_status", "Primaries and their standbys: how they stand, and building one.", group=LOOK
    ),
    "doctor": _view(
        "Check tokens, scopes, Docker, Postgres, archive, backups, worker, clock, and say what to do.", KEEP
    ),
    "slack-status": _view("Which of Slack, PagerDuty, Redis and the worker is away."),
    "journal": Late(
        "bot.terminal.reading", "The journals: what every run did, hash-chained.", app="journal", group=LOOK
    ),
    "incident": Late(
        "bot.terminal.incident_verbs", "Incidents: the open ones, and what can be done about them.", group=LEAD
    ),
    "status-page": Late(
        "bot.terminal.status_page", "What the status page says of incidents, and publishing updates.", group=LEAD
    ),
    "pagerduty": Late(
        "workers.pagerduty.connect_command", "Have PagerDuty tell the bot of incidents.", app="pagerduty"
    ),
    "errors": Late("bot.terminal.error_lookup", "What an error means and what to do, by its code."),
    "operator": Late("bot.terminal.enrolment", "Who may use the terminal, and their one-time codes."),
}


_SAME = {
    **{word: f"recover {word}" for word in ("restore", "rollback", "revert", "postgres", "redis", "failover")},
    "pitr": "recover postgres pitr",
    **dict.fromkeys(("ack", "acknowledge"), "incident acknowledge"),
    **dict.fromkeys(("close", "resolve"), "incident resolve"),
    **dict.fromkeys(("declare", "escalate", "severity", "timeline"), "incident"),
    **dict.fromkeys(("cancel", "abort", "kill"), "stop"),
    **dict.fromkeys(("continue", "resume"), "retry"),
    **dict.fromkeys(("list", "ls", "history"), "runs"),
    **dict.fromkeys(("log", "logs", "describe"), "show"),
    **dict.fromkeys(("services", "ps", "health"), "stack"),
    **dict.fromkeys(("lag", "standby", "primary", "cluster"), "replication status"),
    **dict.fromkeys(("check", "test"), "doctor"),
    **dict.fromkeys(("setup", "configure", "config", "install"), "init"),
    **dict.fromkeys(("version",), "--version"),
}
"""What people type for a command of another name."""


class Deferred(TyperGroup):
    """A group that imports a command when it is called for, and shows its summary in the help without."""

    def list_commands(self, ctx: Any) -> list[str]:
        missing = () if find_spec(PRACTICE) else (PRACTICE,)
        return sorted({*super().list_commands(ctx), *LATE}.difference(missing))

    def get_command(self, ctx: Any, name: str) -> Any:
        """What the help shows of it: a summary, without importing anything."""
        return TyperCommand(name, help=LATE[name].summary) if name in LATE else super().get_command(ctx, name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """What is carried out: the command itself.

        Raises:
            Refused: there is none of that name.
        """
        if args and not args[0].startswith("-") and args[0] not in self.list_commands(ctx) and args[0] != PRACTICE:
            raise _unknown(args, self.list_commands(ctx))
        name, command, rest = super().resolve_command(ctx, args)
        return name, imported(name) if name in LATE else command, rest

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """The commands in their groups, each with one line."""
        names = self.list_commands(ctx)
        width = max(map(len, names))
        for group in GROUPS:
            own = [name for name in names if (LATE[name].group if name in LATE else _OWN.get(name, RUN)) == group]
            rows = [(name.ljust(width), self.get_command(ctx, name).get_short_help_str(200)) for name in own]
            if rows:
                with formatter.section(group):
                    formatter.write_dl(rows)


def _unknown(args: list[str], names: list[str]) -> Refused:
    """The refusal of a word that is no command, with the one that was probably meant."""
    said = args[0].casefold()
    near = _SAME.get(said) or next(iter(get_close_matches(said, names, 1, 0.6)), "")
    again = f"Did you mean mayday {' '.join([near, *args[1:]])}? " if near else ""
    return Refused(
        f"There is no command '{args[0][:40]}'.", code="MD-CMD-037", hint=f"{again}mayday --help lists what there is."
    )


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
