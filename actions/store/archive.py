"""A closed journal in one piece: all of its entries as one compressed text, with each hash that they were written with.

Nothing is left out, so that what is read back is the same journal and its chain can be verified as before.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from datetime import datetime

from actions.engine.journal import Entry, Kind


def packed(told: Sequence[Entry]) -> bytes:
    """All entries of one journal."""
    rows = [[e.n, e.at.isoformat(), str(e.kind), e.step, e.data, e.prev, e.hash] for e in told]
    # Escaped, so that halves of surrogate pairs come back as they were.
    return zlib.compress(json.dumps(rows, separators=(",", ":")).encode())


def unpacked(journal: str, data: bytes) -> list[Entry]:
    """The entries again.

    Raises:
        ValueError: somebody changed them, and they cannot be read.
    """
    try:
        rows = json.loads(zlib.decompress(data))
    except zlib.error as damaged:
        raise ValueError(f"the archived journal {journal} cannot be unpacked") from damaged
    return [
        Entry(journal, n, datetime.fromisoformat(at), Kind(kind), step, said, prev, own)
        for n, at, kind, step, said, prev, own in rows
    ]
