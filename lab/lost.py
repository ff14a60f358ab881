"""What a failover lost, by the town's truth: acknowledged messages that the server in service does not hold.

Its own timeline and the one that it branched off are looked at, to their ends: what was acknowledged on either has to
be there, but for channels that were deleted since.
"""

from __future__ import annotations

from typing import Any

from actions.engine.errors import Refused
from lab.home import Lab
from lab.notes import Note, read
from lab.replication import primary_service, replication
from lab.timelines import Timeline, branch, read_timelines
from lab.truth import messages_in, on_branch, undeleted


def lost(lab: Lab) -> dict[str, Any]:
    """Which acknowledged messages are missing on the server in service, with when and where each was committed.

    `acknowledged` and `unacknowledged` (in the database, as requests in flight leave them) are counts. A message whose
    id now belongs to another is lost too.

    Raises:
        Refused: no server takes writes.
        RecoveryError: the database cannot be read, or the history of its timeline is not archived yet.
    """
    name = lab.container(primary_service(lab))
    node = next(node for node in replication(lab)["nodes"] if node["name"] == name)
    if node["role"] != "primary":
        raise Refused(
            "No server takes writes, so nothing can be compared.",
            detail=f"{name} is {node['state']}.",
            hint="Ask again after the failover. How the servers stand: mayday lab replication",
        )
    # First the notes: what is acknowledged between both looks must not seem lost.
    noted = list(read(lab.truth_file))
    seen = messages_in(lab, name)
    known = read_timelines(lab.wal_archive)
    timeline = branch(int(node["timeline"] or 1), known)
    acknowledged = judged(noted, timeline, known)
    missing = [note for note in acknowledged if seen.get(note["id"]) != note["body_md5"]]
    return {
        "primary": name,
        "timeline": timeline.number,
        "branched_from": parent_of(timeline),
        "acknowledged": len(acknowledged),
        "lost": len(missing),
        "first_lost_at": min((note["commit_time"] for note in missing), default=None),
        "last_lost_at": max((note["commit_time"] for note in missing), default=None),
        "messages": [{key: note[key] for key in ("id", "commit_time", "timeline", "lsn")} for note in missing],
        "unacknowledged": len(seen.keys() - {note["id"] for note in acknowledged}),
    }


def judged(noted: list[Note], timeline: Timeline, known: dict[int, Timeline]) -> list[Note]:
    """The messages that have to be on a timeline: its own, and all of the one that it branched off."""
    parent = parent_of(timeline)
    before = on_branch(noted, branch(parent, known)) if parent is not None else []
    here = on_branch(noted, timeline)
    both = {id(note) for note in (*before, *here)}
    return undeleted(note for note in noted if id(note) in both)


def parent_of(timeline: Timeline) -> int | None:
    """The timeline that it branched off; none of the first one."""
    return max(timeline.forks, default=None)
