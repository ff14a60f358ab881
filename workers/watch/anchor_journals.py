"""Notes the heads of the journals outside of the store, while the worker lives."""

from __future__ import annotations

from dataclasses import dataclass, field

from actions.chores.chores import Chore
from actions.store.anchors import Anchor, AnchorFile
from actions.store.store import Store

EVERY = 10.0
"""Seconds between two looks; what is written and deleted in between is not noted."""


@dataclass
class Anchoring:
    """Appends what grew since the last look."""

    store: Store
    file: AnchorFile
    _noted: dict[str, int] = field(default_factory=dict)
    _since: int = 0

    def chore(self, host: str) -> Chore:
        """Each host has a file of its own."""
        return Chore("note the heads of the journals", EVERY, self.tick, self.store, place=host)

    def tick(self) -> int:
        """Note the heads that are new; how many there were."""
        if not self._noted and (found := self.file.read()) is not None:
            self._noted = {name: anchor.n for name, anchor in found.newest.items()}
        news = self.store.grown(self._since)
        grown = [one for one in news if one.n > self._noted.get(one.journal, 0)]
        heads = [(one.journal, self.store.entries(one.journal, one.n - 1)) for one in grown]
        anchors = [Anchor(name, told[0].n, told[0].hash) for name, told in heads if told]
        if anchors:
            self.file.append(anchors, self.store.clock())
            self._noted.update({anchor.journal: anchor.n for anchor in anchors})
        # Once they are noted: a file that could not be written is tried again with all of them.
        self._since = news[-1].change if news else self._since
        return len(anchors)
