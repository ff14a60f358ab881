"""Probes the servers of clusters every few seconds, and tells of a primary that is lost.

A stack without a standby has no such chore. What each probe saw is kept as a note, so that workers of different sites
judge by the same: what one of them alone sees is never enough.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

import structlog

from actions.catalog import CATALOG
from actions.chores.chores import Chore
from actions.control.requests import Subject
from actions.engine.claims import ALL, Mode
from actions.incidents.offered_failover import OfferedFailover
from actions.incidents.primary_guard import PrimaryGuard
from actions.incidents.primary_loss import PrimaryLoss
from actions.settings.settings import Settings
from actions.stack.choose import site_named
from actions.stack.stack import Site, Stack
from actions.store.store import Store
from actions.watch.cluster_status import keep_probe, members_of, records_of, status, written_by
from actions.watch.compose_project import remembered
from actions.watch.replication_health import ClusterMembers, ClusterState
from workers.docker.client import connect
from workers.docker.containers import DockerHost
from workers.docker.errors import speaking
from workers.watch.server_prober import ServerProber

log = structlog.get_logger("mayday.replication")

_HURRY = 1.0
"""While something is wrong it is looked at every so many seconds, so that no second of an outage is lost to waiting."""


@dataclass
class ReplicationWatch:
    """The probes of one worker, and what follows from all that is kept."""

    store: Store
    stack: Stack
    probers: Sequence[ServerProber]
    loss: PrimaryLoss
    guard: PrimaryGuard
    every: float = 2.0
    dead_seconds: float = 10.0
    place: str = ""
    _said: dict[Subject, ClusterState] = field(default_factory=dict)
    _chore: Chore = field(init=False)

    def __post_init__(self) -> None:
        self._chore = Chore("watch the replication", self.every, self.look, self.store, place=self.place)

    def chore(self) -> Chore:
        """Looks for as long as the worker lives. Of several workers of a site whoever comes first probes."""
        return self._chore

    def look(self) -> None:
        """Probe those of whom nothing was seen just now, then judge each cluster of theirs."""
        clusters = self._clusters()
        for prober in self.probers:
            self._probe(prober)
        kept, now, calm = records_of(self.store), self.store.clock(), True
        for members in clusters:
            found = status(self.store, members, kept, self.dead_seconds, now)
            self._log(members, found.verdict.state, found.verdict.reasons)
            self.loss.tell(found)
            self.guard.tell(found)
            calm = calm and found.verdict.since is None
        self._chore.every = self.every if calm else min(self.every, _HURRY)

    def _clusters(self) -> list[ClusterMembers]:
        mine = {prober.subject for prober in self.probers}
        return [one for one in members_of(self.stack) if mine.intersection(one.all)]

    def _probe(self, prober: ServerProber) -> None:
        kept, now, own = records_of(self.store), self.store.clock(), prober.subject
        record = kept.get(own)
        # Less than a whole pause, else its own last note could keep a lone worker from every second look.
        if record is not None and timedelta() <= now - record.probe.at < timedelta(seconds=self._chore.every * 0.8):
            return
        [members] = [one for one in members_of(self.stack) if own in one.all]
        keep_probe(self.store, prober.probe(), written_by(members, kept, now))
        if prober.holds_up_a_stop and self._is_held(own):
            prober.rest()

    def _is_held(self, who: Subject) -> bool:
        held = self.store.claims(who.site)
        return any(one.mode is Mode.EXCLUSIVE and one.service in (ALL, who.service) for one in held)

    def _log(self, members: ClusterMembers, state: ClusterState, reasons: Sequence[str]) -> None:
        if self._said.get(members.primary, ClusterState.READY) is not state:
            log.info("the cluster is", primary=members.primary.service, state=str(state), why=" ".join(reasons))
        self._said[members.primary] = state


def replication_chores(
    settings: Settings, store: Store, enqueue: Callable[[str], object], sites: Sequence[str]
) -> Iterator[Chore]:
    """The chore of a worker that serves these sites; none where no server there belongs to a cluster."""
    stack, table = settings.stack(), settings.failover
    subjects = [who for members in members_of(stack) for who in members.all if who.site in sites]
    if not subjects:
        return
    failover = OfferedFailover(
        store, stack, CATALOG, settings.operations_zone, table.trigger, enqueue, settings.shared_writers
    )
    pages = bool(settings.pagerduty.routing_key.get_secret_value())
    watch = ReplicationWatch(
        store,
        stack,
        [_prober(settings, store, who) for who in subjects],
        PrimaryLoss(store, failover, pages, enqueue),
        PrimaryGuard(store, stack, CATALOG, settings.operations_zone, enqueue),
        table.probe_seconds,
        table.dead_seconds,
        " ".join(sites),
    )
    yield watch.chore()


def _prober(settings: Settings, store: Store, who: Subject) -> ServerProber:
    told = settings.server(who.service, who.site) or settings.own_server(who.site)
    site = site_named(settings.stack(), who.site)
    return ServerProber(who, told.user, partial(_docker, store, site), store.clock, settings.failover.probe_seconds)


def _docker(store: Store, site: Site) -> DockerHost:
    with speaking("connecting to it"):
        client = connect(site.docker)
    return DockerHost(client, site.services, site.project or remembered(store, site.name))
