"""What a recovery needs of the disks, file system by file system, before anything is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from actions.engine.errors import Refused
from actions.engine.facts import volatile
from actions.postgres.segments import parse_wal_name
from actions.postgres.server import Server
from actions.postgres.tablespaces import Tablespace
from actions.postgres.windows import Window
from actions.steps.postgres.estimate import Estimate, size
from actions.steps.postgres.find_tablespaces import Tablespaces
from actions.steps.postgres.look_at_server import Writers
from actions.steps.postgres.target import Base
from actions.tools.folders import Room
from actions.tools.postgres_files import PostgresFiles

_MB = 1 << 20
_NAMED = ("data", "archive", "bases")
_SPARE = 1.1
_SPARE_BYTES = 64 * _MB
_LEAST_SECONDS = 3600.0
_PEOPLE_SECONDS = 3600.0
"""How long the preview may wait for an answer while the live server writes on."""


@dataclass(frozen=True)
class Need:
    """Bytes that one part of the recovery writes, and where: `data`, `archive`, `bases`, or a tablespace's location."""

    what: str
    bytes: int
    where: str


@dataclass(frozen=True)
class Apart:
    """What tablespaces need on a file system of their own, and what is free there, in bytes."""

    location: str
    needed: int = volatile()
    free: int = volatile()


@dataclass(frozen=True)
class Space:
    """What is needed on the file system of the data directory until the cut-over, and what is free there, in bytes.

    `serving` is needed in addition where the writers go on meanwhile; `fresh` is short of room for the base backup
    that follows the cut-over, by so many bytes (0: there is room).
    """

    needs: tuple[Need, ...] = volatile()
    needed: int = volatile()
    free: int = volatile()
    serving: int = volatile(default=0)
    fresh_lacks: int = volatile(default=0)
    apart: tuple[Apart, ...] = volatile(default=())

    def says(self) -> str:
        """Needed and free."""
        return f"{size(self.needed)} needed, {size(self.free)} free"


def measure_space(
    base: Base,
    server: Server,
    tablespaces: Tablespaces,
    window: Window,
    times: Estimate,
    writers: Writers,
    files: PostgresFiles,
    now: datetime,
) -> Space:
    """Add up what copy, WAL and replay write, and what the live server writes meanwhile.

    Raises:
        Refused: the disk is too small.
    """
    rooms = files.rooms(tablespaces.on(server))
    rate = _wal_rate(base, window, now)
    busy = times.copy + times.replay + times.check
    must = [*_restored(base, server, tablespaces, files), *_live(rate * busy if not writers.all else 0.0)]
    serving = _live(rate * (busy + _PEOPLE_SECONDS))
    needed, free = _spared(_on_data(must, rooms)), rooms["data"].free
    if free < needed:
        raise Refused(
            "There is not enough room beside the live data.",
            detail=f"{size(needed)} are needed in {server.home.parent} ({_words(must)}), {size(free)} are free.",
            hint="Make room there (old directories that Mayday kept are named *_before_*), then ask again.",
        )
    apart = _apart(base, server, must, rooms)
    return Space(tuple(must), needed, free, _on_data(serving, rooms), _fresh_lacks(base, server, needed, rooms), apart)


def _apart(base: Base, server: Server, must: Iterable[Need], rooms: Mapping[str, Room]) -> tuple[Apart, ...]:
    """The tablespaces on other file systems. What the replay writes may all be theirs.

    Raises:
        Refused: there is not enough room for one of them.
    """
    known = {room.device for where, room in rooms.items() if where in _NAMED}
    found: dict[str, Apart] = {}
    for need in must:
        room = rooms[need.where]
        if need.where not in _NAMED and room.device not in known:
            first = found.get(room.device, Apart(need.where, base.wal_bytes(server.segment_size), room.free))
            found[room.device] = Apart(first.location, first.needed + need.bytes, room.free)
    apart = tuple(Apart(one.location, _spared(one.needed), one.free) for one in found.values())
    for one in apart:
        if one.free < one.needed:
            raise Refused(
                f"There is not enough room beside the tablespace at {one.location}.",
                detail=f"{size(one.needed)} are needed there, {size(one.free)} are free.",
                hint="Make room on that disk, then ask again.",
            )
    return apart


def _restored(base: Base, server: Server, tablespaces: Tablespaces, files: PostgresFiles) -> list[Need]:
    wal = base.wal_bytes(server.segment_size)
    saved = len(set(base.laid) - _archived(server, files)) * server.segment_size
    return [
        Need("copy of the base backup", base.bytes - sum(held.bytes for held in base.tablespaces), "data"),
        *(Need(f"tablespace {space.location}", _held(base, space), space.location) for space in tablespaces.all),
        Need("WAL beside it", wal, "data"),
        # Each byte of WAL makes a file longer by a byte at most: rows, or whole pages of a new index.
        Need("written by the replay", wal, "data"),
        *([Need("WAL that is not archived yet", saved, "data")] if saved else []),
    ]


def _held(base: Base, space: Tablespace) -> int:
    return sum(held.bytes for held in base.tablespaces if held.oid in space.oids)


def _archived(server: Server, files: PostgresFiles) -> set[str]:
    """What the archive or a base backup holds, which need not be saved."""
    brought = (file for file in files.base_wal(server) if not file.wrong)
    found = (parse_wal_name(file.name) for file in (*files.archive(server), *brought))
    return {wal.segment_name for wal in found if wal is not None and wal.kind == "segment"}


def _live(bytes: float) -> list[Need]:
    """What the live server's WAL comes to: the tables that it is about, and the archive."""
    told = ((int(bytes), "data"), (int(bytes), "archive"))
    return [Need("written by the live server meanwhile", count, where) for count, where in told if count]


def _wal_rate(base: Base, window: Window, now: datetime) -> float:
    """Bytes of WAL a second that the live server wrote on average since the base backup; 0 where it is not known."""
    live = window.live
    if live is None or live.latest_lsn is None or base.stopped_at is None:
        return 0.0
    # A burst right after a base backup is no rate that goes on.
    seconds = max((now - base.stopped_at).total_seconds(), _LEAST_SECONDS)
    return max(0.0, live.latest_lsn - base.floor) / seconds


def _on_data(needs: Iterable[Need], rooms: Mapping[str, Room]) -> int:
    """What of it lands on the file system of the data directory."""
    return sum(need.bytes for need in needs if rooms[need.where].device == rooms["data"].device)


def _spared(bytes: int) -> int:
    return int(bytes * _SPARE) + _SPARE_BYTES


def _fresh_lacks(base: Base, server: Server, needed: int, rooms: Mapping[str, Room]) -> int:
    """How much room the base backup after the cut-over lacks: it holds the clone as it is then."""
    fresh = _spared(base.bytes + base.wal_bytes(server.segment_size))
    taken = needed if rooms["bases"].device == rooms["data"].device else 0
    return max(0, fresh + taken - rooms["bases"].free)


def _words(needs: Iterable[Need]) -> str:
    shown = [need for need in needs if need.bytes and need.where not in ("archive", "bases")]
    return ", ".join(f"{size(need.bytes)} {need.what}" for need in shown)


def space_rows(space: Space, server: Server) -> tuple[tuple[str, str], ...]:
    """The disk in the plan."""
    told = f"{size(space.needed)} needed ({_words(space.needs)}), {size(space.free)} free in {server.home.parent}"
    more = (("Disk, writers going on", f"up to {size(space.serving)} more"),) if space.serving >= _MB else ()
    apart = ((f"Disk of {one.location}", f"{size(one.needed)} needed, {size(one.free)} free") for one in space.apart)
    return (("Disk", told), *apart, *more)


def space_alerts(space: Space) -> tuple[str, ...]:
    """What the disk has no room for, though the recovery itself fits."""
    said = []
    if space.serving and space.needed + space.serving > space.free:
        said.append(
            f"While the writers go on, the live server may fill the disk: up to {size(space.serving)} within an hour, "
            f"{size(space.free - space.needed)} are left. Pause the writers, or make room first."
        )
    if space.fresh_lacks:
        said.append(
            f"The base backup after the cut-over lacks {size(space.fresh_lacks)} of room: make room for it meanwhile."
        )
    return tuple(said)
