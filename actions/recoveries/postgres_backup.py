"""A base backup: the physical copy that every point-in-time recovery starts from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from actions.engine.errors import Refused
from actions.engine.lanes import Lane
from actions.engine.procedure import Act, FactRole, Look, Procedure, Risk
from actions.engine.reading import Asker, Words
from actions.engine.shown import Shown, by_origin
from actions.steps.postgres import archiving, restore, take_backup
from actions.steps.postgres.ask_live import ask_primary
from actions.steps.postgres.look_at_server import look_at_server


@dataclass(frozen=True)
class TakeBase:
    """Take a base backup of a server."""

    service: str


def read(text: str, asker: Asker) -> TakeBase:
    """Nothing more has to be said."""
    if text.strip():
        raise Refused(
            f"'{text.strip()[:60]}' was not understood.", code="MD-PG-015", hint="Write just: /backup run base"
        )
    return TakeBase(asker.service)


PROCEDURE = Procedure(
    name="postgres base backup",
    summary="Take a base backup of {service}, verified, with an inventory beside it.",
    words=Words(command="backup run base", usage="", examples=("",), read=read),
    about="postgres",
    request=TakeBase,
    risk=Risk.CHANGES,
    # A backup never holds up a recovery, whether it runs or has failed.
    claims=False,
    yields=True,
    lane=Lane.BACKUP,
    shown=by_origin(asked=Shown.THREAD, unasked=Shown.LINE),
    report=archiving.backup_sheets,
    steps=(
        Look("look at the server", look_at_server, gives="server"),
        Look("ask the server", ask_primary, gives="live"),
        Act("take the base backup", take_backup.take_base, take_backup.base_is_taken, limit=restore.COPY_LIMIT),
        Act(
            "write its inventory",
            take_backup.write_inventory,
            take_backup.inventory_is_written,
            limit=timedelta(minutes=30),
        ),
        Look("see what it holds", take_backup.look_at_inventory, gives="held"),
        Look(
            "see that its WAL arrives in the archive",
            archiving.see_backup_arrive,
            gives="arrival",
            role=FactRole.ARRIVAL,
        ),
    ),
)
