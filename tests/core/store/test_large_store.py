"""A store of many years is looked at as quickly as one of last week: ratios of looks at both, taken in one run."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median

import pytest

from actions.engine.journal import Kind
from actions.incidents.alert_grouping import Rules
from actions.store.store import Store
from bot.context import BotContext
from bot.incidents.event_intake import Intake
from bot.slack.thread_loop import ThreadLoop
from bot.web.metrics import Figures
from tests.core.store.test_store import REQUEST
from tests.support.bot_world import PITR, START, Clock, office_in

pytestmark = [pytest.mark.deep, pytest.mark.timeout(1200)]

ENTRIES = 10
FEW, MANY = 100, 100_000


def written(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f+00:00")


def journal(number: int) -> Iterator[tuple[object, ...]]:
    """A run that was asked for, did some steps and ended; two a minute for years."""
    name, began = f"r{number:06d}", START - timedelta(seconds=30 * (MANY - number))
    said = [(Kind.REQUESTED, {**REQUEST, "procedure": PITR.name, "origin": {"sink": "slack", "thread": "1"}})]
    done = {"title": PITR.steps[0].title, "seconds": 1.5, "gives": "x", "fact": {"n": number}}
    said += [(Kind.DONE, done)] * (ENTRIES - 2)
    said.append((Kind.FINISHED, {"outcome": "recovered", "report": []}))
    for n, (kind, data) in enumerate(said, 1):
        at = written(began + timedelta(seconds=n))
        step = 0 if kind is Kind.DONE else None
        yield name, n, at, str(kind), step, json.dumps(data), f"{n - 1:064d}", f"{n:064d}"


def filled(path: Path, runs: int) -> str:
    """A store of an older version, with that many runs, all of them drawn to their end."""
    address = f"sqlite:///{path}"
    Store(address, Clock()).dispose()
    with sqlite3.connect(path) as db:
        rows = (entry for number in range(runs) for entry in journal(number))
        db.executemany("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        drawn = (("cursor", f"slack r{number:06d}", str(ENTRIES), written(START)) for number in range(runs))
        db.executemany("INSERT INTO notes VALUES (?, ?, ?, ?)", drawn)
    db.close()
    return address


class Process:
    """A bot that has just begun on a store, and looked once at everything."""

    def __init__(self, address: str) -> None:
        began = time.perf_counter()
        self.store = Store(address, Clock())
        self.opened = time.perf_counter() - began
        self.bot: BotContext = replace(office_in().bot, store=self.store, clock=self.store.clock)
        self.threads = ThreadLoop(self.bot, "bot")
        self.intake = Intake(self.store, Rules({}), "bot", lambda: None)
        self.figures = Figures(self.bot, lambda: 0)
        self.tick()
        self.counted = {metric.name: metric for metric in self.figures.collect()}
        self.took = time.perf_counter() - began

    def tick(self) -> None:
        """What a bot at rest does again and again."""
        self.threads.tick()
        self.intake.tick()

    def runs(self) -> float:
        return sum(sample.value for sample in self.counted["mayday_runs"].samples)


def each(looks: list[Callable[[], object]], times: int = 150) -> list[float]:
    """What each of them takes, tried in turn so that whatever else the machine does falls on all alike."""
    took: list[list[float]] = [[] for _ in looks]
    for _ in range(times):
        for place, look in enumerate(looks):
            began = time.perf_counter()
            look()
            took[place].append(time.perf_counter() - began)
    return [median(one) for one in took]


def test_a_bot_at_rest_costs_the_same_whatever_lies_in_its_store_and_starts_at_once(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    few, many = (filled(tmp_path / f"{runs}.db", runs) for runs in (FEW, MANY))
    # The first process brings the store up to date and counts all of it, once for all.
    before = [Process(address) for address in (few, many)]
    assert [process.runs() for process in before] == [FEW, MANY]
    for process in before:
        process.threads._leader.give_up()
        process.intake._leader.give_up()
    small, large = (Process(address) for address in (few, many))
    assert [process.runs() for process in (small, large)] == [FEW, MANY]

    looks: dict[str, Callable[[Process], object]] = {
        "a tick": Process.tick,
        "what grew": lambda process: process.store.grown(process.store.change()),
        "open runs": lambda process: process.store.runs(open_only=True),
        "the newest runs": lambda process: process.store.runs(limit=50),
        "a scrape": lambda process: [*process.figures.collect()],
    }
    ratios = {}
    for name, look in looks.items():
        little, much = each([lambda look=look: look(small), lambda look=look: look(large)])  # type: ignore[misc]
        ratios[name] = round(much / little, 2)
    told = {"upgrade": before[1].opened, "first count": before[1].took, "open": large.opened}
    told |= {"start": large.took, "start with few": small.took}
    for name, value in (told | ratios).items():
        record_property(name, value)
        print(f"{name}: {value:.2f}")  # noqa: T201
    assert ratios["a tick"] <= 1.3
    assert max(ratios.values()) <= 2.0
    # There are a thousand times the runs: what began by counting them would take a thousand times as long.
    assert large.took <= 100 * small.took
