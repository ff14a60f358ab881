"""How a cluster stands, judged from what was seen of its servers: a pure function of records and the time.

A primary is lost when two observers that do not depend on each other say so for long enough: it does not answer at its
own host, and a standby of it receives nothing. What one of them alone sees is a server that is slow, or a link that is
broken. Which server takes writes is asked of the servers; the settings say only who belongs together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from actions.clock.times import span_words
from actions.control.requests import Subject
from actions.postgres.replication import ReplicationState
from actions.watch.server_probe import ServerRecord, is_deaf

SLOW_ANSWER = 2.0
"""An answer that took longer than so many seconds is slow."""


class ClusterState(StrEnum):
    """How a cluster stands, in one word for people."""

    READY = "ready"
    SLOW = "slow"
    DEGRADED = "degraded"
    LOST = "primary lost"
    FAILING_OVER = "failover in progress"
    REJOIN = "recovered, rejoin needed"
    SPLIT = "split brain"
    UNKNOWN = "not known"


@dataclass(frozen=True)
class ClusterMembers:
    """Who belongs together by the settings: the primary and those that follow it."""

    primary: Subject
    standbys: tuple[Subject, ...]

    @property
    def all(self) -> tuple[Subject, ...]:
        """The primary first."""
        return (self.primary, *self.standbys)


@dataclass(frozen=True)
class ClusterVerdict:
    """How a cluster stands, and why. `primary` is who takes writes, or did last; `standby` who could take over.

    `since` is since when a lost primary shows both signs of death, `signs` says which.
    """

    state: ClusterState
    primary: Subject
    standby: Subject | None = None
    since: datetime | None = None
    signs: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    run: str = ""
    """The run that gives the cluster another primary just now."""


Records = Mapping[Subject, ServerRecord]


def judge(
    members: ClusterMembers, records: Records, now: datetime, dead_seconds: float, failing_over: str = ""
) -> ClusterVerdict:
    """How the cluster stands. `failing_over` is the run that moves the primary just now, if there is one."""
    seen = {who: record for who in members.all if (record := records.get(who)) and record.probe.fresh(now)}
    writers = _writers(seen)
    primary = writers[0] if writers else _last_primary(members, records)
    # Also while a run is at it: its fence comes before its promotion, so two are one that came back.
    if len(writers) > 1:
        names = " and ".join(_named(one) for one in writers)
        said = (f"{names} take writes, each on its own.",)
        return ClusterVerdict(ClusterState.SPLIT, primary, reasons=said, run=failing_over)
    if failing_over:
        said = (f"Run {failing_over} is at it.",)
        return ClusterVerdict(ClusterState.FAILING_OVER, primary, reasons=said, run=failing_over)
    if not seen:
        return ClusterVerdict(ClusterState.UNKNOWN, primary, reasons=("No worker looks at its servers.",))
    others = [one for one in members.all if one != primary]
    if writers:
        return _with_writer(members, primary, others, seen, now)
    return _without_writer(primary, others, seen, now, timedelta(seconds=dead_seconds))


def _writers(seen: Records) -> list[Subject]:
    """Who takes writes, the latest first; several only where each was seen to after another one began to."""
    writing = sorted(
        ((one.probe.at, who, one.writes_since) for who, one in seen.items() if one.probe.writes and one.writes_since),
        key=lambda row: row[0],
        reverse=True,
    )
    begun = max((since for _, _, since in writing), default=None)
    both = [who for at, who, _ in writing if begun is not None and at >= begun]
    if len(both) > 1:
        return both
    # One that was promoted a moment ago: what was seen of the other before is over.
    newest = sorted(writing, key=lambda row: row[2], reverse=True)
    return [who for _, who, _ in newest[:1]]


def _last_primary(members: ClusterMembers, records: Records) -> Subject:
    """Who took writes last; the one of the settings where nobody was seen to."""
    wrote = {who: at for who in members.all if who in records and (at := records[who].wrote_last)}
    return max(wrote, key=lambda who: wrote[who]) if wrote else members.primary


def _with_writer(
    members: ClusterMembers, primary: Subject, others: Sequence[Subject], seen: Records, now: datetime
) -> ClusterVerdict:
    """Somebody takes writes: what is not right beside that."""
    troubles, slow = list[str](), list[str]()
    for who in others:
        troubles += _standby_troubles(who, seen.get(who), now)
    slow += [said for who in (primary, *others) if who in seen for said in _slowness(who, seen[who])]
    own = seen[primary].probe.replication
    troubles += [*own.troubles()] if own is not None else []
    ready = [who for who in others if who in seen and not _standby_troubles(who, seen[who], now)]
    standby = ready[0] if ready else None
    if primary != members.primary and members.primary not in ready:
        left = f"{_named(primary)} is the primary now, and {_named(members.primary)} does not follow it."
        return ClusterVerdict(ClusterState.REJOIN, primary, standby, reasons=(left, *troubles, *slow))
    state = ClusterState.DEGRADED if troubles else ClusterState.SLOW if slow else ClusterState.READY
    return ClusterVerdict(state, primary, standby, reasons=(*troubles, *slow))


def _without_writer(
    primary: Subject, others: Sequence[Subject], seen: Records, now: datetime, dead: timedelta
) -> ClusterVerdict:
    """Nobody takes writes, as far as can be seen: lost, or not known to be."""
    own = seen.get(primary)
    following = [who for who in others if who in seen and seen[who].probe.follows]
    deaf = [(since, who) for who in following if (since := seen[who].deaf_since) is not None]
    silent = own.silent_since if own is not None else None
    standby = following[0] if following else None
    # Whoever hears it contradicts those who do not.
    if own is not None and silent is not None and deaf and len(deaf) == len(following):
        since, who = max(deaf, key=lambda one: one[0])
        both = max(silent, since)
        signs = (_silence(primary, own, now), _deafness(who, seen[who], now))
        if now - both >= dead:
            return ClusterVerdict(ClusterState.LOST, primary, who, both, signs, signs)
        return ClusterVerdict(ClusterState.DEGRADED, primary, who, both, signs, signs)
    reasons = [_silence(primary, own, now) if silent else _absence(primary, own)]
    reasons += [_deafness(who, seen[who], now) for _, who in deaf]
    reasons += [said for who in others if who not in seen or not seen[who].probe.follows for said in _unseen(who, seen)]
    short = silent is not None and now - silent < dead and not deaf and standby is not None
    state = ClusterState.SLOW if short else ClusterState.DEGRADED
    return ClusterVerdict(state, primary, standby, None, (), tuple(reasons))


def _standby_troubles(who: Subject, record: ServerRecord | None, now: datetime) -> list[str]:
    if record is None or not record.probe.follows:
        return _unseen(who, {who: record} if record is not None else {})
    if record.deaf_since is not None:
        return [_deafness(who, record, now)]
    told = record.probe.replication
    return [f"{_named(who)}: {said}" for said in told.troubles()] if told is not None else []


def _slowness(who: Subject, record: ServerRecord) -> list[str]:
    probe, told = record.probe, record.probe.replication
    said = [f"{_named(who)} took {probe.latency:.1f} s to answer."] if probe.latency > SLOW_ANSWER else []
    if told is not None and told.state is ReplicationState.SLOW and told.standby:
        said.append(f"{_named(who)} is far behind.")
    if told is not None and not told.standby:
        said += [f"{one.name or 'A standby'} is far behind." for one in told.standbys if one.slow]
    return said


def _silence(who: Subject, record: ServerRecord | None, now: datetime) -> str:
    """The sign at the primary's own host."""
    if record is None or record.silent_since is None:
        return _absence(who, record)
    container, since = record.probe.container, span_words(now - record.silent_since)
    why = f": {record.probe.said}" if record.probe.said else ""
    if container == "gone":
        return f"Docker knows no container of {_named(who)}, for {since}."
    return f"{_named(who)} has not answered for {since}; its container is {container}{why}."


def _deafness(who: Subject, record: ServerRecord, now: datetime) -> str:
    """The sign at a standby."""
    told = record.probe.replication
    since = span_words(now - record.deaf_since) if record.deaf_since is not None else "a while"
    one = told.upstream if told is not None else None
    if one is not None and is_deaf(one) and one.status == "streaming":
        return f"{_named(who)} has heard nothing from its primary for {one.heard or 0:.0f} s."
    return f"{_named(who)} has received nothing for {since}: its WAL receiver is not connected."


def _unseen(who: Subject, seen: Records) -> list[str]:
    record = seen.get(who)
    if record is None:
        return [f"{_named(who)} is not looked at: no worker of its site is alive, or it does not reach Docker."]
    if record.probe.follows:
        return []
    why = f": {record.probe.said}" if record.probe.said else ""
    container = record.probe.container or "not known, as Docker does not answer"
    return [f"{_named(who)} does not answer; its container is {container}{why}."]


def _absence(who: Subject, record: ServerRecord | None) -> str:
    """Nothing is known of it: that is no sign of death."""
    alone = "That alone does not say that it is dead."
    if record is None:
        return f"{_named(who)} cannot be seen: no worker of its site is alive. {alone}"
    if record.probe.blind:
        return f"{_named(who)} cannot be seen: Docker of its site does not answer. {alone}"
    if record.probe.follows:
        return f"{_named(who)} is in recovery and takes no writes."
    return f"{_named(who)} gave no right answer: {record.probe.said or 'it is not known why'}."


def _named(who: Subject) -> str:
    return f"{who.service} @ {who.site}"
