"""What people want in a round: which damage, back to where, and what they do on the way."""

from __future__ import annotations

from dataclasses import dataclass

from tests.clusters.dice import Dice

CUT, STOP_RETRY, STOP_UNDO, DISCARD, CANCEL = "cut over", "stop and retry", "stop and undo", "discard", "cancel"
_WAYS = {CUT: 6.0, STOP_RETRY: 2.0, STOP_UNDO: 4.0, DISCARD: 1.5, CANCEL: 0.5}
MOMENT, XID, LSN, LATEST = "the moment", "before its xid", "before its lsn", "latest"
_TARGETS = {MOMENT: 5.0, XID: 2.0, LSN: 1.0, LATEST: 1.0}
DAMAGES = (
    "a channel is deleted",
    "every row is updated",
    "half of the rows are deleted",
    "a table is emptied",
    "a table is dropped",
    "a column is dropped",
    "all people get one name",
)
# What can be taken back: the steps at which somebody presses Stop. `planning` is before anything was begun.
STOPS = (
    "save WAL that is not archived yet",
    "copy the base backup",
    "lay the WAL",
    "seal the clone",
    "replay to the target",
    "promote the clone",
    "stop the clone in good order",
    "pause the writers for the cut-over",
    "stop the old server",
    "swap the data directories",
    "start the server",
)


@dataclass(frozen=True)
class Aim:
    """`way` is what people make of the run; `stops` is the step at whose beginning Stop is pressed, if at all.

    `pauses`: the writers are paused at once. `late_undo`: Undo is tried once more when the run has ended.
    `double`: the approval is pressed by two people at once.
    """

    damage: str
    target: str
    way: str
    pauses: bool
    stops: str = ""
    late_undo: bool = False
    double: bool = False

    def says(self) -> str:
        """In few words, for the line of a round."""
        at = f" at '{self.stops}'" if self.stops else ""
        return f"{self.damage}; {self.target}, {'pause' if self.pauses else 'keep'}, {self.way}{at}"


def draw_aim(dice: Dice) -> Aim:
    """The same for the same dice."""
    way = dice.one("way", tuple(_WAYS), tuple(_WAYS.values()))
    stops = dice.one("stops", STOPS) if way in (STOP_RETRY, STOP_UNDO) else ""
    return Aim(
        damage=dice.one("damage", DAMAGES),
        target=dice.one("target", tuple(_TARGETS), tuple(_TARGETS.values())),
        way=way,
        pauses=dice.chance("pauses", 0.5),
        stops=stops,
        late_undo=dice.chance("late undo", 0.3),
        double=dice.chance("double", 0.25),
    )
