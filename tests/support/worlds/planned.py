"""One company with its journal and its workers: what a test says and sees."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from actions import catalog
from actions.control import answers
from actions.control.requests import Subject, requested
from actions.engine.claims import ALL, wanted_by
from actions.engine.journal import Entry
from actions.engine.procedure import Procedure
from actions.engine.reading import Asker
from actions.engine.rights import Speaker
from actions.engine.run import Run
from actions.settings.site import SiteConfig
from actions.stack.choose import chosen
from actions.stack.manual import MANUAL
from actions.stack.stack import Site
from actions.store.ledger import LEASE_SECONDS
from actions.tools.names import Names
from actions.tools.private_answer import PrivateAnswer
from actions.tools.registry import SiteTools
from actions.tools.throughput import Throughput
from actions.watch.cluster_words import ClusterWords
from actions.watch.step_times import PastSeconds
from tests.support.worlds.clock import FakePolling
from tests.support.worlds.company import SITE, Violated, World
from tests.support.worlds.docker import WorldDocker
from tests.support.worlds.files import WorldFiles
from tests.support.worlds.folders import WorldFolders
from tests.support.worlds.founding import company
from tests.support.worlds.ledger import Ledger
from tests.support.worlds.networks import WorldNetworks
from tests.support.worlds.postgres_servers import WorldServers
from tests.support.worlds.sql import WorldSql
from workers.runner.leased_runner import LeasedRunner

ONCALL = Speaker("U-ONCALL", "oncall", may_ask=True, may_approve=False)
APPROVER = Speaker("U-APPROVER", "approver", may_ask=True, may_approve=True)
DBA = Speaker("U-DBA", "dba", may_ask=True, may_approve=True)
WATCHER = Speaker("U-WATCHER", "watcher", may_ask=False, may_approve=False)


@dataclass
class WorldWeb:
    """The application's own smoke test."""

    world: World

    def get(self, url: str, *, seconds: float = 10) -> tuple[int, str]:
        return (self.world.smoke, "ok") if self.world.serves_sql() else (503, "no database")


@dataclass
class NoThroughput:
    """A host that has not done anything yet."""

    noted: list[str] = field(default_factory=list)

    def bytes_a_second(self, phase: str) -> float | None:
        return None

    def seconds(self, steps: Sequence[str]) -> PastSeconds | None:
        return None

    def note(self, phase: str, bytes: int, seconds: float) -> None:
        self.noted.append(phase)


@dataclass
class PrivateLines:
    """What was given to the person who asked."""

    lines: list[str] = field(default_factory=list)

    def give(self, lines: Sequence[str]) -> None:
        self.lines += lines


class NoStandbys:
    """A world of one server, in which nobody builds a standby."""

    def __getattr__(self, name: str) -> Any:
        raise Violated(f"somebody builds a standby: {name}")


@dataclass
class NoClusters:
    """No server belongs to a cluster."""

    def of(self, service: str, site: str) -> ClusterWords:
        return ClusterWords()


@dataclass
class WorldToolbox:
    """The tools of the world, for one run; for one of another site they are those of its second one."""

    world: World
    site: SiteConfig = SITE
    throughput: Callable[[Run], Throughput] = lambda run: NoThroughput()
    private: Callable[[Run], PrivateAnswer] = lambda run: PrivateLines()

    @contextmanager
    def open(self, run: Run) -> Iterator[SiteTools]:
        yield SiteTools(
            docker=WorldDocker(self.world),
            networks=WorldNetworks(self.world),
            folders=WorldFolders(self.world),
            files=WorldFiles(self.world),
            servers=WorldServers(self.world),
            standbys=NoStandbys(),
            sql=WorldSql(self.world),
            web=WorldWeb(self.world),
            throughput=self.throughput(run),
            polling=FakePolling(self.world.clock),
            site=replace(self.site, hold_seconds=self.world.hold_seconds),
            private=self.private(run),
            clusters=NoClusters(),
            names=Names(run.id, self.site.name if run.site != self.site.name else ""),
        )


class Company:
    """A world, its store, and the people: ask, work, answer. `toolbox` opens the tools where it is no `World`."""

    def __init__(
        self,
        world: Any = None,
        store: Any = None,
        find: Callable[[str], Procedure] = catalog.find,
        toolbox: Callable[[Any], Any] | None = None,
    ) -> None:
        self.world = world or company()
        self.store: Any = store or Ledger(self.world.clock)
        # As several items of a step may be at work at a time.
        if hasattr(self.world, "turn"):
            self.world.turn = getattr(self.store, "turn", self.world.turn)
        self.find = find
        self.toolbox = toolbox
        self.workers = 0
        self.throughput: Callable[[Run], Throughput] = lambda run: NoThroughput()

    def fork(self) -> Company:
        world = self.world.fork()
        return Company(world, self.store.fork(world.clock), self.find, self.toolbox)

    def watch(self, at_place: Callable[[str], None]) -> None:
        """Have a function called at every place where a worker may be killed."""
        self.world.at_place = self.store.at_place = at_place

    @property
    def stack(self) -> tuple[Site, ...]:
        """The services among which a request finds its own: those of the world, else the manual's."""
        own = getattr(self.world, "services", ())
        return (Site(SITE.name, services=own),) if own else MANUAL

    def ask(self, command: str, text: str = "", *, run: str = "r1", by: Speaker = ONCALL) -> str:
        """As somebody types it: without the name of a service, so that the only one of the kind is meant."""
        procedure = self.find(command)
        subject = chosen(self.stack, procedure.about)
        request = procedure.words.read(text, Asker(self.world.clock(), "UTC", "Europe/Berlin", subject.name))
        return self.begin(procedure, request, subject, run=run, by=by)

    def begin(
        self, procedure: Procedure, request: Any, subject: Subject, *, run: str = "r1", by: Speaker = ONCALL
    ) -> str:
        """A request that is there already, as a button or an incident makes it."""
        own = subject.service or ALL
        about = str(getattr(request, procedure.there_about)) if procedure.there_about else own
        claims = [
            replace(one, service=one.service or about, site=str(getattr(request, one.site)))
            if one.site
            else replace(one, service=one.service or own)
            for one in wanted_by(procedure.claims, procedure.yields)
        ]
        data = requested(procedure, request, by, subject, {})
        return str(self.store.open_run(run, data, claims=claims, key=f"key of {run}")[0])

    def work(self, run: str = "r1") -> str:
        """A new worker carries the run out until it waits."""
        self.workers += 1
        toolbox = WorldToolbox(self.world, throughput=self.throughput)
        tools = self.toolbox(self.world) if self.toolbox else toolbox
        return LeasedRunner(self.store, self.find, tools, f"worker {self.workers}").carry_out(run)

    def lease_runs_out(self) -> None:
        self.world.clock.advance(LEASE_SECONDS + 1)

    def answer(self, label: str, by: Speaker = ONCALL, text: str = "", run: str = "r1") -> Entry | None:
        question = self.run(run).question
        assert question is not None, f"nothing is asked: {self.run(run).failure or self.run(run).finished}"
        return answers.answer(self.store, run, question.n, label, by, text)

    def undo(self, by: Speaker = ONCALL, run: str = "r1") -> Entry | None:
        return answers.undo(self.store, self.find(self.run(run).procedure), run, by)

    def retry(self, by: Speaker = ONCALL, run: str = "r1") -> Entry | None:
        return answers.retry(self.store, run, by)

    def stop(self, by: Speaker = ONCALL, run: str = "r1") -> Entry | None:
        return answers.stop(self.store, run, by)

    def run(self, run: str = "r1") -> Run:
        return self.store.run(run)

    def said(self, run: str = "r1") -> list[str]:
        """The journal, in short."""
        return [f"{e.kind} {e.data.get('title', e.step)}" for e in self.store.entries(run)]

    def recover(self, when: str, *, mode: str = "Pause writers and restore", run: str = "r1") -> Run:
        """A whole point-in-time recovery, with everybody agreeing."""
        self.ask("postgres pitr", when, run=run)
        self.work(run)
        self.answer(mode, run=run)
        self.work(run)
        self.answer("Cut over", APPROVER, SITE.postgres, run=run)
        self.work(run)
        return self.run(run)
