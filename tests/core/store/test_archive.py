"""A journal that is archived reads as before, is verified as before, and goes on where somebody opens it again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.engine.journal import GENESIS, Entry, Kind, first_broken, sealed
from actions.store import tables
from actions.store.archive import packed, unpacked
from actions.store.migrations import bring_up_to_date
from actions.store.notes import archive_old_journals
from actions.store.store import Store
from bot.terminal.records import verify_journals
from tests.core.store.test_store import ON_BOTH, clock, opened, server, store, url  # noqa: F401
from tests.support.bot_world import START, emptied
from tests.support.worlds.clock import Clock

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=80)
@given(st.lists(st.tuples(st.sampled_from(Kind), st.none() | st.integers(0, 9), st.dictionaries(st.text(), JSON))))
def test_what_is_packed_is_unpacked_to_the_same_chain(drafts: list[tuple[Kind, int | None, dict[str, object]]]) -> None:
    told: list[Entry] = []
    for n, (kind, step, data) in enumerate(drafts, 1):
        prev = told[-1].hash if told else GENESIS
        told.append(sealed(Entry("r1", n, START + timedelta(microseconds=n), kind, step, data), prev))
    again = unpacked("r1", packed(told))
    assert again == told
    assert first_broken(again) is None


def closed(store: Store, *runs: str) -> None:  # noqa: F811
    for run in runs:
        opened(store, run, claims=False)
        lease = store.acquire(run, "w")
        assert lease is not None
        store.append(lease, Kind.NOTED, None, {"text": "half a pair \ud83d"})
        store.append(lease, Kind.FINISHED, None, {"outcome": "done"})


def rows(store: Store, table: str) -> int:  # noqa: F811
    with store.engine.connect() as db:
        return int(db.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() or 0)


@pytest.mark.parametrize("kind", ON_BOTH)
def test_what_was_closed_long_ago_is_archived_and_everything_reads_as_before(
    store: Store,  # noqa: F811
    clock: Clock,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    closed(store, "r1", "r2")
    opened(store, "r3")
    clock.advance(10 * 86400)
    closed(store, "r4")
    names = ("r1", "r2", "r3", "r4")
    before = [store.entries(name) for name in names], [store.head(name) for name in names], store.runs(), store.change()
    assert (archive_old_journals(store, 9), archive_old_journals(store, 9)) == (2, 0)
    assert (rows(store, "archived"), rows(store, "entries")) == (2, 4)
    after = [store.entries(name) for name in names], [store.head(name) for name in names], store.runs(), store.change()
    assert after == before
    assert (store.entries("r1", 1, 1), store.entries("r1", 3)) == (before[0][0][1:2], [])
    assert store.run("r1").finished
    assert verify_journals(store, None, False) == 0
    assert "4 journals checked, 0 broken" in capsys.readouterr().out
    bring_up_to_date(store._database)
    assert [store.head(name) for name in names] == before[1]


@pytest.mark.parametrize("kind", ON_BOTH)
def test_one_that_is_opened_again_goes_on_from_its_end_and_is_archived_anew_as_a_whole(
    store: Store,  # noqa: F811
    clock: Clock,  # noqa: F811
) -> None:
    said = [(Kind.OPENED, None, {"title": "Down"}), (Kind.CLOSED, None, {})]
    store.extend("i1", lambda told: said)
    clock.advance(86401)
    assert archive_old_journals(store, 1) == 1
    store.extend("i1", lambda told: [(Kind.ALERTED, None, {"alerts": [], "over": False, "knew": len(told)})])
    assert store.incidents(open_only=True) == ["i1"]
    told = store.entries("i1")
    assert ([e.n for e in told], told[-1].data["knew"], first_broken(told)) == ([1, 2, 3], 2, None)
    assert store.entries("i1", 1) == told[1:]
    clock.advance(86401)
    assert archive_old_journals(store, 1) == 0, "it is open"
    store.extend("i1", lambda told: [(Kind.CLOSED, None, {})])
    assert store.archive(["i1"], clock()) == 0, "it was closed just now"
    clock.advance(86401)
    assert archive_old_journals(store, 1) == 1
    assert (rows(store, "entries"), [e.n for e in store.entries("i1")]) == (0, [1, 2, 3, 4])
    assert verify_journals(store, "i1", False) == 0


@pytest.mark.parametrize("kind", ["sqlite"])
@pytest.mark.parametrize(
    ("harm", "said"),
    [
        ("UPDATE archived SET data = x'00'", "r1: it cannot be read"),
        ("DELETE FROM archived", "r1: it has no entry, and 3 by the table of journals"),
        ("DELETE FROM journals", "r1: the table of journals does not know it"),
    ],
)
def test_an_archived_journal_that_somebody_changed_is_found(
    store: Store,  # noqa: F811
    clock: Clock,  # noqa: F811
    harm: str,
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    closed(store, "r1")
    clock.advance(86401)
    assert archive_old_journals(store, 1) == 1
    with store.engine.begin() as db:
        db.exec_driver_sql(harm)
    assert verify_journals(store, None, False) == 1
    assert said in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["sqlite"])
def test_what_was_forged_within_the_archive_breaks_the_chain_and_a_broken_one_is_not_archived(
    store: Store,  # noqa: F811
    clock: Clock,  # noqa: F811
) -> None:
    closed(store, "r1", "r2", "r3")
    with store.engine.begin() as db:
        db.exec_driver_sql("UPDATE entries SET data = '{}' WHERE run = 'r2' AND n = 2")
        db.exec_driver_sql("UPDATE entries SET data = '{nonsense' WHERE run = 'r3' AND n = 2")
    clock.advance(86401)
    assert archive_old_journals(store, 1) == 1
    assert rows(store, "entries") == 6
    forged = [e if e.n != 2 else Entry("r1", 2, e.at, e.kind, None, {}, e.prev, e.hash) for e in store.entries("r1")]
    with store.engine.begin() as db:
        db.execute(tables.archived.update().values(data=packed(forged)))
    broken = first_broken(store.entries("r1"))
    assert broken is not None
    assert broken[0].n == 2


def test_what_has_no_entries_is_not_archived() -> None:
    store = emptied(lambda: START)  # noqa: F811
    with store.transaction() as tx:
        assert not tx.archive("r9")  # type: ignore[attr-defined]
    assert store.journals() == []


def test_heads_of_before_are_made_up_beside_what_is_archived() -> None:
    time = Clock()
    made = emptied(time)
    closed(made, "r1")
    time.advance(86401)
    assert archive_old_journals(made, 1) == 1
    opened(made, "r2")
    wanted = made.head("r2")
    with made.engine.begin() as db:
        db.execute(tables.journals.delete().where(tables.journals.c.id == "r2"))
    bring_up_to_date(made._database)
    found = made.head("r2")
    assert (found, found is not None) == (wanted, True)
