"""A lost primary: one incident for each loss, whoever sees it, and a failover that waits and may be taken back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from actions.catalog import CATALOG, find
from actions.control.requests import open_run
from actions.engine.journal import Kind
from actions.engine.procedure import OptionEffect, Procedure
from actions.engine.reading import Asker
from actions.engine.rights import Speaker
from actions.incidents.incident_actions import known, open_incidents
from actions.incidents.loss_evidence import evidence_of
from actions.incidents.offered_failover import OfferedFailover
from actions.incidents.primary_loss import NOTE, PrimaryLoss
from actions.recoveries.failover_parts import FailOver
from actions.settings.settings import Settings
from actions.store.store import Store
from actions.watch.cluster_status import ClusterStatus, keep_probe, members_of, records_of, status
from actions.watch.replication_health import ClusterState
from actions.watch.server_probe import ServerProbe
from tests.support.probes import DEAF, EXITED, FOLLOWS, PRIMARY, STANDBY, WRITES, Seen, primary, standby
from tests.support.worlds.clock import Clock

SETTINGS = Settings.model_validate(
    {
        "services": [
            {"name": "db", "kind": "postgres"},
            {"name": "copy", "kind": "postgres", "site": "far", "follows": "db @ main"},
        ],
        "sites": [{"name": "far"}],
    }
)
STACK = SETTINGS.stack()
SOMEBODY = Speaker("U1", "Ada", may_ask=True, may_approve=True)


class WatchingWorker:
    """A worker of both sites on a store of its own."""

    def __init__(self, folder: Path, catalog: Sequence[Procedure] = CATALOG, trigger: str = "button") -> None:
        self.clock = Clock()
        self.store = Store(f"sqlite:///{folder}/mayday.db", self.clock)
        self.enqueued: list[str] = []
        self.loss = self.another(catalog, trigger)

    def another(
        self, catalog: Sequence[Procedure] = CATALOG, trigger: str = "button", pages: bool = False
    ) -> PrimaryLoss:
        """Another worker on the same store, or the same one begun anew."""
        failover = OfferedFailover(self.store, STACK, catalog, trigger=trigger, enqueue=self.enqueued.append)
        return PrimaryLoss(self.store, failover, pages, self.enqueued.append)

    def sees(self, seconds: float, db: Seen, copy: Seen) -> ClusterStatus:
        """Probe both for so long; how the cluster stands then."""
        for _ in range(round(seconds / 2)):
            self.clock.advance(2)
            for who, seen in ((PRIMARY, db), (STANDBY, copy)):
                probe = ServerProbe(
                    who.site, who.service, self.clock(), seen.container, seen.answer, seen.latency, seen.said, seen.says
                )
                keep_probe(self.store, probe)
        return self.status

    @property
    def status(self) -> ClusterStatus:
        [members] = members_of(STACK)
        return status(self.store, members, records_of(self.store), 10, self.clock())

    def lost(self) -> ClusterStatus:
        """Its primary dies."""
        self.sees(4, WRITES, FOLLOWS)
        found = self.sees(14, EXITED, DEAF)
        assert found.verdict.state is ClusterState.LOST
        return found

    def told(self, incident: str) -> str:
        return "\n".join(str(entry.data.get("text", "")) for entry in self.store.entries(incident))

    def ask(self, run: str) -> None:
        """As a worker does that carries the run out up to its first question."""
        lease = self.store.acquire(run, "w")
        assert lease is not None
        options = [
            {"label": "Fail over", "leads": OptionEffect.ON, "who": "asker", "types": "", "gives": "wanted"},
            {"label": "Cancel", "leads": OptionEffect.BACK, "who": "asker", "types": "", "gives": ""},
        ]
        said = {"title": "Fail over?", "options": options, "plan": "0" * 64}
        self.store.append(lease, Kind.ASKED, 7, said)
        self.store.release(lease)


@pytest.fixture
def worker(memory_path: Path) -> Iterator[WatchingWorker]:
    made = WatchingWorker(memory_path)
    yield made
    made.store.dispose()


def test_a_loss_is_one_incident_with_the_evidence_and_a_failover_that_waits(worker: WatchingWorker) -> None:
    incident = worker.loss.tell(worker.lost())
    found = known(worker.store, incident)
    assert (found.title, found.severity, found.service) == ("The primary db @ main is lost", "critical", "db")
    told = worker.told(incident)
    assert "exited: exit code 137" in told
    assert "WAL receiver is not connected" in told
    assert "last seen to take writes at" in told
    assert "0/3E8" in told
    [run] = worker.enqueued
    first = worker.store.entries(run)[0].data
    assert (first["procedure"], first["site"], first["service"]) == ("postgres failover", "far", "copy")
    asked = {name: first["request"][name] for name in ("service", "primary", "primary_site")}
    assert asked == {"service": "copy", "primary": "db", "primary_site": "main"}
    assert first["origin"]["incident"] == incident
    assert [linked.run for linked in known(worker.store, incident).runs] == [run]


def test_whoever_sees_it_again_opens_nothing_more(worker: WatchingWorker) -> None:
    incident = worker.loss.tell(worker.lost())
    for other in (worker.loss, worker.another(), worker.another()):
        assert other.tell(worker.sees(600, EXITED, DEAF)) == incident
    assert len(worker.store.incidents()) == 1
    assert len(worker.store.runs()) == 1


@pytest.mark.parametrize("left", ["incident", "note"])
def test_a_worker_that_dies_in_the_middle_is_followed_by_one_that_goes_on(worker: WatchingWorker, left: str) -> None:
    found = worker.lost()
    incident = worker.another(catalog=()).tell(found)
    note = worker.store.note(NOTE, "main db")
    if left == "incident":
        worker.store.keep(NOTE, "main db", {})
    else:
        worker.store.keep(NOTE, "main db", {**note, "told": False})
    assert worker.another().tell(found) == incident
    assert len(worker.store.incidents()) == 1
    assert len(worker.store.runs()) == 1


def test_one_that_takes_writes_again_takes_the_failover_back(worker: WatchingWorker) -> None:
    incident = worker.loss.tell(worker.lost())
    [run] = worker.enqueued
    worker.ask(run)
    assert worker.loss.tell(worker.sees(4, WRITES, FOLLOWS)) == ""
    assert "answers again and takes writes" in worker.told(incident)
    answered = worker.store.entries(run)[-1]
    assert (answered.kind, answered.data["option"], answered.data["by"]) == (Kind.ANSWERED, "Cancel", "mayday")
    assert worker.enqueued == [run, run]
    assert [one.id for one in open_incidents(worker.store)] == [incident], "people close it"
    assert worker.loss.tell(worker.sees(4, WRITES, FOLLOWS)) == ""
    assert worker.told(incident).count("answers again") == 1


def test_the_next_loss_is_another_incident(worker: WatchingWorker) -> None:
    first = worker.loss.tell(worker.lost())
    worker.ask(worker.enqueued[0])
    worker.loss.tell(worker.sees(4, WRITES, FOLLOWS))
    lease = worker.store.acquire(worker.enqueued[0], "w")
    assert lease is not None
    worker.store.append(lease, Kind.FINISHED, None, {"outcome": "discarded"})
    second = worker.loss.tell(worker.sees(14, EXITED, DEAF))
    assert second not in ("", first)
    assert len(worker.store.runs()) == 2


def test_after_a_failover_the_loss_is_over(worker: WatchingWorker) -> None:
    incident = worker.loss.tell(worker.lost())
    promoted = worker.sees(4, EXITED, Seen(primary()))
    assert promoted.verdict.state is ClusterState.REJOIN
    worker.loss.tell(promoted)
    assert "copy @ far takes writes now" in worker.told(incident)
    assert worker.store.note(NOTE, "main db")["over"]


def test_what_somebody_has_agreed_to_is_not_taken_back(worker: WatchingWorker) -> None:
    worker.loss.tell(worker.lost())
    [run] = worker.enqueued
    lease = worker.store.acquire(run, "w")
    assert lease is not None
    worker.store.append(lease, Kind.BEGAN, 10, {"title": "fence the old primary"})
    worker.store.release(lease)
    worker.loss.tell(worker.sees(4, WRITES, FOLLOWS))
    assert worker.store.entries(run)[-1].kind is Kind.BEGAN


def test_with_the_trigger_none_there_is_an_incident_alone(worker: WatchingWorker) -> None:
    assert worker.another(trigger="none").tell(worker.lost())
    assert worker.store.runs() == []


def test_without_the_procedure_there_is_an_incident_alone(worker: WatchingWorker) -> None:
    assert worker.another(catalog=()).tell(worker.lost())
    assert worker.store.runs() == []


def test_the_person_on_call_is_paged_once_where_pagerduty_is_set_up(worker: WatchingWorker) -> None:
    loss, found = worker.another(pages=True), worker.lost()
    incident = loss.tell(found)
    loss.tell(found)
    page = [run for run in worker.enqueued if run.startswith("e")]
    assert len(page) == 1
    assert worker.store.run(page[0]).request["page"]["key"] == f"mayday {incident}"


def test_a_run_that_holds_the_server_and_waits_is_named_and_the_failover_asked_for_once_it_has_ended(
    worker: WatchingWorker,
) -> None:
    failover = find("postgres failover")
    held = open_run(
        worker.store,
        failover,
        FailOver("copy", "db", "main"),
        by=SOMEBODY,
        subject=STANDBY,
        origin={"sink": "none"},
        key="k",
    )
    incident = worker.loss.tell(worker.lost())
    worker.loss.tell(worker.status)
    assert worker.told(incident).count(held.id) == 1
    assert worker.enqueued == []
    lease = worker.store.acquire(held.id, "w")
    assert lease is not None
    worker.store.append(lease, Kind.FINISHED, None, {"outcome": "done"})
    worker.loss.tell(worker.sees(2, EXITED, DEAF))
    assert len(worker.enqueued) == 1


def test_while_a_run_is_at_work_on_it_nothing_is_opened(worker: WatchingWorker) -> None:
    worker.sees(4, WRITES, FOLLOWS)
    base = find("postgres pitr")
    request = base.words.read("latest", Asker(worker.clock(), "UTC", None, "db"))
    held = open_run(worker.store, base, request, by=SOMEBODY, subject=PRIMARY, origin={"sink": "none"}, key="k")
    lease = worker.store.acquire(held.id, "w")
    assert lease is not None
    worker.store.append(lease, Kind.BEGAN, 9, {"title": "stop the old server"})
    for _ in range(7):
        found = worker.sees(2, EXITED, DEAF)
        worker.store.beat(lease)
    assert (found.verdict.state, worker.loss.tell(found)) == (ClusterState.DEGRADED, "")
    assert held.id in found.verdict.reasons[0]
    worker.store.release(lease)
    assert worker.loss.tell(worker.status)


def test_roles_that_were_swapped_offer_no_failover_and_say_so(worker: WatchingWorker) -> None:
    worker.sees(4, Seen(standby()), Seen(primary()))
    found = worker.sees(14, Seen(standby(streams=False)), EXITED)
    incident = worker.loss.tell(found)
    assert "Correct `follows`" in worker.told(incident)
    assert worker.enqueued == []


def test_the_evidence_says_what_is_missing_and_what_nobody_saw(worker: WatchingWorker) -> None:
    worker.sees(4, Seen(primary(lsn=5000)), FOLLOWS)
    assert any("4,000 bytes less than that" in line for line in evidence_of(worker.sees(14, EXITED, DEAF)))
    found = worker.status
    unseen = {PRIMARY: replace(found.records[PRIMARY], earlier=None), STANDBY: found.records[STANDBY]}
    assert "No worker has seen it take writes." in evidence_of(replace(found, records=unseen))
