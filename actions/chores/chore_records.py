"""How chores went, as notes in the store: the doctor and the metrics read them, whoever did the chore.

A note is written when something goes wrong and when it is well again, so that a chore that goes well costs no write.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from actions.store.database import StoreTrouble
from actions.store.store import Store

NOTE = "chore"
MANY = 3
"""So many times in a row, and it is no hiccup any more: people are told."""
_SPARE = timedelta(seconds=60)


@dataclass(frozen=True)
class ChoreState:
    """How often a chore failed, ever and in a row; why it did last; `every` is the seconds between its turns."""

    name: str
    failures: int = 0
    in_a_row: int = 0
    why: str = ""
    every: float = 0.0
    place: str = ""
    at: datetime | None = None

    def troubled(self, now: datetime) -> bool:
        """Whether it goes wrong again and again. Of one that nobody does any more nothing is known."""
        lately = self.at is not None and now - self.at <= 3 * timedelta(seconds=self.every) + _SPARE
        return lately and self.in_a_row >= MANY


class ChoreRecord:
    """Keeps the record of one chore. A store that cannot be written is told of at the next turn."""

    def __init__(self, store: Store, name: str, every: float, place: str = "") -> None:
        self._store, self._new = store, ChoreState(name, every=every, place=place)
        self._key = f"{name} {place}".strip()
        self._untold: list[str] = []
        self._well = False

    def went_well(self) -> None:
        """It was done. What others kept of it before is over, too."""
        if self._well:
            return
        with suppress(StoreTrouble):
            self._tell_failures()
            if (kept := self._kept()) is not None and kept.in_a_row:
                self._keep(replace(kept, in_a_row=0))
            self._well = True

    def is_anothers(self) -> None:
        """Another process does it now; what became of it there is not known here."""
        self._well = False

    def went_wrong(self, why: str) -> None:
        """It could not be done."""
        self._well = False
        self._untold.append(why)
        with suppress(StoreTrouble):
            self._tell_failures()

    def _tell_failures(self) -> None:
        if not self._untold:
            return
        kept, many = self._kept() or self._new, len(self._untold)
        told = replace(kept, failures=kept.failures + many, in_a_row=kept.in_a_row + many, why=self._untold[-1])
        self._keep(replace(told, every=self._new.every))
        self._untold.clear()

    def _kept(self) -> ChoreState | None:
        data: dict[str, Any] | None = self._store.note(NOTE, self._key)
        return ChoreState(**data) if data else None

    def _keep(self, state: ChoreState) -> None:
        said = {name: getattr(state, name) for name in ("name", "failures", "in_a_row", "why", "every", "place")}
        self._store.keep(NOTE, self._key, said)


def states(store: Store) -> list[ChoreState]:
    """All chores that ever failed, by name."""
    return [ChoreState(**data, at=at) for _key, (data, at) in sorted(store.kept(NOTE).items())]
