"""The condition of a service, as a worker last saw it: its container, its backups, what can be reached."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydantic import ValidationError

from actions.engine.facts import from_json, to_json
from actions.postgres.archive import LiveTail
from actions.postgres.archiver import Archiving
from actions.postgres.segments import segment_start
from actions.postgres.windows import TimelineWindow
from actions.steps.postgres.read_window import WindowInputs
from actions.store.store import Store
from actions.watch.redis_memory import Memory
from actions.watch.run_records import Record

NOTE = "condition"
"""The kind of the notes; the key is the site and the service."""

OLD = timedelta(minutes=5)
"""Older than this a condition is no longer taken for what is."""

_PAGE = 8192
_WELL = ("healthy", "running")


@dataclass(frozen=True)
class Health:
    """One container in a word: healthy, unhealthy, starting, running (it has no check of its own), paused,
    restarting, stopped, or missing. `detail` is what Docker says of it; `starved` that the kernel ended it for
    want of memory. `kind` is that of the service, empty for a container that is no service of the stack; `container`
    is its container where that is called otherwise."""

    service: str
    word: str
    detail: str = ""
    starved: bool = False
    kind: str = ""
    container: str = ""

    @property
    def inside(self) -> str:
        """The container that it is."""
        return self.container or self.service

    @property
    def well(self) -> bool:
        """Whether it serves, as far as Docker knows."""
        return self.word in _WELL


@dataclass(frozen=True)
class Reachable:
    """What a PostgreSQL could be recovered from.

    `base_at` and `dump_at` are when the newest ones ended, `archived_at` is the newest commit that the archive holds
    and `archived` its newest segment; `waiting` are bytes of WAL that the archive does not have yet, none of which has
    come since `waiting_since`.
    `seconds` is what the look took, `archiving` whether WAL arrives.
    """

    seen_at: datetime
    base_at: datetime | None = None
    dump_at: datetime | None = None
    archived_at: datetime | None = None
    earliest: datetime | None = None
    latest: datetime | None = None
    gaps: int = 0
    waiting: int = 0
    waiting_since: datetime | None = None
    seconds: float = 0.0
    archived: str = ""
    archiving: Archiving = field(default_factory=Archiving)

    @property
    def behind(self) -> timedelta:
        """How long the archive had been behind when it was looked at; what it did since then nobody knows.

        A server without work writes no WAL and archives none, however long ago its last segment came.
        """
        return self.seen_at - self.waiting_since if self.waiting_since is not None else timedelta(0)


@dataclass(frozen=True)
class Condition:
    """One service at one moment. `reachable` is for PostgreSQL, whose `problem` says why it could not be seen, and
    `problem_since` since when; `memory` is for Redis."""

    service: str
    site: str
    seen_at: datetime
    health: Health
    record: Record = field(default_factory=Record)
    reachable: Reachable | None = None
    problem: str = ""
    problem_since: datetime | None = None
    memory: Memory | None = None

    @property
    def serves(self) -> bool | None:
        """Whether it serves, by its own check: Docker's, a Redis that answers, a PostgreSQL that was looked at.

        None where nobody has asked it, or could: that its container runs proves nothing.
        """
        if not self.health.well:
            return None if self.health.word == "unknown" else False
        if self.memory is not None and (self.memory.refuses or self.memory.silent):
            return False
        if self.health.word == "healthy" or (self.memory is not None and not self.memory.problem):
            return True
        return True if self._looked_at else None

    @property
    def _looked_at(self) -> bool:
        found = self.reachable
        return found is not None and not self.problem and self.seen_at - found.seen_at <= OLD

    @property
    def checked_at(self) -> datetime:
        """When it was asked itself, or Docker what its check said."""
        if self.memory is not None:
            return self.memory.seen_at
        return self.reachable.seen_at if self.reachable and self.health.word == "running" else self.seen_at

    @property
    def well(self) -> bool:
        """Whether nothing speaks against it; that it serves is said by `serves`."""
        return self.serves is not False

    def word(self) -> str:
        """How it is in a word or two: of one that nobody can ask, that nobody did."""
        return f"{self.health.word}, not looked at" if self.serves is None and self.health.well else self.health.word

    def old(self, now: datetime) -> bool:
        """Whether nobody has looked for so long that it may be otherwise by now."""
        return now - self.seen_at > OLD

    def blind(self, now: datetime) -> timedelta:
        """For how long it could not be looked at what it can be recovered to."""
        return now - self.problem_since if self.problem_since is not None else timedelta(0)


def reachable(
    around: WindowInputs,
    segment_size: int,
    now: datetime,
    *,
    dump_at: datetime | None = None,
    before: Reachable | None = None,
    seconds: float = 0.0,
    archiving: Archiving | None = None,
) -> Reachable:
    """What the surroundings of a server come to, in a few figures; `before` is what they came to last time."""
    live = around.window.live
    stopped = [reach.backup.stopped_at for reach in live.reaches if reach.backup.stopped_at] if live else []
    waiting = _waiting(around.tail, segment_size)
    return Reachable(
        seen_at=now,
        base_at=max(stopped, default=None),
        dump_at=dump_at,
        archived_at=around.archived_at,
        earliest=_earliest(live),
        latest=live.latest if live else None,
        gaps=len(live.broken) if live else 0,
        waiting=waiting,
        waiting_since=_waiting_since(waiting, around.archived, now, before),
        seconds=round(seconds, 3),
        archived=around.archived,
        archiving=archiving or Archiving(),
    )


def _earliest(live: TimelineWindow | None) -> datetime | None:
    """From when on there is a way to every moment, gaps that are a fault apart."""
    return next((r.backup.over_by for r in live.unbroken if r.backup.over_by), None) if live else None


def _waiting(tail: LiveTail | None, segment_size: int) -> int:
    if tail is None or not tail.segments:
        return 0
    return max(0, tail.end_lsn - segment_start(tail.segments[0], segment_size))


def _waiting_since(waiting: int, archived: str, now: datetime, before: Reachable | None) -> datetime | None:
    if waiting < _PAGE:
        return None
    if before is not None and before.waiting_since is not None and before.archived == archived:
        return before.waiting_since
    return now


def keep(store: Store, condition: Condition) -> None:
    """Keep what was seen; it replaces what was seen before."""
    store.keep(NOTE, f"{condition.site} {condition.service}", to_json(condition))


def conditions(store: Store, site: str, since: datetime | None = None) -> dict[str, Condition]:
    """What was last seen of a site's services, by service; what another version wrote is passed over."""
    found: dict[str, Condition] = {}
    for key, data in store.notes(NOTE, since).items():
        if key.startswith(f"{site} "):
            try:
                condition: Condition = from_json(Condition, data)
            except ValidationError:
                continue
            found[condition.service] = condition
    return found
