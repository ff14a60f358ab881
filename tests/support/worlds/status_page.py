"""A status page in memory: incidents with their updates, and days on which nobody answers."""

from __future__ import annotations

from dataclasses import dataclass, field

from actions.engine.errors import Away
from actions.incidents.public_text import stands
from actions.tools.outside import Draft, Published


@dataclass
class PageWorld:
    """What the public sees, newest update last. `away` counts the requests that nobody answers."""

    name: str = "a page in memory"
    updates: dict[str, list[Draft]] = field(default_factory=dict)
    components: dict[str, str] = field(default_factory=dict)
    away: int = 0

    def find(self, incident: str) -> Published | None:
        self._answer()
        told = self.updates.get(incident)
        if not told:
            return None
        return Published(incident, f"https://status.example/{incident}", told[-1].status, len(told), told[-1].text)

    def publish(self, draft: Draft) -> Published:
        there = self.find(draft.incident)
        if not stands(draft, there):
            self.updates.setdefault(draft.incident, []).append(draft)
            self.components |= draft.components
        found = self.find(draft.incident)
        assert found
        return found

    def _answer(self) -> None:
        if self.away:
            self.away -= 1
            raise Away("The page does not answer.", hint="Wait.")
