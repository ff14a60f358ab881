"""Replication: who follows a server and how far behind, or whom it follows."""

from __future__ import annotations

from dataclasses import dataclass

from actions.engine.errors import Refused
from actions.engine.procedure import Look, Procedure, Risk
from actions.engine.reading import Asker, Words
from actions.engine.shown import Shown, by_origin
from actions.steps.postgres.look_at_replication import look_at_replication
from actions.steps.postgres.look_at_server import look_at_server
from actions.steps.postgres.show_cluster import cluster_sheets, see_cluster


@dataclass(frozen=True)
class ShowReplication:
    """Show how the replication of a server stands."""

    service: str


def read(text: str, asker: Asker) -> ShowReplication:
    """Nothing more has to be said."""
    if text.strip():
        raise Refused(
            f"'{text.strip()[:60]}' was not understood.",
            code="MD-PG-096",
            hint="Write just: /recover postgres replication",
        )
    return ShowReplication(asker.service)


PROCEDURE = Procedure(
    name="postgres replication",
    summary="Show how the replication of {service} stands.",
    words=Words(command="recover postgres replication", usage="", examples=("",), read=read),
    about="postgres",
    request=ShowReplication,
    risk=Risk.READS,
    claims=False,
    shown=by_origin(asked=Shown.THREAD, unasked=Shown.ON_TROUBLE),
    report=cluster_sheets,
    steps=(
        Look("look at the server", look_at_server, gives="server"),
        Look("ask how replication stands", look_at_replication, gives="replication"),
        Look("see what the watch saw", see_cluster, gives="cluster"),
    ),
)
