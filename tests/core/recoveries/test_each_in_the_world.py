"""The world in memory carries a procedure that begins with a loop: its items change it one at a time."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

from actions.control.requests import Subject
from actions.engine.each import Each
from actions.engine.procedure import Outcome, Procedure, Risk, Words
from actions.tools.docker import Docker
from tests.support.kill_ways import killed_anywhere
from tests.support.kills import KillCase, carry_on
from tests.support.worlds.company import WRITERS
from tests.support.worlds.founding import company
from tests.support.worlds.planned import ONCALL, Company


@dataclass(frozen=True)
class Halting:
    names: tuple[str, ...] = WRITERS

    @property
    def what(self) -> str:
        return "writers"


def halt(item: str, docker: Docker) -> None:
    found = docker.find(item)
    assert found is not None
    docker.pause(item, found.id)


def halted(item: str, docker: Docker) -> bool:
    found = docker.find(item)
    return found is not None and found.state == "paused"


HALT = Procedure(
    name="halt",
    summary="Halt the writers.",
    words=Words("halt", "", ("",), lambda text, asker: Halting()),
    request=Halting,
    risk=Risk.CHANGES,
    about="site",
    steps=(Each("halt them", "names", halt, halted),),
)


def asked() -> Company:
    here = Company(company(), find=lambda name: HALT)
    here.begin(HALT, Halting(), Subject("main", ""), by=ONCALL)
    return here


def test_no_other_thread_gets_between_a_change_and_the_place_after_it() -> None:
    here, got = asked(), dict[str, bool]()

    def look(place: str) -> None:
        def take() -> None:
            if free := here.store.turn.acquire(blocking=False):
                here.store.turn.release()
            got[place] = free

        other = threading.Thread(target=take)
        other.start()
        other.join()

    here.watch(look)
    carry_on(here)
    assert here.run().finished is Outcome.DONE
    assert {f"{when} 'pause {name}'" for when in ("before", "after") for name in WRITERS} < set(got)
    assert not any(got.values())


def test_its_worker_may_be_killed_anywhere(memory_path: Path) -> None:
    assert killed_anywhere(KillCase("halt", asked), memory_path) == []
