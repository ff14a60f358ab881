"""One transaction on the store, as the ledger's rules see it; `sql_transaction` says it in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from actions.engine.claims import Claim
from actions.engine.due_times import DueTime
from actions.engine.journal import Entry, Kind

Draft = tuple[Kind, int | None, dict[str, Any]]


@dataclass(frozen=True)
class Lease:
    """A worker's right to carry a run out, or a process's to do something for all; with the fencing token."""

    run: str
    owner: str
    token: int


class PositionTaken(Exception):
    """Somebody else wrote that position of the journal first; nothing was written."""


class Transaction(Protocol):
    """All of it holds, or nothing."""

    def take_turn(self) -> None:
        """Wait until nobody else writes entries or claims anything: what is read then is what is written upon."""

    def first(self, kind: str, key: str, data: Any) -> bool:
        """Keep a note unless there is one; whether it was kept."""

    def kept(self, kind: str, key: str) -> Any:
        """The note, or None."""

    def drop(self, kind: str, key: str) -> None:
        """Forget a note."""

    def claims(self, site: str) -> list[Claim]:
        """What is claimed of a site; nobody else claims anything until the transaction has ended."""

    def claim(self, claims: Sequence[Claim]) -> None:
        """Hold these; that none of them is excluded was seen in this transaction."""

    def read(self, run: str, after: int = 0, limit: int | None = None) -> list[Entry]:
        """Entries in order; all of them, or so many."""

    def tip(self, run: str) -> tuple[int, str]:
        """Position and hash of the last entry."""

    def tips(self, journals: Sequence[str]) -> dict[str, int]:
        """The last position of each of these journals."""

    def write(self, entry: Entry) -> None:
        """Append, and move the journal's head; raises PositionTaken."""

    def beat(self, lease: Lease) -> bool:
        """Say that the lease's owner lives; whether the lease is still theirs."""

    def let_go(self, run: str) -> None:
        """Give back all that a run claimed, and its lease for good."""

    def take_due(self, due: DueTime, run: str) -> bool:
        """Take a due time of a schedule for a run; False where it was taken before."""

    def taken_by(self, due: DueTime) -> str:
        """The run that a due time was taken for; empty where it was passed over."""
