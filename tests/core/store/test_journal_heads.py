"""The table of journals says what the entries say: after whatever was written, and in a store that was of before."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.engine.journal import Entry, Kind
from actions.store import tables
from actions.store.journal_heads import JournalHead, JournalKind, contradiction, head_of
from actions.store.migrations import bring_up_to_date
from actions.store.store import Store
from bot.terminal.records import verify_journals
from tests.core.store.test_store import ON_BOTH, REQUEST, clock, opened, server, store, url  # noqa: F401
from tests.support.bot_world import Clock, emptied

NAMES = ("r1", "r2", "e1", "e2", "i1", "i2")
INCIDENT_SAYS = {
    "grows": (Kind.GRADED, {"severity": "high"}),
    "ends": (Kind.CLOSED, {}),
    "is over": (Kind.ALERTED, {"alerts": [], "over": True}),
    "is open": (Kind.ALERTED, {"alerts": [], "over": False}),
    "of before": (Kind.ALERTED, {"alerts": []}),
}
ACTIONS = st.tuples(st.sampled_from(NAMES), st.sampled_from(["grows", "ends", "is over", "is open", "of before"]))


def do(store: Store, name: str, action: str) -> None:  # noqa: F811
    """Begin the journal, or write one more entry into it, as a run or an incident has them."""
    told = store.entries(name)
    if name.startswith("i"):
        draft = INCIDENT_SAYS[action] if told else (Kind.OPENED, {"title": "Down", "service": "pg"})
        store.extend(name, lambda _: [(draft[0], None, draft[1])])
    elif not told:
        store.open_run(name, {**REQUEST, "service": name}, claims=False, key=name)
    else:
        ended = any(entry.kind is Kind.FINISHED for entry in told)
        kind = Kind.FINISHED if action == "ends" and not ended else Kind.NOTED
        store.speak(name, lambda _: (kind, None, {"outcome": "done"}))


def right(store: Store) -> dict[str, JournalHead | None]:  # noqa: F811
    """The heads by the entries alone."""
    return {name: head_of(store.entries(name)) for name in NAMES if store.entries(name)}


def kept(store: Store) -> dict[str, JournalHead | None]:  # noqa: F811
    return {name: store.head(name) for name in store.tips()}


@settings(max_examples=60)
@given(st.lists(ACTIONS, max_size=25), st.integers(0, 24))
def test_after_whatever_was_written_the_table_says_what_the_entries_say(
    wanted: list[tuple[str, str]], look: int
) -> None:
    time = Clock()
    made = emptied(time)
    seen, since = dict[str, int](), 0
    for place, (name, action) in enumerate(wanted):
        time.on(1)
        do(made, name, action)
        if place == look:
            news = made.grown(0)
            seen, since = {one.journal: one.n for one in news}, news[-1].change
    assert kept(made) == right(made)
    seen.update({one.journal: one.n for one in made.grown(since)})
    assert seen == {name: len(made.entries(name)) for name in made.journals()}
    is_open = {name for name, head in right(made).items() if head and head.closed_at is None}
    assert set(made.runs(open_only=True)) == {name for name in is_open if name[0] in "re"}
    assert set(made.incidents(open_only=True)) == {name for name in is_open if name[0] == "i"}
    newest = sorted((name for name in kept(made) if name[0] in "re"), key=lambda name: made.entries(name)[0].at)
    assert made.runs(limit=2) == newest[::-1][:2]


@settings(max_examples=40)
@given(st.lists(ACTIONS, max_size=20), st.sets(st.sampled_from(NAMES)), st.sets(st.sampled_from(NAMES)))
def test_a_store_of_before_is_brought_up_to_date_and_what_is_right_is_left(
    wanted: list[tuple[str, str]], unknown: set[str], behind: set[str]
) -> None:
    time = Clock()
    made = emptied(time)
    for name, action in wanted:
        time.on(1)
        do(made, name, action)
    wanted = right(made)
    with made.engine.begin() as db:
        db.execute(sa.delete(tables.journals).where(tables.journals.c.id.in_(unknown)))
        older = tables.journals.c.id.in_(behind) & (tables.journals.c.n > 1)
        db.execute(sa.update(tables.journals).where(older).values(n=1, closed_at=None))
    left = {one.journal: one for one in made.grown(0) if one.journal not in behind}
    for _ in range(2):
        bring_up_to_date(made._database)
        assert kept(made) == wanted
    changes = [one.change for one in made.grown(0)]
    assert len(set(changes)) == len(wanted)
    assert {one.journal: one for one in made.grown(0) if one.journal in left} == left


@pytest.mark.parametrize("kind", ON_BOTH)
def test_two_processes_that_come_to_a_store_of_before_at_once_bring_it_up_to_date_once(
    store: Store,  # noqa: F811
    url: str,  # noqa: F811
) -> None:
    for name in NAMES:
        do(store, name, "grows")
        do(store, name, "ends")
    wanted = right(store)
    with store.engine.begin() as db:
        tables.journals.drop(db)
    together = threading.Barrier(3)

    def come(_one: int) -> list[Any]:
        together.wait()
        found = Store(url, Clock())
        try:
            return [kept(found), found.runs(open_only=True), found.change()]
        finally:
            found.dispose()

    with ThreadPoolExecutor(3) as people:
        assert list(people.map(come, range(3))) == [[wanted, [], len(NAMES)]] * 3


@pytest.mark.parametrize("kind", ON_BOTH)
def test_what_grew_is_never_seen_before_what_grew_earlier(store: Store) -> None:  # noqa: F811
    names, stop, wrong = [f"i{n}" for n in range(4)], threading.Event(), list[str]()

    def write(name: str) -> None:
        for _ in range(25):
            store.extend(name, lambda told: [(Kind.GRADED if told else Kind.OPENED, None, {})])

    def follow() -> dict[str, int]:
        seen, since, last = dict[str, int](), 0, False
        while not last:
            last = stop.is_set()
            for one in store.grown(since):
                wrong.extend([one.journal] if one.n <= seen.get(one.journal, 0) else [])
                seen[one.journal], since = one.n, one.change
        return seen

    with ThreadPoolExecutor(5) as people:
        follower = people.submit(follow)
        list(people.map(write, names))
        stop.set()
        assert follower.result() == dict.fromkeys(names, 25)
    assert wrong == []


@pytest.mark.parametrize("kind", ["sqlite"])
@pytest.mark.parametrize(
    ("harm", "said"),
    [
        ("UPDATE journals SET n = 7", "it has 1 entries, and 7 by the table of journals"),
        ("UPDATE journals SET closed_at = at", "for its closed at"),
        ("UPDATE journals SET hash = 'x'", "says 'x' for its hash"),
        ("UPDATE journals SET service = 'other'", "says 'other' for its service"),
        ("DELETE FROM journals", "the table of journals does not know it"),
        ("DELETE FROM entries", "it has no entry, and 1 by the table of journals"),
    ],
)
def test_a_row_that_contradicts_the_entries_is_found(
    store: Store,  # noqa: F811
    harm: str,
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    opened(store)
    assert verify_journals(store, None, False) == 0
    with store.engine.begin() as db:
        db.exec_driver_sql(harm)
    assert verify_journals(store, None, False) == 1
    assert said in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["sqlite"])
def test_a_row_that_was_taken_out_comes_back_with_the_next_entry(store: Store) -> None:  # noqa: F811
    opened(store)
    with store.engine.begin() as db:
        db.exec_driver_sql("DELETE FROM journals")
    store.speak("r1", lambda run: (Kind.NOTED, None, {"text": "x"}))
    assert kept(store) == {"r1": head_of(store.entries("r1"))}


def test_a_journal_that_cannot_be_read_keeps_no_store_from_being_opened(memory_path: Path) -> None:
    address = f"sqlite:///{memory_path}/mayday.db"
    made = Store(address, Clock())
    opened(made)
    opened(made, "r2", claims=False)
    with made.engine.begin() as db:
        db.exec_driver_sql("UPDATE entries SET data = '{nonsense', at = 'never' WHERE run = 'r1'")
        db.exec_driver_sql("DROP TABLE journals")
    made.dispose()
    again = Store(address, Clock())
    assert set(again.runs(open_only=True)) == {"r1", "r2"}
    again.dispose()


def test_no_head_and_no_entry_contradict_nothing() -> None:
    assert contradiction(None, []) == ""


def test_a_place_that_no_database_holds_is_cut_down() -> None:
    first = Entry("i1", 1, Clock()(), Kind.OPENED, None, {"site": "a\0b", "service": "\ud83d" + "x" * 900})
    head = head_of([first])
    assert head is not None
    assert (head.kind, head.site, len(head.service), head.service[:2]) == (JournalKind.INCIDENT, "ab", 200, "?x")
