"""The figures of a failover: a primary that is killed while the town writes, its standby in its place by two people.

Each round has a company of its own, since a pair fails over once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from statistics import median

import httpx
from rich.console import Console

from actions.engine.journal import Entry, Kind
from actions.engine.status import RunState
from actions.recoveries.postgres_failover import SECOND
from actions.steps.failover.sheets import FAIL_OVER
from actions.store.notes import cursor
from actions.store.store import Store
from lab import company, processes, town_process
from lab.bench.figure import Figure
from lab.bench.ground import Ground, until
from lab.home import STANDBY, Lab
from lab.lost import lost
from lab.notes import read
from lab.replication import replication
from lab.replication_faults import happen

ROUNDS = 3
_LAGS_IN = 1
"""The round whose standby lags when the primary dies, so that there is something to lose."""
_LAG_SECONDS = 10.0
_TALK = 60
_EVERY_SECONDS = 0.05
_HANG_UP_SECONDS = 2.0
_STAGES = {
    "fence the old primary": "fenced",
    "bring over WAL that only the old primary has": "brought over",
    "promote the standby": "promoted",
    "repoint the clients": "repointed",
}


@dataclass(frozen=True)
class TakenOver:
    """One failover. `seconds` are from the second press to the first write that Functions acknowledged.

    `offered` are the seconds from the death of the primary until the button to fail over stood in a thread, `floor` is
    what pg_promote and one write take by hand. `lost` acknowledged messages are missing, of at most `said` commits by
    the report. `on_the_way` says when which step was done.
    """

    offered: float
    seconds: float
    floor: float
    lost: int
    said: int
    on_the_way: str

    def __str__(self) -> str:
        judged = f"{self.lost} messages lost, {self.said} commits by the report"
        begun = f"offered {self.offered:.1f} s after the death; {self.on_the_way}"
        return f"{begun}, written {self.seconds:.2f} s; by hand {self.floor:.2f} s; {judged}"


def failover_figures(console: Console, root: Path, figures: list[Figure]) -> None:
    """Add all of them."""
    rounds = []
    for n in range(ROUNDS):
        with _company(root / f"failover-{n}", console) as ground:
            rounds.append(_fail_over(ground, lags=n == _LAGS_IN))
        console.print(f"  {rounds[-1]}")
    took, over = median(one.seconds for one in rounds), median(one.seconds - one.floor for one in rounds)
    honest = all(one.lost <= one.said for one in rounds)
    counted = ", ".join(f"{one.lost} of {one.said}" for one in rounds)
    offered = median(one.offered for one in rounds)
    figures += [
        Figure("death of the primary to a thread with the button", f"{offered:.1f} s", "at most 15 s", offered <= 15),
        Figure("failover: second press to acknowledged write", f"{took:.2f} s", "at most 2 s", took <= 2),
        Figure("pg_promote and a write by hand", f"{median(one.floor for one in rounds):.2f} s", ""),
        Figure("difference, round by round", f"{over:.2f} s", "at most 1 s", over <= 1),
        Figure("acknowledged messages lost, of commits in the report", counted, "never more", honest),
    ]


@contextmanager
def _company(root: Path, console: Console) -> Iterator[Ground]:
    lab = Lab(root, prefix="mbfail-", project="mbfail", lean=True, hold_seconds=0, standby=True)
    try:
        company.up(lab, town=True, say=console.print)
        yield Ground(lab, console)
    finally:
        town_process.stop(lab)
        company.down(lab, purge=True)


def _fail_over(ground: Ground, *, lags: bool) -> TakenOver:
    lab = ground.lab
    until(lambda: sum(1 for _ in read(lab.truth_file)) > _TALK, 60, "The town does not talk.")
    until(lambda: any(node["streaming"] for node in replication(lab)["nodes"]), 30, "The standby does not stream.")
    if lags:
        happen(lab, "replication-lag")
        time.sleep(_LAG_SECONDS)
    store = company.open_store(lab)
    died = datetime.fromisoformat(happen(lab, "primary-killed")["moment"])
    run = _offered(store)
    offered = (company.clock() - died).total_seconds()
    ground.press(run, FAIL_OVER, "dba")
    until(lambda: _asks_second(store, run), 30, "The second person is not asked.")
    with WriteProbe(f"http://127.0.0.1:{lab.port('functions')}/smoke") as writer:
        pressed, at = time.monotonic(), company.clock()
        ground.press(run, FAIL_OVER, "approver", lab.container(STANDBY))
        until(lambda: writer.first is not None, 60, "Functions acknowledges no write.")
    ground.rest(run, RunState.RECOVERED)
    missing = lost(lab)["lost"]
    given_up = store.run(run).facts["given_up"]
    way = ", ".join(_since(at, store.entries(run)))
    return TakenOver(offered, (writer.first or 0.0) - pressed, _by_hand(ground), missing, given_up["commits"], way)


def _offered(store: Store) -> str:
    """The failover that Mayday itself asks for, once its button stands in the thread."""
    found: list[str] = []

    def asks() -> bool:
        found[:] = [run for run in store.runs(open_only=True) if store.run(run).asking]
        return bool(found) and cursor(store, "slack", found[0]) >= store.run(found[0]).last

    until(asks, 60, "No failover is offered.")
    return found[0]


def _since(pressed: datetime, told: list[Entry]) -> Iterator[str]:
    """What stood in the journal how long after the press, in seconds: where the time goes."""
    for entry in told:
        word = "answered" if entry.kind is Kind.ANSWERED else _STAGES.get(entry.data.get("title", ""), "")
        if word and entry.at >= pressed and entry.kind in (Kind.ANSWERED, Kind.DONE):
            yield f"{word} {(entry.at - pressed).total_seconds():.2f} s"


def _asks_second(store: Store, run: str) -> bool:
    """Whether the second question stands in the thread."""
    asked = store.run(run)
    return bool(asked.question and asked.question.title == SECOND.title and cursor(store, "slack", run) >= asked.last)


def _by_hand(ground: Ground) -> float:
    """The old primary, which its fence made a standby without a network: what its bare promotion takes.

    Nobody of Mayday sees it, as the workers have left: they would fence it again.
    """
    town_process.stop(ground.lab)
    for part in ("worker", "worker-standby"):
        processes.stop(ground.lab, part)
    ground.docker("start", ground.postgres)
    until(lambda: _stands_by(ground), 60, "The old primary does not start as a standby.")
    began = time.monotonic()
    ground.psql("select pg_promote(true, 60)", "insert into smoke_checks default values")
    return time.monotonic() - began


def _stands_by(ground: Ground) -> bool:
    state = "{{.State.Health.Status}}"
    return ground.docker("inspect", "-f", state, ground.postgres) == "healthy" and (
        ground.psql("select pg_is_in_recovery()") == "t"
    )


@dataclass
class WriteProbe:
    """Writes through Functions all the time; `first` is when a write was acknowledged, by the monotonic clock."""

    url: str
    first: float | None = None
    over: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None

    def __enter__(self) -> WriteProbe:
        self.thread = threading.Thread(target=self._write, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        if self.thread is not None:
            self.thread.join(_HANG_UP_SECONDS * 2)

    def _write(self) -> None:
        with httpx.Client(timeout=_HANG_UP_SECONDS, trust_env=False) as client:
            while not self.over.wait(_EVERY_SECONDS):
                try:
                    answer = client.get(self.url)
                except httpx.HTTPError:
                    continue
                if answer.status_code == 200:
                    self.first = time.monotonic()
                    return
