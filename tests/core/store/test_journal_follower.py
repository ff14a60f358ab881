"""Whoever follows the journals hears each entry once, whatever is archived, broken or written meanwhile."""

from __future__ import annotations

from datetime import timedelta

import pytest

from actions.engine.journal import Kind
from actions.store.journal_follower import JournalFollower
from actions.store.store import Store
from bot.slack.watched_journals import SINK, Journals
from tests.core.store.test_archive import closed
from tests.core.store.test_store import ON_BOTH, clock, opened, server, store, url  # noqa: F401
from tests.support.worlds.clock import Clock


def heard(follower: JournalFollower) -> dict[str, list[int]]:
    return {told[0].run: [entry.n for entry in told] for told in follower.grown()}


@pytest.mark.parametrize("kind", ON_BOTH)
def test_many_new_journals_are_read_whole_beside_archived_and_broken_ones(store: Store, clock: Clock) -> None:  # noqa: F811
    closed(store, "r1", "r2")
    clock.advance(86401)
    assert store.archive(["r1"], clock()) == 1
    opened(store, "r3", claims=False)
    follower = JournalFollower(store)
    assert heard(follower) == {"r1": [1, 2, 3], "r2": [1, 2, 3], "r3": [1]}
    assert heard(follower) == {}
    store.speak("r3", lambda run: (Kind.NOTED, None, {}))
    for run in ("r4", "r5"):
        opened(store, run, claims=False)
    assert heard(follower) == {"r3": [2], "r4": [1], "r5": [1]}


@pytest.mark.parametrize("kind", ["sqlite"])
def test_one_that_cannot_be_read_keeps_no_other_from_being_heard(store: Store) -> None:  # noqa: F811
    for run in ("r1", "r2", "r3"):
        opened(store, run, claims=False)
    with store.engine.begin() as db:
        db.exec_driver_sql("UPDATE entries SET data = '{nonsense' WHERE run = 'r2'")
    follower = JournalFollower(store)
    assert heard(follower) == {"r1": [1], "r3": [1]}


@pytest.mark.parametrize("kind", ["sqlite"])
def test_who_is_interrupted_hears_the_rest_and_nothing_twice(store: Store) -> None:  # noqa: F811
    for run in ("r1", "r2", "r3"):
        opened(store, run, claims=False)
    follower = JournalFollower(store)
    first = next(iter(follower.grown()))[0].run
    store.speak("r3", lambda run: (Kind.NOTED, None, {}))
    assert (first, heard(follower)) == ("r1", {"r2": [1], "r3": [1, 2]})


@pytest.mark.parametrize("kind", ["sqlite"])
def test_a_bot_that_begins_anew_reads_no_thread_that_is_complete(store: Store, clock: Clock) -> None:  # noqa: F811
    closed(store, "r1", "r2", "r3")
    opened(store, "r4")
    for run, n in (("r1", 3), ("r2", 2), ("r4", 1)):
        store.keep("cursor", f"{SINK} {run}", n)
    journals = Journals(store)
    journals.read()
    assert set(journals.watched) == {"r2", "r3", "r4"}
    journals.watched["r2"].ended = True
    store.keep("cursor", f"{SINK} r2", 3)
    journals.read()
    assert set(journals.watched) == {"r3", "r4"}
    clock.now += timedelta(seconds=1)
    store.speak("r1", lambda run: (Kind.NOTED, None, {}))
    journals.read()
    assert [entry.n for entry in journals.watched["r1"].entries] == [1, 2, 3, 4]


@pytest.mark.parametrize("kind", ["sqlite"])
def test_whoever_begins_at_a_moment_hears_what_began_later_and_what_it_was_told_to_follow(store: Store) -> None:  # noqa: F811
    for run in ("r1", "r2"):
        opened(store, run, claims=False)
    follower = JournalFollower(store, since=store.change(), tips={"r1": 1})
    assert heard(follower) == {}
    for run in ("r1", "r2"):
        store.speak(run, lambda run: (Kind.NOTED, None, {}))
    opened(store, "r3", claims=False)
    # The second one had been counted whole by whoever noted where to begin.
    assert heard(follower) == {"r1": [2], "r3": [1]}


@pytest.mark.parametrize("kind", ["sqlite"])
def test_whoever_was_interrupted_amid_a_look_hears_nothing_twice(store: Store) -> None:  # noqa: F811
    for run in ("r1", "r2"):
        opened(store, run, claims=False)
    follower = JournalFollower(store)
    amid = follower.grown()
    assert [entry.run for entry in next(amid)] == ["r1"]
    amid.close()  # type: ignore[attr-defined]
    assert heard(follower) == {"r2": [1]}
