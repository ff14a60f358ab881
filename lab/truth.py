"""The truth that every recovery is judged by: what was acknowledged, against what a database holds."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from actions.engine.errors import RecoveryError
from lab.engine import connect
from lab.home import DATABASE, Lab
from lab.notes import Note, read
from lab.replication import primary_service
from lab.timelines import Timeline, branch, lsn_number, read_timelines, timeline_at
from workers.docker.exec import Inside

_MESSAGES = "SELECT id || ':' || md5(body) FROM nchat_messages {where} ORDER BY id"
# A row whose commit time is not known any more is an old one.
_COMMITTED_UNTIL = "WHERE coalesce(pg_xact_commit_timestamp(xmin) <= '{until}', true)"


@dataclass(frozen=True)
class Figures:
    """A set of messages in three figures; equal figures mean equal messages.

    The checksum in SQL: `md5(string_agg(id || ':' || md5(body), ',' ORDER BY id))`.
    """

    count: int
    last_id: int | None
    checksum: str

    def __str__(self) -> str:
        return f"{self.count} messages, last id {self.last_id}, checksum {self.checksum}"

    @classmethod
    def of(cls, messages: Mapping[int, str]) -> Figures:
        """From the MD5 of each body by message id."""
        ordered = sorted(messages.items())
        lines = ",".join(f"{ident}:{digest}" for ident, digest in ordered)
        return cls(len(ordered), ordered[-1][0] if ordered else None, hashlib.md5(lines.encode()).hexdigest())


@dataclass(frozen=True)
class Comparison:
    """What a database holds against what was acknowledged.

    `missing` were acknowledged and are not there, `different` have another body: both are losses.
    `unacknowledged` are there without an acknowledgement, as requests in flight leave them.
    """

    truth: Figures
    database: Figures
    missing: list[int]
    different: list[int]
    unacknowledged: list[int]

    @property
    def equal(self) -> bool:
        return not (self.missing or self.different or self.unacknowledged)

    @property
    def nothing_lost(self) -> bool:
        return not (self.missing or self.different)


def truth_at(lab: Lab, when: datetime, *, timeline: int | None = None) -> dict[str, Any]:
    """Count, last id and checksum of the messages that were acknowledged and not deleted at this moment."""
    return asdict(Figures.of(acknowledged_at(lab, when, timeline=timeline)))


def database_at(lab: Lab, container: str | None = None) -> dict[str, Any]:
    """The same figures from a database: the live one, or that of a given container."""
    return asdict(Figures.of(messages_in(lab, container)))


def compare(
    lab: Lab,
    when: datetime,
    *,
    container: str | None = None,
    timeline: int | None = None,
    until: datetime | None = None,
) -> Comparison:
    """A database, against what it must hold when it was recovered to this moment.

    `until` leaves out what was committed later than that, where people write again already.
    """
    true, seen = acknowledged_at(lab, when, timeline=timeline), messages_in(lab, container, until)
    return Comparison(
        truth=Figures.of(true),
        database=Figures.of(seen),
        missing=sorted(true.keys() - seen.keys()),
        different=sorted(ident for ident in true.keys() & seen.keys() if true[ident] != seen[ident]),
        unacknowledged=sorted(seen.keys() - true.keys()),
    )


def acknowledged_at(lab: Lab, when: datetime, *, timeline: int | None = None) -> dict[int, str]:
    """The MD5 of each body by message id.

    Without a timeline, the one counts that was being written at this moment. To judge a recovery to a
    moment of an abandoned timeline, nothing has to be said: that timeline was the current one then.
    """
    notes = [note for note in read(lab.truth_file) if _moment(note) <= when]
    known = read_timelines(lab.wal_archive)
    if timeline is None:
        # Where the end of a commit is only known roughly, its timeline is that of the answer, maybe a later one.
        sure = [note for note in notes if note["exact"]] or notes
        chosen = timeline_at(when, known, [(note["timeline"], _moment(note)) for note in sure])
    else:
        chosen = branch(timeline, known)
    return surviving(on_branch(notes, chosen))


def on_branch(notes: list[Note], timeline: Timeline) -> list[Note]:
    """The commits that lie in the past of a branch; those after a fork belong to an abandoned one.

    Where the end of a commit is only known roughly, its time is compared with the exact ones around it.
    """
    exact = [note for note in notes if note["exact"] and _lies_on(note, timeline)]
    latest: dict[int, datetime] = {}
    for note in exact:
        latest[note["timeline"]] = max(_moment(note), latest.get(note["timeline"], _moment(note)))
    return [
        note
        for note in notes
        if _lies_on(note, timeline) or (not note["exact"] and _moment(note) <= latest.get(note["timeline"], _NEVER))
    ]


def surviving(notes: Iterable[Note]) -> dict[int, str]:
    """The MD5 of each body by id, of messages whose channel was not deleted after they were written."""
    return {note["id"]: note["body_md5"] for note in undeleted(notes)}


def undeleted(notes: Iterable[Note]) -> list[Note]:
    """Messages without those whose channel was deleted after they were written, the oldest first."""
    messages: list[Note] = []
    for note in sorted(notes, key=_moment):
        if note["kind"] == "loss":
            messages = [kept for kept in messages if kept["channel"] != note["channel"]]
        else:
            messages.append(note)
    return messages


def messages_in(lab: Lab, container: str | None = None, until: datetime | None = None) -> dict[int, str]:
    """What a database holds, read inside of its container: this works for a clone without a network too."""
    name = container or lab.container(primary_service(lab))
    query = _MESSAGES.format(where=_COMMITTED_UNTIL.format(until=until.isoformat()) if until else "")
    command = ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", DATABASE, "-c", query]
    done = Inside(connect().api, name, "postgres").run(command, seconds=120)
    if done.code != 0:
        raise RecoveryError(
            f"The messages in {name} could not be read.",
            detail=done.err.strip(),
            hint=f"Is its server up? docker logs --tail 20 {name}",
        )
    pairs = (line.split(":") for line in done.out.splitlines())
    return {int(ident): digest for ident, digest in pairs}


_NEVER = datetime.fromisoformat("0001-01-01T00:00:00+00:00")


def _moment(note: Note) -> datetime:
    return datetime.fromisoformat(note["commit_time"])


def _lies_on(note: Note, timeline: Timeline) -> bool:
    return timeline.holds(note["timeline"], lsn_number(note["lsn"]))
