"""The sheet "Besides rows": what a recovery changes that is not in the WAL, or not in the base backup."""

from __future__ import annotations

from actions.engine.procedure import Answer, Sheet
from actions.postgres.server import Names, Server
from actions.steps.configuration import (
    Configuration,
    configuration_alerts,
    configuration_rows,
    what_became_of_configuration,
)

TITLE = "Besides rows"


def plan_sheet(server: Server, foreseen: Configuration) -> Sheet:
    """Before anything is touched: what will change, and what is kept."""
    return Sheet(TITLE, configuration_rows(foreseen), (), configuration_alerts(foreseen, server))


def preview_sheet(server: Server, configuration: Configuration) -> Sheet:
    """On the clone, at the stopping point, against the live server."""
    return Sheet(TITLE, configuration_rows(configuration), (), configuration_alerts(configuration, server))


def report_sheet(configuration: Configuration, approval: Answer, names: Names) -> Sheet:
    """What was made again, and what is left to people."""
    return Sheet(TITLE, what_became_of_configuration(configuration, approval, names))
