"""Everything else that Slack sends is acknowledged too; it would be sent again otherwise."""

from __future__ import annotations

import logging
import re
from typing import Any

from slack_bolt import Ack, App

_log = logging.getLogger(__name__)
_ANY = re.compile(r".*", re.DOTALL)


def register(app: App) -> None:
    """Listen last, to whatever nobody else wanted."""
    app.command(_ANY)(_command)
    for listen in (app.action, app.view_submission, app.view_closed, app.shortcut, app.options):
        listen(_ANY)(_nothing)
    app.event(_ANY)(_event)


def _command(ack: Ack) -> None:
    ack("This command is not known here. Write /recover help.")


def _nothing(ack: Ack) -> None:
    ack()


def _event(event: dict[str, Any]) -> None:
    _log.debug("an event of type %s needs nothing", event.get("type"))
