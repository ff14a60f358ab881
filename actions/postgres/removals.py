"""What a DROP DATABASE or DROP TABLESPACE does outside of its transaction, seen in the WAL.

dropdb() of src/backend/commands/dbcommands.c writes, in this order: an in-place update of the database's row that marks
it invalid (datconnlimit = -2; since 13.12, 14.9, 15.4 and 16), at once the DELETE of that same row, then after a
checkpoint `Database DROP`, whose replay removes the files, and at last its commit. DropTableSpace() writes `Tablespace
DROP`, whose replay removes the link, and then its commit. A replay that stops before that commit has the mark and the
removal, and not the commit: the database is there and nobody can connect to it.

What else has an effect of its own does no such harm:

- a `Database CREATE*` or `Tablespace CREATE` whose commit is not kept leaves files that no row names, as a crash does;
- a CREATE DATABASE that failed removes with `Database DROP` what it had made itself;
- ALTER DATABASE … SET TABLESPACE removes the old place with a `Database DROP` without a transaction, after the commit
  that names the new one (movedb() of the same file);
- RelMap updates (VACUUM FULL of a shared catalogue) come just before their commit, and the new file has the same rows
  under the same transactions (AtEOXact_RelationMap() of relmapper.c);
- other in-place updates (VACUUM's datfrozenxid, statistics of an index) are true whether a transaction ends or not;
- sequences and truncated tails of tables are never rolled back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from actions.postgres.lsn import Lsn, parse_lsn
from actions.postgres.waldump import TransactionEnd, transaction_ends

REMOVAL_RMGRS = ("Transaction", "Database", "Tablespace", "Heap", "XLOG", "Standby")
"""The resource managers whose records are read for removals, and for what ran meanwhile (`running`)."""

REMOVAL_LINES = (
    r"^rmgr: (Transaction|Database|Tablespace) |desc: (INPLACE|DELETE) .* rel 1664/0/"
    r"|desc: (CHECKPOINT_SHUTDOWN|CHECKPOINT_ONLINE|END_OF_RECOVERY|RUNNING_XACTS) "
)
"""The lines among them that matter, as an extended regular expression: rows of shared relations alone."""

_RECORD = re.compile(
    r"rmgr: (\w+) [^,]*, tx: +(\d+), lsn: ([0-9A-F]+/[0-9A-F]+), prev [0-9A-F/]+, desc: (\w+)(.*)", re.ASCII
)
# "off 8 …, blkref #0: rel 1664/0/1262 blk 0" up to 15, "xmax: 739, off: 8, …" from 16 on.
_TUPLE = re.compile(r"\boff:? (\d+)\b.*\brel (1664/0/\d+) (?:fork \w+ )?blk (\d+)", re.ASCII)
_DIRECTORY = re.compile(r"\b\d+/(\d+)\b", re.ASCII)
_OID = re.compile(r"\b(\d+)\b", re.ASCII)
_STARTS = ("CHECKPOINT_SHUTDOWN", "END_OF_RECOVERY")
_AT_ONCE = timedelta(minutes=1)
"""Between the mark and the DELETE of one row lies one flush of the WAL, for which every other commit waits too."""


@dataclass(frozen=True)
class Removal:
    """One DROP of a database or a tablespace, or what the read WAL shows of it.

    `first` is the first record of it with an effect that no rollback takes back; where it is not `certain`, the mark
    may lie before what was read. `over` is where it ended: its commit, its rollback, or the server's crash.
    """

    xid: int
    what: Literal["database", "tablespace"]
    first: Lsn
    certain: bool
    oid: int | None = None
    over: Lsn | None = None
    committed: bool = False

    def harms(self, stop: int) -> bool:
        """Whether a replay up to there (the end of the last record) has its effect without its end."""
        return self.first < stop and (self.over is None or self.over >= stop)

    def left(self, stop: int) -> bool:
        """Whether it had been given up half-way by then: what it removed was gone, at that time too."""
        return self.over is not None and self.over < stop and not self.committed


@dataclass
class _Reading:
    since: int
    marks: dict[tuple[str, str, str], tuple[Lsn, datetime | None]] = field(default_factory=dict)
    deleted: set[int] = field(default_factory=set)
    made: set[tuple[int, str]] = field(default_factory=set)
    found: dict[int, Removal] = field(default_factory=dict)
    last_at: datetime | None = None


def removals(lines: Iterable[str], since: int = 0) -> Sequence[Removal]:
    """The removals that these lines of pg_waldump show, in the order of their transactions' first record.

    From `since` on the lines are complete; what happened just before may be missing.
    """
    reading = _Reading(since)
    for line in lines:
        if line.startswith("rmgr: Transaction"):
            for end in transaction_ends((line,)):
                _ended(reading, end)
        elif match := _RECORD.match(line):
            rmgr, xid, place, verb, rest = match.groups()
            _seen(reading, rmgr, int(xid), parse_lsn(place), verb, rest)
    return tuple(reading.found.values())


def _ended(reading: _Reading, end: TransactionEnd) -> None:
    reading.last_at = end.at
    if (open_ := reading.found.get(end.xid)) is not None and open_.over is None:
        reading.found[end.xid] = replace(open_, over=end.lsn, committed=end.committed)


def _seen(reading: _Reading, rmgr: str, xid: int, lsn: Lsn, verb: str, rest: str) -> None:
    if verb in _STARTS:
        # A server starts (again): what had been running was ended by a crash, and that writes no rollback.
        reading.found = {n: replace(r, over=r.over or lsn) for n, r in reading.found.items()}
    elif rmgr == "Heap" and (row := _TUPLE.search(rest)):
        key = (row[2], row[3], row[1])
        if verb == "INPLACE":
            reading.marks[key] = (lsn, reading.last_at)
            return
        if lsn >= reading.since:
            reading.deleted.add(xid)
        if (mark := reading.marks.pop(key, None)) and _at_once(mark[1], reading.last_at):
            reading.found.setdefault(xid, Removal(xid, "database", mark[0], certain=True))
    elif rmgr == "Database":
        _database(reading, xid, lsn, verb, rest)
    elif rmgr == "Tablespace" and verb == "DROP" and xid:
        oid = _OID.search(rest)
        reading.found.setdefault(xid, Removal(xid, "tablespace", lsn, True, int(oid[1]) if oid else None))


def _at_once(marked: datetime | None, deleted: datetime | None) -> bool:
    return marked is None or deleted is None or deleted - marked < _AT_ONCE


def _database(reading: _Reading, xid: int, lsn: Lsn, verb: str, rest: str) -> None:
    found = _DIRECTORY.findall(rest)
    if not found or not xid:
        return
    if verb.startswith("CREATE"):
        reading.made.add((xid, found[-1]))
    elif verb == "DROP" and (xid, found[0]) not in reading.made:
        known = reading.found.get(xid)
        # An older minor release deletes the row just the same, and writes no mark before it.
        first, certain = (known.first, True) if known else (lsn, xid in reading.deleted)
        reading.found[xid] = Removal(xid, "database", first, certain, int(found[0]))
