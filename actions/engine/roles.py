"""What facts and acts are to those who tell of a run, whatever its procedure calls them."""

from __future__ import annotations

from enum import StrEnum


class FactRole(StrEnum):
    """What a fact is to those who tell of a run: records, documents, alarms. They read the fields named here."""

    AIM = "aim"  # where a recovery goes back to; `stop.last_commit_at` is the last commit that stays
    LOST = "lost"  # what that gives up: `counted`, `commits`, `last_at`; of one that is `final` also `until`
    REACHED = "reached"  # that a restored copy stands where it was to stand
    VERDICT = "verdict"  # what the checks of the data found: `healthy`, `verdict`
    KEPT = "kept"  # where the old data lies: `path`
    ARRIVAL = "arrival"  # whether what is written since can be recovered
    PUBLISHED = "published"  # what a status page shows of an incident: `url`


class ActRole(StrEnum):
    """What an act is to those who count for how long a service was out of use."""

    STOPS_WRITERS = "stops the writers"
    RESUMES_WRITERS = "resumes the writers"
