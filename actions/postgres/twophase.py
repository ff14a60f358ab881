"""Prepared transactions: committed by neither side yet, open at the stopping point, with all their locks.

A server in recovery lists none in pg_prepared_xacts (it shows those of a running primary only), so they are read from
where it has them: the state files below pg_twophase, and the records of the WAL that it has replayed since. What a
state file holds is TwoPhaseFileHeader (xl_xact_prepare) of src/include/access/xact.h, then the name.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from actions.postgres.lsn import parse_lsn
from actions.postgres.stops import Stop

_MAGIC = 0x57F94534
_HEAD = struct.Struct("<IIIIq")
# Where the length of the name stands, and the header's size: from 15 on it counts dropped statistics too.
_GID_14, _GID_15 = (46, 64), (54, 72)
HEADER_BYTES = 72 + 200  # GIDSIZE is 200.
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?"
_PREPARE = re.compile(rf"tx:\s*(\d+), lsn: ([0-9A-F]+/[0-9A-F]+),.* desc: PREPARE gid (.*): ({_TIME}) UTC")
_ENDED = re.compile(r"lsn: ([0-9A-F]+/[0-9A-F]+),.* desc: (?:COMMIT|ABORT)_PREPARED (\d+):")
_DATABASE = re.compile(r"\brel \d+/(\d+)/\d+")


@dataclass(frozen=True)
class Prepared:
    """One prepared transaction. `database` is its name where it is known, else its OID, else empty."""

    gid: str
    xid: int
    at: datetime | None = None
    database: str = ""
    owner: str = ""


def parse_state_file(data: bytes, major: int) -> Prepared | None:
    """A prepared transaction from its state file; None for one that cannot be read."""
    at, size = _GID_14 if major < 15 else _GID_15
    if len(data) <= size:
        return None
    magic, _, xid, database, micros = _HEAD.unpack(data[: _HEAD.size])
    if magic != _MAGIC:
        return None
    (length,) = struct.unpack_from("<H", data, at)
    gid = data[size : size + length].split(b"\0", 1)[0].decode(errors="replace")
    return Prepared(gid, xid, _EPOCH + timedelta(microseconds=micros), str(database) if database else "")


def open_at(stop: Stop, before: Iterable[Prepared], lines: Iterable[str]) -> tuple[Prepared, ...]:
    """Those that are open at the stop: of state files and of pg_waldump's lines, less those that ended before it."""
    found = {one.xid: one for one in before}
    for line in lines:
        if ended := _ENDED.search(line):
            if stop.keeps(parse_lsn(ended[1])):
                found.pop(int(ended[2]), None)
        elif (begun := _PREPARE.search(line)) and stop.keeps(parse_lsn(begun[2])):
            at = datetime.fromisoformat(begun[4].replace(" ", "T") + "+00:00")
            known = found.get(int(begun[1]))
            found[int(begun[1])] = replace(known, at=at) if known else Prepared(begun[3], int(begun[1]), at)
    return tuple(sorted(found.values(), key=lambda one: (one.at or _EPOCH, one.gid)))


def database_in(lines: Iterable[str]) -> str:
    """The OID of the database in which a transaction wrote, from pg_waldump's lines of it; empty where none says it."""
    hits = (hit[1] for line in lines for hit in _DATABASE.finditer(line))
    return next((oid for oid in hits if oid != "0"), "")
