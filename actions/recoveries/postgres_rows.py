"""Rows: what people know of the data around a recovery's target, before they cut over."""

from __future__ import annotations

from dataclasses import dataclass

from actions.engine.errors import Refused
from actions.engine.ids import is_id
from actions.engine.procedure import Look, Procedure, Risk
from actions.engine.reading import Asker, Words
from actions.engine.shown import Shown
from actions.steps.postgres import show_rows
from actions.steps.postgres.look_at_server import look_at_server


@dataclass(frozen=True)
class ShowRows:
    """Show rows around the target of a run whose clone stands beside the live data."""

    service: str
    run: str


def read(text: str, asker: Asker) -> ShowRows:
    """The run is named by its id."""
    run = text.strip().strip("`")
    if not is_id(run):
        raise Refused(
            f"'{run[:40]}' is no run.",
            code="MD-PG-094",
            hint=f"Write: /{show_rows.COMMAND} <run>; /recover runs lists them.",
        )
    return ShowRows(asker.service, run)


PROCEDURE = Procedure(
    name="postgres rows",
    summary="Show rows around the target of run {run}, to who asked alone.",
    words=Words(command=show_rows.COMMAND, usage="<run>", examples=("r0209-abcd",), read=read),
    about="postgres",
    request=ShowRows,
    risk=Risk.READS,
    claims=False,
    private=True,
    shown=Shown.ON_TROUBLE,
    report=show_rows.rows_sheets,
    steps=(
        Look("look at the server", look_at_server, gives="server"),
        Look("show the rows", show_rows.show_rows, gives="rows"),
    ),
)
