"""A procedure that concerns two sites, small enough to see each rule alone, and two sites in memory to try it on."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from actions.control import answers, requests
from actions.control.requests import OpenedRun, Subject
from actions.engine.claims import Mode, Wanted
from actions.engine.errors import Away, Refused
from actions.engine.procedure import Act, Ask, Look, Option, OptionEffect, Procedure, Risk
from actions.engine.reading import Asker, Words
from actions.engine.run import Run
from actions.tools.docker import Container, Docker
from actions.tools.registry import SiteTools
from tests.support.worlds.clock import Clock
from tests.support.worlds.company import SITE, World
from tests.support.worlds.founding import company
from tests.support.worlds.ledger import Ledger
from tests.support.worlds.planned import ONCALL, WorldToolbox
from workers.runner.leased_runner import LeasedRunner
from workers.runner.scope import Toolbox

APP = "nself-hasura"


@dataclass(frozen=True)
class Move:
    """Have a service run on another site instead."""

    service: str
    to: str


@dataclass(frozen=True)
class Pair:
    """The containers of one service on both sites: name and id of each."""

    here: tuple[str, str]
    there: tuple[str, str]


def read(text: str, asker: Asker) -> Move:
    return Move(asker.service, text)


def must_find(docker: Docker, service: str) -> Container:
    found = docker.find(service)
    if found is None:
        raise Refused(f"There is no {service}.", hint="Look at `docker ps -a`.")
    return found


def see_both(service: str, docker: Docker, there: SiteTools) -> Pair:
    here, other = must_find(docker, service), must_find(there.docker, service)
    return Pair((here.name, here.id), (other.name, other.id))


def stop_here(pair: Pair, docker: Docker) -> None:
    docker.stop(*pair.here, 1)


def is_stopped_here(service: str, docker: Docker) -> bool:
    return must_find(docker, service).state == "exited"


def start_here(pair: Pair, docker: Docker) -> None:
    docker.start(*pair.here)


def start_there(pair: Pair, there: SiteTools) -> None:
    there.docker.start(*pair.there)


def runs_there(service: str, there: SiteTools) -> bool:
    return must_find(there.docker, service).state == "running"


def stop_there(pair: Pair, there: SiteTools) -> None:
    there.docker.stop(*pair.there, 1)


MOVE = Procedure(
    name="move",
    summary="Have {service} run on {to}.",
    words=Words("move", "<site>", ("east",), read),
    request=Move,
    risk=Risk.CHANGES,
    claims=(Wanted(Mode.EXCLUSIVE), Wanted(Mode.EXCLUSIVE, site="to")),
    there="to",
    steps=(
        Look("look at both", see_both, gives="pair"),
        Ask("Move it?", options=(Option("Move"), Option("Cancel", leads=OptionEffect.BACK)), gives="answer"),
        Act("stop it here", stop_here, is_stopped_here, undo=start_here),
        Act("start it there", start_there, runs_there, undo=stop_there),
        Ask("Keep it there?", options=(Option("Keep"), Option("Back", leads=OptionEffect.BACK)), gives="kept"),
    ),
)


@dataclass
class TwoSites:
    """`main` and `east`, each a company of its own; the app runs on `main` alone. `away` is a site that is silent."""

    clock: Clock = field(default_factory=Clock)
    here: World = field(default_factory=company)
    east: World = field(default_factory=company)
    away: str = ""
    workers: int = 0

    def __post_init__(self) -> None:
        self.store: Any = Ledger(self.clock)
        self.east.set_container(APP, state="exited")

    def toolbox(self, site: str) -> Toolbox[SiteTools]:
        """What opens the tools of a site; refused where there is none of that name."""
        if site == self.away:
            raise Away(f"The Docker of {site} did not answer.", hint="See that it runs.")
        if site == "east":
            return WorldToolbox(self.east, replace(SITE, name="east"))
        raise Refused(f"There is no site '{site}'.", hint="Correct the settings.")

    def ask(self, to: str = "east", key: str = "k1", site: str = "main") -> OpenedRun:
        request = Move(APP, to)
        return requests.open_run(self.store, MOVE, request, by=ONCALL, subject=Subject(site, APP), origin={}, key=key)

    def work(self, run: str) -> str:
        self.workers += 1
        return LeasedRunner(
            self.store,
            lambda name: MOVE,
            WorldToolbox(self.here),
            f"w{self.workers}",
            away_seconds=0.05,
            elsewhere=self.toolbox,
        ).carry_out(run)

    def answer(self, run: str, label: str) -> None:
        question = self.run(run).question
        assert question is not None
        answers.answer(self.store, run, question.n, label, ONCALL)

    def run(self, run: str) -> Run:
        found: Run = self.store.run(run)
        return found

    def states(self) -> tuple[str, str]:
        """How the app is, on `main` and on `east`."""
        return self.here.containers[APP].state, self.east.containers[APP].state
