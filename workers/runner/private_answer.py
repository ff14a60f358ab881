"""Hands an answer to the person who asked for a run, by way of a note that is soon dropped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from actions.store import notes
from actions.store.store import Store


@dataclass(frozen=True)
class StorePrivateAnswer:
    """Of one run."""

    store: Store
    run: str

    def give(self, lines: Sequence[str]) -> None:
        """Keep them for whoever speaks for that run."""
        notes.give_privately(self.store, self.run, lines)
