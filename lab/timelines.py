"""Which branch of history a commit lies on, read from the archive's `.history` files."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from actions.engine.errors import RecoveryError

_NAME = re.compile(r"([0-9A-F]{8})\.history")


@dataclass(frozen=True)
class Timeline:
    """One branch: where it and its ancestors were left (`forks`, by ancestor), and since when it is written."""

    number: int
    forks: dict[int, int]
    since: datetime

    def holds(self, timeline: int, lsn: int) -> bool:
        """Whether a commit that ended at this place belongs to the past of this branch."""
        return timeline == self.number or lsn <= self.forks.get(timeline, -1)


def lsn_number(text: str) -> int:
    """`1/2A` as the position in bytes."""
    high, low = text.split("/")
    return (int(high, 16) << 32) + int(low, 16)


def read_timelines(archive: Path) -> dict[int, Timeline]:
    """Every branch of which the archive has a history; the first one has none."""
    histories = {int(found[1], 16): path for path in archive.glob("*.history") if (found := _NAME.fullmatch(path.name))}
    return {number: _read(number, path) for number, path in histories.items()}


def _read(number: int, path: Path) -> Timeline:
    # Lines are "parent <tab> place <tab> reason"; comments and empty lines may stand between them.
    lines = [line.split() for line in path.read_text().splitlines() if line.strip() and not line.startswith("#")]
    forks = {int(line[0]): lsn_number(line[1]) for line in lines}
    return Timeline(number, forks, datetime.fromtimestamp(path.stat().st_mtime, UTC))


def timeline_at(when: datetime, known: dict[int, Timeline], commits: Iterable[tuple[int, datetime]]) -> Timeline:
    """The branch that was being written at this moment: the one that was heard of last.

    It is heard of when its history is archived, and by each of its commits. The highest number is no sign: an undone
    recovery leaves its history in the archive, and the branch that it had left is written on.
    """
    heard = [(timeline.since, number) for number, timeline in known.items()]
    heard += [(moment, number) for number, moment in commits]
    _, number = max((sign for sign in heard if sign[0] <= when), default=(when, 1))
    return branch(number, known)


def branch(number: int, known: dict[int, Timeline]) -> Timeline:
    """A branch by its number; one whose history is missing cannot be told from its siblings."""
    if number in known:
        return known[number]
    if number == 1:
        return Timeline(1, {}, datetime.min.replace(tzinfo=UTC))
    raise RecoveryError(
        f"It is not known where timeline {number} branched off.",
        detail=f"{number:08X}.history is not in the WAL archive.",
        hint="The server archives it within seconds after a promotion; check archive_command, then ask again.",
    )
