"""One transaction on the store, as the ledger's rules see it; `sql_transaction` says it in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from actions.engine.journal import Entry, Kind

Draft = tuple[Kind, int | None, dict[str, Any]]


@dataclass(frozen=True)
class Lease:
    """A worker's right to carry a run out: the key (a service, or the run), and the fencing token."""

    key: str
    run: str
    owner: str
    token: int


class PositionTaken(Exception):
    """Somebody else wrote that position of the journal first; nothing was written."""


class Transaction(Protocol):
    """All of it holds, or nothing."""

    def first(self, kind: str, key: str, data: Any) -> bool:
        """Keep a note unless there is one; whether it was kept."""

    def kept(self, kind: str, key: str) -> Any:
        """The note, or None."""

    def drop(self, kind: str, key: str) -> None:
        """Forget a note."""

    def claim(self, service: str, run: str) -> str:
        """Hold a service for a run; empty where that worked, else the run that holds it."""

    def holder(self, service: str) -> str:
        """The run that holds a service, empty where none does."""

    def read(self, run: str, after: int = 0) -> list[Entry]:
        """Entries in order."""

    def tip(self, run: str) -> tuple[int, str]:
        """Position and hash of the last entry."""

    def tips(self, journals: Sequence[str]) -> dict[str, int]:
        """The last position of each of these journals."""

    def write(self, entry: Entry) -> None:
        """Append, and move the journal's head; raises PositionTaken."""

    def beat(self, lease: Lease) -> bool:
        """Say that the lease's owner lives; whether the lease is still theirs."""

    def free(self, key: str) -> None:
        """Let a service go."""
