"""The history of a database as a town wrote it: commits on timelines, and what PostgreSQL's tools print of it."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from actions.postgres.lost_rows import losses
from actions.postgres.lsn import Lsn, format_lsn, parse_lsn
from actions.postgres.segments import segment_of, segment_start
from actions.postgres.stops import Stop
from actions.postgres.timelines import Chain, chain_to
from actions.tools.postgres_files import CommitTimes, Stretch
from tests.support.paths import DATA

SIZE = 16 << 20
SYSTEM = "7711024105692491025"
COMMIT_BYTES = 0x28
FILENODES = {
    "public.nchat_messages": 16412,
    "public.nchat_channels": 16404,
    "public.nchat_users": 16395,
    "auth.users": 16420,
}
_CONTROL = (DATA / "controldata15.txt").read_text()

Tables = dict[str, dict[int, datetime]]


@dataclass(frozen=True)
class Row:
    """One row that a transaction wrote or deleted."""

    table: str
    key: int
    at: datetime
    deleted: bool = False


@dataclass(frozen=True)
class Record:
    """The end of one transaction; `lsn` is where the commit record begins."""

    lsn: int
    at: datetime
    xid: int
    rows: tuple[Row, ...] = ()
    committed: bool = True

    @property
    def end(self) -> int:
        return self.lsn + COMMIT_BYTES


@dataclass
class Wal:
    """Everything that was ever written, by timeline, and where timelines branched off."""

    records: dict[int, tuple[Record, ...]] = field(default_factory=lambda: {1: ()})
    histories: dict[int, str] = field(default_factory=dict)
    began: dict[int, datetime] = field(default_factory=dict)

    def fork(self) -> Wal:
        return Wal(dict(self.records), dict(self.histories), dict(self.began))

    def chain(self, timeline: int) -> Chain:
        return chain_to(timeline, self.histories)

    def write(self, timeline: int, record: Record) -> None:
        self.records[timeline] = (*self.records[timeline], record)

    def branch(self, new: int, parent: int, lsn: int, at: datetime) -> None:
        before = self.histories.get(parent, "")
        self.histories[new] = f"{before}{parent}\t{format_lsn(lsn)}\tbefore {at.isoformat()}\n\n"
        self.records[new] = ()
        self.began[new] = at

    def moments(self, stretch: Stretch, upto: int, at: datetime | None) -> CommitTimes:
        """What the ends of transactions in some segments of one timeline tell."""
        timeline, start = stretch.timeline, parse_lsn(stretch.start) if stretch.start else 0
        spans = {s.timeline: s.end for s in self.chain(timeline).spans if s.timeline != timeline and not stretch.start}
        kept = [r for t, end in spans.items() for r in self.records[t] if end is not None and r.lsn < end]
        own = [r for r in self.records[timeline] if start <= r.lsn < upto]
        here = [r for r in (*kept, *own) if segment_of(timeline, r.lsn, SIZE) in stretch.segments]
        past = [r for r in here if at is not None and r.at <= at]
        newest = max((segment_of(timeline, r.lsn, SIZE) for r in past), default="")
        return CommitTimes(
            self.began.get(timeline) if stretch.start else None,
            here[0].at if here else None,
            here[-1].at if here else None,
            newest,
            max((r.at for r in past), default=None),
        )

    def along(self, timeline: int) -> Iterator[Record]:
        """All ends of transactions on the way to the head of a timeline."""
        for span in self.chain(timeline).spans:
            for record in self.records.get(span.timeline, ()):
                if span.end is None or record.lsn < span.end:
                    yield record

    def contents(self, timeline: int, before: int) -> Tables:
        """The rows that are there when everything before a position has been applied."""
        tables: Tables = {name: {} for name in FILENODES}
        for record in self.along(timeline):
            if record.committed and record.lsn < before:
                for row in record.rows:
                    if row.deleted:
                        tables[row.table].pop(row.key, None)
                    else:
                        tables[row.table][row.key] = row.at
        return tables

    def lines(
        self, timeline: int, segments: Sequence[str], upto: int, rmgrs: Sequence[str] = ("Transaction",)
    ) -> list[str]:
        """What pg_waldump prints of named segments of one timeline, up to the end of valid WAL."""
        wanted = set(segments)
        inherited = [s for s in self.chain(timeline).spans if s.timeline != timeline]
        found = [
            line
            for span in inherited
            for r in self.records[span.timeline]
            if span.end is not None and r.lsn < span.end and segment_of(timeline, r.lsn, SIZE) in wanted
            for line in _lines(r)
        ]
        found += [
            line
            for r in self.records[timeline]
            if r.lsn < upto and segment_of(timeline, r.lsn, SIZE) in wanted
            for line in _lines(r)
        ]
        return [line for line in found if line.split()[1] in rmgrs]

    def losses_text(self, lines: Sequence[str], stop: Stop) -> str:
        """What the awk program prints, as the same count in Python gives it."""
        found = losses(lines, stop)
        text = [f"commits\t{found.commits}"]
        if found.first_at and found.last_at:
            text += [f"first\t{found.first_at:%Y-%m-%d %H:%M:%S.%f}", f"last\t{found.last_at:%Y-%m-%d %H:%M:%S.%f}"]
        text += [f"rel\t{row.relation}\t{row.inserted}\t{row.updated}\t{row.deleted}" for row in found.rows]
        return "\n".join([*text, "end"])


def _lines(record: Record) -> Iterator[str]:
    for n, row in enumerate(record.rows):
        verb = "DELETE" if row.deleted else "INSERT"
        place = record.lsn - 0x40 * (len(record.rows) - n)
        yield (
            f"rmgr: Heap        len (rec/tot):     59/    59, tx: {record.xid:10}, lsn: {_place(place)}, prev 0/0, "
            f"desc: {verb} off {n + 1} flags 0x00, blkref #0: rel 1663/16384/{FILENODES[row.table]} blk 0"
        )
    verb = "COMMIT" if record.committed else "ABORT"
    yield (
        f"rmgr: Transaction len (rec/tot):     34/    34, tx: {record.xid:10}, lsn: {_place(record.lsn)}, "
        f"prev 0/00000000, desc: {verb} {record.at:%Y-%m-%d %H:%M:%S.%f} UTC"
    )


def _place(lsn: int) -> str:
    return f"{lsn >> 32:X}/{lsn & 0xFFFFFFFF:08X}"


def control_text(timeline: int, state: str, lsn: int, max_connections: int = 100) -> str:
    """pg_controldata of a directory."""
    values = {
        "Database system identifier": SYSTEM,
        "Database cluster state": state,
        "Latest checkpoint location": format_lsn(lsn),
        "Latest checkpoint's REDO location": format_lsn(lsn),
        "Latest checkpoint's REDO WAL file": segment_of(timeline, lsn, SIZE),
        "Latest checkpoint's TimeLineID": str(timeline),
        "max_connections setting": str(max_connections),
    }
    lines = []
    for line in _CONTROL.splitlines():
        name = line.partition(":")[0]
        lines.append(f"{name}:".ljust(38) + values[name] if name in values else line)
    return "\n".join(lines) + "\n"


DAMAGED_CONTROL = """WARNING: Calculated CRC checksum does not match value stored in file.
Either the file is corrupt, or it has a different layout than this program
is expecting.  The results below are untrustworthy.

pg_control version number:            0
Catalog version number:               0
Database system identifier:           0
"""


def wal_header(name: str, system: str = SYSTEM, magic: int = 0xD110) -> bytes:
    """The first bytes of a segment of PostgreSQL 15."""
    start = segment_start(name, SIZE)
    return struct.pack("<HHIQI4xQII", magic, 2, int(name[:8], 16), start, 0, int(system), SIZE, 8192)


@dataclass(frozen=True)
class Backup:
    """A base backup as the world keeps it."""

    name: str
    timeline: int
    start: int
    stop: int
    began: datetime
    ended: datetime
    whole: bool = True
    system: str = SYSTEM
    inventory: str | None = None
    tablespaces: Mapping[int, str] = field(default_factory=dict)

    def label(self) -> str:
        return (
            f"START WAL LOCATION: {format_lsn(self.start)} (file {segment_of(self.timeline, self.start, SIZE)})\n"
            f"CHECKPOINT LOCATION: {format_lsn(self.start + 0x38)}\nBACKUP METHOD: streamed\nBACKUP FROM: primary\n"
            f"START TIME: {self.began:%Y-%m-%d %H:%M:%S} UTC\nLABEL: pg_basebackup base backup\n"
            f"START TIMELINE: {self.timeline}\n"
        )

    def ended_label(self) -> str:
        """The archive's .backup file, which tells its end to the second."""
        return (
            f"{self.label()}STOP TIME: {self.ended:%Y-%m-%d %H:%M:%S} UTC\n"
            f"STOP WAL LOCATION: {format_lsn(self.stop)} (file {segment_of(self.timeline, self.stop, SIZE)})\n"
        )

    def manifest(self) -> str:
        head = '{ "PostgreSQL-Backup-Manifest-Version": 1,\n'
        head += '"Files": [\n{ "Path": "base/16384/16412", "Size": 50000000 }\n],\n'
        head += (
            f'"WAL-Ranges": [\n{{ "Timeline": {self.timeline}, "Start-LSN": "{format_lsn(self.start)}", '
            f'"End-LSN": "{format_lsn(self.stop)}" }}\n],\n'
        )
        return head + f'"Manifest-Checksum": "{hashlib.sha256(head.encode()).hexdigest()}"}}\n'

    def kept(self, text: str) -> Backup:
        return replace(self, inventory=text)


def flag(flags: Sequence[str], name: str) -> str:
    """The value that the last `-c name=value` of a command line gives."""
    found = [part.partition("=")[2] for part in flags if part.startswith(f"{name}=")]
    return found[-1] if found else ""


def target_of(flags: Sequence[str]) -> tuple[int, Lsn, bool]:
    """Timeline, position and inclusiveness of the recovery target on a clone's command line."""
    return (
        int(flag(flags, "recovery_target_timeline")),
        parse_lsn(flag(flags, "recovery_target_lsn")),
        flag(flags, "recovery_target_inclusive") == "on",
    )
