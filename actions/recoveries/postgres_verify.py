"""Verify: the manual's integrity checks and its verdict, on the live server."""

from __future__ import annotations

from dataclasses import dataclass

from actions.engine.errors import Refused
from actions.engine.procedure import FactRole, Look, Procedure, Risk
from actions.engine.reading import Asker, Words
from actions.engine.shown import Shown, by_origin
from actions.steps.postgres import check_integrity, sheets
from actions.steps.postgres.look_at_server import look_at_server


@dataclass(frozen=True)
class Verify:
    """Check the integrity of a server's data."""

    service: str


def read(text: str, asker: Asker) -> Verify:
    """Nothing more has to be said."""
    if text.strip():
        raise Refused(
            f"'{text.strip()[:60]}' was not understood.", code="MD-PG-016", hint="Write just: /recover postgres verify"
        )
    return Verify(asker.service)


PROCEDURE = Procedure(
    name="postgres verify",
    summary="Check the integrity of the data of {service}.",
    words=Words(command="recover postgres verify", usage="", examples=("",), read=read),
    about="postgres",
    request=Verify,
    risk=Risk.READS,
    claims=False,
    shown=by_origin(asked=Shown.THREAD, unasked=Shown.ON_TROUBLE),
    report=sheets.verify_sheets,
    steps=(
        Look("look at the server", look_at_server, gives="server"),
        Look("check integrity", check_integrity.check_live, gives="integrity", role=FactRole.VERDICT),
    ),
)
