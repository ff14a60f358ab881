"""How a database is opened and written to: what waits for whom, and what is thrown away."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from actions.engine.errors import Fenced
from actions.store import notes, write_deadline
from actions.store.database import CACHE_KIB, PASSING, StoreDatabase
from actions.store.fenced_store import FencedStore
from actions.store.store import Store
from actions.store.transaction import Lease
from tests.core.store.test_store import REQUEST
from tests.support.bot_world import Clock

NOBODY = "postgresql+psycopg://nobody@127.0.0.1:9/none?connect_timeout=1"


def opened(path: Path) -> Store:
    return Store(f"sqlite:///{path}", Clock())


def test_a_store_that_is_whole_is_opened_though_another_process_writes_to_it(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    opened(path).open_run("r1", REQUEST, claims=False, key="r1")
    with closing(sqlite3.connect(path, isolation_level=None)) as other, write_deadline.deadline(lambda: 0.2):
        other.execute("BEGIN IMMEDIATE")
        assert opened(path).runs() == ["r1"]


def test_writers_of_one_process_wait_for_each_other_on_sqlite_alone(tmp_path: Path) -> None:
    with write_deadline.deadline(lambda: 0.2):
        embedded = StoreDatabase(f"sqlite:///{tmp_path / 'store.db'}")
        with embedded._writing, pytest.raises(write_deadline.Unanswered), embedded.transaction():
            pass
        server = StoreDatabase(NOBODY)
        with server._writing, pytest.raises(sa.exc.OperationalError), server.transaction():
            pass


class Written(list[str]):
    """The statements that a connection was given."""

    def exec_driver_sql(self, statement: str) -> None:
        self.append(statement)


def test_a_server_ends_the_transaction_of_a_suspended_writer_by_itself() -> None:
    said = Written()
    StoreDatabase(NOBODY)._begin(said)  # type: ignore[arg-type]
    assert said == ["SET LOCAL idle_in_transaction_session_timeout = 15000"]
    said.clear()
    with write_deadline.deadline(lambda: 2.5):
        StoreDatabase(NOBODY, durable=False)._begin(said)  # type: ignore[arg-type]
    assert said[1:] == ["SET LOCAL statement_timeout = 2500", "SET LOCAL synchronous_commit = off"]


def test_a_file_of_what_may_be_lost_that_cannot_be_opened_is_left_where_it_is(tmp_path: Path) -> None:
    in_the_way = Path(f"{tmp_path / 'store.db'}{PASSING}")
    in_the_way.mkdir()
    with pytest.raises(sa.exc.OperationalError, match="unable to open"):
        opened(tmp_path / "store.db")
    assert in_the_way.is_dir()


def test_a_file_of_what_may_be_lost_is_begun_anew_where_a_page_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    made = opened(path)
    for n in range(200):
        made.keep("progress", f"r{n}", {"text": "x" * 100})
    made.dispose()
    passing = Path(f"{path}{PASSING}")
    with closing(sqlite3.connect(passing)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    pages = bytearray(passing.read_bytes())
    # Cell pointers of the last page: the file still opens, and only a look at the page finds them wrong.
    pages[-4096 + 8 : -4096 + 24] = b"\x00\x09" * 8
    passing.write_bytes(pages)
    with closing(sqlite3.connect(passing)) as db:
        assert db.execute("PRAGMA quick_check(1)").fetchone() != ("ok",)
    again = opened(path)
    assert again.notes("progress") == {}
    again.keep("progress", "r1", {"text": "goes on"})
    assert again.note("progress", "r1") == {"text": "goes on"}


def test_what_may_be_lost_is_written_whoever_has_the_lease(tmp_path: Path) -> None:
    store = opened(tmp_path / "store.db")
    late = FencedStore(store, Lease("turn thread", "one", 7))
    notes.worker_lives(late, "one", {"site": "east"})
    assert store.note("worker", "one") == {"site": "east"}
    with pytest.raises(Fenced):
        late.keep("cursor", "r1", {"n": 1})


def test_each_connection_of_each_file_keeps_little_of_it_in_memory(tmp_path: Path) -> None:
    store = opened(tmp_path / "store.db")
    for database in (store._database, store._passing):
        with database.engine.connect() as one, database.engine.connect() as another:
            kept = [db.exec_driver_sql("PRAGMA cache_size").scalar() for db in (one, another)]
        assert kept == [-CACHE_KIB] * 2
