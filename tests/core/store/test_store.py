"""The store's promises, kept alike by SQLite, by PostgreSQL, and by the store in memory that other tests use."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from actions.control.answers import answer
from actions.engine.errors import Busy, Fenced, Refused
from actions.engine.journal import Kind, first_broken
from actions.engine.rights import Speaker
from actions.engine.run import Run
from actions.store import tables
from actions.store.database import PASSING
from actions.store.ledger import LEASE_SECONDS
from actions.store.notes import living_workers, worker_lives
from actions.store.store import Store
from actions.store.transaction import Draft, PositionTaken
from tests.support.worlds.clock import Clock
from tests.support.worlds.ledger import Ledger
from tests.support.worlds.server import BIN, running_server

REQUEST = {
    "procedure": "p",
    "table": "t",
    "service": "pg",
    "site": "main",
    "by": "U1",
    "name": "oncall",
    "request": {},
    "origin": {},
}
POSTGRES = [pytest.mark.parts, pytest.mark.skipif(BIN is None, reason="no PostgreSQL binaries on this machine")]
ON_BOTH = [pytest.param("sqlite"), pytest.param("postgres", marks=POSTGRES)]
ON_ALL = [pytest.param("memory"), *ON_BOTH]


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    with running_server() as url:
        yield url


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def url(kind: str, memory_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    if kind != "postgres":
        yield f"sqlite:///{memory_path}/mayday.db"
        return
    yield (address := request.getfixturevalue("server"))
    used = Store(address, Clock()).engine
    tables.metadata.drop_all(used)
    used.dispose()


@pytest.fixture
def store(kind: str, url: str, clock: Clock) -> Iterator[Any]:
    if kind == "memory":
        yield Ledger(clock)
        return
    made = Store(url, clock)
    yield made
    made.dispose()


def opened(store: Any, run: str = "r1", *, claims: bool = True) -> str:
    return str(store.open_run(run, REQUEST, claims=claims, key=f"key of {run}")[0])


def asking(store: Any, run: str = "r1") -> int:
    """A run with an open question; returns the entry that put it."""
    opened(store, run)
    lease = store.acquire(run, "w1")
    options = [{"label": "Go", "leads": "on", "who": "second approver", "types": "", "danger": False, "gives": "go"}]
    ends = (store.clock() + timedelta(hours=1)).isoformat()
    return int(
        store.append(
            lease, Kind.ASKED, 1, {"title": "Go?", "options": options, "expires_at": ends, "plan": "h", "sheets": []}
        ).n
    )


def at_once(*jobs: Callable[[], Any]) -> list[Any]:
    """Do them in threads that start together; a refusal comes back as a value."""
    gate = threading.Barrier(len(jobs))

    def one(job: Callable[[], Any]) -> Any:
        gate.wait()
        try:
            return job()
        except Refused as refused:
            return refused

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(one, jobs))


@pytest.mark.parametrize("kind", ON_ALL)
def test_what_was_appended_is_read_back_in_order_and_the_chain_holds(store: Any) -> None:
    opened(store)
    lease = store.acquire("r1", "w1")
    told = [
        store.append(lease, Kind.NOTED, None, {"text": text})
        for text in ("a", "ü “quoted” 🚑", "half a pair \ud83d", "\0")
    ]
    read = store.entries("r1")
    assert [e.data for e in read[1:]] == [e.data for e in told]
    assert [e.n for e in read] == [1, 2, 3, 4, 5]
    assert store.entries("r1", after=3) == read[3:]
    assert first_broken(read) is None


@pytest.mark.parametrize("kind", ON_BOTH)
def test_a_clock_of_another_zone_breaks_no_chain(store: Store, clock: Clock) -> None:
    clock.now = clock.now.astimezone(timezone(timedelta(hours=5, minutes=30)))
    opened(store)
    assert first_broken(store.entries("r1")) is None


@pytest.mark.parametrize("kind", ON_BOTH)
@pytest.mark.parametrize(
    ("harm", "n"),
    [
        ('UPDATE entries SET data = \'{"text": "forged"}\' WHERE n = 3', 3),
        ("UPDATE entries SET kind = 'done' WHERE n = 2", 2),
        ("DELETE FROM entries WHERE n = 2", 3),
        (
            "UPDATE entries SET n = CASE n WHEN 2 THEN 103 ELSE 102 END WHERE n IN (2, 3); "
            "UPDATE entries SET n = n - 100 WHERE n > 100",
            2,
        ),
    ],
)
def test_an_entry_that_was_changed_removed_or_moved_is_named(store: Store, harm: str, n: int) -> None:
    opened(store)
    lease = store.acquire("r1", "w1")
    assert lease is not None
    for text in "abc":
        store.append(lease, Kind.NOTED, None, {"text": text})
    with store.engine.begin() as db:
        for statement in harm.split("; "):
            db.execute(sa.text(statement.replace(": ", "\\: ") if '"' in statement else statement))
    broken = first_broken(store.entries("r1"))
    assert broken is not None
    assert broken[0].n == n


@pytest.mark.parametrize("kind", ON_ALL)
def test_one_of_two_workers_has_the_lease_until_it_stops_beating(store: Any, clock: Clock) -> None:
    opened(store)
    first = store.acquire("r1", "w1")
    assert store.acquire("r1", "w2") is None
    clock.advance(LEASE_SECONDS - 1)
    store.beat(first)
    clock.advance(LEASE_SECONDS - 1)
    assert store.acquire("r1", "w2") is None
    assert store.leased() == {"r1"}
    clock.advance(2)
    second = store.acquire("r1", "w2")
    assert second is not None
    assert second.token > first.token


@pytest.mark.parametrize("kind", ON_ALL)
def test_a_clock_that_is_set_back_keeps_no_dead_workers_run(store: Any, clock: Clock) -> None:
    opened(store)
    old = store.acquire("r1", "w1")
    clock.advance(-3600)
    assert store.leased() == set()
    new = store.acquire("r1", "w2")
    assert new is not None
    with pytest.raises(Fenced):
        store.append(old, Kind.NOTED, None, {"text": "late"})
    # A little is what two clocks differ by, and no death.
    clock.advance(-LEASE_SECONDS / 2)
    assert store.acquire("r1", "w3") is None


class Queued(Store):
    """`meanwhile` happens while the next write waits for its turn."""

    meanwhile: Callable[[], object] | None = None

    @contextmanager
    def _write(self, kind: str = "") -> Iterator[sa.Connection]:
        happens, self.meanwhile = self.meanwhile, None
        if happens is not None:
            happens()
        with super()._write(kind) as db:
            yield db


@pytest.mark.parametrize("kind", ON_BOTH)
def test_whoever_waited_long_for_the_store_takes_no_lease_whose_owner_lives(url: str, clock: Clock) -> None:
    store = Queued(url, clock)
    opened(store)
    lease = store.acquire("r1", "w1")
    assert lease is not None

    def beats() -> None:
        clock.advance(LEASE_SECONDS + 2)
        store.beat(lease)

    store.meanwhile = beats
    assert store.acquire("r1", "w2") is None
    store.append(lease, Kind.NOTED, None, {"text": "still here"})
    store.dispose()


@pytest.mark.parametrize("kind", ON_BOTH)
def test_a_note_that_waited_long_for_the_store_is_as_old_as_its_writing(url: str, clock: Clock) -> None:
    store = Queued(url, clock)
    store.meanwhile = lambda: clock.advance(LEASE_SECONDS + 2)
    worker_lives(store, "w1", {"host": "here"})
    assert set(living_workers(store)) == {"w1"}
    store.dispose()


@pytest.mark.parametrize("kind", ON_ALL)
def test_a_worker_that_lost_its_lease_can_neither_write_nor_beat_nor_release(store: Any, clock: Clock) -> None:
    opened(store)
    old = store.acquire("r1", "w1")
    clock.advance(LEASE_SECONDS + 1)
    new = store.acquire("r1", "w2")
    with pytest.raises(Fenced):
        store.append(old, Kind.DONE, 1, {"title": "forged"})
    with pytest.raises(Fenced):
        store.beat(old)
    store.release(old)
    assert len(store.entries("r1")) == 1
    assert store.append(new, Kind.NOTED, None, {}).n == 2


@pytest.mark.parametrize("kind", ON_ALL)
def test_a_run_that_is_followed_is_the_run_that_its_whole_journal_tells(store: Any) -> None:
    opened(store)
    run = store.run("r1")
    assert store.follow(run) == run
    lease = store.acquire("r1", "w1")
    for step in range(3):
        store.append(lease, Kind.BEGAN, step, {"title": "a step"})
        store.append(lease, Kind.DONE, step, {"title": "a step", "gives": f"fact {step}", "fact": step})
        run = store.follow(run)
        assert run == store.run("r1")
    assert run.facts == {"fact 0": 0, "fact 1": 1, "fact 2": 2}


@pytest.mark.parametrize("kind", ON_ALL)
def test_a_given_back_lease_is_free_at_once_and_its_token_still_grows(store: Any) -> None:
    opened(store)
    tokens = []
    for worker in ("w1", "w2", "w1"):
        lease = store.acquire("r1", worker)
        tokens.append(lease.token)
        store.release(lease)
    assert tokens == sorted(set(tokens))


@pytest.mark.parametrize("kind", ON_ALL)
def test_a_service_is_held_until_its_run_has_finished(store: Any) -> None:
    opened(store)
    with pytest.raises(Busy) as busy:
        opened(store, "r2")
    assert busy.value.run == "r1"
    assert busy.value.hint
    lease = store.acquire("r1", "w1")
    store.append(lease, Kind.FINISHED, None, {"outcome": "done"})
    assert opened(store, "r2") == "r2"
    assert store.acquire("r1", "w1") is None
    assert store.runs(open_only=True) == ["r2"]


@pytest.mark.parametrize("kind", ON_ALL)
def test_a_refused_request_leaves_nothing_so_that_it_can_be_asked_again(store: Any) -> None:
    opened(store)
    with pytest.raises(Busy):
        opened(store, "r2")
    assert store.entries("r2") == []
    store.append(store.acquire("r1", "w1"), Kind.FINISHED, None, {"outcome": "done"})
    assert store.open_run("r2", REQUEST, claims=True, key="key of r2") == ("r2", True)


@pytest.mark.parametrize("kind", ON_ALL)
def test_a_run_that_yields_holds_nothing_and_may_not_begin_beside_one_that_holds_its_service(store: Any) -> None:
    assert store.open_run("r1", REQUEST, claims=False, yields=True, key="k1") == ("r1", True)
    assert store.holder("pg") == ""
    assert opened(store, "r2") == "r2"
    assert store.holder("pg") == "r2"
    with pytest.raises(Busy, match="r2"):
        store.open_run("r3", REQUEST, claims=False, yields=True, key="k3")
    assert store.entries("r3") == []
    store.append(store.acquire("r2", "w1"), Kind.FINISHED, None, {"outcome": "done"})
    assert store.open_run("r3", REQUEST, claims=False, yields=True, key="k3") == ("r3", True)


@pytest.mark.parametrize("kind", ON_ALL)
def test_a_request_delivered_twice_makes_one_run(store: Any) -> None:
    assert store.open_run("r1", REQUEST, claims=True, key="same") == ("r1", True)
    assert store.open_run("r2", REQUEST, claims=True, key="same") == ("r1", False)
    assert store.runs() == ["r1"]


@pytest.mark.parametrize("kind", ON_BOTH)
@pytest.mark.parametrize("claims", [True, False])
def test_a_request_delivered_four_times_at_once_makes_one_run(store: Store, claims: bool) -> None:
    def deliver(n: int) -> Callable[[], tuple[str, bool]]:
        return lambda: store.open_run(f"r{n}", REQUEST, claims=claims, key="same")

    given = at_once(*(deliver(n) for n in range(4)))
    assert sum(new for _, new in given) == 1
    assert {run for run, _ in given} == set(store.runs())


@pytest.mark.parametrize("kind", ON_BOTH)
def test_whoever_comes_to_an_empty_store_at_the_same_moment_can_open_it(kind: str, url: str) -> None:
    together = threading.Barrier(4)

    def come(_one: int) -> list[str]:
        together.wait()
        found = Store(url, Clock())
        try:
            return found.runs()
        finally:
            found.dispose()

    for _ in range(5):
        with ThreadPoolExecutor(max_workers=4) as people:
            assert list(people.map(come, range(4))) == [[]] * 4
        used = Store(url, Clock()).engine
        tables.metadata.drop_all(used)
        used.dispose()


@pytest.mark.parametrize("kind", ON_BOTH)
def test_of_two_people_who_ask_at_once_one_gets_the_service(store: Store) -> None:
    given = at_once(*(lambda n=n: opened(store, f"r{n}") for n in range(4)))
    assert sum(isinstance(g, Busy) for g in given) == 3
    assert len(store.runs()) == 1


@pytest.mark.parametrize("kind", ON_BOTH)
def test_of_two_approvers_at_once_one_has_answered(store: Store) -> None:
    n = asking(store)
    people = [Speaker(f"U{i}", f"approver {i}", may_ask=True, may_approve=True) for i in (2, 3, 4, 5)]
    given = at_once(*(lambda who=who: answer(store, "r1", n, "Go", who) for who in people))
    assert sum(isinstance(g, Refused) for g in given) == 3
    assert [e.kind for e in store.entries("r1")].count(Kind.ANSWERED) == 1
    assert first_broken(store.entries("r1")) is None


@pytest.mark.parametrize("kind", ON_BOTH)
def test_a_worker_and_people_who_write_at_once_lose_nothing(store: Store) -> None:
    opened(store)
    lease = store.acquire("r1", "w1")
    assert lease is not None
    jobs = [lambda n=n: store.append(lease, Kind.NOTED, None, {"n": n}) for n in range(4)]
    jobs += [lambda n=n: store.speak("r1", lambda run: (Kind.NOTED, None, {"n": n})) for n in range(4, 8)]
    at_once(*jobs)
    assert sorted(e.data["n"] for e in store.entries("r1")[1:]) == list(range(8))
    assert first_broken(store.entries("r1")) is None


@pytest.mark.parametrize("kind", ON_BOTH)
def test_of_workers_that_wake_at_once_one_has_the_lease(store: Store) -> None:
    opened(store)
    given = at_once(*(lambda n=n: store.acquire("r1", f"w{n}") for n in range(4)))
    assert sum(lease is not None for lease in given) == 1


@pytest.mark.parametrize("kind", ON_ALL)
def test_what_is_said_counts_once_for_each_delivery_and_what_is_refused_may_come_again(store: Any) -> None:
    opened(store)
    said: Draft = (Kind.STOP_ASKED, None, {"by": "U1"})

    def refuse(run: Run) -> Draft:
        raise Refused("Not now.", hint="Later.")

    with pytest.raises(Refused):
        store.speak("r1", refuse, "click 1")
    assert store.speak("r1", lambda run: None) is None
    assert store.speak("r1", lambda run: said, "click 1") is not None
    assert store.speak("r1", lambda run: said, "click 1") is None
    assert store.speak("r1", lambda run: said, "click 2") is not None
    assert len(store.entries("r1")) == 3


def test_a_store_that_a_group_may_use_is_used_by_it_whole(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    Store(f"sqlite:///{path}", Clock()).dispose()
    (tmp_path / f"old.db{PASSING}").unlink()  # One of before there was such a file.
    path.chmod(0o660)
    Store(f"sqlite:///{path}", Clock()).keep("progress", "r1", {"done": 1})
    assert oct((tmp_path / f"old.db{PASSING}").stat().st_mode & 0o777) == "0o660"


def test_what_may_be_lost_is_kept_apart_and_thrown_away_where_it_cannot_be_read(tmp_path: Path) -> None:
    url, beside = f"sqlite:///{tmp_path / 'm.db'}", tmp_path / f"m.db{PASSING}"
    made = Store(url, Clock())
    made.keep("progress", "r1", {"done": 1})
    made.keep("post", "r1", {"ts": "1"})
    opened(made)
    made.dispose()
    for end in ("-wal", "-shm"):
        Path(f"{beside}{end}").unlink(missing_ok=True)
    beside.write_bytes(b"no database at all" * 1000)
    again = Store(url, Clock())
    assert (again.note("progress", "r1"), again.note("post", "r1"), again.runs()) == (None, {"ts": "1"}, ["r1"])
    again.keep("progress", "r1", {"done": 2})
    assert Store(url, Clock()).note("progress", "r1") == {"done": 2}


def test_a_new_store_is_its_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        made = Store(f"sqlite:///{tmp_path / 'new.db'}", Clock())
        opened(made)
    finally:
        os.umask(before)
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in tmp_path.iterdir()} == dict.fromkeys(
        (f"new.db{part}{end}" for part in ("", ".passing") for end in ("", "-wal", "-shm")), "0o600"
    )


@pytest.mark.parametrize("kind", ON_BOTH)
def test_a_worker_lives_as_long_as_it_says_so(store: Store, clock: Clock) -> None:
    worker_lives(store, "w1", {"host": "ops-1"})
    assert living_workers(store) == {"w1": {"host": "ops-1"}}
    clock.advance(LEASE_SECONDS + 1)
    assert living_workers(store) == {}


@pytest.mark.parametrize("kind", ON_BOTH)
def test_a_second_process_sees_what_the_first_wrote_and_takes_over(store: Store, url: str, clock: Clock) -> None:
    opened(store)
    code = (
        "import sys; from datetime import datetime; from actions.store.store import Store\n"
        "s = Store(sys.argv[1], lambda: datetime.fromisoformat(sys.argv[2]))\n"
        "lease = s.acquire('r1', 'other'); s.append(lease, 'noted', None, {'from': 'the other process'})\n"
    )
    subprocess.run([sys.executable, "-c", code, url, clock().isoformat()], check=True, timeout=60)
    assert store.entries("r1")[-1].data == {"from": "the other process"}
    assert store.acquire("r1", "w1") is None
    assert first_broken(store.entries("r1")) is None


@pytest.mark.parametrize("kind", ["sqlite"])
def test_every_commit_of_the_embedded_store_reaches_the_disk(store: Store) -> None:
    with store.engine.connect() as db:
        assert db.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert db.exec_driver_sql("PRAGMA synchronous").scalar() == 2


@pytest.mark.parametrize("kind", ["sqlite"])
def test_a_time_without_a_zone_is_refused(store: Store, clock: Clock) -> None:
    clock.now = clock.now.replace(tzinfo=None)
    with pytest.raises(sa.exc.StatementError, match="no time"):
        opened(store)


@pytest.mark.parametrize("kind", ["sqlite"])
def test_a_place_in_a_journal_is_written_once_whoever_comes_second_is_told_so(store: Store) -> None:
    opened(store)
    first = store.entries("r1")[0]
    with pytest.raises(PositionTaken), store.transaction() as tx:
        tx.write(first)
    assert store.entries("r1") == [first]


def test_no_time_is_kept_as_none() -> None:
    assert tables.UtcTime().process_bind_param(None, None) is None
