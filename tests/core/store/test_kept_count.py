"""What is counted over all runs is what a recount gives, whenever the process began anew and whatever it had kept."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from actions.engine.journal import Kind
from actions.store.kept_count import NOTE, KeptCount
from actions.store.store import Store
from actions.watch.run_records import Records
from actions.watch.step_times import StepTimes
from bot.web.run_counts import RunCounts
from tests.core.store.test_store import REQUEST
from tests.support.bot_world import PITR, Clock, emptied

RUNS = ("r1", "r2", "r3", "e1")
STEP = PITR.steps[0].title
SAYS: dict[str, tuple[Kind, dict[str, Any]]] = {
    "is done": (Kind.DONE, {"title": STEP, "seconds": 0.1, "gives": "integrity", "fact": {"healthy": True}}),
    "fails": (Kind.FAILED, {"title": "another", "seconds": 0.7, "error": "x"}),
    "ends": (Kind.FINISHED, {"outcome": "recovered"}),
    "is noted": (Kind.NOTED, {}),
}
ACTIONS = st.one_of(
    st.tuples(st.sampled_from(RUNS), st.sampled_from([*SAYS])), st.just(("i1", "grows")), st.just(("", "restart"))
)


class Counting:
    """A process that counts, with what it counts."""

    def __init__(self, store: Store, keep_after: int) -> None:
        self.runs, self.records, self.times = RunCounts((PITR,)), Records(), StepTimes()
        self.counts = [
            KeptCount(store, "metrics", self.runs, keep_after),
            KeptCount(store, "records", self.records, keep_after),
            KeptCount(store, "step times", self.times, keep_after),
        ]

    def look(self) -> tuple[Any, ...]:
        for count in self.counts:
            count.catch_up()
        runs = self.runs
        counted = runs.begun, runs.ended, runs.steps, runs.open, runs.states()
        return (*counted, self.records.of("main", "pg"), self.records.open, sorted(self.times.kept()), self.times.open)


def do(store: Store, name: str, action: str) -> None:
    told = store.entries(name)
    if name == "i1":
        store.extend(name, lambda _: [(Kind.GRADED if told else Kind.OPENED, None, {})])
    elif not told:
        store.open_run(name, {**REQUEST, "procedure": PITR.name}, claims=False, key=name)
    else:
        kind, data = SAYS[action]
        over = any(entry.kind is Kind.FINISHED for entry in told)
        store.speak(name, lambda _: (Kind.NOTED if over else kind, 0, data))


@settings(max_examples=60)
@given(st.lists(ACTIONS, max_size=30), st.integers(1, 6), st.integers(1, 4))
def test_a_process_that_begins_anew_counts_what_a_recount_gives(
    wanted: list[tuple[str, str]], keep_after: int, look_every: int
) -> None:
    time = Clock()
    store = emptied(time)
    process = Counting(store, keep_after)
    for place, (name, action) in enumerate(wanted):
        time.on(1)
        if action == "restart":
            process = Counting(store, keep_after)
        else:
            do(store, name, action)
        if place % look_every == 0:
            process.look()
    counted, anew = process.look(), Counting(store, 1000)
    store.forget(NOTE, time() + timedelta(seconds=1))
    assert counted == anew.look()


def test_a_note_that_cannot_be_read_costs_a_recount() -> None:
    store = emptied(Clock())
    for action in ("", "is done", "ends"):
        do(store, "r1", action)
    right = Counting(store, 1).look()
    for spoiled in ("nonsense", {}, {"since": 1, "open": {"r9": 1}, "counted": store.note(NOTE, "metrics")["counted"]}):
        for name in ("metrics", "records", "step times"):
            store.keep(NOTE, name, spoiled)
        assert Counting(store, 1000).look() == right


def test_a_restart_reads_what_was_written_since_and_what_is_open() -> None:
    store, read = emptied(Clock()), list[str]()
    for run in ("r1", "r2"):
        do(store, run, "")
        do(store, run, "is done")
    do(store, "r1", "ends")
    Counting(store, 1).look()
    do(store, "r3", "")
    entries = store.entries
    store.entries = lambda run, *more: read.append(run) or entries(run, *more)  # type: ignore[method-assign,func-returns-value,assignment]
    try:
        KeptCount(store, "metrics", RunCounts((PITR,))).catch_up()
    finally:
        del store.entries  # type: ignore[attr-defined]
    assert sorted(read) == ["r2", "r3"]
