"""A status page in memory: incidents with their updates, and days on which nobody answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from actions.engine.errors import Away
from actions.engine.run import Run
from actions.incidents.public_text import stands
from actions.tools.outside import Draft, Published
from actions.tools.registry import ErrandTools
from tests.support.worlds.clock import Clock, FakePolling
from workers.runner.errand_toolbox import NotSetUp


@dataclass
class PageWorld:
    """What the public sees, newest update last. `away` counts the requests that nobody answers."""

    name: str = "a page in memory"
    updates: dict[str, list[Draft]] = field(default_factory=dict)
    components: dict[str, str] = field(default_factory=dict)
    away: int = 0
    clock: Clock = field(default_factory=Clock)
    changes: tuple[str, ...] = ()
    at_place: Callable[[str], None] = lambda _place: None

    def fork(self) -> PageWorld:
        """As it is in this instant, free to go another way."""
        told = {incident: list(updates) for incident, updates in self.updates.items()}
        held = {"updates": told, "components": dict(self.components), "clock": Clock(self.clock.now)}
        return replace(self, at_place=lambda _place: None, **held)

    def picture(self) -> dict[str, Any]:
        """What the public sees."""
        return {"updates": {name: list(told) for name, told in self.updates.items()}, "components": self.components}

    def find(self, incident: str) -> Published | None:
        self._answer()
        told = self.updates.get(incident)
        if not told:
            return None
        return Published(incident, f"https://status.example/{incident}", told[-1].status, len(told), told[-1].text)

    def publish(self, draft: Draft) -> Published:
        there = self.find(draft.incident)
        if not stands(draft, there):
            self._does(f"publish of {draft.incident}", draft)
        found = self.find(draft.incident)
        assert found
        return found

    def _does(self, what: str, draft: Draft) -> None:
        self.at_place(f"before '{what}'")
        self.updates.setdefault(draft.incident, []).append(draft)
        self.components |= draft.components
        self.changes = (*self.changes, what)
        self.at_place(f"after '{what}'")

    def _answer(self) -> None:
        if self.away:
            self.away -= 1
            raise Away("The page does not answer.", hint="Wait.")


@dataclass
class PageErrands:
    """The toolbox of errands, in such a world."""

    world: PageWorld

    @contextmanager
    def open(self, run: Run) -> Iterator[ErrandTools]:
        unset = NotSetUp("PagerDuty", "pagerduty.token")
        yield ErrandTools(unset, unset, self.world, FakePolling(self.world.clock))
