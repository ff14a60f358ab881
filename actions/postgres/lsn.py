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


def distance(start: int, end: int) -> int:
    """Bytes of WAL from one position to another, never negative."""
    return max(0, end - start)


def advance(lsn: int, count: int) -> Lsn:
    """The position that many bytes further on."""
    return Lsn(lsn + count)
