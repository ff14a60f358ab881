"""The dead-man heartbeat: a real address is called while the self-audit passes, and not otherwise."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from actions.engine.errors import RecoveryError
from actions.engine.procedure import Procedure
from actions.settings.outside import HeartbeatSettings
from actions.settings.settings import Settings
from actions.store import notes
from actions.store.store import Store
from actions.watch import service_condition
from actions.watch.service_condition import Condition, Health, Reachable
from tests.support.bot_world import CATALOG, PITR, SERVICE, Clock, PlayedWorker, store_in
from tests.support.recorded import recorded
from workers.watch import audit
from workers.watch.audit import Audit
from workers.watch.deadman import DeadMan


@dataclass
class Watcher:
    """Whoever is called outside; answers as told."""

    url: str = ""
    calls: list[str] = field(default_factory=list)
    status: int = 200


pytestmark = pytest.mark.parts  # A heartbeat goes over a real connection.


@pytest.fixture
def watcher(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watcher]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    watcher = Watcher()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            watcher.calls.append(self.path)
            self.send_response(watcher.status)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    watcher.url = f"http://127.0.0.1:{server.server_port}/ping/secret"
    yield watcher
    server.shutdown()
    server.server_close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Store:
    """An installation in which all is well."""
    store = store_in(tmp_path, clock)
    well(store)
    return store


def well(store: Store, **changes: Any) -> None:
    notes.worker_lives(store, "w", {"site": "main", "host": "ops-1", "version": "1"})
    now = store.clock()
    found = Reachable(now, archived_at=now - timedelta(minutes=1), **changes)
    service_condition.keep(store, Condition(SERVICE, "main", now, Health(SERVICE, "healthy"), reachable=found))


def find(name: str) -> Procedure:
    for procedure in CATALOG:
        if procedure.name == name:
            return procedure
    raise RecoveryError("unknown")


def man(store: Store, url: str = "") -> DeadMan:
    return DeadMan(Audit(store, find, "main", [SERVICE], HeartbeatSettings(url=SecretStr(url))))


def failed(store: Store) -> list[str]:
    return [finding.name for finding in man(store).audit.look() if not finding.ok]


def test_while_all_is_well_the_address_is_called(store: Store, watcher: Watcher) -> None:
    assert man(store, watcher.url).beat()
    assert watcher.calls == ["/ping/secret"]
    assert audit.last(store, "main") == (store.clock(), [], "answered")


def test_an_archive_that_is_behind_silences_the_heart(store: Store, clock: Clock, watcher: Watcher) -> None:
    well(store, waiting=1 << 24, waiting_since=clock() - timedelta(minutes=11))
    assert not man(store, watcher.url).beat()
    assert watcher.calls == []
    assert failed(store) == ["WAL archive"]
    well(store, waiting=1 << 24, waiting_since=clock() - timedelta(minutes=2))
    assert failed(store) == []


def test_an_archive_that_nobody_looks_at_silences_the_heart_unless_a_run_is_at_work(store: Store, clock: Clock) -> None:
    clock.on(3600)
    notes.worker_lives(store, "w", {"site": "main"})
    assert failed(store) == ["WAL archive"]
    begin(store)
    assert failed(store) == []


def test_a_site_that_nobody_serves_silences_the_heart_of_all_of_them(store: Store, watcher: Watcher) -> None:
    heart = man(store, watcher.url)
    heart.others = [Audit(store, find, "east", [SERVICE], heart.audit.settings)]
    assert not heart.beat()
    assert watcher.calls == []
    kept = audit.last(store, "main")
    assert kept is not None
    assert [finding.name for finding in kept[1]] == ["worker of east", "WAL archive of east"]
    notes.worker_lives(store, "w2", {"site": "east"})
    heart.others = [Audit(store, find, "east", [], heart.audit.settings)]
    assert heart.beat()


def begin(store: Store) -> PlayedWorker:
    store.open_run("r1", {**recorded()[0]["data"], "procedure": PITR.name, "site": "main"}, claims=True, key="k")
    worker = PlayedWorker(store, "r1")
    worker.looks(PITR, 0)
    return worker


def test_a_run_that_stands_still_without_a_worker_silences_the_heart(store: Store, clock: Clock) -> None:
    worker = begin(store)
    assert failed(store) == []
    assert worker.lease is not None
    store.release(worker.lease)
    clock.on(4 * 60)
    well(store)
    assert failed(store) == []
    clock.on(2 * 60)
    well(store)
    assert failed(store) == ["runs"]


def test_a_run_whose_worker_lives_and_that_docker_does_not_answer_silences_the_heart(
    store: Store, clock: Clock
) -> None:
    worker = begin(store)
    assert worker.lease is not None

    def on(minutes: float) -> list[str]:
        clock.on(minutes * 60)
        well(store)
        store.beat(worker.lease)
        return failed(store)

    assert on(4) == []
    notes.docker_answers(store, "r1")
    assert on(4) == []
    notes.set_progress(store, "r1", {"step": 1, "done": 1, "total": 2, "text": ""})
    assert on(4) == []
    assert on(2) == ["runs"]
    said = man(store).audit.look()[-1]
    assert said.seen == "held by a worker that Docker has not answered for 5 min: r1"
    assert "docker info" in said.do
    notes.docker_answers(store, "r1")
    assert failed(store) == []


def test_a_run_that_waits_for_a_person_does_not_stand_still(store: Store, clock: Clock) -> None:
    worker = begin(store)
    worker.looks(PITR, 1)
    worker.asks(PITR, 2)
    assert worker.lease is not None
    store.release(worker.lease)
    clock.on(30 * 60)
    well(store)
    assert failed(store) == []


def test_a_changed_journal_silences_the_heart(store: Store) -> None:
    begin(store)
    with store.engine.connect() as db:
        db.exec_driver_sql('update entries set data = \'{"title": "another"}\' where n = 2')
        db.commit()
    assert failed(store) == ["journals"]


def test_no_worker_and_no_store_silence_the_heart(store: Store, clock: Clock, watcher: Watcher) -> None:
    clock.on(60)
    assert failed(store) == ["worker"]
    with store.engine.connect() as db:
        db.exec_driver_sql("drop table notes")
    assert failed(store) == ["store"]
    assert not man(store, watcher.url).beat()
    assert watcher.calls == []


def test_what_is_wrong_is_said_once_for_each_change(store: Store, clock: Clock, watcher: Watcher) -> None:
    dead = man(store, watcher.url)
    with capture_logs() as said:
        for _ in range(3):
            dead.beat()
        clock.on(60)
        for _ in range(3):
            clock.on(1)
            dead.beat()
        well(store)
        dead.beat()
        watcher.status = 500
        dead.beat()
        dead.beat()
    assert [(line["log_level"], line.get("why")) for line in said] == [
        ("error", "worker: none is alive"),
        ("info", None),
        ("error", "the address answered 500"),
    ]


def test_the_address_is_a_secret_that_no_log_and_no_note_shows(store: Store, watcher: Watcher) -> None:
    dead = man(store, "http://127.0.0.1:9/ping/secret")
    with capture_logs() as said:
        assert not dead.beat()
    assert "secret" not in str(said)
    assert "secret" not in str(store.notes("audit"))
    assert "did not answer" in str(said)


def test_the_doctor_tells_how_the_last_audit_went(store: Store, clock: Clock, watcher: Watcher) -> None:
    settings = Settings(heartbeat=HeartbeatSettings(url=SecretStr(watcher.url)))
    assert not audit.finding(settings, store).ok
    man(store, watcher.url).beat()
    assert audit.finding(settings, store).seen == "passes; the heartbeat's address answered"
    assert audit.finding(Settings(), store).seen == "passes; no heartbeat address is set"
    well(store, waiting=1 << 24, waiting_since=clock() - timedelta(hours=2))
    man(store, watcher.url).beat()
    found = audit.finding(settings, store)
    assert (found.ok, found.seen) == (False, "WAL archive: behind for 2 h")
    assert "pg_stat_archiver" in found.do
    clock.on(3600)
    assert "no worker" in audit.finding(settings, store).seen
