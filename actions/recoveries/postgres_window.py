"""Window: which moments can be reached now."""

from __future__ import annotations

from dataclasses import dataclass

from actions.engine.errors import Refused
from actions.engine.procedure import Look, Procedure, Risk
from actions.engine.reading import Asker, Words
from actions.steps.postgres import archiving, sheets
from actions.steps.postgres.look_at_server import look_at_server
from actions.steps.postgres.read_window import read_window


@dataclass(frozen=True)
class ShowWindow:
    """Show the recovery window of a server."""

    service: str


def read(text: str, asker: Asker) -> ShowWindow:
    """Nothing more has to be said."""
    if text.strip():
        raise Refused(
            f"'{text.strip()[:60]}' was not understood.", code="MD-PG-017", hint="Write just: /recover window"
        )
    return ShowWindow(asker.service)


PROCEDURE = Procedure(
    name="postgres window",
    summary="Show which moments of {service} can be recovered.",
    words=Words(command="recover window", usage="", examples=("",), read=read),
    about="postgres",
    request=ShowWindow,
    risk=Risk.READS,
    claims=False,
    report=sheets.window_sheets,
    steps=(
        Look("look at the server", look_at_server, gives="server"),
        Look("read the recovery window", read_window, gives="window"),
        Look("see whether WAL is archived", archiving.look_at_archiving, gives="archiving"),
    ),
)
