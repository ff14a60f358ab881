"""Another time is wanted: the same procedure is asked for again, once, whoever notices first."""

from __future__ import annotations

from typing import Any

from actions.engine.facts import from_json
from actions.engine.run import Run
from bot.commands.parse_command import ProcedureCommand
from bot.context import BotContext
from bot.runs.requests import Opened, Origin, open_run
from bot.terminal.operators import named


def open_again(bot: BotContext, run: Run, wanted: dict[str, Any], channel: str = "", thread: str = "") -> Opened | None:
    """Begin the run that somebody wanted instead of this one; None where the catalog no longer has its procedure.

    Without a thread it was noticed in a terminal, and the new run has a thread of its own.

    Raises:
        RecoveryError: they may not, or it cannot be.
    """
    procedure = bot.procedure(run.procedure)
    if procedure is None:
        return None
    by = str(wanted["by"])
    sink = "slack" if thread else "terminal"
    origin = Origin(f"again:{run.id}", by, "", channel, thread, sink=sink)
    # In Slack the rights are those that Slack knows; an operator without a Slack user has those of the settings.
    here = sink == "terminal" or by.startswith("operator:")
    person = (named(bot.settings.operators, by) if here else None) or bot.people.asking(by, "")
    # The same service of the same site, whatever else there is by now.
    service = run.service if procedure.about else ""
    words = ProcedureCommand(procedure, str(wanted.get("text") or ""), service, run.site)
    # "20m ago" was read when it was typed, and that moment was looked at.
    read = from_json(procedure.request, wanted["request"]) if wanted.get("request") else None
    return open_run(bot, words, origin, person, read)
