"""The text that ``TZ=UTC LC_ALL=C pg_waldump`` prints (13 to 18), line by line.

Only the ends of transactions are taken apart here; rows are counted in ``losses``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from actions.postgres.lsn import Lsn, parse_lsn
from actions.postgres.segments import segment_of

_HEAD = r"rmgr: Transaction [^,]*/ *(\d+), tx: +(\d+), lsn: ([0-9A-F]+)/([0-9A-F]+), prev [0-9A-F/]+, desc: "
_MOMENT = r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}) ([^;\s]+)(.*)"
_END = re.compile(_HEAD + r"(COMMIT|ABORT|COMMIT_PREPARED|ABORT_PREPARED) (?:(\d+): )?" + _MOMENT, re.ASCII)
# The name that people gave to a prepared transaction may hold anything, so its time is the last one of the line.
_PREPARE = re.compile(_HEAD + r"(PREPARE) (gid) .*: " + _MOMENT, re.ASCII)
_NAMED = re.compile(r"\b[0-9A-F]{24}\b", re.ASCII)
_PLACE = re.compile(r"\b[0-9A-F]{1,8}/[0-9A-F]{1,8}\b", re.ASCII)


class TransactionEnd(NamedTuple):
    """A commit or an abort, as recovery sees it: this is where a recovery can stop. Or a PREPARE TRANSACTION.

    ``size`` is the record's length in bytes. A named tuple, because a busy day has millions of them and they are
    made twice as fast.
    """

    kind: str
    xid: int
    lsn: Lsn
    at: datetime
    subxacts: tuple[int, ...] = ()
    files: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    size: int = 0

    @property
    def prepared(self) -> bool:
        """Whether it is a PREPARE TRANSACTION, whose commit or rollback comes later or never."""
        return self.kind == "PREPARE"

    @property
    def committed(self) -> bool:
        """Whether its changes count."""
        return self.kind.startswith("COMMIT")


def transaction_ends(lines: Iterable[str], *, prepares: bool = False) -> Iterator[TransactionEnd]:
    """The commits and aborts among the lines, in the order of the WAL; with `prepares` the PREPAREs too."""
    for line in lines:
        # The cheap test first: most lines of a full dump are about rows.
        if not line.startswith("rmgr: Transaction"):
            continue
        if match := _END.match(line) or (_PREPARE.match(line) if prepares else None):
            yield _end(match)


def _end(match: re.Match[str]) -> TransactionEnd:
    size, tx, high, low, kind, named, moment, zone, rest = match.groups()
    prepared = named if named != "gid" else None
    if zone not in ("UTC", "GMT"):
        raise ValueError(f"pg_waldump ran with zone {zone}; it must run with TZ=UTC")
    at = datetime.fromisoformat(moment + "+00:00")
    lsn = Lsn(int(high, 16) << 32 | int(low, 16))
    if len(rest) < 3:
        return TransactionEnd(kind, int(prepared or tx), lsn, at, size=int(size))
    lists = _lists(rest)
    return TransactionEnd(
        kind,
        int(prepared or tx),
        lsn,
        at,
        tuple(map(int, lists.get("subxacts", ()))),
        lists.get("rels", ()),
        lists.get("dropped stats", ()),
        int(size),
    )


def _lists(rest: str) -> dict[str, tuple[str, ...]]:
    parts = (part.strip().partition(":") for part in rest.split(";"))
    return {name: tuple(values.split()) for name, found, values in parts if found}


def lsn_of_line(line: str) -> Lsn | None:
    """The position of any record line; None for other output."""
    _, found, rest = line.partition(", lsn: ")
    return parse_lsn(rest.partition(",")[0]) if found else None


def ended_in(said: str, timeline: int, segment_size: int) -> str:
    """The segment in which reading ended, by the last line of its errors; empty where that does not tell."""
    line = said.strip().rpartition("\n")[2]
    if named := _NAMED.findall(line):
        return str(named[-1])
    places = _PLACE.findall(line)
    return segment_of(timeline, parse_lsn(places[-1]), segment_size) if places and segment_size else ""
