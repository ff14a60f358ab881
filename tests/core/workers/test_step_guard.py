"""Docker is away for a moment: the loop waits and goes on by itself; for too long: a person is told where it stands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from actions.engine.errors import Away
from actions.engine.journal import Kind
from actions.engine.run import Run
from actions.store import notes
from tests.support.worlds.planned import ONCALL
from tests.support.worlds.toys import House, Yard, YardTools
from workers.runner.leased_runner import LeasedRunner

TOO_LONG = 0.02
"""Seconds, for those who never come back; who comes back in time has longer, for the sake of busy machines."""


def away() -> Away:
    return Away("Docker did not answer.", detail="connection refused", hint="docker info")


@dataclass
class Absence(House):
    """A house whose painter is away for some calls; the work before the absence may have been done all the same."""

    absent: dict[str, int] = field(default_factory=dict)
    painted_unseen: bool = False

    def does(self, name: str) -> None:
        super().does(name)
        if self.absent.get(name, 0) > 0:
            self.absent[name] -= 1
            self.paint = "red" if self.painted_unseen and name == "paint" else self.paint
            raise away()


@dataclass
class Doors(Yard):
    """A yard whose gate can be shut too."""

    shut: int = 0
    opened: int = 0

    @contextmanager
    def open(self, run: Run) -> Iterator[YardTools]:
        if self.shut > 0:
            self.shut -= 1
            raise away()
        self.opened += 1
        yield YardTools(self.house)

    def patient(self, seconds: float = 0.3) -> str:
        return LeasedRunner(self.store, lambda name: self.procedure, self, "worker", away_seconds=seconds).carry_out(
            "r1"
        )


@pytest.fixture
def yard() -> Doors:
    made = Doors(house=Absence())
    made.ask()
    return made


def begun(yard: Doors) -> Doors:
    assert yard.patient() == "asking"
    yard.answer("Yes", ONCALL)
    return yard


def test_an_act_goes_on_by_itself_with_fresh_tools_once_docker_is_back(yard: Doors) -> None:
    begun(yard).house.absent = {"paint": 2}  # type: ignore[attr-defined]
    before = yard.opened
    assert yard.patient() == "asking"
    assert yard.house.did.count("paint") == 3
    assert yard.opened == before + 3
    assert Kind.FAILED not in yard.kinds()


def test_while_docker_is_away_people_read_what_is_waited_for_and_since_when(yard: Doors) -> None:
    begun(yard).house.absent = {"paint": 1}  # type: ignore[attr-defined]
    shown: list[dict[str, Any]] = []
    reopened = yard.open

    @contextmanager
    def seen(run: Run) -> Iterator[YardTools]:
        shown.append(notes.progress(yard.store, "r1") or {})
        with reopened(run) as tools:
            yield tools

    yard.open = seen  # type: ignore[method-assign]
    began = yard.store.clock()
    assert yard.patient() == "asking"
    assert shown[-1]["text"] == f"Docker did not answer. Trying again since {began:%H:%M} UTC."
    # No percentage and no forecast: they would go on as if all went on.
    assert (shown[-1]["done"], shown[-1]["total"]) == (0, 0)


def test_what_was_done_before_docker_went_is_seen_and_not_done_again(yard: Doors) -> None:
    house = begun(yard).house
    assert isinstance(house, Absence)
    house.absent, house.painted_unseen = {"paint": 1}, True
    assert yard.patient() == "asking"
    assert house.did.count("paint") == 1


def full_store() -> OperationalError:
    return OperationalError("INSERT", {}, Exception("database or disk is full"))


def test_a_store_that_is_away_in_the_middle_of_an_act_fails_nothing_and_the_act_is_gone_on_with(yard: Doors) -> None:
    house = begun(yard).house
    house.fails = {"paint": full_store()}
    with pytest.raises(OperationalError):
        yard.patient()
    assert Kind.FAILED not in yard.kinds()
    house.fails = {}
    house.paint = "red"
    assert yard.patient() == "asking"
    assert house.did.count("paint") == 1


def test_a_store_without_room_for_the_progress_holds_up_no_act(yard: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    begun(yard)
    keep = yard.store.keep

    def full(kind: str, key: str, data: Any) -> None:
        if kind == "progress":
            raise full_store()
        keep(kind, key, data)

    monkeypatch.setattr(yard.store, "keep", full)
    assert yard.patient() == "asking"
    assert yard.house.paint == "red"
    assert Kind.FAILED not in yard.kinds()


def test_a_look_waits_too(yard: Doors) -> None:
    yard.house.absent = {"look": 2}  # type: ignore[attr-defined]
    assert yard.patient() == "asking"


def test_docker_away_for_too_long_is_a_failure_that_says_so(yard: Doors) -> None:
    begun(yard).house.absent = {"paint": 1000}  # type: ignore[attr-defined]
    assert yard.patient(TOO_LONG) == "failed"
    assert yard.run.failure is not None
    assert yard.run.failure.message == "Docker did not answer."
    assert yard.run.failure.hint == "docker info"


def test_tools_that_cannot_be_had_stop_the_run_at_its_present_step_on_the_record(yard: Doors) -> None:
    begun(yard).shut = 1000
    assert yard.patient(TOO_LONG) == "failed"
    failed = yard.store.entries("r1")[-1]
    assert failed.kind is Kind.FAILED
    assert failed.data["error"] == "Docker did not answer."
    assert yard.store.leased() == set()


def test_tools_that_come_back_in_time_are_used(yard: Doors) -> None:
    begun(yard).shut = 2
    assert yard.patient() == "asking"
    assert Kind.FAILED not in yard.kinds()


def test_a_run_that_waits_for_people_does_not_fail_for_want_of_tools(yard: Doors) -> None:
    assert yard.patient() == "asking"
    yard.shut = 1000
    assert yard.patient(TOO_LONG) == "asking"
    assert Kind.FAILED not in yard.kinds()
