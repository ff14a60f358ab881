"""Chores: done by one process of all or by each, ended by nothing that goes wrong, told of when that is often."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from actions.chores.chore_records import MANY, states
from actions.chores.chores import Chore, KeptThreads
from actions.chores.leader_lease import LeaderLease
from actions.engine.errors import Away
from actions.store.store import Store
from tests.support.bot_world import store_in
from tests.support.worlds.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(memory_path: Path, clock: Clock) -> Store:
    return store_in(memory_path, clock)


class Work:
    """Something that fails as long as it is told to."""

    def __init__(self) -> None:
        self.fails: Exception | None = None
        self.done = 0

    def __call__(self) -> None:
        if self.fails is not None:
            raise self.fails
        self.done += 1


AWAY = Away("PagerDuty does not answer.", detail="connection refused", hint="Nothing to do.")


@pytest.mark.parametrize("surprise", [AWAY, KeyError("what"), OperationalError("select", {}, Exception("locked"))])
def test_whatever_goes_wrong_the_next_turn_comes_and_what_went_wrong_is_kept(store: Store, surprise: Exception) -> None:
    work = Work()
    chore = Chore("poll", 10, work, store)
    work.fails = surprise
    assert [chore.once(), chore.once()] == [False, False]
    [kept] = states(store)
    assert (kept.failures, kept.in_a_row) == (2, 2)
    assert str(getattr(surprise, "message", surprise)).split("\n")[0][:10] in kept.why
    work.fails = None
    assert chore.once()
    [kept] = states(store)
    assert (kept.failures, kept.in_a_row, work.done) == (2, 0, 1)


def test_people_are_told_of_one_that_goes_wrong_again_and_again_and_as_long_as_somebody_tries(
    store: Store, clock: Clock
) -> None:
    work = Work()
    work.fails, chore = AWAY, Chore("poll", 10, work, store)
    for _ in range(MANY - 1):
        chore.once()
    assert not states(store)[0].troubled(clock())
    chore.once()
    assert states(store)[0].troubled(clock())
    clock.now += timedelta(seconds=89)
    assert states(store)[0].troubled(clock())
    clock.now += timedelta(seconds=2)
    assert not states(store)[0].troubled(clock())


def test_another_process_that_takes_over_and_does_it_well_ends_the_trouble_of_the_first(
    store: Store, clock: Clock
) -> None:
    work = Work()
    one, other = (Chore("poll", 1, work, store, LeaderLease(store, "poll", who)) for who in ("w1", "w2"))
    work.fails = AWAY
    for _ in range(MANY):
        assert not one.once()
        clock.now += timedelta(seconds=3)
    assert not other.once()
    assert states(store)[0].failures == MANY
    work.fails = None
    clock.now += timedelta(seconds=30)
    assert other.once()
    assert states(store)[0].in_a_row == 0
    assert [one.once(), work.done] == [False, 1]


def test_what_each_process_does_for_itself_is_kept_apart(store: Store) -> None:
    well, ill = Work(), Work()
    ill.fails = AWAY
    for _ in range(MANY):
        Chore("anchors", 1, ill, store, place="ops-1").once()
        Chore("anchors", 1, well, store, place="ops-2").once()
    assert [(one.place, one.in_a_row) for one in states(store)] == [("ops-1", MANY)]


def test_a_failure_that_the_store_could_not_take_is_told_once_it_can(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = Work()
    work.fails, chore = AWAY, Chore("poll", 1, work, store)

    def away(*_given: object) -> None:
        raise OperationalError("insert", {}, Exception("disk full"))

    with monkeypatch.context() as without:
        without.setattr(Store, "keep", away)
        assert [chore.once(), chore.once()] == [False, False]
    assert states(store) == []
    work.fails = None
    assert chore.once()
    assert [(one.failures, one.in_a_row) for one in states(store)] == [(2, 0)]


def test_after_a_failure_it_is_tried_again_sooner_and_ever_later(store: Store) -> None:
    work = Work()
    chore = Chore("Slack", 30, work, store, retry=0.5)
    assert chore.pause() == 30
    work.fails = AWAY
    seen = []
    for _ in range(9):
        chore.once()
        seen.append(chore.pause())
    assert seen == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    work.fails = None
    chore.once()
    assert chore.pause() == 30


def test_one_that_is_told_of_something_to_do_does_it_at_once_and_gives_its_turn_up_at_the_end(store: Store) -> None:
    turns, told, leaving = threading.Semaphore(0), threading.Event(), threading.Event()
    chore = Chore("intake", 3600, turns.release, store, LeaderLease(store, "intake", "b1"), wake=told)
    thread = threading.Thread(target=chore.run, args=(leaving,), daemon=True)
    thread.start()
    for _ in range(3):
        assert turns.acquire(timeout=20)
        told.set()
    leaving.set()
    told.set()
    thread.join(20)
    assert not thread.is_alive()
    assert LeaderLease(store, "intake", "b2").mine()


def test_a_thread_that_died_is_begun_anew_and_one_that_lives_is_left() -> None:
    kept, lives, begun = KeptThreads(), threading.Event(), list[str]()

    def work(name: str, until: Callable[[], object]) -> None:
        begun.append(name)
        until()

    first = kept.keep("dies", work, "dies", lambda: None)
    kept.keep("lives", work, "lives", lives.wait)
    first.join(20)
    for _ in range(2):
        kept.keep("lives", work, "lives", lives.wait)
    again = kept.keep("dies", work, "dies", lives.wait)
    assert again is not first
    assert begun == ["dies", "lives", "dies"]
    lives.set()


def test_a_chore_of_each_of_two_places_has_a_thread_of_its_own(store: Store) -> None:
    leaving, kept = threading.Event(), KeptThreads()
    seen = {place: threading.Event() for place in ("main", "east")}
    chores = tuple(Chore("look at the services", 60, seen[place].set, store, place=place) for place in seen)
    kept.keep_all(chores, leaving)
    kept.keep_all(chores, leaving)
    assert all(one.wait(20) for one in seen.values())
    assert len(kept.threads) == 2
    leaving.set()
    for thread in kept.threads.values():
        thread.join(20)


class Leaving(threading.Event):
    """Keeps how long was waited; the process is told to leave during the last of these waits."""

    def __init__(self, waits: int) -> None:
        super().__init__()
        self.waited: list[float | None] = []
        self._waits = waits

    def wait(self, timeout: float | None = None) -> bool:
        self.waited.append(timeout)
        if len(self.waited) >= self._waits:
            self.set()
        return self.is_set()


@pytest.mark.parametrize(
    ("first", "waits", "waited", "done"),
    [(0, 1, [10], 1), (0, 2, [10, 10], 2), (5, 1, [5], 0), (5, 2, [5, 10], 1)],
)
def test_the_first_turn_comes_at_once_or_after_its_own_wait_in_which_one_may_leave(
    store: Store, first: float, waits: int, waited: list[float], done: int
) -> None:
    work, leaving = Work(), Leaving(waits)
    Chore("poll", 10, work, store, first=first).run(leaving)
    assert (leaving.waited, work.done) == (waited, done)


def test_one_that_goes_on_well_asks_the_store_for_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    work = Work()
    chore = Chore("poll", 10, work, store)
    assert chore.once()
    monkeypatch.setattr(store, "note", {}.__getitem__)
    assert chore.once()


def test_one_that_gets_its_turn_back_ends_what_went_wrong_meanwhile(store: Store, clock: Clock) -> None:
    mine, theirs = Work(), Work()
    here = Chore("poll", 10, mine, store, LeaderLease(store, "poll", "a"))
    there = Chore("poll", 10, theirs, store, LeaderLease(store, "poll", "b"))
    assert here.once()
    clock.advance(60)
    theirs.fails = AWAY
    for _ in range(MANY):
        assert not there.once()
    assert not here.once(), "it is the other's turn"
    clock.advance(60)
    assert here.once()
    assert [state.in_a_row for state in states(store)] == [0]


@pytest.mark.parametrize(
    ("surprise", "why"),
    [
        (ValueError("x" * 900), f"ValueError: {'x' * 900}"[:300]),
        (OperationalError("y" * 900, {}, Exception("locked")), None),
    ],
)
def test_why_something_went_wrong_is_kept_in_a_few_lines(store: Store, surprise: Exception, why: str | None) -> None:
    work = Work()
    work.fails = surprise
    Chore("poll", 10, work, store).once()
    [kept] = states(store)
    assert kept.why == (why or f"the store does not answer: {str(surprise)[:200]}")
