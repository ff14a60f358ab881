"""The difference between a clone and the live data as a fact, and as people read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from actions.clock.times import spell
from actions.engine.facts import volatile
from actions.engine.procedure import Sheet
from actions.wording import counted, verb

SHOWN = 25
"""So many tables stand in the message; all of them are in the file that goes along."""
_NOTES_SHOWN = 12


@dataclass(frozen=True)
class TableRows:
    """One table whose rows differ: `words` for people, and how many rows are concerned."""

    name: str
    words: str
    rows: int


@dataclass(frozen=True)
class Difference:
    """What a cut-over changes: rows by table, largest first, and everything else in sentences.

    `not_compared` names what nothing is said of, and why; `brief` are the sentences with few names each.
    """

    compared: bool = volatile()
    comes_back: int = volatile(default=0)
    goes: int = volatile(default=0)
    changes: int = volatile(default=0)
    about: bool = volatile(default=False)
    same: int = volatile(default=0)
    tables: tuple[TableRows, ...] = volatile(default=())
    besides: tuple[str, ...] = volatile(default=())
    brief: tuple[str, ...] = volatile(default=())
    not_compared: tuple[str, ...] = volatile(default=())
    databases: str = volatile(default="")
    alerts: tuple[str, ...] = volatile(default=())
    at: datetime | None = volatile(default=None)
    seconds: float = volatile(default=0.0)
    why: str = volatile(default="")

    def says(self) -> str:
        """The sum of it."""
        if not self.compared:
            return self.why or "the live server does not answer, so there is nothing to compare with"
        about = "about " if self.about else ""
        rows = (
            f"{about}{_rows(self.comes_back)} {verb(self.comes_back, 'come')} back, "
            f"{_rows(self.goes)} of the live data go{'es' if self.goes == 1 else ''}, "
            f"{_rows(self.changes)} {verb(self.changes, 'change')} back"
        )
        parts = [rows, f"{counted(self.same, 'table')} alike"]
        if self.besides:
            parts.append(f"{counted(len(self.besides), 'difference')} besides rows")
        if self.not_compared:
            parts.append(f"NOT COMPARED: {len(self.not_compared):,}")
        return "; ".join(parts)


def _rows(number: int) -> str:
    return counted(number, "row")


def difference_sheet(difference: Difference) -> Sheet:
    """Table by table: as many as a message holds with how many more there are; the file has all."""
    tables, shown = difference.tables, difference.tables[:SHOWN]
    rows = tuple((table.name, table.words) for table in shown)
    if left := tables[SHOWN:]:
        rows = (*rows, (f"and {counted(len(left), 'more table')}", _rows(sum(table.rows for table in left))))
    notes = (*_capped(difference.brief), *_unread(difference.not_compared), *_when(difference))
    whole = (
        *(f"{t.name}: {t.words}" for t in left),
        *difference.besides,
        *(f"Not compared: {one}" for one in difference.not_compared),
    )
    # What stands above in full need not stand in the file twice.
    cut = bool(left) or len(difference.not_compared) > _NOTES_SHOWN or difference.brief != difference.besides
    cut = cut or len(difference.brief) > _NOTES_SHOWN
    whole = whole if cut else ()
    essential = tuple(label for label, _ in rows)
    return Sheet("Difference from the live data", rows, notes, difference.alerts, whole, essential)


def _capped(lines: Sequence[str]) -> tuple[str, ...]:
    left = len(lines) - _NOTES_SHOWN
    return (*lines[:_NOTES_SHOWN], *([f"and {left:,} more differences besides rows"] if left > 0 else []))


def _unread(names: Sequence[str]) -> tuple[str, ...]:
    left = len(names) - _NOTES_SHOWN
    told = tuple(f"Not compared: {name}" for name in names[:_NOTES_SHOWN])
    return (*told, *([f"Not compared: {left:,} more"] if left > 0 else []))


def _when(difference: Difference) -> tuple[str, ...]:
    if difference.at is None:
        return ()
    return (
        f"Compared from {spell(difference.at)} on, for {difference.seconds:.0f} s; what is written live after a table "
        f"was looked at is not in its figures. {difference.databases}",
    )
