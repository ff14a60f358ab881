"""Log sequence numbers: the places in the WAL, as integers, and the way people write them."""

from __future__ import annotations

import re
from typing import NewType

Lsn = NewType("Lsn", int)

_TEXT = re.compile(r"([0-9A-Fa-f]{1,8})/([0-9A-Fa-f]{1,8})", re.ASCII)


def parse_lsn(text: str) -> Lsn:
    """Read ``0/5A3F2C8``; a ValueError says that it is none."""
    match = _TEXT.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"not a WAL position: {text[:40]!r}")
    return Lsn((int(match[1], 16) << 32) | int(match[2], 16))


def format_lsn(lsn: int) -> str:
    """Write a position the way PostgreSQL does."""
    return f"{lsn >> 32:X}/{lsn & 0xFFFFFFFF:X}"


def advance(lsn: int, count: int) -> Lsn:
    """The position that many bytes further on."""
    return Lsn(lsn + count)


_PAGE, _PAGE_HEADER, _FIRST_PAGE_HEADER = 8192, 24, 40


def end_of_record(lsn: int, size: int, segment_size: int) -> Lsn:
    """Where replay stands after a record of so many bytes, as pg_last_wal_replay_lsn() says it.

    Each page that the record goes on to begins with a header, the first page of a segment with a longer one
    (XLogDecodeNextRecord of src/backend/access/transam/xlogreader.c; pages have 8 kB in every usual build).
    """
    rest, place = -(-size // 8) * 8, lsn
    while rest > (room := _PAGE - place % _PAGE):
        rest -= room
        place += room
        place += _FIRST_PAGE_HEADER if place % segment_size == 0 else _PAGE_HEADER
    return Lsn(place + rest)
