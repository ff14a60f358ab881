"""What a worker does with PagerDuty beside recoveries: a store, a PagerDuty in memory, the chores, the watch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from actions.catalog import find as find_errand
from actions.engine.journal import Kind
from actions.engine.procedure import Procedure
from actions.incidents import incident as incidents
from actions.incidents.alarm_watch import AlarmWatch, caller
from actions.incidents.alarms import Facts, RunFacts, SiteFacts, alarms
from actions.incidents.alert_grouping import Rules
from actions.incidents.incident import Incident
from actions.incidents.kept_events import keep_event
from actions.incidents.site_watch import SiteWatch
from actions.incidents.take_in_events import take_in
from actions.settings.contacts import Contact, ContactSettings
from actions.settings.outside import StatusPageSettings
from actions.store import notes
from actions.store.store import Store
from tests.support.bot_world import PITR, SERVICE, PlayedWorker, emptied
from tests.support.worlds.clock import Clock
from tests.support.worlds.pagerduty import PagerDutyWorld, Paging
from tests.support.worlds.pages import DEPENDS, SERVICES, at, body
from workers.pagerduty.milestone_notes import MilestoneNotes
from workers.pagerduty.poller import Poller

RULES = Rules(SERVICES, DEPENDS)


def find(name: str) -> Procedure:
    return PITR if name == PITR.name else find_errand(name)


class Post:
    """A store, PagerDuty, and a worker's chores."""

    def __init__(self, store: Callable[[Clock], Store] = emptied) -> None:
        self.clock = Clock(at(1))
        self.store = store(self.clock)
        self.world = PagerDutyWorld(self.clock)
        self.statuspage = StatusPageSettings()

    def hears(self, *events: dict[str, Any]) -> None:
        for said in events:
            keep_event(self.store, body(said))
        take_in(self.store, RULES)

    def polls(self) -> None:
        self.clock.advance(15)
        Poller(self.store, self.world).work()
        take_in(self.store, RULES)

    def tells(self, worker: MilestoneNotes | None = None) -> None:
        (worker or self.teller()).work()

    def teller(self) -> MilestoneNotes:
        return MilestoneNotes(self.store, find, self.world, self.statuspage, "main")

    @property
    def incidents(self) -> list[Incident]:
        return [incidents.fold(self.store.entries(name)) for name in self.store.incidents()]

    def published(self) -> list[str]:
        """The updates that were let out, the oldest first."""
        errands = [self.store.run(run) for run in reversed(self.store.runs()) if run.startswith("e")]
        return [run.request["draft"]["status"] for run in errands]

    @property
    def one(self) -> Incident:
        (found,) = self.incidents
        return found

    def recovers(self, run: str = "r1") -> PlayedWorker:
        """A recovery in the incident's thread."""
        data = {
            "procedure": PITR.name,
            "table": PITR.table,
            "service": SERVICE,
            "site": "main",
            "by": "U1",
            "name": "Olga",
            "request": {"when": "14:30"},
            "summary": "Bring it back",
            "origin": {"incident": self.one.id},
        }
        said = {"run": run, "procedure": PITR.name, "by": "U1", "name": "Olga"}
        self.store.open_run(run, data, claims=True, key=run, tells=[(self.one.id, (Kind.LINKED, None, said))])
        return PlayedWorker(self.store, run)

    def whole(self) -> PlayedWorker:
        worker = self.recovers()
        worker.looks(PITR, 0, 1)
        worker.asks(PITR, 2)
        said = {"option": "Restore, keep serving", "leads": "on", "gives": "start", "by": "U1", "name": "Olga"}
        worker.write(Kind.ANSWERED, 2, **said, text="", plan="abc")
        worker.acts(PITR, 3)
        worker.write(Kind.FAILED, 4, title="replay", error="The disk is full.", hint="Make room.")
        worker.write(Kind.RETRIED, 4, by="U1", name="Olga")
        worker.acts(PITR, 4)
        worker.asks(PITR, 5)
        worker.write(Kind.ANSWERED, 5, **{**said, "option": "Cut over", "name": "Ada"}, text="", plan="abc")
        worker.acts(PITR, 6)
        worker.ends("recovered")
        return worker


class Tower:
    """The watch over a store, with a world to page into."""

    def __init__(self, post: Post) -> None:
        self.post = post
        cto = ContactSettings(people=(Contact(role="cto", name="Cleo", pagerduty="PCTO"),))
        call, site = caller(post.world, cto), SiteWatch(post.store, find, "main", [SERVICE])
        self.watch = AlarmWatch(post.store, find, Paging(post.world), (site,), also_tell=call)

    def looks(self, minutes: float = 0, *, worker: bool = True) -> list[str]:
        self.post.clock.advance(minutes * 60)
        if worker:
            notes.worker_lives(self.post.store, "w", {"site": "main"})
        self.watch.work()
        return sorted(key.removeprefix("mayday ") for key in self.post.world.pages)


def due(run: RunFacts | None = None, minutes: float = 0, **more: Any) -> list[str]:
    """The alarms that are due then, by their keys."""
    facts = Facts(at(minutes), (SiteFacts("main", **more),), (run,) if run else ())
    return [alarm.key.removeprefix("mayday ") for alarm in alarms(facts)]
