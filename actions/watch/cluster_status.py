"""How the clusters of the stack stand, from what workers keep of their probes in the store; no server is asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from pydantic import ValidationError

from actions.control.requests import Subject
from actions.engine.claims import ALL, Mode
from actions.engine.errors import NOT_READ
from actions.engine.facts import from_json, to_json
from actions.engine.run import Run
from actions.postgres.lsn import Lsn
from actions.stack.clusters import clusters_of
from actions.stack.stack import Stack
from actions.store.store import Store
from actions.watch.replication_health import ClusterMembers, ClusterState, ClusterVerdict, judge
from actions.watch.server_probe import ServerProbe, ServerRecord, after

NOTE = "probe"
"""The kind of the notes; the key is the site and the service."""
_MOVES = ("postgres failover", "postgres switchover")
"""The procedures that give a cluster another primary."""


@dataclass(frozen=True)
class ClusterStatus:
    """One cluster: who belongs to it, what was seen of each, and what that comes to."""

    members: ClusterMembers
    records: dict[Subject, ServerRecord]
    verdict: ClusterVerdict


def keep_probe(store: Store, probe: ServerProbe, written: Lsn | None = None) -> ServerRecord:
    """Keep what a probe saw; `written` is how far the primary has written, where that is known."""
    key = f"{probe.site} {probe.service}"
    record = after(_read(store.note(NOTE, key)), probe, written)
    store.keep(NOTE, key, to_json(record))
    return record


def records_of(store: Store) -> dict[Subject, ServerRecord]:
    """What is kept of each server; what another version wrote is passed over."""
    found = (_read(data) for data in store.notes(NOTE).values())
    return {Subject(one.probe.site, one.probe.service): one for one in found if one is not None}


def _read(data: object) -> ServerRecord | None:
    try:
        record: ServerRecord | None = from_json(ServerRecord, data) if data else None
    except ValidationError:
        return None
    return record


def members_of(stack: Stack) -> tuple[ClusterMembers, ...]:
    """The clusters by the settings."""
    return tuple(ClusterMembers(primary, standbys) for primary, standbys in clusters_of(stack))


def statuses(store: Store, stack: Stack, dead_seconds: float, now: datetime) -> tuple[ClusterStatus, ...]:
    """How each cluster stands."""
    clusters = members_of(stack)
    kept = records_of(store) if clusters else {}
    return tuple(status(store, members, kept, dead_seconds, now) for members in clusters)


def status_of(store: Store, stack: Stack, dead_seconds: float, now: datetime, who: Subject) -> ClusterStatus | None:
    """How the cluster of a server stands; None where it belongs to none."""
    members = next((one for one in members_of(stack) if who in one.all), None)
    return status(store, members, records_of(store), dead_seconds, now) if members is not None else None


def status(
    store: Store, members: ClusterMembers, kept: dict[Subject, ServerRecord], dead_seconds: float, now: datetime
) -> ClusterStatus:
    """How one cluster stands by these records, and by the runs that are at work on its servers."""
    records = {who: kept[who] for who in members.all if who in kept}
    working = _at_work(store, members)
    moves = working is not None and working.procedure in _MOVES
    verdict = judge(members, records, now, dead_seconds, working.id if working is not None and moves else "")
    if working is not None and verdict.state is ClusterState.LOST:
        # Who carries a recovery of it out has it stopped for a while.
        said = f"Run {working.id} ({working.procedure}) is at work on it."
        verdict = replace(verdict, state=ClusterState.DEGRADED, reasons=(said, *verdict.reasons))
    return ClusterStatus(members, records, verdict)


def written_by(members: ClusterMembers, records: dict[Subject, ServerRecord], now: datetime) -> Lsn | None:
    """How far the primary has written, by a probe of now; None where nobody was seen to take writes."""
    writing = [one.probe for who, one in records.items() if who in members.all and one.probe.writes]
    newest = max((probe for probe in writing if probe.fresh(now)), key=lambda probe: probe.at, default=None)
    return newest.replication.at if newest is not None and newest.replication is not None else None


def _at_work(store: Store, members: ClusterMembers) -> Run | None:
    """The run that changes a server of the cluster just now."""
    for run in _holders(store, members):
        try:
            found = store.run(run)
        except (KeyError, *NOT_READ):
            continue
        if found.began and (found.procedure in _MOVES or run in store.leased()):
            return found
    return None


def _holders(store: Store, members: ClusterMembers) -> Iterator[str]:
    for who in members.all:
        for claim in store.claims(who.site):
            if claim.mode is Mode.EXCLUSIVE and claim.service in (ALL, who.service):
                yield claim.run
