"""What would be lost: committed transactions after a stop, and their rows per relation.

``losses`` reads a dump in Python; ``losses_awk`` holds the same count as an awk program that runs beside
pg_waldump, whose few lines ``parse_losses`` reads. Both start before the stop, because a transaction that
commits after it may have written before it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from actions.postgres.stops import Stop
from actions.postgres.waldump import TransactionEnd, transaction_ends

# The optional +INIT only says that the page was new. MULTI_INSERT tells its tuples in two ways (13-15, 16-18).
_ROW = re.compile(
    r"rmgr: Heap2? [^,]*, tx: +(\d+), lsn: [^ ]+ prev [^ ]+ desc: "
    r"(INSERT|UPDATE|HOT_UPDATE|DELETE|MULTI_INSERT)(?:\+INIT)? "
    r"(?:(\d+) tuples|ntuples: (\d+))?.*?blkref #0: rel (\d+/\d+/\d+)",
    re.ASCII,
)
_COLUMN = {"INSERT": 0, "MULTI_INSERT": 0, "UPDATE": 1, "HOT_UPDATE": 1, "DELETE": 2}
# Relations of the catalogue keep numbers below this; their rows are not people's data.
FIRST_USER_RELATION = 16384

_Rows = dict[str, list[int]]


@dataclass(frozen=True)
class RowCounts:
    """Rows of one relation (tablespace/database/relfilenode) written by lost transactions."""

    relation: str
    inserted: int
    updated: int
    deleted: int

    @property
    def database_oid(self) -> int:
        """The database; 0 for shared relations."""
        return int(self.relation.split("/")[1])

    @property
    def relfilenode(self) -> int:
        """The file number, to be turned into a name by pg_filenode_relation."""
        return int(self.relation.split("/")[2])

    @property
    def user_data(self) -> bool:
        """Whether it is no catalogue relation."""
        return self.relfilenode >= FIRST_USER_RELATION


@dataclass(frozen=True)
class Losses:
    """The sum. ``removed_files`` are relations dropped, truncated or rewritten by lost transactions."""

    commits: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    rows: tuple[RowCounts, ...] = ()
    removed_files: tuple[str, ...] = ()


@dataclass
class _Tally:
    open: defaultdict[int, _Rows] = field(default_factory=lambda: defaultdict(dict))
    rows: _Rows = field(default_factory=dict)
    commits: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    removed: set[str] = field(default_factory=set)


def losses(lines: Iterable[str], stop: Stop) -> Losses:
    """Count from the lines of pg_waldump (at least -r Heap -r Heap2 -r Transaction)."""
    tally = _Tally()
    counting, search = tally.open, _ROW.match
    for line in lines:
        if line.startswith("rmgr: Heap"):
            if match := search(line):
                xid, verb, many, more, relation = match.groups()
                rows = counting[int(xid)]
                if relation not in rows:
                    rows[relation] = [0, 0, 0]
                rows[relation][_COLUMN[verb]] += int(many or more) if verb == "MULTI_INSERT" else 1
        elif line.startswith("rmgr: Transaction"):
            for end in transaction_ends((line,)):
                _close(tally, end, stop)
    return _sum(tally)


def _close(tally: _Tally, end: TransactionEnd, stop: Stop) -> None:
    written = [tally.open.pop(xid, {}) for xid in (end.xid, *end.subxacts)]
    if not end.committed or stop.keeps(end.lsn):
        return
    tally.commits += 1
    tally.first_at = tally.first_at or end.at
    tally.last_at = end.at
    tally.removed.update(end.files)
    for rows in written:
        _add(tally.rows, rows)


def _add(total: _Rows, rows: _Rows) -> None:
    for relation, counts in rows.items():
        sums = total.setdefault(relation, [0, 0, 0])
        sums[:] = [left + right for left, right in zip(sums, counts, strict=True)]


def _sum(tally: _Tally) -> Losses:
    rows = (RowCounts(relation, *counts) for relation, counts in tally.rows.items())
    return Losses(
        tally.commits,
        tally.first_at,
        tally.last_at,
        tuple(sorted(rows, key=lambda row: (-row.inserted - row.updated - row.deleted, row.relation))),
        tuple(sorted(tally.removed)),
    )


def parse_losses(text: str) -> Losses:
    """Read what the awk program printed; output that is cut off is refused."""
    lines = [line.split("\t") for line in text.splitlines()]
    if not lines or lines[-1] != ["end"]:
        raise ValueError("the count of lost rows ended early")
    tally = _Tally()
    for name, *values in lines:
        _take(tally, name, values)
    return _sum(tally)


def _take(tally: _Tally, name: str, values: list[str]) -> None:
    if name == "rel":
        tally.rows[values[0]] = [int(value) for value in values[1:4]]
    elif name == "gone":
        tally.removed.add(values[0])
    elif name == "commits":
        tally.commits = int(values[0])
    elif name == "first":
        tally.first_at = _moment(values[0])
    elif name == "last":
        tally.last_at = _moment(values[0])


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace(" ", "T") + "+00:00")
