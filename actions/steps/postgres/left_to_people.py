"""What is left to people after a recovery, as the server in service shows it."""

from __future__ import annotations

from dataclasses import dataclass

from actions.engine.facts import volatile
from actions.postgres.besides_sql import PREPARED
from actions.postgres.replication_slots import SLOTS, parse_slots
from actions.postgres.server import Server
from actions.steps.postgres.remake_slots import left_of_slots
from actions.steps.postgres.see_unwritten import NotInWal
from actions.tools.sql import Sql
from actions.wording import counted, verb


@dataclass(frozen=True)
class LeftToPeople:
    """What was made again, and what is left to do."""

    made: tuple[str, ...] = volatile(default=())
    to_do: tuple[str, ...] = volatile(default=())

    def says(self) -> str:
        """How much is left."""
        number = len(self.to_do)
        return (
            f"{counted(number, 'thing')} {verb(number, 'are')} left to people"
            if number
            else "nothing is left to people"
        )


def see_left(unwritten: NotInWal, server: Server, sql: Sql) -> LeftToPeople:
    """Ask the server in service for its slots and its prepared transactions."""
    slots, prepared = sql.values(server.service, server, [SLOTS, PREPARED], seconds=10)
    made, to_do = left_of_slots(unwritten.slots, parse_slots(slots.value or ()))
    troubles = [
        f"See by hand to slots and prepared transactions, which could not be asked: {answer.error.message}"
        for answer in (slots, prepared)
        if answer.error is not None
    ]
    if slots.error is not None:
        made, to_do = (), ()
    return LeftToPeople(
        made,
        (
            *troubles[:1],
            *to_do,
            *(
                f"End the prepared transaction {row['gid']} in database {row['database']}, prepared by {row['owner']}: "
                "it holds its locks."
                for row in prepared.value or ()
            ),
            *(
                f"Synchronise the subscription {one.name} of database {one.database} anew: its publisher has gone on "
                "from where it stood."
                for one in unwritten.subscriptions
            ),
        ),
    )
